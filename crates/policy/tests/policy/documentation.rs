//! docs/policy.md says what the schema and the policy say: its generated parts, and its examples.

use std::fmt::Write as _;
use std::path::PathBuf;

use cedar_policy::SchemaFragment;
use policy::{DEFAULT, MAX_NESTING, MAX_POLICIES, MAX_QUORUM, MAX_REAUTH_S, MAX_TEXT_BYTES};
use policy::{MAX_WORDS_PER_POLICY, MIN_REAUTH_S, SCHEMA};
use serde_json::Value;

use crate::scene::{parsed, when};

const PAGE: &str = "docs/policy.md";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(PAGE)
}

fn page() -> String {
    std::fs::read_to_string(path()).unwrap()
}

/// Holds a generated part against the page, or writes it with `UPDATE_DOCS=1`.
fn check(part: &str, wanted: &str) {
    let page = page();
    let (open, close) = (format!("<!-- generated: {part} -->\n"), "<!-- end -->");
    let start = page.find(&open).expect("the part's mark") + open.len();
    let end = start + page[start..].find(close).expect("the part's end");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let new = format!("{}\n{wanted}\n{}", &page[..start], &page[end..]);
        std::fs::write(path(), new).unwrap();
    } else {
        let found = page[start..end].trim();
        assert_eq!(found, wanted.trim(), "run this test with UPDATE_DOCS=1 to write {PAGE} anew");
    }
}

#[test]
fn the_schema_is_on_the_page() {
    let (fragment, _) = SchemaFragment::from_cedarschema_str(SCHEMA).unwrap();
    let schema = fragment.to_json_value().unwrap();
    let schema = &schema[""];
    let mut out = String::from("| what | type | says |\n|---|---|---|\n");
    for (name, entity) in schema["entityTypes"].as_object().unwrap() {
        let parents = names(&entity["memberOfTypes"]);
        let within = if parents.is_empty() { String::new() } else { format!(" in {parents}") };
        let tags = entity.get("tags").map(|tags| format!("tags of {}", typed(tags)));
        let tags = tags.unwrap_or_default();
        writeln!(out, "| **{name}**{within} | {tags} | {} |", doc(entity)).unwrap();
        let attributes = entity["shape"]["attributes"].as_object();
        for (attribute, of) in attributes.into_iter().flatten() {
            let optional = if of["required"] == false { "?" } else { "" };
            let form = typed(of);
            writeln!(out, "| `{attribute}{optional}` | {form} | {} |", doc(of)).unwrap();
        }
    }
    for (name, action) in schema["actions"].as_object().unwrap() {
        let by = names(&action["appliesTo"]["principalTypes"]);
        writeln!(out, "| action **{name}** | {by} → Request | {} |", doc(action)).unwrap();
    }
    check("schema", &out);
}

#[test]
fn the_default_policy_is_on_the_page() {
    check("default policy", &format!("```cedar\n{DEFAULT}```\n"));
}

#[test]
fn the_limits_are_on_the_page() {
    check(
        "limits",
        &format!(
            "| limit | value |\n|---|---|\n\
             | text | {} KiB |\n| rules | {MAX_POLICIES} |\n\
             | names, numbers and signs in one rule | {MAX_WORDS_PER_POLICY} |\n\
             | brackets in one another | {MAX_NESTING} |\n\
             | `@quorum` | 1 to {MAX_QUORUM} |\n\
             | `@reauth` | {MIN_REAUTH_S} to {MAX_REAUTH_S} seconds |\n",
            MAX_TEXT_BYTES / 1024
        ),
    );
}

#[test]
fn every_example_on_the_page_is_a_policy() {
    let page = page();
    let mut examples = 0;
    for block in page.split("```cedar\n").skip(1) {
        let rule = block.split("```").next().unwrap();
        if rule != DEFAULT {
            // An example is a rule or two; the other half of a policy stands beside it.
            parsed(&format!("{}{rule}", when("true")));
            examples += 1;
        }
    }
    assert!(examples >= 5, "only {examples} examples were found");
}

fn doc(of: &Value) -> &str {
    of["annotations"]["doc"].as_str().expect("a @doc for each entity, attribute and action")
}

fn names(list: &Value) -> String {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn typed(of: &Value) -> String {
    match of["type"].as_str().expect("a type") {
        "EntityOrCommon" => of["name"].as_str().expect("a name").to_owned(),
        "Set" => format!("Set of {}", typed(&of["element"])),
        other => other.to_owned(),
    }
}
