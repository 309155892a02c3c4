//! What monitors read: numbers, and nothing that says whose.

use axum::body::Body;
use axum::http::{Method, Request};
use testing::{Reply, Scene, TestApp};

async fn read(app: &TestApp) -> Reply {
    app.anonymous(Request::get("/metrics").body(Body::empty()).unwrap()).await
}

/// The value of one line.
fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
    let value = lines.find_map(|rest| rest.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no `{name}` in\n{text}"))
}

#[tokio::test]
async fn o07_metrics_count_what_is_there_and_what_was_answered_and_name_nobody() {
    let Scene { app, agent, request, .. } = Scene::staged().await;
    let id = request["id"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(agent.get(&format!("/api/v1/requests/{id}")).await.status, 200);
    }
    let odd = Request::builder().method(Method::from_bytes(b"BREW").unwrap());
    let odd = odd.uri("/no/such/place-of-mine").body(Body::empty()).unwrap();
    assert_eq!(app.anonymous(odd).await.status, 404);
    let entries = app.entries().await;

    let reply = read(&app).await;
    assert_eq!(reply.status, 200);
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(reply.header("content-type"), media_type);
    let text = reply.text();
    assert!(text.ends_with("# EOF\n"));
    assert_eq!(value(&text, "countersign_requests{state=\"pending\"}"), "1");
    assert_eq!(value(&text, "countersign_requests{state=\"executing\"}"), "0");
    assert_eq!(value(&text, "countersign_ledger_entries"), entries.to_string());
    assert_eq!(value(&text, "countersign_checkpoint_entries"), "0");
    assert_eq!(value(&text, "countersign_webhook_deliveries{state=\"dead\"}"), "0");
    let answered = "countersign_http_answers_total";
    let read_twice =
        format!("{answered}{{method=\"GET\",route=\"/api/v1/requests/{{id}}\",status=\"200\"}}");
    assert_eq!(value(&text, &read_twice), "2");
    let unknown = format!("{answered}{{method=\"other\",route=\"none\",status=\"404\"}}");
    assert_eq!(value(&text, &unknown), "1");
    let count = "countersign_http_answer_seconds_count{route=\"/api/v1/requests/{id}\"}";
    assert_eq!(value(&text, count), "2");
    for private in [id, "agent-1", "place-of-mine", "BREW", agent.key.as_str()] {
        assert!(!text.contains(private), "{private} in\n{text}");
    }

    app.service.issue_checkpoint().await.unwrap();
    let text = read(&app).await.text();
    let covered = value(&text, "countersign_checkpoint_entries");
    assert_eq!(covered, value(&text, "countersign_ledger_entries"));
}
