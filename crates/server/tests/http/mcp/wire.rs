//! What arrives at `/mcp`, byte for byte: what is read, and what is refused.

use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use testing::{Reply, Scene, TestAgent, TestApp, stage_body};

/// A message as clients send it, to be spoilt.
fn post(agent: &TestAgent) -> Builder {
    Request::post("/mcp")
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {}", agent.key))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/event-stream")
}

async fn send(app: &TestApp, request: Builder, body: impl Into<Body>) -> Reply {
    app.anonymous(request.body(body.into()).unwrap()).await
}

/// The parameters of a call, as text, in a message.
fn calling(params: &str) -> String {
    format!(r#"{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {params}}}"#)
}

async fn call(app: &TestApp, agent: &TestAgent, params: &str) -> Value {
    let reply = send(app, post(agent), calling(params)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()["result"].clone()
}

/// Refused by the tool, or by the transport before it.
fn assert_is_refused(reply: &Reply, what: &str) {
    let text = reply.text();
    assert!(reply.status.as_u16() < 500, "{what}: {text}");
    let is_refused = reply.status != StatusCode::OK || {
        let message = reply.json();
        message["error"].is_object() || message["result"]["isError"] == true
    };
    assert!(is_refused, "{what}: {text}");
}

fn staging(body: &str) -> String {
    format!(
        r#"{{"name": "stage_request", "arguments": {{"idempotency_key": "k", "body": {body}}}}}"#
    )
}

#[tokio::test]
async fn e07_a_body_is_read_by_the_rules_of_the_api_and_nothing_ambiguous_is_staged() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let body = stage_body().to_string();
    let with = |field: &str| body.replacen('{', &format!("{{{field}, "), 1);
    let deep = format!(r#""ticket": {}{}"#, "[".repeat(40), "]".repeat(40));
    let before = app.entries().await;
    for field in [
        r#""kind": "db.export""#,
        r#""ki\u006ed": "db.export""#,
        r#""ticket": 1.5"#,
        r#""ticket": 9007199254740992"#,
        r#""ticket": "a\u0000b""#,
        &deep,
    ] {
        let over_http = agent.post_bytes("/api/v1/requests", with(field).into_bytes(), None).await;
        let refused = call(&app, &agent, &staging(&with(field))).await;
        assert_eq!(refused["isError"], true, "{field}: {refused}");
        let problem = &refused["structuredContent"];
        assert_eq!(problem["code"], "malformed_json", "{field}");
        assert_eq!(*problem, over_http.problem(), "{field}");
    }
    assert_eq!(app.entries().await, before);
}

#[tokio::test]
async fn h11_arguments_and_what_names_them_are_there_once() {
    let Scene { app, agent, request, .. } = Scene::staged().await;
    let id = request["id"].as_str().unwrap();
    let body = stage_body().to_string();
    let before = app.entries().await;
    for params in [
        format!(
            r#"{{"name": "get_request", "name": "withdraw_request", "arguments": {{"id": "{id}"}}}}"#
        ),
        format!(
            r#"{{"name": "get_request", "n\u0061me": "withdraw_request", "arguments": {{"id": "{id}"}}}}"#
        ),
        format!(
            r#"{{"name": "withdraw_request", "arguments": {{}}, "arguments": {{"id": "{id}"}}}}"#
        ),
        format!(r#"{{"name": "withdraw_request", "arguments": {{"id": "{id}", "id": "{id}"}}}}"#),
        format!(
            r#"{{"name": "stage_request", "arguments": {{"idempotency_key": "k", "body": {body}, "body": {body}}}}}"#
        ),
        format!(
            r#"{{"name": "stage_request", "arguments": {{"idempotency_key": "k", "idempotency_key": "l", "body": {body}}}}}"#
        ),
        r#"{"name": "list_kinds", "arguments": {"page": 1.5}}"#.to_owned(),
    ] {
        assert_is_refused(&send(&app, post(&agent), calling(&params)).await, &params);
    }
    let twice = calling(&format!(
        r#"{{"name": "withdraw_request", "arguments": {{"id": "{id}"}}}}, "params": {{"name": "list_kinds"}}"#
    ));
    let reply = send(&app, post(&agent), twice).await;
    assert_is_refused(&reply, "two `params`");
    assert_eq!(app.entries().await, before);
}

#[tokio::test]
async fn i4_what_is_staged_over_mcp_has_the_digest_of_the_same_body_over_http() {
    let Scene { app, agent, request, .. } = Scene::staged().await;
    let staged = call(&app, &agent, &staging(&stage_body().to_string())).await;
    assert_eq!(staged["structuredContent"]["content_digest"], request["content_digest"]);
}

#[tokio::test]
async fn every_version_of_the_protocol_gets_the_tools_and_none_a_session() {
    let Scene { app, agent, .. } = Scene::staged().await;
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
        }});
        let hello = send(&app, post(&agent), hello.to_string()).await;
        assert_eq!(hello.json()["result"]["protocolVersion"], version);
        assert_eq!(hello.header("mcp-session-id"), "");
        assert_eq!(hello.header("content-type"), "application/json");
        let ready = r#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#;
        assert_eq!(send(&app, post(&agent), ready).await.status, StatusCode::ACCEPTED);
        let list = post(&agent).header("mcp-protocol-version", version);
        let list = send(&app, list, r#"{"jsonrpc": "2.0", "id": 2, "method": "tools/list"}"#).await;
        assert_eq!(list.json()["result"]["tools"].as_array().unwrap().len(), 14);
    }
    let of_now = |method: &str, version: &str| {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        });
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta}}).to_string()
    };
    let asking = |method: &str, version: &str| {
        post(&agent).header("mcp-protocol-version", version).header("mcp-method", method)
    };
    let discovered = send(
        &app,
        asking("server/discover", "2026-07-28"),
        of_now("server/discover", "2026-07-28"),
    );
    let discovered = discovered.await.json()["result"].clone();
    assert!(discovered["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")));
    assert_eq!(discovered["capabilities"], json!({"tools": {}}));
    let listed = send(&app, asking("tools/list", "2026-07-28"), of_now("tools/list", "2026-07-28"));
    assert_eq!(listed.await.json()["result"]["tools"].as_array().unwrap().len(), 14);
    // Header and message say the same, or nobody knows what a proxy let through.
    let other =
        send(&app, asking("tools/call", "2026-07-28"), of_now("tools/list", "2026-07-28")).await;
    assert_eq!(
        (other.status, &other.json()["error"]["code"]),
        (StatusCode::BAD_REQUEST, &json!(-32020))
    );
    let future =
        send(&app, asking("tools/list", "2031-01-01"), of_now("tools/list", "2031-01-01")).await;
    assert_eq!(
        (future.status, &future.json()["error"]["code"]),
        (StatusCode::BAD_REQUEST, &json!(-32022))
    );
}

#[tokio::test]
async fn no_page_reaches_the_tools_by_a_name_of_its_own() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let body = || calling(r#"{"name": "list_kinds", "arguments": {}}"#);
    let with = |name: header::HeaderName, value: &str| {
        let mut request = post(&agent);
        let headers = request.headers_mut().unwrap();
        headers.insert(name, value.parse().unwrap());
        request
    };
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1"] {
        let refused = send(&app, with(header::HOST, host), body()).await;
        assert_eq!(refused.problem()["code"], "foreign_origin", "{host}");
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    for origin in ["http://evil.example", "null", "https://localhost", "http://localhost:81"] {
        let refused = send(&app, with(header::ORIGIN, origin), body()).await;
        assert_eq!(refused.problem()["code"], "foreign_origin", "{origin}");
    }
    let own = send(&app, with(header::ORIGIN, "http://localhost"), body()).await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text());
}

#[tokio::test]
async fn h13_what_is_no_call_is_a_problem_like_any_other() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let list = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;
    for (body, code) in [
        ("", "invalid_message"),
        ("nonsense", "invalid_message"),
        ("[]", "invalid_message"),
        ("{}", "invalid_message"),
        (r#"{"jsonrpc": "1.0", "id": 1, "method": "tools/list"}"#, "invalid_message"),
    ] {
        let refused = send(&app, post(&agent), body).await;
        assert_eq!(
            (refused.status, &refused.problem()["code"]),
            (StatusCode::BAD_REQUEST, &json!(code)),
            "{body}"
        );
    }
    let large = format!(
        r#"{{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {{"cursor": "{}"}}}}"#,
        "x".repeat(1024 * 1024)
    );
    assert_eq!(send(&app, post(&agent), large).await.problem()["code"], "body_too_large");
    let mut plain = post(&agent);
    plain.headers_mut().unwrap().insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(send(&app, plain, list).await.problem()["code"], "unsupported_media_type");
    let mut narrow = post(&agent);
    narrow.headers_mut().unwrap().insert(header::ACCEPT, "text/html".parse().unwrap());
    assert_eq!(send(&app, narrow, list).await.problem()["code"], "not_acceptable");
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let reply = send(&app, post(&agent).method(method), "").await;
        assert_eq!(reply.problem()["code"], "method_not_allowed");
        assert_eq!(reply.header("allow"), "POST");
    }
    let unknown =
        send(&app, post(&agent), calling(r#"{"name": "approve_request", "arguments": {}}"#)).await;
    let error = unknown.json()["error"].clone();
    assert_eq!(error["code"], -32602);
    assert!(error["message"].as_str().unwrap().contains("stage_request"), "{error}");
}

#[tokio::test]
async fn a09_without_a_key_there_is_no_message_and_no_challenge_but_bearer() {
    let Scene { app, owner, agent, .. } = Scene::staged().await;
    let list = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;
    let mut cookie = post(&agent).header(header::COOKIE, &owner.cookie);
    cookie.headers_mut().unwrap().remove(header::AUTHORIZATION);
    let refused = send(&app, cookie, list).await;
    assert_eq!(refused.problem()["code"], "unauthenticated");
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    let twice = post(&agent).header(header::AUTHORIZATION, format!("Bearer {}", agent.key));
    assert_eq!(send(&app, twice, list).await.problem()["code"], "duplicate_authorization");
}
