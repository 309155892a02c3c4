//! Staging, reading, waiting, withdrawing.

use axum::http::StatusCode;
use serde_json::json;
use testing::{Scene, TestApp, stage_body};

#[tokio::test]
async fn a_staged_request_waits_for_people_and_says_what_to_do() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    app.person("Bob Approver", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let before = app.entries().await;
    let reply = agent.post("/api/v1/requests", &stage_body(), None).await;
    assert_eq!(reply.status, 201);
    let request = reply.json();
    assert_eq!(reply.header("location"), request["status_url"].as_str().unwrap());
    assert_eq!(request["state"], "pending");
    assert_eq!(request["requirements"][0]["missing"], 1);
    assert_eq!(request["requirements"][0]["who_could"], 1);
    assert!(request["digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(app.facts_since(before).await, ["RequestStaged"]);
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn a_body_is_tried_out_and_nothing_is_stored() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let tried = "/api/v1/requests?validate=true";
    let lonely = agent.post(tried, &stage_body(), Some("k-1")).await;
    assert_eq!((lonely.status, &lonely.json()["can_be_met"]), (StatusCode::OK, &json!(false)));
    assert!(lonely.json()["next"].as_str().unwrap().contains("administrator"));
    app.person("Bob Approver", &["approvers"]).await;

    let before = app.entries().await;
    let told = agent.post(tried, &stage_body(), Some("k-1")).await.json();
    assert_eq!(
        (&told["can_be_met"], &told["requirements"][0]["who_could"]),
        (&json!(true), &json!(1))
    );
    let mut wrong = stage_body();
    wrong["targets"] = json!([]);
    let refused = agent.post(tried, &wrong, None).await;
    let staged = agent.post("/api/v1/requests", &wrong, None).await;
    assert_eq!(
        (refused.status, refused.problem()),
        (StatusCode::UNPROCESSABLE_ENTITY, staged.problem())
    );
    assert_eq!(
        agent.post("/api/v1/requests?validate=perhaps", &stage_body(), None).await.status,
        400
    );
    assert_eq!(app.entries().await, before);

    let staged = agent.post("/api/v1/requests", &stage_body(), Some("k-1")).await;
    assert_eq!(
        (staged.status, &staged.json()["requirements"]),
        (StatusCode::CREATED, &told["requirements"])
    );
    assert_eq!(staged.json()["content_digest"], told["content_digest"]);
}

#[tokio::test]
async fn i11_h15_the_same_key_and_body_is_one_request_and_another_body_is_refused() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let other = app.agent("agent-2", owner.id).await;
    let first = agent.post("/api/v1/requests", &stage_body(), Some("k-1")).await;
    let entries = app.entries().await;
    let quoted = agent.post("/api/v1/requests", &stage_body(), Some("\"k-1\"")).await;
    assert_eq!(quoted.status, 201);
    assert_eq!(quoted.header("idempotency-replayed"), "true");
    assert_eq!(quoted.json()["id"], first.json()["id"]);
    let mut changed = stage_body();
    changed["summary"] = json!("something else");
    let refused = agent.post("/api/v1/requests", &changed, Some("k-1")).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.problem()["code"], "idempotency_key_reused");
    assert_eq!(app.entries().await, entries);
    let elsewhere = other.post("/api/v1/requests", &stage_body(), Some("k-1")).await;
    assert_ne!(elsewhere.json()["id"], first.json()["id"]);
}

#[tokio::test]
async fn i11_c09_one_key_from_fifty_tasks_is_one_request() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let body = stage_body();
    let before = app.entries().await;
    let posts = (0..50).map(|_| agent.post("/api/v1/requests", &body, Some("same")));
    let replies = futures::future::join_all(posts).await;
    let ids: std::collections::BTreeSet<String> =
        replies.iter().map(|reply| reply.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    assert!(replies.iter().all(|reply| reply.status == 201));
    assert_eq!(app.facts_since(before).await, ["RequestStaged"]);
}

#[tokio::test]
async fn b05_p04_another_agents_request_does_not_exist() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let other = app.agent("agent-2", owner.id).await;
    let request = agent.stage().await;
    let id = request["id"].as_str().unwrap();
    let unknown = "0192f0a0-0000-7000-8000-00000000abcd";
    for path in ["", "/withdraw"] {
        let ask = async |id: &str| {
            let path = format!("/api/v1/requests/{id}{path}");
            if path.ends_with("withdraw") {
                other.post(&path, &json!({}), None).await
            } else {
                other.get(&path).await
            }
        };
        let (foreign, unknown) = (ask(id).await, ask(unknown).await);
        assert_eq!(foreign.status, 404);
        assert_eq!(foreign.bytes, unknown.bytes);
    }
    assert_eq!(other.get("/api/v1/requests").await.json()["requests"], json!([]));
    assert_eq!(agent.get("/api/v1/requests").await.json()["requests"][0]["id"], request["id"]);
}

#[tokio::test]
async fn a_waiting_agent_hears_of_the_decision_and_an_unchanged_one_is_304() {
    let Scene { bob, agent, request, .. } = Scene::staged().await;
    let path = format!("/api/v1/requests/{}", request["id"].as_str().unwrap());
    let etag = agent.get(&path).await.header("etag").to_owned();
    let same = agent.get_with(&path, &[("if-none-match", &etag)]).await;
    assert_eq!(same.status, 304);
    assert!(same.bytes.is_empty());
    let headers = [("prefer", "wait=25"), ("if-none-match", etag.as_str())];
    let (waited, reviewed) =
        tokio::join!(agent.get_with(&path, &headers), bob.review(&request, "approve"));
    assert_eq!(reviewed.status, 303);
    assert_eq!(waited.json()["state"], "approved");
    assert_eq!(waited.header("preference-applied"), "wait=25");
}

#[tokio::test]
async fn i12_r06_nobody_answers_and_the_deadline_is_a_no() {
    let Scene { app, owner, bob, agent, request } = Scene::staged().await;
    let shown = bob.shown(&request).await;
    app.clock.advance(40 * 24 * 3600);
    // Forty days later the session is over too; the person signs in again.
    let bob = app.session(bob.id).await;
    let path = format!("/api/v1/requests/{}", request["id"].as_str().unwrap());
    let key = app.key(agent.id, owner.id).await;
    assert!(!key.is_empty());
    assert_eq!(agent.get(&path).await.json()["state"], "expired");
    let late = bob.review_as_shown(&request, "approve", &shown).await;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("deadline passed"));
    assert_eq!(agent.redeem(&request, "r").await.problem()["code"], "not_approved");
    let before = app.entries().await;
    assert_eq!(app.service.sweep().await.unwrap(), 1);
    assert_eq!(app.facts_since(before).await, ["RequestExpired"]);
    assert_eq!(app.service.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn withdrawing_ends_it_and_can_be_repeated() {
    let Scene { agent, request, .. } = Scene::staged().await;
    let path = format!("/api/v1/requests/{}/withdraw", request["id"].as_str().unwrap());
    for _ in 0..2 {
        let reply = agent.post(&path, &json!({}), None).await;
        assert_eq!(reply.json()["state"], "withdrawn");
    }
    assert_eq!(agent.redeem(&request, "r").await.status, 409);
}

#[tokio::test]
async fn evidence_is_uploaded_once_and_named_by_its_digest() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let other = app.agent("agent-2", owner.id).await;
    let uploaded = agent.post_bytes("/api/v1/evidence", b"row counts".to_vec(), None).await;
    assert_eq!(uploaded.status, 201);
    let mut body = stage_body();
    let item = &mut body["evidence"][0];
    item.as_object_mut().unwrap().remove("content");
    item["digest"] = uploaded.json()["digest"].clone();
    // Somebody else's digest is an unknown digest.
    let foreign = other.post("/api/v1/requests", &body, None).await;
    assert_eq!(foreign.problem()["errors"][0]["pointer"], "/evidence/0/digest");
    let request = agent.post("/api/v1/requests", &body, None).await.json();
    let base = format!("/requests/{}", request["id"].as_str().unwrap());
    let digest = uploaded.json()["digest"].as_str().unwrap().to_owned();
    let download = format!("{base}/evidence/{digest}/download");
    assert_eq!(bob.get(&download).await.status, 404, "not opened yet");
    let before = app.entries().await;
    for _ in 0..2 {
        let opened = bob.post(&format!("{base}/evidence/{digest}/open"), &[]).await;
        assert_eq!(opened.status, 303);
        assert_eq!(opened.header("location"), format!("{base}#evidence-1"));
    }
    assert_eq!(app.facts_since(before).await, ["EvidenceOpened"]);
    let file = bob.get(&download).await;
    assert_eq!(file.bytes, b"row counts");
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert!(bob.get(&base).await.text().contains("row counts"));
}

#[tokio::test]
async fn a_review_deadline_ends_with_the_window() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let mut body = stage_body();
    let at = |seconds: i64| json!(app.service.now().plus_seconds(seconds));
    body["window"] = json!({"not_before": at(60), "not_after": at(120)});
    let request = agent.post("/api/v1/requests", &body, None).await.json();
    assert_eq!(request["review_deadline"], at(120));
    body["window"] = json!({"not_before": at(60), "not_after": at(91 * 24 * 3600)});
    let refused = agent.post("/api/v1/requests", &body, None).await;
    assert_eq!(refused.problem()["errors"][0]["pointer"], "/window/not_after");
}

#[tokio::test]
async fn h07_an_instant_at_the_border_of_the_calendar_is_refused_and_breaks_no_page() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    for border in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59"] {
        for field in ["window", "collected_at", "tested_at"] {
            let mut body = stage_body();
            match field {
                "window" => body["window"] = json!({"not_before": border, "not_after": border}),
                "collected_at" => body["evidence"][0]["collected_at"] = json!(border),
                _ => body["rollback_plan"]["tested_at"] = json!(border),
            }
            let reply = agent.post("/api/v1/requests", &body, None).await;
            assert_eq!(reply.status, 422, "{field} {border}: {}", reply.text());
        }
    }
    assert_eq!(owner.get("/inbox").await.status, 200);
    app.assert_ledger_holds().await;
}
