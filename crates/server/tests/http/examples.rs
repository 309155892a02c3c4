//! The examples of the OpenAPI document: each is sent as it stands there, and gets the answer that
//! stands there.
//!
//! One story on a server whose clock and chance are the test's, so that ids, digests and times are
//! the same each time. `UPDATE_DOCS=1` writes what the document embeds anew.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use server::api::openapi::document;
use testing::{Reply, TestApp, stage_body};

use crate::document::operations;
use crate::events::Stream;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/examples.json");

/// What was sent and answered, by operation.
struct Story<'a> {
    app: &'a TestApp,
    told: Value,
}

impl Story<'_> {
    /// Makes the call, and keeps it as an example.
    async fn call(&mut self, operation: &str, key: &str, path: &str, body: Value) -> Value {
        let method = operations().find(|(_, _, is)| is["operationId"] == operation).unwrap().0;
        let mut request = Request::builder().method(method.as_str()).uri(path);
        if !key.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let bytes = match &body {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            json => serde_json::to_vec(json).unwrap(),
        };
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", format!("{operation}-1"));
        let reply = self.app.anonymous(request.body(Body::from(bytes)).unwrap()).await;
        self.tell(operation, body, &reply)
    }

    /// Keeps an answer as an example.
    fn tell(&mut self, operation: &str, body: Value, reply: &Reply) -> Value {
        assert!(reply.status.is_success(), "{operation}: {}", reply.text());
        if !body.is_null() {
            self.told[operation]["body"] = body;
        }
        let answer = answered(reply);
        self.told[operation]["answers"][reply.status.as_str()] = answer.clone();
        answer
    }
}

fn answered(reply: &Reply) -> Value {
    if !reply.header("content-type").starts_with("application/json") {
        return Value::String(reply.text());
    }
    let mut answer = reply.json();
    // Whoever finds one in a page should not have to ask whether it opens anything.
    if let Some(token) = answer.get_mut("release_token") {
        assert!(token.as_str().unwrap().starts_with("eyJ"));
        *token = "eyJ…".into();
    }
    answer
}

#[tokio::test]
async fn every_example_of_the_document_works_as_it_stands_there() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let ida = app.person("Ida Auditor", &["auditors"]).await;
    let stager = app.agent("agent-1", owner.id).await;
    let agent = stager.key.clone();
    let auditor = app.auditor_key(ida.id).await;
    let mut story = Story { app: &app, told: json!({}) };
    let none = || Value::Null;

    let usage = "day   calls\n  0      31\n";
    let kept = story.call("upload_evidence", &agent, "/api/v1/evidence", usage.into()).await;
    let upload = format!("/api/v1/evidence/{}", kept["digest"].as_str().unwrap());
    story.call("read_evidence", &agent, &upload, none()).await;
    story.call("stage", &agent, "/api/v1/requests?validate=true", stage_body()).await;
    let staged = story.call("stage", &agent, "/api/v1/requests", stage_body()).await;
    let at = |request: &Value, rest: &str| {
        format!("/api/v1/requests/{}{rest}", request["id"].as_str().unwrap())
    };
    story.call("list_requests", &agent, "/api/v1/requests", none()).await;
    let mut amended = stage_body();
    amended["summary"] =
        "Keep the staging key alive for 7 days; the proxy rolls out on Friday".into();
    let open = story.call("amend", &agent, &at(&staged, "/revisions"), amended).await;
    story.call("read_request", &agent, &at(&staged, ""), none()).await;
    assert_eq!(bob.review(&open, "approve").await.status, 303);
    let digest = json!({"digest": open["digest"]});
    let release = story.call("redeem", &agent, &at(&staged, "/redeem"), digest).await;
    let lease = json!({"lease_id": release["lease_id"]});
    let again = Request::post(at(&staged, "/redeem"))
        .header(header::AUTHORIZATION, format!("Bearer {agent}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", "redeem-1");
    let again = app
        .anonymous(again.body(Body::from(json!({"digest": open["digest"]}).to_string())).unwrap())
        .await;
    let asked = format!("token={}", again.json()["release_token"].as_str().unwrap());
    let form = Request::post("/api/v1/releases/introspect")
        .header(header::AUTHORIZATION, format!("Bearer {agent}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let active = app.anonymous(form.body(Body::from(asked)).unwrap()).await;
    story.tell("introspect", json!({"token": "eyJ…"}), &active);
    story.call("heartbeat", &agent, &at(&staged, "/heartbeat"), lease.clone()).await;
    let report = |status: &str, summary: &str| {
        let mut report = lease.clone();
        (report["status"], report["summary"]) = (status.into(), summary.into());
        report
    };
    let done = report("succeeded", "Extended by 7 days.");
    story.call("report_outcome", &agent, &at(&staged, "/outcome"), done).await;
    let undone = report("rolled_back", "The successor works: the key was expired again.");
    story.call("report_rollback", &agent, &at(&staged, "/rollback"), undone).await;
    let mut other = stage_body();
    other["targets"] = json!(["mailgrid/keys/MG-0403"]);
    let other = app.anonymous(staging(&agent, &other)).await.json();
    story.call("withdraw", &agent, &at(&other, "/withdraw"), none()).await;

    let mut events = Stream::open(&app.router, &stager, "?last_event_id=0").await;
    let (opened, first) = (events.next().await.unwrap(), events.next().await.unwrap());
    story.told["events"]["answers"]["200"] = format!("{opened}\n\n{first}\n\n").into();

    app.service.issue_checkpoint().await.unwrap();
    let ledger = |rest: &str| format!("/api/v1/ledger/{rest}");
    story.call("ledger_entries", &auditor, &ledger("entries?from=1&limit=1"), none()).await;
    story.call("ledger_checkpoint", &auditor, &ledger("checkpoint"), none()).await;
    story.call("ledger_proof", &auditor, &ledger("proof/1"), none()).await;
    story.call("ledger_consistency", &auditor, &ledger("consistency?from=3"), none()).await;
    for (operation, path) in
        [("jwks", "/.well-known/jwks.json"), ("healthz", "/healthz"), ("readyz", "/readyz")]
    {
        story.call(operation, "", path, none()).await;
    }

    let told = serde_json::to_string_pretty(&story.told).unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(FILE, &told).unwrap();
    } else {
        assert_eq!(told, include_str!("../../src/api/examples.json"), "run with UPDATE_DOCS=1");
    }
}

fn staging(key: &str, body: &Value) -> Request<Body> {
    let request = Request::post("/api/v1/requests")
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

/// The catalogue's own examples are held by `put_kind`, the document itself and numbers that count on need
/// none; JSON-RPC has tests of its own.
#[test]
fn every_operation_but_the_catalogue_has_its_examples() {
    for (method, path, is) in operations() {
        let name = is["operationId"].as_str().unwrap();
        if ["list_kinds", "read_kind", "openapi", "metrics", "mcp"].contains(&name) {
            continue;
        }
        if let Some(body) = is.get("requestBody") {
            let content = body["content"].as_object().unwrap().values().next().unwrap();
            assert!(content.get("example").is_some(), "{method} {path}: an example of its body");
        }
        let good = is["responses"].as_object().unwrap().iter();
        for (status, answer) in good.filter(|(status, _)| status.starts_with('2')) {
            let content = answer["content"].as_object().unwrap().values().next().unwrap();
            assert!(content.get("example").is_some(), "{method} {path}: an example of {status}");
        }
    }
    assert!(document()["paths"].is_object());
}
