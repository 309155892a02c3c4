//! The parameters of a kind, read from its JSON Schema for a table.
//!
//! Shows what a reader needs to write a request; it validates nothing.

use serde_json::Value;

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    pub required: bool,
    pub sort: String,
    pub limits: String,
    pub description: String,
}

/// The parameters that `schema` names, in its order.
pub fn parameters(schema: &Value) -> Vec<Parameter> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    let row =
        |(name, rule): (&String, &Value)| parameter(name, rule, required.contains(&name.as_str()));
    properties.iter().map(row).collect()
}

/// One parameter, by its rule.
pub fn parameter(name: &str, rule: &Value, required: bool) -> Parameter {
    Parameter {
        name: name.to_owned(),
        required,
        sort: sort(rule),
        limits: limits(rule),
        description: text(rule, "description"),
    }
}

fn text(rule: &Value, key: &str) -> String {
    rule.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn sort(rule: &Value) -> String {
    let of = |rule: &Value| match rule.get("type") {
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(many)) => {
            many.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        _ if rule.get("enum").is_some() => "one of".to_owned(),
        _ => "any".to_owned(),
    };
    match rule.get("items") {
        Some(items) => format!("{} of {}", of(rule), of(items)),
        None => of(rule),
    }
}

fn limits(rule: &Value) -> String {
    let mut out = Vec::new();
    if let Some(choices) = rule.get("enum").and_then(Value::as_array) {
        out.push(choices.iter().map(plain).collect::<Vec<_>>().join(", "));
    }
    let mut range = |low: &str, high: &str, unit: &str| {
        let at = |key: &str| rule.get(key).map(plain);
        match (at(low), at(high)) {
            (Some(low), Some(high)) => out.push(format!("{low} to {high}{unit}")),
            (Some(low), None) => out.push(format!("at least {low}{unit}")),
            (None, Some(high)) => out.push(format!("at most {high}{unit}")),
            (None, None) => {}
        }
    };
    range("minimum", "maximum", "");
    range("minLength", "maxLength", " characters");
    range("minItems", "maxItems", " items");
    for (key, word) in [("format", "format"), ("pattern", "matches"), ("const", "always")] {
        if let Some(value) = rule.get(key) {
            out.push(format!("{word} {}", plain(value)));
        }
    }
    out.join("; ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_becomes_a_table() {
        let schema = json!({
            "required": ["rows"],
            "properties": {
                "cols": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
                "mode": {"enum": ["full", "delta"]},
                "rows": {"type": "integer", "minimum": 1, "maximum": 500, "description": "How many"},
            }
        });
        let table = parameters(&schema);
        let row = |name: &str| table.iter().find(|row| row.name == name).unwrap();
        assert_eq!(row("cols").sort, "array of string");
        assert_eq!(row("cols").limits, "at most 20 items");
        assert_eq!(
            (row("mode").sort.as_str(), row("mode").limits.as_str()),
            ("one of", "full, delta")
        );
        assert_eq!((row("rows").limits.as_str(), row("rows").required), ("1 to 500", true));
        assert_eq!(parameters(&json!(true)), vec![]);
    }
}
