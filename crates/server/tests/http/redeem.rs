//! Redeeming, once; reporting the outcome.

use axum::http::StatusCode;
use domain::request::Review;
use domain::state::{Basis, Release};
use domain::{Digest, LeaseId, Request, RequestId, State, Verdict};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use service::Steward;
use testing::{Reply, Scene, TestAgent, TestApp};

/// What a release token says, if `executor` can take it for one of its own.
async fn claims(executor: &TestAgent, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let header = jsonwebtoken::decode_header(token)?;
    assert_eq!(header.typ.as_deref(), Some("release-grant+jwt"));
    assert_eq!(header.alg, Algorithm::EdDSA);
    let jwks: JwkSet =
        serde_json::from_slice(&executor.get("/.well-known/jwks.json").await.bytes).unwrap();
    let key = jwks.find(header.kid.as_deref().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[format!("agent:{}", executor.id)]);
    validation.set_issuer(&["http://localhost"]);
    // The token's times are the test clock's.
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(key).unwrap();
    Ok(jsonwebtoken::decode::<Value>(token, &key, &validation)?.claims)
}

fn token(redeemed: &Reply) -> String {
    assert_eq!(redeemed.status, 200, "{}", redeemed.text());
    redeemed.json()["release_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn i3_k03_a_key_that_cannot_be_read_spends_nothing_and_is_tried_again() {
    let Scene { app, agent, request, .. } = Scene::approved().await;
    let file = app.directory.path().join("keys/release.key");
    let away = file.with_extension("away");
    std::fs::rename(&file, &away).unwrap();
    let before = app.entries().await;
    let reply = agent.redeem(&request, "r-1").await;
    assert_eq!(
        (reply.status, reply.json()["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("unavailable"))
    );
    assert_eq!(app.entries().await, before);
    std::fs::rename(&away, &file).unwrap();
    assert_eq!(agent.redeem(&request, "r-1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_token_is_what_the_jwks_says_and_names_exactly_this_digest() {
    let Scene { agent, request, .. } = Scene::approved().await;
    let token = token(&agent.redeem(&request, "r-1").await);
    let told = claims(&agent, &token).await.unwrap();
    assert_eq!(told["digest"], request["digest"]);
    assert_eq!(told["txn"], request["id"]);
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 300);
    let mut forged = token.into_bytes();
    let last = forged.len() - 10;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    assert!(claims(&agent, &forged).await.is_err());
}

#[tokio::test]
async fn d03_the_executor_that_the_kind_names_redeems_and_the_token_is_for_it_alone() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let (stager, runner) =
        (app.agent("agent-1", owner.id).await, app.agent("runner-1", owner.id).await);
    let mut kind = app.store.kind("vendor.key_extend", 1).await.unwrap().unwrap();
    kind.executor = Some("runner-1".to_owned());
    let kind = serde_json::to_vec(&kind).unwrap();
    app.service.put_kind(&Steward::Operator, &kind, "a runner carries it out").await.unwrap();
    let request = stager.stage().await;
    assert_eq!(bob.review(&request, "approve").await.status, 303);
    assert_eq!(stager.redeem(&request, "r-1").await.problem()["code"], "not_executor");
    let token = token(&runner.redeem(&request, "r-1").await);
    let told = claims(&runner, &token).await.unwrap();
    assert_eq!(told["sub"], format!("agent:{}", stager.id));
    assert!(claims(&stager, &token).await.is_err(), "it is no token of the stager's");
}

#[tokio::test]
async fn i11_d02_a_key_that_redeemed_one_digest_stands_for_no_other() {
    let Scene { agent, request, .. } = Scene::approved().await;
    assert_eq!(agent.redeem(&request, "r-1").await.status, 200);
    let mut other = request.clone();
    other["digest"] = json!(format!("sha256:{}", "0".repeat(64)));
    let refused = agent.redeem(&other, "r-1").await;
    assert_eq!(refused.problem()["code"], "idempotency_key_reused");
    assert!(!refused.text().contains("release_token"));
}

#[tokio::test]
async fn i3_d02_a_second_redeem_is_409_with_the_time_and_the_same_key_gets_the_same_token() {
    let Scene { app, agent, request, .. } = Scene::approved().await;
    let first = agent.redeem(&request, "r-1").await;
    app.clock.advance(100);
    let again = agent.redeem(&request, "r-1").await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json(), first.json());
    let second = agent.redeem(&request, "r-2").await;
    assert_eq!(second.status, 409);
    assert_eq!(second.problem()["code"], "already_redeemed");
    assert_eq!(second.problem()["redeemed_at"], first.json()["redeemed_at"]);
    let path = format!("/api/v1/requests/{}/redeem", request["id"].as_str().unwrap());
    let keyless = agent.post(&path, &json!({"digest": request["digest"]}), None).await;
    assert_eq!(keyless.problem()["code"], "idempotency_key_missing");
}

#[tokio::test]
async fn i3_d01_fifty_parallel_redeems_have_exactly_one_winner() {
    let Scene { app, agent, request, .. } = Scene::approved().await;
    let before = app.entries().await;
    let keys: Vec<String> = (0..50).map(|n| format!("racer-{n}")).collect();
    let racers = keys.iter().map(|key| agent.redeem(&request, key));
    let replies = futures::future::join_all(racers).await;
    let winners = replies.iter().filter(|reply| reply.status == StatusCode::OK).count();
    assert_eq!(winners, 1);
    for loser in replies.iter().filter(|reply| reply.status != StatusCode::OK) {
        assert_eq!(loser.problem()["code"], "already_redeemed");
        assert!(loser.problem()["redeemed_at"].is_string());
    }
    let facts = app.facts_since(before).await;
    assert_eq!(facts.iter().filter(|fact| *fact == "ReleaseRedeemed").count(), 1);
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn i1_nothing_is_redeemed_before_people_decided_or_after_a_denial() {
    let Scene { bob, agent, request, .. } = Scene::staged().await;
    let early = agent.redeem(&request, "r").await;
    assert_eq!((early.status.as_u16(), early.problem()["state"].clone()), (409, json!("pending")));
    assert_eq!(bob.review(&request, "deny").await.status, 303);
    let late = agent.redeem(&request, "r").await;
    assert_eq!(late.problem()["state"], "denied");
    let told = agent.get(&format!("/api/v1/requests/{}", request["id"].as_str().unwrap())).await;
    assert_eq!(told.json()["denial"]["justification"], "the ticket matches");
}

#[tokio::test]
async fn i9_b13_an_approver_who_left_the_group_no_longer_counts() {
    let Scene { app, bob, agent, request, .. } = Scene::approved().await;
    app.leaves(bob.id, "approvers").await;
    let refused = agent.redeem(&request, "r-1").await;
    assert_eq!(
        (refused.status.as_u16(), refused.problem()["state"].clone()),
        (409, json!("pending"))
    );
    let cat = app.person("Cat Approver", &["approvers"]).await;
    assert_eq!(cat.review(&request, "approve").await.status, 303);
    assert_eq!(agent.redeem(&request, "r-2").await.status, 200);
}

#[tokio::test]
async fn i9_d07_a_suspended_agent_and_a_disabled_approver_release_nothing() {
    let Scene { app, bob, agent, request, .. } = Scene::approved().await;
    app.service.disable_person(&Steward::Operator, bob.id).await.unwrap();
    assert_eq!(agent.redeem(&request, "r-1").await.status, 409);
    app.service.suspend_agent(&Steward::Operator, agent.id).await.unwrap();
    assert_eq!(agent.redeem(&request, "r-2").await.status, 401);
}

#[tokio::test]
async fn i12_d04_an_unused_approval_lapses_and_a_clock_set_back_does_not_revive_it() {
    let Scene { app, agent, request, .. } = Scene::approved().await;
    app.clock.advance(86_400);
    assert_eq!(agent.redeem(&request, "r-1").await.problem()["state"], "lapsed");
    app.service.sweep().await.unwrap();
    app.clock.advance(-86_390);
    assert_eq!(agent.redeem(&request, "r-2").await.problem()["state"], "lapsed");
}

#[tokio::test]
async fn i12_what_had_lapsed_by_the_newest_entry_stays_so_before_the_sweeper_came() {
    let Scene { app, agent, request, .. } = Scene::approved().await;
    app.clock.advance(86_400);
    let later = agent.stage().await;
    app.clock.advance(-86_390);
    let path = format!("/api/v1/requests/{}", request["id"].as_str().unwrap());
    assert_eq!(agent.get(&path).await.json()["state"], "lapsed");
    assert_eq!(agent.redeem(&request, "r-1").await.problem()["state"], "lapsed");
    assert_eq!(app.facts_since(app.entries().await - 1).await, ["AttemptRefused"]);
    // What is staged now runs out no earlier, and not as if it had been staged then.
    let again = agent.stage().await;
    assert_eq!(again["review_deadline"], later["review_deadline"]);
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn e07_only_the_approved_digest_is_redeemed() {
    let Scene { agent, request, .. } = Scene::approved().await;
    let mut other = request.clone();
    other["digest"] = json!(format!("sha256:{}", "0".repeat(64)));
    assert_eq!(agent.redeem(&other, "r-1").await.problem()["code"], "digest_mismatch");
    other["digest"] = json!("sha256:nonsense");
    assert_eq!(agent.redeem(&other, "r-1").await.status, 422);
}

#[tokio::test]
async fn the_outcome_is_reported_once_under_the_lease() {
    let Scene { bob, agent, request, .. } = Scene::approved().await;
    let lease = agent.redeem(&request, "r-1").await.json()["lease_id"].clone();
    let path = format!("/api/v1/requests/{}/outcome", request["id"].as_str().unwrap());
    let report = |lease: &Value, status: &str| json!({"lease_id": lease, "status": status, "summary": "key lives until 4 February"});
    let stranger = json!("0192f0a0-0000-7000-8000-00000000abcd");
    let wrong = agent.post(&path, &report(&stranger, "succeeded"), None).await;
    assert_eq!(wrong.problem()["code"], "wrong_lease");
    for _ in 0..2 {
        let reply = agent.post(&path, &report(&lease, "succeeded"), None).await;
        assert_eq!(reply.json()["state"], "succeeded");
    }
    let changed = agent.post(&path, &report(&lease, "failed"), None).await;
    assert_eq!(changed.problem()["code"], "not_executing");
    let page = bob.get(&format!("/requests/{}", request["id"].as_str().unwrap())).await;
    assert!(page.text().contains("key lives until 4 February"));
}

/// The statement that makes a request's row say `forged`, as if our code had written it.
fn forged_row(forged: &Request) -> String {
    let document = serde_json::to_string(forged).unwrap().replace('\'', "''");
    format!(
        "UPDATE requests SET state = '{}', version = version + 1, document = '{document}' \
         WHERE id = '{}'",
        forged.state.name().as_str(),
        forged.id
    )
}

#[tokio::test]
async fn e11_l13_a_row_that_says_approved_releases_nothing_that_nobody_approved() {
    let Scene { app, bob, agent, request, .. } = Scene::staged().await;
    let id: RequestId = request["id"].as_str().unwrap().parse().unwrap();
    let (now, until) = (app.service.now(), app.service.now().plus_seconds(600));
    let stored = app.store.load(id).await.unwrap().unwrap().request;
    let review = Review {
        reviewer: bob.id,
        revision: 1,
        digest: stored.digest,
        verdict: Verdict::Approve,
        at: now,
        authenticated_at: now,
    };
    let basis = Basis::Quorum;
    let state = State::Approved { approved_at: now, approved_until: until, basis };
    let approved = Request { state, reviews: vec![review], ..stored };
    app.tamper(&[
        format!("INSERT INTO reviews VALUES ('{id}', 1, '{}', 'approve', 0)", bob.id),
        forged_row(&approved),
    ])
    .await;
    assert_eq!(app.store.load(id).await.unwrap().unwrap().request, approved);
    let before = app.entries().await;
    let refused = agent.redeem(&request, "r-1").await;
    assert_eq!(refused.status, 500, "{}", refused.text());
    assert!(!refused.text().contains("release_token"));
    assert_eq!(app.entries().await, before);
    // Nor does a forged memory of an earlier redemption.
    let fingerprint = Digest::of(format!(r#"{{"digest":{}}}"#, request["digest"]).as_bytes());
    let release = Release {
        lease_id: LeaseId(id.0),
        redeemed_at: now,
        token_expires_at: until,
        lease_until: until,
        report_by: until,
    };
    let executing = Request { state: State::Executing { release, halt: None }, ..approved };
    let key = app.sql_bytes(&fingerprint.hex());
    app.tamper(&[
        format!(
            "INSERT INTO idempotency VALUES ('agent {} redeem {id}', 'r-2', {key}, '{id}', 0)",
            agent.id
        ),
        format!("INSERT INTO releases VALUES ('{id}', '{id}', 0)"),
        forged_row(&executing),
    ])
    .await;
    assert_eq!(app.store.load(id).await.unwrap().unwrap().request, executing);
    let refused = agent.redeem(&request, "r-2").await;
    assert_eq!(refused.status, 500, "{}", refused.text());
    assert!(!refused.text().contains("release_token"));
}
