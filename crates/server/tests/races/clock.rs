//! Verdicts and redemptions at the very end of their time.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use testing::{TestApp, TestPerson, stage_body};

use crate::arena::{Arena, Call, at_once, path, statuses};

/// Lets the time go on to `end`, and a sweep go on, while others act.
fn tick(arena: &Arena, end: Timestamp) -> [Call; 2] {
    let clock = Arc::clone(&arena.app.clock);
    let [one, two] = [0, 1].map(|node| arena.agent.at(&arena.nodes[node]));
    let time: Call = Box::pin(async move {
        clock.set(end);
        one.get("/healthz").await
    });
    let service = Arc::clone(&arena.app.service);
    let sweep: Call = Box::pin(async move {
        service.sweep().await.unwrap();
        two.get("/healthz").await
    });
    [time, sweep]
}

fn instant(request: &Value, name: &str) -> Timestamp {
    serde_json::from_value(request[name].clone()).unwrap()
}

/// Sessions do not last as long as this test's time.
async fn signed_in(app: &TestApp) -> TestPerson {
    app.person_named("Bob Approver").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i12_c02_at_its_deadline_a_request_is_approved_in_time_or_expires() {
    let arena = Arena::new().await;
    let round = async |_| {
        let bob = signed_in(&arena.app).await;
        let mut body = stage_body();
        let soon = arena.app.service.now().plus_seconds(90);
        body["review_deadline"] = json!(soon);
        let request = arena.agent.post("/api/v1/requests", &body, None).await.json();
        let end = instant(&request, "review_deadline");
        let shown = bob.shown(&request).await;
        arena.app.clock.set(Timestamp::from_micros(end.micros() - 1).unwrap());
        let seen = request.clone();
        let mut calls: Vec<Call> =
            vec![Box::pin(async move { bob.review_as_shown(&seen, "approve", &shown).await })];
        calls.extend(tick(&arena, end));
        let status = statuses(&at_once(calls).await)[0];
        arena.app.service.sweep().await.unwrap();
        let facts = arena.facts(&request).await;
        let approved = facts.contains_key("RequestApproved");
        assert_eq!(approved, status == 303, "{facts:?}");
        assert_ne!(approved, facts.contains_key("RequestExpired"), "{facts:?}");
        let state = arena.state(&request).await;
        assert_eq!(state, if approved { "approved" } else { "expired" });
    };
    arena.run("c02", round).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i2_i3_c07_a_release_is_redeemed_or_revoked_or_lapses() {
    let arena = Arena::new().await;
    let round = async |number: u64| {
        let bob = signed_in(&arena.app).await;
        let mut body = stage_body();
        let now = arena.app.service.now();
        body["window"] = json!({"not_before": now, "not_after": now.plus_seconds(90)});
        let request = arena.agent.post("/api/v1/requests", &body, None).await.json();
        assert_eq!(bob.review(&request, "approve").await.status, 303);
        let read = arena.agent.get(&path(&request, "")).await.json();
        let end = instant(&read, "approved_until");
        arena.app.clock.set(Timestamp::from_micros(end.micros() - 1).unwrap());
        // Their session must not end before the release does.
        let bob = signed_in(&arena.app).await.at(&arena.nodes[1]);
        let page = format!("/requests/{}/revoke", request["id"].as_str().unwrap());
        let revocation: Call =
            Box::pin(async move { bob.post(&page, &[("reason", "I saw the logs")]).await });
        let redemption = arena.redemption(0, &request, format!("c07-{number}"));
        let mut calls = vec![redemption, revocation];
        calls.extend(tick(&arena, end));
        let statuses = statuses(&at_once(calls).await);
        arena.app.service.sweep().await.unwrap();
        let facts = arena.facts(&request).await;
        let ends = ["ReleaseRedeemed", "ReleaseRevoked", "ReleaseLapsed"];
        let happened = ends.map(|fact| facts.get(fact).copied().unwrap_or_default());
        assert_eq!(happened.iter().sum::<usize>(), 1, "{facts:?}");
        assert_eq!((happened[0] == 1, happened[1] == 1), (statuses[0] == 200, statuses[1] == 303));
        let again = arena.redemption(1, &request, format!("c07-{number}-again")).await;
        assert_eq!(again.status, 409, "a release that ended is not revived");
    };
    arena.run("c07", round).await;
}
