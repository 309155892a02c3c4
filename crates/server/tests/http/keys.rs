//! Keys of agents: how many live, what one is limited to, and what takes another's place.

use domain::{Actor, Scope};
use serde_json::{Value, json};
use service::Steward;
use service::house::{HouseError, OldKey};
use testing::{Scene, TestAgent, TestApp, stage_body};

fn scope(kinds: &[&str], environments: &[&str]) -> Scope {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Scope { kinds: set(kinds), environments: set(environments) }
}

/// The same agent by another key of it, which is limited.
async fn limited(scene: &Scene, scope: Scope) -> TestAgent {
    let key = scene.app.scoped_key(scene.agent.id, scene.owner.id, scope).await;
    scene.agent.with(key)
}

fn path(request: &Value, call: &str) -> String {
    format!("/api/v1/requests/{}{call}", request["id"].as_str().unwrap())
}

#[tokio::test]
async fn i9_a_limited_key_stages_and_tries_out_only_what_it_is_limited_to() {
    let scene = Scene::staged().await;
    let environment = stage_body()["environment"].as_str().unwrap().to_owned();
    let narrow = limited(&scene, scope(&["vendor.key_extend"], &[&environment])).await;
    let inside = narrow.post("/api/v1/requests", &stage_body(), None).await;
    assert_eq!(inside.status, 201, "{}", inside.text());
    let mut elsewhere = stage_body();
    elsewhere["environment"] = json!("elsewhere");
    let before = scene.app.entries().await;
    for path in ["/api/v1/requests", "/api/v1/requests?validate=true"] {
        let refused = narrow.post(path, &elsewhere, None).await;
        assert_eq!(refused.status, 403, "{path}");
        let problem = refused.problem();
        assert_eq!(problem["code"], "outside_scope");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("limited to: vendor.key_extend in {environment}")));
        assert!(detail.contains("`elsewhere`"), "{detail}");
    }
    let amended = narrow.post(&path(&inside.json(), "/revisions"), &elsewhere, None).await;
    assert_eq!(amended.problem()["code"], "outside_scope");
    assert_eq!(scene.app.entries().await, before, "nothing is stored");
}

#[tokio::test]
async fn b05_a_request_outside_of_a_keys_limits_is_neither_read_nor_carried_out_by_it() {
    let scene = Scene::staged().await;
    let request = scene.request.clone();
    let other = limited(&scene, scope(&["db.export"], &[])).await;
    assert_eq!(other.get(&path(&request, "")).await.status, 404);
    assert_eq!(other.get("/api/v1/requests").await.json()["requests"], json!([]));
    assert_eq!(
        scene.agent.get("/api/v1/requests").await.json()["requests"][0]["id"],
        request["id"]
    );
    scene.bob.review(&request, "approve").await;
    let before = scene.app.entries().await;
    let refused = other.redeem(&request, "r").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.problem()["code"]),
        (403, &json!("outside_scope"))
    );
    assert_eq!(scene.app.facts_since(before).await, ["AttemptRefused"], "it is on record");

    let release = scene.agent.redeem(&request, "r").await;
    assert_eq!(release.status, 200, "{}", release.text());
    // SECURITY: the idempotency key of the agent opens nothing to a key that does not reach so far.
    assert_eq!(other.redeem(&request, "r").await.problem()["code"], "outside_scope");
    let lease = &release.json()["lease_id"];
    let report = json!({"lease_id": lease, "status": "succeeded", "summary": "done"});
    for (call, body) in [("/heartbeat", json!({"lease_id": lease})), ("/outcome", report)] {
        let refused = other.post(&path(&request, call), &body, None).await;
        assert_eq!(refused.problem()["code"], "outside_scope", "{call}");
        let done = scene.agent.post(&path(&request, call), &body, None).await;
        assert_eq!(done.status, 200, "{call}: {}", done.text());
    }
    let withdrawn = other.post(&path(&request, "/withdraw"), &json!({}), None).await;
    assert_eq!(withdrawn.problem()["code"], "outside_scope");
}

#[tokio::test]
async fn a09_an_agent_has_two_living_keys_at_most() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let second = app.key(agent.id, owner.id).await;
    let holder = Actor::Agent(agent.id);
    let expires_at = app.service.now().plus_seconds(3600);
    let issue = async |scope| {
        let by = &Steward::Operator;
        app.service.issue_agent_key(by, agent.id, owner.id, expires_at, scope).await
    };
    assert!(matches!(issue(Scope::default()).await, Err(HouseError::TwoKeys)));
    let keys = app.store.keys_of(&holder).await.unwrap();
    app.service.revoke_key(&Steward::Operator, agent.id, keys[0].id).await.unwrap();
    let unknown = issue(scope(&["db.nothing"], &[])).await;
    assert!(matches!(unknown, Err(HouseError::NoSuchKind(kind)) if kind == "db.nothing"));
    assert!(matches!(issue(scope(&[], &["*"])).await, Err(HouseError::Scope(_))));
    assert!(issue(scope(&["db.export"], &["staging"])).await.is_ok());
    assert_ne!(second, agent.key);
}

#[tokio::test]
async fn a09_rotating_gives_the_next_key_its_limits_and_the_old_one_an_end() {
    let scene = Scene::staged().await;
    let app = &scene.app;
    let narrow = limited(&scene, scope(&["vendor.key_extend"], &[])).await;
    let keys = app.store.keys_of(&Actor::Agent(narrow.id)).await.unwrap();
    let (wide, old) = match keys.as_slice() {
        [one, two] if one.scope.is_all() => (one.id, two.id),
        [one, two] => (two.id, one.id),
        _ => panic!("{keys:?}"),
    };
    let rotate = async |key, old| {
        let (by, shown_to) = (&Steward::Operator, scene.owner.id);
        app.service.rotate_agent_key(by, narrow.id, key, shown_to, old).await
    };
    let opens = async |key: &str| {
        scene.agent.with(key.into()).get("/api/v1/requests").await.status.as_u16()
    };
    assert!(matches!(rotate(old, OldKey::EndsInADay).await, Err(HouseError::TwoKeys)));
    assert_eq!(opens(&narrow.key).await, 200, "nothing became of it");

    let next = rotate(old, OldKey::EndsNow).await.unwrap();
    assert_eq!((opens(&narrow.key).await, opens(next.reveal()).await), (401, 200));
    let mut body = stage_body();
    body["kind"] = json!("db.export");
    let refused =
        scene.agent.with(next.reveal().into()).post("/api/v1/requests", &body, None).await;
    assert_eq!(refused.problem()["code"], "outside_scope", "the limits go with it");
    assert!(matches!(rotate(old, OldKey::EndsNow).await, Err(HouseError::NoSuchKey)));

    app.service.revoke_key(&Steward::Operator, narrow.id, wide).await.unwrap();
    let before = app.entries().await;
    let keys = app.store.keys_of(&Actor::Agent(narrow.id)).await.unwrap();
    let living = keys.iter().find(|key| key.lives(app.service.now())).unwrap().id;
    let last = rotate(living, OldKey::EndsInADay).await.unwrap();
    assert_eq!(app.facts_since(before).await, ["KeyIssued", "KeyRetired"]);
    assert_eq!(opens(next.reveal()).await, 200, "there is time to move over");
    app.clock.advance(24 * 3600);
    assert_eq!((opens(next.reveal()).await, opens(last.reveal()).await), (401, 200));
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn an_administrator_limits_and_rotates_keys_on_the_page() {
    let scene = Scene::staged().await;
    let ann = scene.app.person("Ann Administrator", &["administrators"]).await;
    let keys = format!("/agents/{}/keys", scene.agent.id);
    let fields = [("kinds", "db.export, vendor.key_extend"), ("environments", "staging")];
    let issued = ann.post(&keys, &fields).await;
    assert!(issued.text().contains("csn_agt_"), "{}", issued.text());
    let page = ann.get("/agents").await.text();
    assert!(page.contains("db.export, vendor.key_extend in staging"), "{page}");
    let third = ann.post(&keys, &[]).await;
    assert_eq!(third.status, 422);
    assert!(third.text().contains("two living keys"), "{}", third.text());
    let held = scene.app.store.keys_of(&Actor::Agent(scene.agent.id)).await.unwrap();
    let rotate = format!("{keys}/{}/rotate", held[0].id);
    assert_eq!(ann.post(&rotate, &[("old", "some day")]).await.status, 404);
    let rotated = ann.post(&rotate, &[("old", "now")]).await.text();
    assert!(
        rotated.contains("csn_agt_") && rotated.contains("opens nothing any more"),
        "{rotated}"
    );
    assert_eq!(scene.bob.post(&rotate, &[("old", "now")]).await.status, 403);
}
