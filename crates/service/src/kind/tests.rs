//! Each rule of a kind, broken once; and the page that lists them.

use serde_json::{Value, json};

use super::*;
use crate::change::CHANGE_KINDS;
use crate::house::BUILT_IN_KINDS;

fn now() -> Timestamp {
    Timestamp::parse("2027-01-15T08:00:00Z").unwrap()
}

/// A kind that uses every field.
fn whole() -> Value {
    json!({
        "name": "mail.send", "title": "Mail", "description": "Sends mail.",
        "effect": "Send {count} mails to {list} from {environment}",
        "parameters_schema": {
            "type": "object", "additionalProperties": false, "required": ["count", "list"],
            "properties": {
                "count": {"type": "integer", "minimum": 1}, "list": {"type": "string"},
                "reply": {"type": "integer"}
            }
        },
        "required_evidence": [
            {"type": "recipients", "max_age_s": 3600, "presenter": "table"}, {"type": "preview"}
        ],
        "rollback_plan_required": true, "command_required": true, "reversible": false, "reversal_note": "Sent is sent",
        "base_risk": "medium",
        "size": {"parameter": "count", "unit": "mails", "medium": 100, "high": 10000},
        "working_hours_utc": {"from": 6, "to": 18},
        "review_deadline_s": 3600, "release_ttl_s": 3600, "lease_ttl_s": 60,
        "report_deadline_s": 600, "executor": "mailer", "owning_group": "marketing",
        "example": {
            "kind": "mail.send", "parameters": {"count": 5, "list": "beta"}, "targets": ["beta"],
            "environment": "staging", "summary": "s", "justification": "j",
            "risk": {"factors": []}, "rollback_plan": {"steps": ["say sorry"]},
            "command": {"argv": ["/usr/bin/mail"]},
            "evidence": [
                {"type": "recipients", "name": "r.csv", "media_type": "text/csv", "content": "a"},
                {"type": "preview", "name": "p.txt", "media_type": "text/plain", "content": "b"}
            ]
        }
    })
}

fn errors(definition: &Value) -> Vec<FieldError> {
    read(&Schemas::new().unwrap(), definition, now()).err().unwrap_or_default()
}

/// The whole kind with another value at `pointer`, which may end in a new field; null takes it out.
fn with(pointer: &str, value: Value) -> Value {
    let mut kind = whole();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    match kind.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[field.parse::<usize>().unwrap()] = value,
        Value::Object(fields) if value.is_null() => drop(fields.remove(field)),
        fields => fields[field] = value,
    }
    kind
}

#[test]
fn a_kind_that_uses_every_field_is_taken_and_written_as_it_was_read() {
    assert_eq!(errors(&whole()), []);
    let kind = read(&Schemas::new().unwrap(), &whole(), now()).unwrap();
    assert_eq!(serde_json::to_value(kind).unwrap(), whole());
    let properties: Value = serde_json::from_str(SCHEMA).unwrap();
    let known = properties["properties"].as_object().unwrap().keys();
    assert!(known.eq(whole().as_object().unwrap().keys()), "the test uses every field");
}

#[test]
fn every_kind_that_ships_is_a_kind() {
    for text in BUILT_IN_KINDS {
        let kind = parse(text.as_bytes()).unwrap();
        assert_eq!(errors(&kind), [], "{}", kind["name"]);
    }
    for text in CHANGE_KINDS {
        let kind = parse(text.as_bytes()).unwrap();
        assert_eq!(errors(&kind), [], "{}", kind["name"]);
    }
}

#[test]
fn j02_each_rule_names_the_field_and_the_limit() {
    let schema = "/parameters_schema/properties/count/type";
    let rule = "/required_evidence/1";
    for (pointer, value, wrong, limit) in [
        ("/name", json!("Mail Send"), "/name", Some("^[a-z0-9_]+(\\.[a-z0-9_]+)*$")),
        ("/title", json!(""), "/title", Some("1")),
        ("/effect", json!("Send {count"), "/effect", None),
        ("/effect", json!("Send {} mails"), "/effect", Some("count, environment, list, reply")),
        ("/effect", json!("Send {cuont}"), "/effect", Some("count, environment, list, reply")),
        ("/parameters_schema/type", json!("objekt"), "/parameters_schema", None),
        (rule, json!("preview"), rule, Some("single(object)")),
        ("/required_evidence/1/type", json!("recipients"), "/required_evidence/1/type", None),
        ("/required_evidence/1/max_age_s", json!(59), "/required_evidence/1/max_age_s", Some("60")),
        (
            "/required_evidence/1/presenter",
            json!("html"),
            "/required_evidence/1/presenter",
            Some("[\"text\",\"diff\",\"table\",\"log\",\"json\"]"),
        ),
        ("/base_risk", json!("none"), "/base_risk", Some("[\"low\",\"medium\",\"high\"]")),
        ("/size/parameter", json!("list"), "/size/parameter", None),
        ("/size/parameter", json!("reply"), "/size/parameter", None),
        ("/size/parameter", json!("rows"), "/size/parameter", None),
        (schema, json!("string"), "/size/parameter", None),
        ("/size/high", json!(100), "/size/high", Some("100")),
        ("/working_hours_utc/to", json!(6), "/working_hours_utc/to", None),
        ("/working_hours_utc/from", json!(24), "/working_hours_utc/from", Some("23")),
        ("/review_deadline_s", json!(299), "/review_deadline_s", Some("300")),
        ("/release_ttl_s", json!(86_401), "/release_ttl_s", Some("86400")),
        ("/lease_ttl_s", json!(29), "/lease_ttl_s", Some("30")),
        ("/report_deadline_s", json!(604_801), "/report_deadline_s", Some("604800")),
        ("/executor", json!("mail\u{200b}er"), "/executor", None),
        ("/owning_group", json!("Marketing"), "/owning_group", Some("^[a-z][a-z0-9-]{0,39}$")),
        ("/approved", json!(true), "/approved", None),
    ] {
        let found = errors(&with(pointer, value));
        let found = found.first().unwrap_or_else(|| panic!("{pointer} is taken"));
        assert_eq!((found.pointer.as_str(), found.limit.as_deref()), (wrong, limit), "{found:?}");
    }
}

#[test]
fn an_example_is_a_request_that_the_kind_takes_from_everybody_at_any_time() {
    let later = json!({"not_before": "2027-01-16T08:00:00Z", "not_after": "2027-01-16T09:00:00Z"});
    let digest = json!(format!("sha256:{}", "0".repeat(64)));
    let uploaded =
        json!({"type": "recipients", "name": "n", "media_type": "a/b", "digest": digest});
    let person = json!("0192f0a0-0000-7000-8000-00000000abcd");
    for (pointer, value, wrong) in [
        ("/example/kind", json!("mail.read"), "/example/kind"),
        ("/example/summary", json!(""), "/example/summary"),
        ("/example/parameters", json!({"count": 0, "list": "x"}), "/example/parameters/count"),
        ("/example/evidence", json!([]), "/example/evidence"),
        ("/example/evidence/0", uploaded, "/example/evidence/0/digest"),
        ("/example/rollback_plan", Value::Null, "/example/rollback_plan"),
        ("/example/window", later, "/example/window"),
        ("/example/review_deadline", json!("2027-01-16T08:00:00Z"), "/example/review_deadline"),
        ("/example/on_behalf_of", person, "/example/on_behalf_of"),
    ] {
        let found = errors(&with(pointer, value));
        assert_eq!(found.first().map(|error| error.pointer.as_str()), Some(wrong), "{found:?}");
    }
}

#[test]
fn h07_a_number_that_is_no_integer_is_refused_by_its_place() {
    let text = whole().to_string().replace("\"high\":10000", "\"high\":1e4");
    let error = parse(text.as_bytes()).unwrap_err().remove(0);
    assert_eq!(error.pointer, "/size/high");
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kinds.md");

/// The form of a field's schema, in words.
fn form(schema: &Value) -> String {
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`"));
        return words.collect::<Vec<_>>().join(", ");
    }
    let sort = match schema["type"].as_str().expect("a type") {
        "string" => "text",
        "array" => "list",
        other => other,
    };
    let number = |name: &str| schema[name].as_i64();
    let limits = match (number("minimum"), number("maximum")) {
        (Some(least), Some(_)) if least < -1_000_000 => " within ±(2^53−1)".to_owned(),
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        _ => String::new(),
    };
    let most = number("maxLength").map(|most| format!(" of 1 to {most}"));
    let items = number("maxItems").map(|most| format!(" of at most {most}"));
    let pattern = schema["pattern"].as_str().map(|pattern| format!(", `{pattern}`"));
    let parts = [most, items, pattern].into_iter().flatten().collect::<String>();
    format!("{sort}{limits}{parts}")
}

fn rows(schema: &Value, prefix: &str, out: &mut String) {
    let required =
        |name: &str| schema["required"].as_array().into_iter().flatten().any(|other| other == name);
    let empty = serde_json::Map::new();
    for name in order(schema) {
        let of = schema["properties"].as_object().unwrap_or(&empty).get(name).expect("a property");
        let (must, says) = (if required(name) { "yes" } else { "no" }, &of["description"]);
        let says = says.as_str().expect("a description of each field");
        out.push_str(&format!("| `{prefix}{name}` | {must} | {} | {says} |\n", form(of)));
        rows(of, &format!("{prefix}{name}."), out);
        rows(&of["items"], &format!("{prefix}{name}[]."), out);
    }
}

/// The fields in the order of the schema's text: a parsed object has lost it.
fn order(schema: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_by_key(|name| SCHEMA.find(&format!("\"{name}\": {{")));
    names
}

#[test]
fn every_field_of_a_kind_is_on_the_page() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut wanted = String::from("| field | must | form | what it is |\n|---|---|---|---|\n");
    rows(&schema, "", &mut wanted);
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (open, close) = ("<!-- generated: fields -->\n", "<!-- end -->");
    let start = page.find(open).expect("the part's mark") + open.len();
    let end = start + page[start..].find(close).expect("the part's end");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, format!("{}\n{wanted}\n{}", &page[..start], &page[end..])).unwrap();
    } else {
        let found = page[start..end].trim();
        assert_eq!(found, wanted.trim(), "run this test with UPDATE_DOCS=1 to write docs/kinds.md");
    }
}

#[test]
fn the_example_on_the_page_is_a_kind() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let block = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
    let kind = parse(block.expect("an example").as_bytes()).unwrap();
    assert_eq!(errors(&kind), []);
}
