//! Stopping through the pages: revoke, halt, withdraw, freeze and its end.

use axum::http::StatusCode;
use domain::StateName;
use serde_json::{Value, json};
use service::Steward;
use service::change::{Membership, Proposed};
use testing::{Reply, Scene, TestApp, TestPerson};

fn page(request: &Value) -> String {
    format!("/requests/{}", request["id"].as_str().unwrap())
}

async fn state(app: &TestApp, request: &Value) -> StateName {
    let id = request["id"].as_str().unwrap().parse().unwrap();
    app.store.load(id).await.unwrap().unwrap().request.state.name()
}

async fn stop(person: &TestPerson, request: &Value, what: &str, reason: &str) -> Reply {
    person.post(&format!("{}/{what}", page(request)), &[("reason", reason)]).await
}

async fn executing() -> (Scene, Value) {
    let scene = Scene::approved().await;
    let redeemed = scene.agent.redeem(&scene.request, "r-1").await;
    assert_eq!(redeemed.status, StatusCode::OK, "{}", redeemed.text());
    let lease = redeemed.json()["lease_id"].clone();
    (scene, lease)
}

#[tokio::test]
async fn r08_a_release_is_revoked_with_a_reason_and_then_releases_nothing() {
    let Scene { app, bob, agent, request, .. } = Scene::approved().await;
    assert!(bob.get(&page(&request)).await.text().contains("/revoke\""));
    for short in ["", " a ", &"x".repeat(4001)] {
        let refused = stop(&bob, &request, "revoke", short).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("The release is not revoked."));
    }
    assert_eq!(state(&app, &request).await, StateName::Approved);
    let before = app.entries().await;
    assert_eq!(stop(&bob, &request, "revoke", "the vendor called").await.status, 303);
    assert_eq!(stop(&bob, &request, "revoke", "the vendor called").await.status, 303, "twice");
    assert_eq!(app.facts_since(before).await, ["ReleaseRevoked"]);
    let told = bob.get(&format!("{}?recorded=1", page(&request))).await.text();
    assert!(told.contains("You revoked the release") && told.contains("the vendor called"));
    assert_eq!(agent.redeem(&request, "r-1").await.problem()["state"], "revoked");
}

#[tokio::test]
async fn r08_too_late_to_revoke_says_so_and_keeps_what_was_typed() {
    let (Scene { app, bob, request, .. }, _) = executing().await;
    let late = stop(&bob, &request, "revoke", "odd numbers in it").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text().contains("redeemed meanwhile and runs"), "{}", late.text());
    assert!(late.text().contains("odd numbers in it"));
    assert_eq!(state(&app, &request).await, StateName::Executing);
}

#[tokio::test]
async fn a_halt_reaches_the_executor_and_stands_on_the_page() {
    let (Scene { app, bob, agent, request, .. }, lease) = executing().await;
    assert_eq!(stop(&bob, &request, "halt", "").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let before = app.entries().await;
    for _ in 0..2 {
        assert_eq!(stop(&bob, &request, "halt", "the wrong key").await.status, 303);
    }
    assert_eq!(app.facts_since(before).await, ["HaltRequested"]);
    let told = bob.get(&page(&request)).await.text();
    assert!(told.contains("Asked to halt") && !told.contains("/halt\""), "{told}");
    let beat = json!({ "lease_id": lease });
    let path = format!("/api/v1{}/heartbeat", page(&request));
    assert_eq!(agent.post(&path, &beat, None).await.json()["signal"], "halt");
    app.clock.advance(2000);
    let late = stop(&bob, &request, "halt", "again").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text().contains("fell silent"), "{}", late.text());
}

#[tokio::test]
async fn b02_only_who_has_a_say_stops_anything() {
    let Scene { app, owner, request, .. } = Scene::approved().await;
    let stranger = app.person("Dan Nobody", &[]).await;
    let auditor = app.person("Ida Auditor", &["auditors"]).await;
    for what in ["revoke", "halt", "withdraw"] {
        let hidden = stop(&stranger, &request, what, "because I can").await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{what}");
        let refused = stop(&auditor, &request, what, "because I can").await;
        assert!(refused.status.is_client_error(), "{what}");
    }
    let seen = auditor.get(&page(&request)).await.text();
    assert!(!seen.contains("/revoke\""), "and is offered nothing");
    assert_eq!(state(&app, &request).await, StateName::Approved);
    // Stopping asks for less than deciding: the owner cannot review, but can revoke.
    assert_eq!(stop(&owner, &request, "revoke", "my agent is broken").await.status, 303);
}

#[tokio::test]
async fn a_change_is_withdrawn_by_whoever_proposed_it_and_by_nobody_else() {
    let app = TestApp::new().await;
    let cat = app.person("Cat Approver", &["approvers"]).await;
    app.person("Dan Approver", &["approvers"]).await;
    let ann = app.person("Ann Administrator", &["administrators"]).await;
    let ben = app.person("Ben Administrator", &["administrators"]).await;
    let steward = app.caller(ann.id).await.steward().unwrap();
    let change = Membership::Add;
    let proposed =
        app.service.change_group(&steward, change, cat.id, "break-glass", "she is on call").await;
    let Ok(Proposed::Staged(id)) = proposed else { panic!("it waits for Ben: {proposed:?}") };
    let request = json!({ "id": id });
    let own = ann.get(&page(&request)).await.text();
    assert!(own.contains("/withdraw\"") && own.contains("You proposed this yourself"), "{own}");
    let others = ben.post(&format!("{}/withdraw", page(&request)), &[]).await;
    assert_eq!(others.status, StatusCode::FORBIDDEN);
    for _ in 0..2 {
        let done = ann.post(&format!("{}/withdraw", page(&request)), &[]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    }
    assert_eq!(state(&app, &request).await, StateName::Withdrawn);
}

async fn freeze(person: &TestPerson, scope: &str, running: &str, reason: &str) -> Reply {
    let fields = [("scope", scope), ("running", running), ("reason", reason)];
    person.post("/freezes", &fields).await
}

#[tokio::test]
async fn i9_a_freeze_is_on_whatever_else_moves_the_house_meanwhile() {
    let Scene { app, bob, owner, .. } = Scene::approved().await;
    let names: Vec<String> = (0..40).map(|n| format!("agent {n}")).collect();
    let moves = names.iter().map(|name| app.service.add_agent(&Steward::Operator, name, owner.id));
    let (moved, frozen) = tokio::join!(
        futures::future::join_all(moves),
        freeze(&bob, "all", "go_on", "something is wrong")
    );
    assert_eq!(frozen.status, StatusCode::SEE_OTHER, "{}", frozen.text());
    assert!(moved.iter().any(Result::is_ok), "the house moved");
    assert_eq!(app.service.freezes().await.unwrap().len(), 1);
}

/// The address under which the first freeze on the page ends.
async fn thaw_address(person: &TestPerson) -> String {
    let page = person.get("/freezes").await.text();
    let action = page.split("action=\"/freezes/").nth(1).expect("a freeze that can be ended");
    format!("/freezes/{}", action.split('"').next().unwrap())
}

#[tokio::test]
async fn a_freeze_stops_releases_stands_on_every_page_and_ends_by_an_administrator() {
    let Scene { app, bob, owner, agent, request, .. } = Scene::approved().await;
    let ann = app.person("Ann Administrator", &["administrators"]).await;
    assert_eq!(freeze(&bob, "all", "go_on", "SEC-1431: a key may have leaked").await.status, 303);
    let refused = agent.redeem(&request, "r-1").await;
    assert_eq!(refused.problem()["code"], "frozen");
    for person in [&bob, &owner, &ann] {
        for path in ["/inbox", "/history", "/settings", "/no/such/page", "/freezes"] {
            let seen = person.get(path).await.text();
            assert!(seen.contains("class=\"frozen\""), "{path}");
        }
    }
    let shown = bob.get(&page(&request)).await.text();
    assert!(shown.contains("A freeze covers this") && shown.contains("SEC-1431"), "{shown}");
    assert!(!app.anonymous(get("/sign-in")).await.text().contains("SEC-1431"), "signed out: no");

    let thaw = thaw_address(&ann).await;
    let bobs = bob.post(&thaw, &[("reason", "all well")]).await;
    assert_eq!(bobs.status, StatusCode::FORBIDDEN, "an approver does not end it");
    let short = ann.post(&thaw, &[("reason", "")]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(ann.post(&thaw, &[("reason", "key rotated")]).await.status, StatusCode::SEE_OTHER);
    let again = ann.post(&thaw, &[("reason", "key rotated")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.text().contains("Somebody ended this freeze already"));
    assert!(!bob.get("/inbox").await.text().contains("class=\"frozen\""));
    assert_eq!(agent.redeem(&request, "r-2").await.status, StatusCode::OK);
    app.assert_ledger_holds().await;
}

fn get(path: &str) -> axum::http::Request<axum::body::Body> {
    axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap()
}

#[tokio::test]
async fn a_freeze_that_halts_tells_what_runs_within_it() {
    let (Scene { app, bob, agent, request, .. }, lease) = executing().await;
    let beat = json!({ "lease_id": lease });
    let path = format!("/api/v1{}/heartbeat", page(&request));
    let scope = format!("agent:{}", agent.id);
    assert_eq!(freeze(&bob, "kind:db.export", "halt", "another kind").await.status, 303);
    assert_eq!(agent.post(&path, &beat, None).await.json()["signal"], "continue");
    assert_eq!(freeze(&bob, &scope, "halt", "this one").await.status, StatusCode::SEE_OTHER);
    assert_eq!(agent.post(&path, &beat, None).await.json()["signal"], "halt");
    assert!(bob.get(&page(&request)).await.text().contains("Asked to halt"));
    assert_eq!(state(&app, &request).await, StateName::Executing);
}

#[tokio::test]
async fn a_freeze_form_that_is_incomplete_freezes_nothing_and_keeps_what_was_typed() {
    let Scene { app, bob, owner, .. } = Scene::staged().await;
    let hostile = "</textarea><script>alert(1)</script>";
    let before = app.entries().await;
    for (scope, running, reason, said) in [
        ("", "halt", hostile, "Choose what to freeze"),
        ("everything", "halt", hostile, "Choose what to freeze"),
        ("all", "", hostile, "Choose what happens to what runs already"),
        ("all", "halt", "", "Say why"),
        ("kind:no.such", "halt", hostile, "There is no such agent, kind or environment"),
        (
            "agent:0192f0a0-0000-7000-8000-0000000000ff",
            "halt",
            hostile,
            "There is no such agent, kind or environment",
        ),
        ("environment:No Such", "halt", hostile, "There is no such agent, kind or environment"),
    ] {
        let refused = freeze(&bob, scope, running, reason).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{scope} {running}");
        let text = refused.text();
        assert!(text.contains(said), "{said}: {text}");
        assert!(!text.contains("<script>alert"), "{scope}");
        assert_eq!(text.contains("&lt;/textarea&gt;"), !reason.is_empty(), "{scope}");
    }
    let not_allowed = freeze(&owner, "all", "halt", "because I can").await;
    assert_eq!(not_allowed.status, StatusCode::FORBIDDEN);
    assert!(!owner.get("/freezes").await.text().contains("action=\"/freezes\""));
    assert_eq!(app.entries().await, before);
}

#[tokio::test]
async fn a_form_of_another_shape_is_refused_with_the_page() {
    let Scene { app, bob, request, .. } = Scene::staged().await;
    let before = app.entries().await;
    let thaw = "/freezes/0192f0a0-0000-7000-8000-0000000000ff/thaw".to_owned();
    let mut paths = vec!["/freezes".to_owned(), thaw];
    for what in ["review", "revoke", "halt", "second-review"] {
        paths.push(format!("{}/{what}", page(&request)));
    }
    for path in paths {
        let post = axum::http::Request::post(&path)
            .header("cookie", &bob.cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .body(axum::body::Body::from("{}"))
            .unwrap();
        let reply = app.anonymous(post).await;
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
        assert!(reply.text().contains("did not arrive as it should"), "{path}");
    }
    assert_eq!(app.entries().await, before);
}
