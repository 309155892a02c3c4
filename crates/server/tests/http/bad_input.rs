//! Bad input: a problem with a code, the pointer and the limit; nothing stored.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use testing::{TestAgent, TestApp, stage_body};

async fn agent(app: &TestApp) -> TestAgent {
    let owner = app.person("Olga Owner", &[]).await;
    app.agent("agent-1", owner.id).await
}

#[tokio::test]
async fn h_every_malformed_body_is_refused_with_its_place() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let good = serde_json::to_string(&stage_body()).unwrap();
    let with = |field: &str, json: &str| good.replacen('{', &format!("{{\"{field}\":{json},"), 1);
    let nested = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let cases: Vec<(Vec<u8>, &str, &str)> = vec![
        (b"".to_vec(), "malformed_json", ""),
        (b"{".to_vec(), "malformed_json", ""),
        (b"\xff{}".to_vec(), "malformed_json", ""),
        (with("kind", "\"x\"").into_bytes(), "malformed_json", ""),
        (with("extra", "1.5").into_bytes(), "malformed_json", "/extra"),
        (with("extra", "9007199254740993").into_bytes(), "malformed_json", "/extra"),
        (with("extra", "\"a\\u0000b\"").into_bytes(), "malformed_json", "/extra"),
        (with("extra", "\"\\ud800\"").into_bytes(), "malformed_json", "/extra"),
        (with("extra", &nested).into_bytes(), "malformed_json", "/extra"),
        (with("status", "\"approved\"").into_bytes(), "invalid_body", "/status"),
        (b"[]".to_vec(), "invalid_body", ""),
    ];
    let before = app.entries().await;
    for (body, code, pointer) in cases {
        let shown = String::from_utf8_lossy(&body).chars().take(60).collect::<String>();
        let reply = agent.post_bytes("/api/v1/requests", body, None).await;
        let problem = reply.problem();
        assert_eq!(problem["code"], code, "{shown}: {problem}");
        let found = problem["errors"][0]["pointer"].as_str().unwrap();
        assert!(found.starts_with(pointer), "{shown}: {problem}");
    }
    assert_eq!(app.entries().await, before);
}

fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = stage_body();
    change(&mut body);
    body
}

#[tokio::test]
async fn h_j02_every_broken_rule_names_the_field_and_the_limit() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let zeros = format!("sha256:{}", "0".repeat(64));
    let cases: Vec<(Value, &str)> = vec![
        (changed(|b| b["kind"] = json!("no.such_kind")), "/kind"),
        (changed(|b| b["summary"] = json!("x".repeat(201))), "/summary"),
        (changed(|b| b["targets"] = json!([])), "/targets"),
        (changed(|b| b["environment"] = json!("../production")), "/environment"),
        (changed(|b| b["parameters"]["surprise"] = json!(1)), "/parameters/surprise"),
        (changed(|b| b["evidence"] = json!([])), "/evidence"),
        (changed(|b| drop(b.as_object_mut().unwrap().remove("rollback_plan"))), "/rollback_plan"),
        (changed(|b| b["evidence"][0]["digest"] = json!(zeros)), "/evidence/0/content"),
        (changed(|b| b["review_deadline"] = json!("2020-01-01T00:00:00Z")), "/review_deadline"),
        (changed(|b| b["review_deadline"] = json!("2099-01-01T00:00:00Z")), "/review_deadline"),
        (
            changed(|b| b["evidence"][0]["collected_at"] = json!("2099-01-01T00:00:00Z")),
            "/evidence/0/collected_at",
        ),
        (
            changed(|b| {
                b["window"] = json!({"not_before": "2027-02-02T00:00:00Z", "not_after": "2027-02-01T00:00:00Z"});
            }),
            "/window/not_after",
        ),
        (
            changed(|b| b["on_behalf_of"] = json!("0192f0a0-0000-7000-8000-00000000abcd")),
            "/on_behalf_of",
        ),
        (
            changed(|b| {
                b["evidence"][0].as_object_mut().unwrap().remove("content");
                b["evidence"][0]["digest"] = json!(zeros);
            }),
            "/evidence/0/digest",
        ),
    ];
    let before = app.entries().await;
    for (body, pointer) in cases {
        let reply = agent.post("/api/v1/requests", &body, None).await;
        assert_eq!(reply.status, 422, "{pointer}: {}", reply.text());
        let problem = reply.problem();
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.iter().any(|error| error["pointer"] == pointer), "{pointer}: {problem}");
    }
    assert_eq!(app.entries().await, before);
}

#[tokio::test]
async fn h13_j01_media_types_sizes_methods_and_addresses() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let bearer = format!("Bearer {}", agent.key);
    let send = async |request: Request<Body>| app.anonymous(request).await;
    let plain = Request::post("/api/v1/requests")
        .header(header::AUTHORIZATION, &bearer)
        .header(header::CONTENT_TYPE, "text/plain");
    let reply = send(plain.body(Body::from("{}")).unwrap()).await;
    assert_eq!(reply.problem()["code"], "unsupported_media_type");
    let large = agent.post_bytes("/api/v1/requests", vec![b' '; 1024 * 1024 + 1], None).await;
    assert_eq!(
        (large.status.as_u16(), large.problem()["code"].clone()),
        (413, json!("body_too_large"))
    );
    let huge = agent.post_bytes("/api/v1/evidence", vec![b'x'; 10 * 1024 * 1024 + 1], None).await;
    assert_eq!(huge.status, 413);
    let empty = agent.post_bytes("/api/v1/evidence", Vec::new(), None).await;
    assert_eq!(empty.problem()["code"], "empty_evidence");
    for method in ["PUT", "DELETE", "PATCH"] {
        let request = Request::builder().method(method).uri("/api/v1/requests");
        let reply = send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.problem()["code"], "method_not_allowed");
        assert!(reply.header("allow").contains("POST"));
    }
    for path in [
        "/api/v1/nothing",
        "/api/v2/requests",
        "/api/v1/requests/not-an-id",
        "/api/v1/requests/%2e%2e",
    ] {
        assert_eq!(agent.get(path).await.problem()["code"], "not_found", "{path}");
    }
    let queries =
        ["?state=nonsense", "?cursor=nonsense", "?limit=5", "?state=pending&state=denied"];
    for query in queries {
        let reply = agent.get(&format!("/api/v1/requests{query}")).await;
        assert_eq!(reply.problem()["code"], "invalid_query", "{query}");
    }
    for key in ["", "has space", &"x".repeat(129), "semi;colon"] {
        let reply = agent.post("/api/v1/requests", &stage_body(), Some(key)).await;
        assert_eq!(reply.problem()["code"], "invalid_idempotency_key", "{key}");
    }
}

#[tokio::test]
async fn a_closed_store_is_503_and_nothing_is_half_done() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    app.service.close().await;
    let reply = agent.post("/api/v1/requests", &stage_body(), None).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.problem()["code"], "unavailable");
    assert_eq!(reply.header("retry-after"), "1");
}
