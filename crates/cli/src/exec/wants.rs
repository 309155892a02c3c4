//! What a kind asks for, and what of it the command line lacks: said before anything is staged.

use anyhow::bail;
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::wire::{printable, rows};

/// A kind of the catalogue, as the API describes it.
pub struct Wants<'a>(pub &'a Value);

impl Wants<'_> {
    /// The parameters, each of the type that the kind's schema gives it.
    pub fn parameters(&self, given: &[String]) -> anyhow::Result<Value> {
        let mut parameters = Map::new();
        for text in given {
            let Some((name, value)) = text.split_once('=') else {
                bail!(Exit::Usage.because(format!("--param {text}: write NAME=VALUE")));
            };
            let Some(schema) = self.0["parameters_schema"]["properties"].get(name) else {
                let mut names: Vec<&str> =
                    self.properties().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                bail!(Exit::Usage.because(format!(
                    "{} has no parameter `{name}`; it has: {}",
                    self.name(),
                    names.join(", ")
                )));
            };
            let value = typed(name, value, schema)?;
            match (parameters.get_mut(name), value) {
                (None, value) => drop(parameters.insert(name.to_owned(), value)),
                (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
                (Some(_), _) => {
                    bail!(Exit::Usage.because(format!("--param {name} is given twice")))
                }
            }
        }
        Ok(Value::Object(parameters))
    }

    /// Refuses a body that lacks what the kind asks for, and says what that is, all at once.
    pub fn check(&self, body: &Value) -> anyhow::Result<()> {
        let mut lacks = Vec::new();
        let required = self.0["parameters_schema"]["required"].as_array();
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if body["parameters"].get(name).is_none() {
                let schema = &self.0["parameters_schema"]["properties"][name];
                let example = &self.0["example"]["parameters"][name];
                lacks.push(format!(
                    "--param {name}=…  {}, such as {}",
                    printable(schema["description"].as_str().unwrap_or(name)),
                    written(example)
                ));
            }
        }
        let has = |wanted: &Value| {
            let mut items = rows(&body["evidence"]);
            items.any(|item| item["type"] == *wanted)
        };
        for rule in rows(&self.0["required_evidence"]) {
            if !has(&rule["type"]) {
                lacks.push(format!("--evidence {}=FILE", written(&rule["type"])));
            }
        }
        if self.0["rollback_plan_required"] == true && body.get("rollback_plan").is_none() {
            lacks.push(
                "--rollback FILE, the plan to undo it, or --rollback-exec COMMAND".to_owned(),
            );
        }
        if lacks.is_empty() {
            return Ok(());
        }
        bail!(Exit::Usage.because(format!(
            "{} asks for more; nothing is staged:\n  {}",
            self.name(),
            lacks.join("\n  ")
        )))
    }

    /// The oldest that evidence of this type may be is known: it has to say when it was collected.
    pub fn asks_for_age(&self, evidence_type: &str) -> bool {
        let mut rules = rows(&self.0["required_evidence"]);
        rules.any(|rule| rule["type"] == evidence_type && rule["max_age_s"].is_u64())
    }

    fn name(&self) -> String {
        format!("the kind {}", written(&self.0["name"]))
    }

    fn properties(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0["parameters_schema"]["properties"].as_object().into_iter().flatten()
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Array(items) => items.iter().map(written).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn typed(name: &str, text: &str, schema: &Value) -> anyhow::Result<Value> {
    let not = |what: &str| Exit::Usage.because(format!("--param {name}={text}: this is {what}"));
    Ok(match schema["type"].as_str().unwrap_or("string") {
        "integer" => {
            text.parse::<i64>().map_err(|_| not("an integer, without fraction or exponent"))?.into()
        }
        "boolean" => text.parse::<bool>().map_err(|_| not("true or false"))?.into(),
        "array" if !text.starts_with('[') => {
            let items = text.split(',').map(|item| typed(name, item, &schema["items"]));
            Value::Array(items.collect::<anyhow::Result<_>>()?)
        }
        "array" | "object" => {
            serde_json::from_str(text).map_err(|error| not(&format!("JSON; {error}")))?
        }
        _ => text.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Wants;

    #[test]
    fn parameters_have_the_types_of_the_schema() {
        let kind = json!({"name": "k", "parameters_schema": {"properties": {
            "s": {"type": "string"}, "i": {"type": "integer"}, "b": {"type": "boolean"},
            "l": {"type": "array", "items": {"type": "integer"}}, "o": {"type": "object"}
        }}});
        let wants = Wants(&kind);
        let given = ["s=a=b,c", "i=-7", "b=true", "l=1,2", "l=[3]", "o={\"x\": 1}"];
        let parameters = wants.parameters(&given.map(str::to_owned)).unwrap();
        let wanted = json!({"s": "a=b,c", "i": -7, "b": true, "l": [1, 2, 3], "o": {"x": 1}});
        assert_eq!(parameters, wanted);
        for (given, why) in [
            (vec!["x=1"], "it has: b, i, l, o, s"),
            (vec!["i=1.5"], "an integer"),
            (vec!["b=yes"], "true or false"),
            (vec!["o={"], "JSON"),
            (vec!["s"], "NAME=VALUE"),
            (vec!["s=1", "s=2"], "twice"),
        ] {
            let given: Vec<String> = given.into_iter().map(str::to_owned).collect();
            let error = wants.parameters(&given).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
