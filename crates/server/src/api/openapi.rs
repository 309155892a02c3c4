//! `GET /api/v1/openapi.json`: what the API is, as OpenAPI 3.1, made from the routes themselves.
//!
//! A route's attribute says what is its own. What follows from its form is added here: the problems
//! of a missing key, of a body, of a query. The stage body and the kind are the very schemas that
//! check them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Json;
use domain::stage::FieldError;
use serde_json::{Map, Value, json};
use service::schema::Form;
use utoipa::{OpenApi, ToSchema};

use crate::problem::Problem;
use crate::problem::codes::{CODES, Code, find};

/// The media type of every problem.
const PROBLEM: &str = "application/problem+json";

/// Where an operation names the codes of its own.
const OWN_CODES: &str = "x-problems";

/// Where an operation stands among the others: in the order in which a request comes by them.
const ORDER: &str = "x-order";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign",
        description = "The API for agents and auditors: stage a sensitive action, wait for people, redeem, report. \
            One bearer key, JSON, no cookies. Errors are problems (RFC 9457) with a closed `code`. Every answer has \
            an `x-request-id`, every answer to an agent that is known `RateLimit` and `RateLimit-Policy`. Only a release token, or the answer that carries it, is a yes.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact()
    ),
    servers((url = "/", description = "This server.")),
    tags(
        (name = "Requests", description = "Stage, wait, amend, withdraw."),
        (name = "Execution", description = "Redeem, heartbeat, report: for the executor."),
        (name = "Evidence", description = "What reviewers look at."),
        (name = "Kinds", description = "What can be staged."),
        (name = "Tools", description = "The same calls for models, by a protocol of their own."),
        (name = "Ledger", description = "For auditors' programs."),
        (name = "Server", description = "What verifiers of tokens and monitors read, without a key.")
    ),
    components(schemas(Problem))
)]
pub(super) struct Base;

/// What is sent and answered, by operation: written and held by the test that sends it.
static EXAMPLES: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| completed(super::routes().into_openapi()));

/// The schemas of bodies, compiled: what the document says is what is checked.
static FORMS: LazyLock<BTreeMap<String, Form>> = LazyLock::new(|| {
    let components = &DOCUMENT["components"];
    let form = |name: &String| {
        let to = format!("#/components/schemas/{name}");
        Some((name.clone(), Form::new(&json!({"$ref": to, "components": components})).ok()?))
    };
    components["schemas"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, _)| form(name))
        .collect()
});

/// The rules of the document's schema of `T` that a body breaks.
///
/// SECURITY: I5. A schema that is not there, or is none, lets nothing through.
pub(super) fn broken<T: ToSchema>(body: &Value) -> Result<Vec<FieldError>, Problem> {
    let form = FORMS.get(&*T::name()).ok_or_else(Problem::internal)?;
    Ok(form.broken(body))
}

/// The document.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "openapi", tag = "Server",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object)))]
pub(super) async fn read() -> Json<&'static Value> {
    Json(document())
}

/// Adds what the routes' attributes leave to us.
fn completed(generated: utoipa::openapi::OpenApi) -> Value {
    let order: Vec<String> = generated.paths.paths.keys().cloned().collect();
    let mut document = serde_json::to_value(generated).unwrap_or_default();
    for (place, path) in order.iter().enumerate() {
        for (_, operation) in document["paths"][path].as_object_mut().into_iter().flatten() {
            operation[ORDER] = place.into();
        }
    }
    if let Some(components) = document["components"].as_object_mut() {
        components.insert("securitySchemes".to_owned(), security_schemes());
        let schemas = &mut components["schemas"];
        schemas["StageBody"] = schema(service::schema::STAGE_BODY, "StageBody");
        schemas["Kind"] = catalogued(schema(service::kind::SCHEMA, "Kind"));
        let codes = CODES.iter().map(|code| code.code);
        schemas["Problem"]["properties"]["code"]["enum"] = codes.collect();
    }
    let paths = document["paths"].as_object_mut();
    let items = paths.into_iter().flatten().filter_map(|(_, item)| item.as_object_mut());
    for operation in items.flatten().filter_map(|(_, operation)| operation.as_object_mut()) {
        let problems = problems(operation);
        operation.remove(OWN_CODES);
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        parameters.into_iter().flatten().for_each(never_null);
        show(operation);
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            for (status, problem) in problems {
                match responses.get_mut(&status) {
                    // What is said of it already stays: a problem is one more form of it.
                    Some(own) => own["content"][PROBLEM] = problem["content"][PROBLEM].clone(),
                    None => drop(responses.insert(status, problem)),
                }
            }
        }
    }
    document
}

/// Gives an operation its examples.
fn show(operation: &mut Map<String, Value>) {
    let name = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
    let Some(examples) = EXAMPLES.get(name) else { return };
    let put = |content: Option<&mut Value>, example: &Value| {
        let first = content.and_then(Value::as_object_mut).and_then(|of| of.values_mut().next());
        if let Some(media_type) = first {
            media_type["example"] = example.clone();
        }
    };
    if let Some(example) = examples.get("body") {
        put(operation.get_mut("requestBody").and_then(|body| body.get_mut("content")), example);
    }
    for (status, example) in examples["answers"].as_object().into_iter().flatten() {
        let answer = operation.get_mut("responses").and_then(|answers| answers.get_mut(status));
        put(answer.and_then(|answer| answer.get_mut("content")), example);
    }
}

/// What a query or a header leaves out is not there; it is never `null`.
fn never_null(parameter: &mut Value) {
    let Some(schema) = parameter.get_mut("schema") else { return };
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let choice = choices.iter().find(|choice| choice["type"] != "null");
        *schema = choice.cloned().unwrap_or_default();
    } else if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
    }
}

/// One of our own schemas as the component `name`: what it refers to moves with it.
fn schema(text: &str, name: &str) -> Value {
    let text = text.replace("\"#/$defs/", &format!("\"#/components/schemas/{name}/$defs/"));
    let mut schema: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(members) = schema.as_object_mut() {
        members.remove("$schema");
    }
    schema
}

/// A kind as the catalogue answers it: with its version.
fn catalogued(mut kind: Value) -> Value {
    kind["properties"]["version"] =
        json!({"type": "integer", "minimum": 1, "description": "counts up with every change"});
    if let Some(required) = kind["required"].as_array_mut() {
        required.push("version".into());
    }
    kind
}

fn security_schemes() -> Value {
    let bearer =
        |description| json!({"type": "http", "scheme": "bearer", "description": description});
    json!({
        "agent_key": bearer("An agent's key, `csn_agt_…`, from the page Agents; or a JWT of an issuer that is trusted there to speak as the agent."),
        "auditor_key": bearer("An auditor's key, `csn_aud_…`, from the page Settings."),
    })
}

/// The answers of an operation that are problems, by status.
fn problems(operation: &Map<String, Value>) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<&Code>> = BTreeMap::new();
    for code in codes_of(operation) {
        for status in code.statuses {
            by_status.entry(*status).or_default().push(code);
        }
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), answer(status, &codes)))
        .collect()
}

/// The codes that an operation can answer with: its own, and those that follow from its form.
fn codes_of(operation: &Map<String, Value>) -> Vec<&'static Code> {
    let own = operation.get(OWN_CODES).and_then(Value::as_array).into_iter().flatten();
    let mut names: Vec<&str> = own.filter_map(Value::as_str).collect();
    let mut follows = |condition: bool, codes: &[&'static str]| {
        if condition {
            names.extend(codes);
        }
    };
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let has = |member: &str, value: &str| {
        parameters.into_iter().flatten().any(|parameter| parameter[member] == value)
    };
    let json_body = operation
        .get("requestBody")
        .is_some_and(|body| body.pointer("/content/application~1json").is_some());
    let form = operation
        .get("requestBody")
        .is_some_and(|body| body.pointer("/content/application~1x-www-form-urlencoded").is_some());
    let keyed =
        operation.get("security").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    follows(keyed, &["duplicate_authorization", "unauthenticated"]);
    follows(of_agents(operation), &["rate_limited"]);
    follows(has("in", "path"), &["not_found"]);
    follows(has("in", "query"), &["invalid_query"]);
    follows(has("name", "Idempotency-Key"), &["invalid_idempotency_key", "idempotency_key_reused"]);
    let key = |of: &Value| of["name"] == "Idempotency-Key" && of["required"] == true;
    follows(parameters.into_iter().flatten().any(key), &["idempotency_key_missing"]);
    follows(json_body, &["malformed_json", "body_incomplete", "body_too_large"]);
    follows(json_body, &["unsupported_media_type", "invalid_body"]);
    follows(form, &["invalid_form", "body_incomplete", "body_too_large", "unsupported_media_type"]);
    follows(true, &["internal", "unavailable"]);
    names.into_iter().filter_map(find).collect()
}

/// Whether agents call it, and their pace is kept.
fn of_agents(operation: &Map<String, Value>) -> bool {
    let security = operation.get("security").and_then(Value::as_array);
    security.into_iter().flatten().any(|scheme| scheme.get("agent_key").is_some())
}

/// An answer that is a problem with one of these codes.
fn answer(status: u16, codes: &[&Code]) -> Value {
    let names: Vec<&str> = codes.iter().map(|code| code.code).collect();
    let lines =
        codes.iter().map(|code| format!("- `{}`: {}. Do: {}.", code.code, code.means, code.advice));
    let mut answer = json!({
        "description": lines.collect::<Vec<_>>().join("\n"),
        "content": {PROBLEM: {"schema": {"allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"status": {"const": status}, "code": {"enum": names}}},
        ]}}},
    });
    match status {
        401 => answer["headers"] = header("WWW-Authenticate", "`Bearer`."),
        429 | 503 => answer["headers"] = header("Retry-After", "Seconds to wait."),
        _ => {}
    }
    answer
}

fn header(name: &str, description: &str) -> Value {
    json!({name: {"description": description, "schema": {"type": "string"}}})
}
