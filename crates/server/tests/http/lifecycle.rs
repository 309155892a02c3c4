//! What executors and stagers do after staging: amend, heartbeat, report, roll back.

use domain::FreezeScope;
use serde_json::{Value, json};
use service::Steward;
use testing::{Scene, TestAgent, TestApp, stage_body};

fn path(request: &Value, rest: &str) -> String {
    format!("/api/v1/requests/{}{rest}", request["id"].as_str().unwrap())
}

async fn state(agent: &TestAgent, request: &Value) -> Value {
    agent.get(&path(request, "")).await.json()["state"].clone()
}

/// An execution under way: the request, and its lease.
async fn executing() -> (Scene, Value) {
    let scene = Scene::approved().await;
    let redeemed = scene.agent.redeem(&scene.request, "r-1").await;
    assert_eq!(redeemed.status, 200, "{}", redeemed.text());
    let lease = redeemed.json();
    (scene, lease)
}

fn report(lease: &Value, status: &str) -> Value {
    json!({"lease_id": lease["lease_id"], "status": status, "summary": "as planned"})
}

#[tokio::test]
async fn e02_an_amendment_voids_reviews_and_the_old_digest_releases_nothing() {
    let Scene { app, agent, bob, request, .. } = Scene::staged().await;
    let mut body = stage_body();
    body["summary"] = json!("shorter this time");
    let amended = agent.post(&path(&request, "/revisions"), &body, Some("a-1")).await;
    assert_eq!(amended.status, 201, "{}", amended.text());
    let again = agent.post(&path(&request, "/revisions"), &body, Some("a-1")).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    let amended = amended.json();
    assert_eq!((&amended["revision"], &amended["id"]), (&json!(2), &request["id"]));
    assert_ne!(amended["digest"], request["digest"]);
    let on_old = bob.review(&request, "approve").await;
    assert_eq!(on_old.status, 409, "{}", on_old.text());
    assert_eq!(bob.review(&amended, "approve").await.status, 303);
    let late = agent.post(&path(&request, "/revisions"), &body, None).await;
    assert_eq!((late.status.as_u16(), &late.problem()["code"]), (409, &json!("not_pending")));
    let old = agent.redeem(&request, "r-1").await;
    assert_eq!(old.problem()["code"], "digest_mismatch");
    assert_eq!(agent.redeem(&amended, "r-2").await.status, 200);
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn an_amendment_keeps_the_kind_and_is_the_stagers_alone() {
    let Scene { app, owner, agent, request, .. } = Scene::staged().await;
    let mut other = stage_body();
    other["kind"] = json!("db.export");
    let refused = agent.post(&path(&request, "/revisions"), &other, None).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.problem()["errors"][0]["pointer"], "/kind");
    let stranger = app.agent("agent-2", owner.id).await;
    let refused = stranger.post(&path(&request, "/revisions"), &stage_body(), None).await;
    assert_eq!(refused.status, 404, "somebody else's request does not exist");
}

/// The kind that tests stage, with a lease of five minutes and half an hour to report.
async fn short_lease(app: &TestApp) {
    let name = stage_body()["kind"].as_str().unwrap().to_owned();
    let house = app.store.house().await.unwrap();
    let mut kind = domain::Kind::clone(&house.kind(&name).unwrap().0);
    (kind.lease_ttl_s, kind.report_deadline_s) = (300, 1800);
    let kind = serde_json::to_vec(&kind).unwrap();
    app.service.put_kind(&Steward::Operator, &kind, "short leases").await.unwrap();
}

#[tokio::test]
async fn a_heartbeat_keeps_the_lease_and_without_one_the_outcome_is_unknown_until_reported() {
    let Scene { app, agent, bob, .. } = Scene::staged().await;
    short_lease(&app).await;
    let request = agent.stage().await;
    assert_eq!(bob.review(&request, "approve").await.status, 303);
    let lease = agent.redeem(&request, "r-1").await.json();
    let beat = json!({"lease_id": lease["lease_id"]});
    app.clock.advance(200);
    let kept = agent.post(&path(&request, "/heartbeat"), &beat, None).await;
    assert_eq!(kept.status, 200, "{}", kept.text());
    assert_eq!(kept.json()["signal"], "continue");
    app.clock.advance(200);
    assert_eq!(state(&agent, &request).await, "executing");
    app.clock.advance(101);
    assert_eq!(state(&agent, &request).await, "outcome_unknown");
    let late = agent.post(&path(&request, "/heartbeat"), &beat, None).await;
    assert_eq!(late.problem()["code"], "not_executing");
    let before = app.entries().await;
    let settled = agent.post(&path(&request, "/outcome"), &report(&lease, "failed"), None).await;
    assert_eq!(settled.status, 200, "{}", settled.text());
    assert_eq!(app.facts_since(before).await, ["OutcomeMissed", "OutcomeReported"]);
    let rollback = async |status: &str| {
        agent.post(&path(&request, "/rollback"), &report(&lease, status), None).await
    };
    assert_eq!(rollback("rolled_back").await.json()["state"], "rolled_back");
    assert_eq!(rollback("rolled_back").await.status, 200);
    let other = rollback("rollback_failed").await;
    assert_eq!(other.problem()["code"], "nothing_to_roll_back");
    assert_eq!(rollback("perhaps").await.status, 422);
}

#[tokio::test]
async fn d08_a_halt_and_a_halting_freeze_reach_the_executor_with_its_next_heartbeat() {
    let (Scene { app, agent, bob, request, .. }, lease) = executing().await;
    let beat = json!({"lease_id": lease["lease_id"]});
    let signal = async || {
        agent.post(&path(&request, "/heartbeat"), &beat, None).await.json()["signal"].clone()
    };
    let by = app.caller(bob.id).await;
    let agent_frozen = FreezeScope::Environment("somewhere-else".to_owned());
    app.service.freeze(&by, agent_frozen, true, "not this one").await.unwrap();
    assert_eq!(signal().await, "continue");
    let id = request["id"].as_str().unwrap().parse().unwrap();
    app.service.halt(&by, id, "the wrong key").await.unwrap();
    assert_eq!(signal().await, "halt");
    let halted = agent.post(&path(&request, "/outcome"), &report(&lease, "halted"), None).await;
    assert_eq!(halted.json()["state"], "halted");
}

#[tokio::test]
async fn d09_a_freeze_stops_redemption_at_once_and_a_thaw_lets_it_go_on() {
    let Scene { app, agent, bob, request, .. } = Scene::approved().await;
    let by = app.caller(bob.id).await;
    let scope = FreezeScope::Agent(agent.id);
    let freeze = app.service.freeze(&by, scope, false, "odd traffic").await.unwrap();
    let refused = agent.redeem(&request, "r-1").await;
    assert_eq!((refused.status.as_u16(), &refused.problem()["code"]), (409, &json!("frozen")));
    assert!(app.service.thaw(&by, freeze, "all well").await.is_err(), "Bob is no administrator");
    let ann = app.person("Ann Administrator", &["administrators"]).await;
    let ann = app.caller(ann.id).await;
    app.service.thaw(&ann, freeze, "all well").await.unwrap();
    assert_eq!(agent.redeem(&request, "r-1").await.status, 200);
}

#[tokio::test]
async fn a_revoked_release_is_dead_for_good() {
    let Scene { app, agent, bob, owner, request, .. } = Scene::approved().await;
    let id = request["id"].as_str().unwrap().parse().unwrap();
    let by = app.caller(bob.id).await;
    app.service.revoke(&by, id, "the vendor called").await.unwrap();
    app.service.revoke(&by, id, "the vendor called").await.unwrap();
    let refused = agent.redeem(&request, "r-1").await;
    assert_eq!(refused.problem()["state"], "revoked");
    let own = app.caller(owner.id).await;
    assert!(app.service.revoke(&own, id, "too late").await.is_ok(), "it is so already");
}

#[tokio::test]
async fn c13_i12_sweepers_that_run_at_once_record_each_timer_once() {
    let (scene, _) = executing().await;
    let Scene { app, agent, bob, .. } = &scene;
    agent.stage().await;
    let approved = agent.stage().await;
    assert_eq!(bob.review(&approved, "approve").await.status, 303);
    let other = app.beside().await;
    app.clock.advance(14 * 86_400);
    let before = app.entries().await;
    let (one, two) = (&app.service, &other);
    let swept = tokio::join!(one.sweep(), two.sweep(), one.sweep(), two.sweep());
    let swept = [swept.0, swept.1, swept.2, swept.3].map(Result::unwrap);
    assert_eq!(swept.iter().sum::<usize>(), 3, "{swept:?}");
    let mut facts = app.facts_since(before).await;
    facts.sort();
    assert_eq!(facts, ["OutcomeMissed", "ReleaseLapsed", "RequestExpired"]);
    assert_eq!((one.sweep().await.unwrap(), two.sweep().await.unwrap()), (0, 0));
    app.assert_ledger_holds().await;
}
