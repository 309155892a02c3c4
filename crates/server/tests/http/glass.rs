//! Break-glass through the page: alone, proved anew, marked for ever, and looked at by another.

use axum::http::StatusCode;
use serde_json::{Value, json};
use testing::{Reply, Scene, TestApp, TestPerson, stage_body};

const PASSWORD: &str = "correct horse battery";

/// A request that needs two people, and one who may break the glass for it.
struct House {
    app: TestApp,
    bob: TestPerson,
    cat: TestPerson,
    request: Value,
}

async fn house() -> House {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let mut bob = app.person("Bob Approver", &["approvers", "break-glass"]).await;
    let cat = app.person("Cat Approver", &["approvers"]).await;
    assert_eq!(bob.set_password("", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let agent = app.agent("agent-1", owner.id).await;
    let mut body = stage_body();
    body["environment"] = json!("production");
    let request = agent.post("/api/v1/requests", &body, None).await.json();
    assert_eq!(request["requirements"][0]["seats"], 2);
    House { app, bob, cat, request }
}

fn page(request: &Value) -> String {
    format!("/requests/{}", request["id"].as_str().unwrap())
}

async fn state(app: &TestApp, request: &Value) -> String {
    let id = request["id"].as_str().unwrap().parse().unwrap();
    let stored = app.store.load(id).await.unwrap().unwrap();
    stored.request.state.name().as_str().to_owned()
}

async fn break_glass(person: &TestPerson, request: &Value, password: &str) -> Reply {
    let shown = person.shown(request).await;
    let fields = [
        ("verdict", "approve"),
        ("break_glass", "yes"),
        ("justification", "it cannot wait"),
        ("digest", request["digest"].as_str().unwrap()),
        ("shown", &shown),
        ("password", password),
    ];
    person.post(&format!("{}/review", page(request)), &fields).await
}

async fn look(person: &TestPerson, request: &Value, verdict: &str, why: &str) -> Reply {
    let shown = person.shown(request).await;
    look_as_shown(person, request, (verdict, why), &shown).await
}

async fn look_as_shown(
    person: &TestPerson,
    request: &Value,
    (verdict, why): (&str, &str),
    shown: &str,
) -> Reply {
    let fields = [("verdict", verdict), ("justification", why), ("shown", shown)];
    person.post(&format!("{}/second-review", page(request)), &fields).await
}

#[tokio::test]
async fn b10_one_person_approves_alone_it_is_marked_and_a_second_one_looks_at_it() {
    let House { app, bob, cat, request } = house().await;
    let before = app.entries().await;
    let reply = break_glass(&bob, &request, "").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
    assert_eq!(app.facts_since(before).await, ["ReviewRecorded", "GlassBroken"]);
    assert_eq!(state(&app, &request).await, "approved");

    // I1: not by the one who broke it, and not by somebody without a say: neither has the form.
    let auditor = app.person("Ida Auditor", &["auditors"]).await;
    let shown = cat.shown(&request).await;
    for (person, shown) in [(&bob, ""), (&auditor, ""), (&bob, &shown), (&cat, "")] {
        let made_up = look_as_shown(person, &request, ("justified", "it was"), shown).await;
        assert_eq!(made_up.status, StatusCode::CONFLICT);
    }
    assert_eq!(look(&bob, &request, "justified", "I was right").await.status, 409);

    // It is everybody's to see, on every page, and the second person's turn.
    let bar = "aria-label=\"Broken glass\"";
    for person in [&bob, &cat, &auditor] {
        assert!(person.get("/freezes").await.text().contains(bar));
    }
    let outsider = app.person("Ned Nobody", &[]).await;
    assert!(!outsider.get("/freezes").await.text().contains(bar), "who may not see it");
    let inbox = cat.get("/inbox").await.text();
    assert!(inbox.contains("waits for your second look") && inbox.contains("Broken glass"));
    assert!(inbox.contains("Inbox (1)"), "and it is counted");
    for (verdict, why) in [("", "it was"), ("justified", " "), ("perhaps", "it was")] {
        let bad = look(&cat, &request, verdict, why).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY, "{verdict}: {why}");
    }
    let before = app.entries().await;
    assert_eq!(look(&cat, &request, "unjustified", "it could wait").await.status, 303);
    let told = ["SecondReviewRecorded", "ReleaseRevoked"];
    assert_eq!(app.facts_since(before).await, told, "what was wrong is not released any more");
    let after = cat.get(&page(&request)).await.text();
    assert!(after.contains("not justified") && after.contains("glass-mark"), "{after}");
    assert!(!after.contains("/second-review"), "there is nothing left to look at");
    assert!(!after.contains(bar));
    let again = look_as_shown(&cat, &request, ("justified", "after all"), &shown).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.text().contains("No second review is owed any more"));
    assert!(cat.get("/history").await.text().contains("Broken glass"), "marked for ever");
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn b10_breaking_the_glass_takes_the_password_again_and_the_session_is_fresh_then() {
    let House { app, bob, request, .. } = house().await;
    app.clock.advance(301);
    assert!(bob.get(&page(&request)).await.text().contains("id=\"glass-password\""));
    let without = break_glass(&bob, &request, "").await;
    assert_eq!(without.status, StatusCode::FORBIDDEN);
    assert!(without.text().contains("not older than 5 minutes"), "{}", without.text());
    let wrong = break_glass(&bob, &request, "battery horse correct").await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.text().contains("The password is wrong"));
    assert!(wrong.text().contains("it cannot wait"), "what was typed is kept");
    assert!(!wrong.text().contains("battery horse correct"), "the password is not");
    assert_eq!(state(&app, &request).await, "pending");
    assert!(bob.get(&page(&request)).await.text().contains("id=\"glass-password\""));
    assert_eq!(break_glass(&bob, &request, PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(state(&app, &request).await, "approved");
}

#[tokio::test]
async fn a_password_that_came_with_a_review_makes_the_session_fresh() {
    let House { app, bob, request, .. } = house().await;
    app.clock.advance(301);
    let shown = bob.shown(&request).await;
    let fields = |verdict| {
        [
            ("verdict", verdict),
            ("justification", "read and checked"),
            ("digest", request["digest"].as_str().unwrap()),
            ("shown", shown.as_str()),
            ("password", PASSWORD),
        ]
    };
    let review = format!("{}/review", page(&request));
    // With another verdict a password proves nothing: it may be one that the browser filled in.
    assert_eq!(bob.post(&review, &fields("pass")).await.status, StatusCode::SEE_OTHER);
    assert!(bob.get(&page(&request)).await.text().contains("id=\"glass-password\""));
    assert_eq!(bob.post(&review, &fields("approve")).await.status, StatusCode::SEE_OTHER);
    assert!(!bob.get(&page(&request)).await.text().contains("id=\"glass-password\""));
}

#[tokio::test]
async fn high_risk_is_approved_only_with_the_password_again() {
    let House { app, bob, .. } = house().await;
    let owner = app.person("Otto Owner", &[]).await;
    let agent = app.agent("agent-2", owner.id).await;
    let kinds = agent.get("/api/v1/kinds/db.export").await.json();
    let staged = agent.post("/api/v1/requests", &kinds["example"], None).await;
    assert_eq!(staged.status, StatusCode::CREATED, "{}", staged.text());
    let request = staged.json();
    assert_eq!(request["risk"]["level"], "high");
    assert!(!bob.get(&page(&request)).await.text().contains("Your password, to approve"));
    app.clock.advance(301);
    assert!(bob.get(&page(&request)).await.text().contains("Your password, to approve"));
    let stale = bob.review(&request, "approve").await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN);
    assert!(stale.text().contains("give your password with it"), "{}", stale.text());
    assert_eq!(bob.review(&request, "pass").await.status, 303, "another verdict needs none");
}

#[tokio::test]
async fn i1_b10_whoever_has_not_the_right_or_is_excluded_breaks_nothing() {
    let House { app, bob, cat, request } = house().await;
    assert!(!cat.get(&page(&request)).await.text().contains("Break the glass"));
    let refused = break_glass(&cat, &request, "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text().contains("no right to break the glass"), "{}", refused.text());
    let Scene { app: other, agent, request: own, .. } = Scene::staged().await;
    let holder = other.person("Hal Holder", &["approvers", "break-glass"]).await;
    other.key(agent.id, holder.id).await;
    let refused = break_glass(&holder, &own, "").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "they are not even shown a form");
    assert_eq!(state(&other, &own).await, "pending");
    app.leaves(bob.id, "break-glass").await;
    assert_eq!(break_glass(&bob, &request, "").await.status, StatusCode::FORBIDDEN);
    assert_eq!(state(&app, &request).await, "pending");
}
