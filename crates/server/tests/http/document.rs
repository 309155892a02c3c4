//! The OpenAPI document: whole, true, and the same as what the docs say.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use server::api::openapi::document;
use server::problem::codes::CODES;
use testing::TestApp;

/// Method, path and description of every operation.
pub(crate) fn operations() -> impl Iterator<Item = (String, String, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(|(method, is)| (method.to_uppercase(), path.clone(), is))
    })
}

#[tokio::test]
async fn the_document_is_answered_to_anybody() {
    let app = TestApp::new().await;
    let reply =
        app.anonymous(Request::get("/api/v1/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.json()["openapi"], "3.1.0");
    assert_eq!(&reply.json(), document());
    insta::assert_snapshot!(serde_json::to_string_pretty(document()).unwrap());
}

/// Routes get into the router with their description only: see `b01` of the table of routes.
#[test]
fn every_route_of_the_api_is_made_with_its_description() {
    let source = include_str!("../../src/api.rs");
    let bare: Vec<&str> = source.split(".route(\"").skip(1).collect();
    assert_eq!(bare.len(), 1, "only what answers 404 is no call of the API");
    assert!(bare[0].starts_with("/api/{*rest}"));
}

#[test]
fn every_operation_has_a_name_a_caller_and_answers() {
    let mut names = BTreeSet::new();
    for (method, path, is) in operations() {
        let at = format!("{method} {path}");
        assert!(names.insert(is["operationId"].as_str().unwrap()), "{at}: its name is used twice");
        assert!(!is["summary"].as_str().unwrap().is_empty(), "{at}");
        assert!(is.get("x-problems").is_none(), "{at}");
        let keyed = is["security"].as_array().is_some_and(|of| !of.is_empty());
        let called = path.starts_with("/api/") || path == "/mcp";
        let open = !called || path.ends_with("/openapi.json");
        assert_ne!(keyed, open, "{at}: whose key");
        let answers = is["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{at}");
        assert!(answers.contains_key("500") && answers.contains_key("503"), "{at}");
        assert_eq!(answers.contains_key("401"), keyed, "{at}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    found.insert(to.clone());
                }
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    references(document(), &mut found);
    assert!(found.len() > 10, "{found:?}");
    for to in found {
        let pointer = to.strip_prefix('#').unwrap_or_else(|| panic!("{to} leads outside"));
        assert!(document().pointer(pointer).is_some(), "{to}");
    }
}

#[test]
fn every_code_is_answered_by_some_operation() {
    let mut answered = BTreeSet::new();
    for (_, _, is) in operations() {
        for answer in is["responses"].as_object().unwrap().values() {
            let codes = "/content/application~1problem+json/schema/allOf/1/properties/code/enum";
            let codes = answer.pointer(codes).and_then(Value::as_array);
            answered.extend(codes.into_iter().flatten().map(|code| code.as_str().unwrap()));
        }
    }
    // The one code that is of no operation: its answer is that there is none.
    answered.insert("method_not_allowed");
    let all: BTreeSet<&str> = CODES.iter().map(|code| code.code).collect();
    assert_eq!(answered, all);
}

/// `UPDATE_DOCS=1` writes the table anew.
#[test]
fn the_documented_codes_are_these() {
    let rows = CODES.iter().map(|code| {
        let statuses: Vec<String> = code.statuses.iter().map(u16::to_string).collect();
        format!(
            "| `{}` | {} | {} | {} |\n",
            code.code,
            statuses.join(", "),
            code.means,
            code.advice
        )
    });
    let rows: String = rows.collect();
    let table = format!("\n| code | status | means | do |\n|---|---|---|---|\n{rows}\n");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- generated: codes -->\n", "<!-- end -->");
    let (before, rest) = page.split_once(begin).expect("the page has a place for the table");
    let (is, after) = rest.split_once(end).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(is, table, "run with UPDATE_DOCS=1");
    }
}
