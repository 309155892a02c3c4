//! Whether a release token is good now; and the keys that sign it, changed meanwhile.

use std::path::Path;

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::FreezeScope;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use service::keys::rotate_release;
use service::{OsEntropy, Steward};
use testing::{Reply, Scene, TestAgent, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

async fn sent(app: &TestApp, key: &str, media_type: &str, body: String) -> Reply {
    let request = Request::post("/api/v1/releases/introspect")
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, media_type);
    app.anonymous(request.body(Body::from(body)).unwrap()).await
}

async fn introspected(app: &TestApp, agent: &TestAgent, token: &str) -> Value {
    let hex = |byte: u8| format!("%{byte:02X}");
    let body = format!("token={}", token.bytes().map(hex).collect::<String>());
    let reply = sent(app, &agent.key, FORM, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let told = reply.json();
    assert!(told["active"] == true || told == json!({"active": false}), "no hint: {told}");
    told
}

async fn is_active(app: &TestApp, agent: &TestAgent, token: &str) -> bool {
    introspected(app, agent, token).await["active"] == true
}

/// Approved and redeemed.
async fn executing() -> (Scene, Value, String) {
    let scene = Scene::approved().await;
    let reply = scene.agent.redeem(&scene.request, "r-1").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let token = reply.json()["release_token"].as_str().unwrap().to_owned();
    (scene, reply.json(), token)
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn an_active_token_is_told_with_its_claims_to_its_stager_and_its_executor_alone() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let (stager, runner) =
        (app.agent("agent-1", owner.id).await, app.agent("runner-1", owner.id).await);
    let stranger = app.agent("agent-2", owner.id).await;
    let mut kind = app.store.kind("vendor.key_extend", 1).await.unwrap().unwrap();
    kind.executor = Some("runner-1".to_owned());
    let kind = serde_json::to_vec(&kind).unwrap();
    app.service.put_kind(&Steward::Operator, &kind, "a runner carries it out").await.unwrap();
    let request = stager.stage().await;
    assert_eq!(bob.review(&request, "approve").await.status, 303);
    let redeemed = runner.redeem(&request, "r-1").await.json();
    let token = redeemed["release_token"].as_str().unwrap();
    let mut expected = claims(token);
    expected["active"] = json!(true);
    assert_eq!(expected["digest"], request["digest"]);
    let before = app.entries().await;
    for agent in [&runner, &stager] {
        assert_eq!(introspected(&app, agent, token).await, expected);
    }
    assert!(!is_active(&app, &stranger, token).await);
    assert_eq!(app.entries().await, before, "asking writes nothing");
    // The stager is suspended: who executes for it is told no.
    app.service.suspend_agent(&Steward::Operator, stager.id).await.unwrap();
    assert!(!is_active(&app, &runner, token).await);
}

#[tokio::test]
async fn d04_d07_a_token_is_inactive_once_its_execution_may_not_go_on() {
    let (Scene { app, bob, agent, .. }, _, token) = executing().await;
    let ann = app.person("Ann Administrator", &["administrators"]).await;
    let (bob, ann) = (app.caller(bob.id).await, app.caller(ann.id).await);
    assert!(is_active(&app, &agent, &token).await);
    let freeze = app.service.freeze(&bob, FreezeScope::All, false, "an incident").await.unwrap();
    assert!(!is_active(&app, &agent, &token).await, "frozen, though what runs may go on");
    app.service.thaw(&ann, freeze, "all well again").await.unwrap();
    assert!(is_active(&app, &agent, &token).await);
    app.clock.advance(299);
    assert!(is_active(&app, &agent, &token).await);
    app.clock.advance(1);
    assert!(!is_active(&app, &agent, &token).await, "expired");
    app.clock.advance(-300);
    assert!(is_active(&app, &agent, &token).await, "nothing was recorded meanwhile");
}

#[tokio::test]
async fn d06_a_token_is_inactive_after_a_halt_or_a_report() {
    let (Scene { app, bob, agent, request, .. }, _, token) = executing().await;
    let path = format!("/requests/{}/halt", request["id"].as_str().unwrap());
    assert_eq!(bob.post(&path, &[("reason", "the wrong key")]).await.status, 303);
    assert!(!is_active(&app, &agent, &token).await, "halted");

    let (Scene { app, agent, request, .. }, lease, token) = executing().await;
    let report = json!({"lease_id": lease["lease_id"], "status": "succeeded", "summary": "done"});
    let path = format!("/api/v1/requests/{}/outcome", request["id"].as_str().unwrap());
    assert!(is_active(&app, &agent, &token).await);
    assert_eq!(agent.post(&path, &report, None).await.status, 200);
    assert!(!is_active(&app, &agent, &token).await, "reported");
}

/// A key of whoever likes.
fn key(seed: &[u8]) -> EncodingKey {
    let prefix = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    EncodingKey::from_ed_der(&[prefix, seed].concat())
}

fn signed(header: &str, claims: &str, key: &EncodingKey) -> String {
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

#[tokio::test]
async fn d05_a_token_that_is_not_letter_for_letter_ours_is_inactive() {
    let (Scene { app, agent, request, .. }, _, token) = executing().await;
    let seed = std::fs::read(app.directory.path().join("keys/release.key")).unwrap();
    let ours = key(&seed);
    let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let (head, ours_head): (Value, String) =
        (serde_json::from_slice(&head).unwrap(), String::from_utf8(head).unwrap());
    let said = claims(&token);
    let text = said.to_string();
    assert_eq!(signed(&ours_head, &text, &ours), token, "the forger does it as we do");

    let with = |value: &Value, name: &str, new: Value| {
        let mut value = value.clone();
        value[name] = new;
        value
    };
    let mut forged: Vec<(String, String)> = Vec::new();
    // Another key, another header.
    forged.push(("another key".into(), signed(&ours_head, &text, &key(&[7; 32]))));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    for (name, new) in [
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("alg", json!(["EdDSA"])),
        ("kid", json!("../../keys/release.key")),
        ("kid", json!("http://localhost/.well-known/jwks.json")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!(null)),
        ("typ", json!("JWT")),
        ("typ", json!("RELEASE-GRANT+JWT")),
        ("crit", json!(["exp"])),
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([7; 32])})),
    ] {
        let head = with(&head, name, new.clone());
        let head = head.to_string();
        let encoded = URL_SAFE_NO_PAD.encode(&head);
        forged.push((format!("{name} {new}"), signed(&head, &text, &ours)));
        forged.push((format!("{name} {new}, unsigned"), format!("{encoded}.{payload}.")));
        forged.push((format!("{name} {new}, swapped"), format!("{encoded}.{payload}.{signature}")));
    }
    // The public key as the secret of an HMAC.
    let x = agent.get("/.well-known/jwks.json").await.json()["keys"][0]["x"].clone();
    let x = URL_SAFE_NO_PAD.decode(x.as_str().unwrap()).unwrap();
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some("release-grant+jwt".into());
    header.kid = head["kid"].as_str().map(str::to_owned);
    let mac = jsonwebtoken::encode(&header, &said, &EncodingKey::from_secret(&x)).unwrap();
    forged.push(("HMAC under the public key".into(), mac));
    // Signed by our own key, and still not what is recorded.
    for (name, new) in [
        ("iss", json!("http://localhost/")),
        ("iss", json!("https://gate.example")),
        ("aud", json!(format!("agent:{}", request["id"].as_str().unwrap()))),
        ("aud", json!([said["aud"]])),
        ("sub", json!("agent:someone")),
        ("exp", json!(said["exp"].as_i64().unwrap() + 1)),
        ("nbf", json!(0)),
        ("iat", json!(said["iat"].as_i64().unwrap() - 1)),
        ("jti", said["txn"].clone()),
        ("txn", said["jti"].clone()),
        ("txn", json!(null)),
        ("digest", json!(format!("sha256:{}", "0".repeat(64)))),
        ("action_hash", json!("sha-256:")),
        ("revision", json!(2)),
        ("max_uses", json!(2)),
        ("kind", json!({"name": "db.export", "version": 1})),
        ("admin", json!(true)),
    ] {
        let claims = with(&said, name, new.clone()).to_string();
        forged.push((format!("{name} {new}"), signed(&ours_head, &claims, &ours)));
    }
    let twice = text.replacen('{', r#"{"aud":"agent:me","#, 1);
    forged.push(("a claim twice".into(), signed(&ours_head, &twice, &ours)));
    forged.push(("other spacing".into(), signed(&ours_head, &text.replace(':', ": "), &ours)));
    forged.push(("a list".into(), signed(&ours_head, "[]", &ours)));
    // The same bytes, spelled otherwise; more, or less, of them.
    let last = token.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(last).unwrap();
    let other = &alphabet[place + 1..place + 2];
    forged.push(("spare bits".into(), format!("{}{other}", &token[..token.len() - 1])));
    for (what, token) in [
        ("a fourth part", format!("{token}.e30")),
        ("a fifth part", format!("{token}..")),
        ("a space", format!("{token} ")),
        ("a line", format!("{token}\n")),
        ("padding", format!("{token}==")),
        ("a scheme", format!("Bearer {token}")),
        ("two of them", format!("{token},{token}")),
        ("less", token[..token.len() - 2].to_owned()),
        ("no signature", message.to_owned()),
        ("an empty one", format!("{message}.")),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("U+0000", format!("{token}\0")),
        ("too long", "a".repeat(9000)),
        ("an agent's key", agent.key.clone()),
    ] {
        forged.push((what.to_owned(), token));
    }
    for (what, forged) in forged {
        assert_ne!(forged, token, "{what}");
        assert!(!is_active(&app, &agent, &forged).await, "{what}");
    }
    assert!(is_active(&app, &agent, &token).await, "and the token itself is");
}

#[tokio::test]
async fn a_body_that_does_not_ask_is_refused_and_says_how_to() {
    let (Scene { app, agent, .. }, _, token) = executing().await;
    let fine = format!("token={token}&token_type_hint=access_token");
    assert_eq!(sent(&app, &agent.key, FORM, fine).await.json()["active"], true);
    for (media_type, body, status, code) in [
        ("application/json", format!(r#"{{"token":"{token}"}}"#), 415, "unsupported_media_type"),
        (FORM, String::new(), 400, "invalid_form"),
        (FORM, "tokens=1".to_owned(), 400, "invalid_form"),
        (FORM, format!("token={token}&token={token}"), 400, "invalid_form"),
        (FORM, format!("token={token}&scope=all"), 400, "invalid_form"),
        (FORM, format!("token={}", "a".repeat(2 << 20)), 413, "body_too_large"),
    ] {
        let refused = sent(&app, &agent.key, media_type, body).await;
        assert_eq!(refused.status, status, "{}", refused.text());
        assert_eq!(refused.problem()["code"], code);
    }
    assert_eq!(sent(&app, "csn_agt_x", FORM, format!("token={token}")).await.status, 401);
}

fn rotate(app: &TestApp) {
    let keys: &Path = &app.directory.path().join("keys");
    rotate_release(keys, app.service.now(), &OsEntropy).unwrap();
}

fn key_id(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

#[tokio::test]
async fn i11_a_release_key_is_changed_while_servers_run_and_every_token_stays_good_for_its_life() {
    let Scene { app, bob, agent, request, .. } = Scene::approved().await;
    let [_, second] = app.nodes().await;
    let at_second = agent.at(&second);
    let key_ids = async |agent: &TestAgent| -> Vec<String> {
        let jwks = agent.get("/.well-known/jwks.json").await.json();
        let id = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        jwks["keys"].as_array().unwrap().iter().map(id).collect()
    };
    let other = agent.stage().await;
    assert_eq!(bob.review(&other, "approve").await.status, 303);
    let [old] = &key_ids(&agent).await[..] else { panic!("one key") };
    rotate(&app);
    let both = key_ids(&agent).await;
    assert_eq!((both.len(), &both[0]), (2, old), "public before it signs");
    assert_eq!(key_ids(&at_second).await, both, "at every server");

    app.clock.advance(599);
    let first = agent.redeem(&request, "r-1").await.json();
    let token = first["release_token"].as_str().unwrap();
    assert_eq!(key_id(token), *old);
    app.clock.advance(1);
    let later = at_second.redeem(&other, "r-2").await.json();
    assert_eq!(key_id(later["release_token"].as_str().unwrap()), both[1]);
    app.clock.advance(298);
    assert_eq!(key_ids(&agent).await, both);
    assert!(is_active(&app, &agent, token).await, "what the old key signed is good");
    assert_eq!(at_second.redeem(&request, "r-1").await.json(), first, "and a retry gets the same");
    app.clock.advance(300);
    assert_eq!(key_ids(&agent).await, both[1..], "until it has expired");
    assert_eq!(agent.redeem(&request, "r-1").await.json(), first, "a retry still does");
    let forged = signed(
        &json!({"alg": "EdDSA", "typ": "release-grant+jwt", "kid": old}).to_string(),
        &claims(token).to_string(),
        &key(&std::fs::read(app.directory.path().join("keys/release.key")).unwrap()),
    );
    assert!(!is_active(&app, &agent, &forged).await, "and the old key is worth nothing");
}
