//! The verdicts beside yes and no, through the forms of the page: request changes, pass on, and a
//! change of mind.

use axum::http::StatusCode;
use domain::StateName;
use serde_json::{Value, json};
use testing::{Scene, TestApp, stage_body};

fn page(request: &Value) -> String {
    format!("/requests/{}", request["id"].as_str().unwrap())
}

async fn state(app: &TestApp, request: &Value) -> StateName {
    let id = request["id"].as_str().unwrap().parse().unwrap();
    app.store.load(id).await.unwrap().unwrap().request.state.name()
}

async fn amended(scene: &Scene, body: &Value) -> Value {
    let path = format!("/api/v1{}/revisions", page(&scene.request));
    let reply = scene.agent.post(&path, body, None).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    reply.json()
}

#[tokio::test]
async fn changes_are_requested_made_shown_and_approved() {
    let scene = Scene::staged().await;
    let Scene { app, bob, agent, request, .. } = &scene;
    assert_eq!(bob.review(request, "request_changes").await.status, StatusCode::SEE_OTHER);
    assert_eq!(state(app, request).await, StateName::ChangesRequested);
    let told = agent.get(&format!("/api/v1{}", page(request))).await.json();
    assert_eq!(told["changes_requested"]["justification"], "the ticket matches");
    let waits = bob.get(&page(request)).await.text();
    assert!(waits.contains("Waiting for the agent") && waits.contains("the ticket matches"));
    assert!(waits.contains("value=\"deny\"") && !waits.contains("value=\"approve\""));

    let mut body = stage_body();
    body["parameters"]["extend_days"] = json!(3);
    let second = amended(&scene, &body).await;
    let shown = bob.get(&page(request)).await.text();
    assert!(shown.contains("Changed since you reviewed revision 1"), "{shown}");
    let panel = shown.split("id=\"changes\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(panel.contains("extend_days") && panel.contains("the ticket matches"), "{panel}");
    assert_eq!(bob.review(&second, "approve").await.status, StatusCode::SEE_OTHER);
    assert_eq!(state(app, request).await, StateName::Approved);
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn i4_a_form_made_before_an_amendment_decides_nothing_and_keeps_what_was_typed() {
    let scene = Scene::staged().await;
    let Scene { app, bob, request, .. } = &scene;
    let shown = bob.shown(request).await;
    let mut body = stage_body();
    body["summary"] = json!("something else");
    amended(&scene, &body).await;
    for verdict in ["approve", "request_changes", "deny", "pass"] {
        let late = bob.review_as_shown(request, verdict, &shown).await;
        assert_eq!(late.status, StatusCode::CONFLICT, "{verdict}");
        assert!(late.text().contains("The agent changed this request"), "{verdict}");
        assert!(late.text().contains("the ticket matches"), "the typed text is kept");
    }
    assert_eq!(state(app, request).await, StateName::Pending);
}

#[tokio::test]
async fn i5_what_waits_for_changes_can_only_be_denied() {
    let Scene { app, bob, request, .. } = Scene::staged().await;
    let shown = bob.shown(&request).await;
    assert_eq!(bob.review(&request, "request_changes").await.status, StatusCode::SEE_OTHER);
    for verdict in ["approve", "pass"] {
        let refused = bob.review_as_shown(&request, verdict, &shown).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{verdict}");
        assert!(refused.text().contains("Somebody asked for changes meanwhile"), "{verdict}");
    }
    assert_eq!(state(&app, &request).await, StateName::ChangesRequested);
    assert_eq!(bob.review(&request, "deny").await.status, StatusCode::SEE_OTHER);
    assert_eq!(state(&app, &request).await, StateName::Denied);
}

#[tokio::test]
async fn whoever_passes_on_leaves_it_to_others_and_may_change_their_mind() {
    let Scene { app, bob, request, .. } = Scene::staged().await;
    assert_eq!(bob.review(&request, "pass").await.status, StatusCode::SEE_OTHER);
    assert_eq!(state(&app, &request).await, StateName::Pending);
    let inbox = bob.get("/inbox").await.text();
    assert!(inbox.contains("Nothing needs you") && inbox.contains("you passed on it"), "{inbox}");
    let stands = bob.get(&page(&request)).await.text();
    assert!(stands.contains("passed on") && stands.contains("Change your mind"), "{stands}");
    assert!(!stands.contains("value=\"pass\""), "what was said already is not offered again");
    assert_eq!(bob.review(&request, "approve").await.status, StatusCode::SEE_OTHER);
    assert_eq!(state(&app, &request).await, StateName::Approved);
}

#[tokio::test]
async fn a_verdict_that_there_is_not_is_no_verdict() {
    let Scene { app, bob, request, .. } = Scene::staged().await;
    for verdict in ["maybe", "APPROVE", ""] {
        let reply = bob.review(&request, verdict).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{verdict}");
        assert!(reply.text().contains("did not arrive as it should"), "{verdict}");
    }
    assert_eq!(state(&app, &request).await, StateName::Pending);
}

#[tokio::test]
async fn whoever_is_waited_for_hears_of_it_behind_a_hundred_that_wait_for_others() {
    let app = TestApp::new().await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let cat = app.person("Cat Approver", &["approvers"]).await;
    let own = app.agent("agent-1", bob.id).await;
    // Most of them of high risk, because they come in a burst.
    for _ in 0..150 {
        own.stage().await;
    }
    let inbox = bob.get("/inbox").await.text();
    assert!(inbox.contains("Nothing needs you"), "{inbox}");
    assert!(inbox.contains("More requests are pending than are listed here"), "{inbox}");
    app.clock.advance(60);
    let request = app.agent("agent-2", cat.id).await.stage().await;
    let inbox = bob.get("/inbox").await.text();
    let (turn, others) = inbox.split_once("Waiting for others").unwrap();
    assert!(turn.contains(&page(&request)) && !others.contains(&page(&request)), "{inbox}");
    assert!(turn.contains("1<!><span class=\"sr\"> waiting for you"), "{inbox}");
}
