//! The action as lines: every leaf of the payload with its path, nothing left out.

use serde_json::Value;

use crate::wording::number;

/// One line: a key at its depth, and the value if it is a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub depth: usize,
    pub key: String,
    pub leaf: Option<Leaf>,
}

/// A value without children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Text that the agent supplied.
    Text(String),
    /// Text that would pass for a number, a word of JSON or nothing if it stood without quotes.
    Quoted(String),
    /// A number, with its digits in groups where that helps.
    Number { digits: String, grouped: Option<String> },
    /// `true`, `false`, `null`, or an empty list or object, said in words.
    Word(&'static str),
}

/// What a reader looks for first; whatever else there is follows.
const FIRST: [&str; 5] = ["parameters", "targets", "environment", "window", "command"];

/// Every line of `value`: its parts in the order of `FIRST`, everything inside in its own order.
pub fn lines(value: &Value) -> Vec<Line> {
    let mut out = Vec::new();
    descend(value, 0, &mut out);
    out
}

fn descend(value: &Value, depth: usize, out: &mut Vec<Line>) {
    let mut children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, child)| (key(name), child)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, child)| (format!("[{index}]"), child)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    if depth == 0 {
        let place = |key: &str| FIRST.iter().position(|first| *first == key);
        children.sort_by_key(|(key, _)| place(key).unwrap_or(FIRST.len()));
    }
    for (key, child) in children {
        let leaf = leaf(child);
        let nested = leaf.is_none();
        out.push(Line { depth, key, leaf });
        if nested {
            descend(child, depth + 1, out);
        }
    }
}

/// The name of a member, in quotes where it would pass for a place in a list.
fn key(name: &str) -> String {
    if name.starts_with(['[', '"']) { Value::from(name).to_string() } else { name.to_owned() }
}

/// A value without children; none where it has some.
pub fn leaf(value: &Value) -> Option<Leaf> {
    Some(match value {
        Value::Null => Leaf::Word("null"),
        Value::Bool(true) => Leaf::Word("true"),
        Value::Bool(false) => Leaf::Word("false"),
        Value::Number(number) => Leaf::Number {
            digits: number.to_string(),
            grouped: number.as_u64().filter(|n| *n >= 10_000).map(number::grouped),
        },
        Value::String(text) if is_ambiguous(text) => Leaf::Quoted(text.clone()),
        Value::String(text) => Leaf::Text(text.clone()),
        Value::Array(items) if items.is_empty() => Leaf::Word("(empty list)"),
        Value::Object(map) if map.is_empty() => Leaf::Word("(empty object)"),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// Whether text would be mistaken for something else without quotes around it.
fn is_ambiguous(text: &str) -> bool {
    text.trim() != text
        || text.is_empty()
        || text.starts_with(['"', '('])
        || matches!(text, "true" | "false" | "null")
        || serde_json::from_str::<serde_json::Number>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_leaf_is_a_line_under_its_keys() {
        let value = json!({"parameters": {"cols": ["id", "1"], "rows": 1240318}, "window": null});
        let lines = lines(&value);
        let path: Vec<(usize, &str)> =
            lines.iter().map(|line| (line.depth, line.key.as_str())).collect();
        let wanted =
            [(0, "parameters"), (1, "cols"), (2, "[0]"), (2, "[1]"), (1, "rows"), (0, "window")];
        assert_eq!(path, wanted);
        let leaf = |key: &str| lines.iter().find(|l| l.key == key).and_then(|l| l.leaf.clone());
        assert_eq!(leaf("[1]"), Some(Leaf::Quoted("1".into())));
        let grouped = Some("1,240,318".to_owned());
        assert_eq!(leaf("rows"), Some(Leaf::Number { digits: "1240318".into(), grouped }));
        assert_eq!(leaf("window"), Some(Leaf::Word("null")));
    }

    #[test]
    fn i4_a_member_is_no_place_in_a_list() {
        let keys = |value| lines(&value).into_iter().map(|line| line.key).collect::<Vec<_>>();
        assert_eq!(keys(json!({"a": [1]})), ["a", "[0]"]);
        assert_eq!(keys(json!({"a": {"[0]": 1}})), ["a", "\"[0]\""]);
        assert_eq!(keys(json!({"a": {"\"[0]\"": 1}})), ["a", "\"\\\"[0]\\\"\""]);
    }

    #[test]
    fn text_that_passes_for_something_else_is_quoted() {
        for text in ["", " a", "true", "null", "-1", "1e3", "\"a\"", "(empty list)"] {
            assert_eq!(leaf(&json!(text)), Some(Leaf::Quoted(text.into())), "{text}");
        }
        assert_eq!(leaf(&json!("orders")), Some(Leaf::Text("orders".into())));
        assert_eq!(leaf(&json!({})), Some(Leaf::Word("(empty object)")));
    }
}
