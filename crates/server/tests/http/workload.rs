//! Workload identity: tokens of an issuer of our own, on loopback, in place of keys.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::trust::Terms;
use domain::{Scope, TrustId};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use futures::stream;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use server::issuers::Documents;
use service::Steward;
use service::act::ActError;
use service::caller::KeyCaller;
use service::guard::Guard;
use service::house::HouseError;
use service::stage::StageError;
use testing::{Scene, TestAgent, stage_body};

const AUDIENCE: &str = "https://gate.example";

/// What the issuer answers when it is asked for its keys.
#[derive(Clone)]
enum Keys {
    These(Value),
    Huge,
    Endless,
    Elsewhere,
    Away,
}

/// An issuer of tokens.
#[derive(Clone)]
struct Issuer {
    url: String,
    /// How often it was asked for its keys.
    asked: Arc<AtomicUsize>,
    keys: Arc<Mutex<Keys>>,
    /// Whom its metadata speaks of.
    named: Arc<Mutex<String>>,
}

fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn jwk(kid: &str, key: &SigningKey) -> Value {
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "alg": "EdDSA", "x": x})
}

fn signed(header: &Header, claims: &Value, key: &SigningKey) -> String {
    let der = key.to_pkcs8_der().unwrap();
    jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(der.as_bytes())).unwrap()
}

fn by(kid: &str) -> Header {
    Header { kid: Some(kid.into()), ..Header::new(Algorithm::EdDSA) }
}

impl Issuer {
    async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keys = Keys::These(json!({"keys": [jwk("one", &signing_key(1))]}));
        let issuer = Self {
            asked: Arc::default(),
            keys: Arc::new(Mutex::new(keys)),
            named: Arc::new(Mutex::new(url.clone())),
            url,
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys_of))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        issuer
    }

    fn says(&self, keys: Keys) {
        *self.keys.lock().unwrap() = keys;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn metadata(State(issuer): State<Issuer>) -> Response {
    let named = issuer.named.lock().unwrap().clone();
    let keys = issuer.keys.lock().unwrap().clone();
    match keys {
        Keys::Away => axum::http::StatusCode::BAD_GATEWAY.into_response(),
        _ => axum::Json(json!({"issuer": named, "jwks_uri": format!("{}/keys", issuer.url)}))
            .into_response(),
    }
}

async fn keys_of(State(issuer): State<Issuer>) -> Response {
    issuer.asked.fetch_add(1, Ordering::SeqCst);
    let keys = issuer.keys.lock().unwrap().clone();
    match keys {
        Keys::These(keys) => {
            ([(header::CACHE_CONTROL, "max-age=600")], axum::Json(keys)).into_response()
        }
        Keys::Huge => " ".repeat(10 * 1024 * 1024).into_response(),
        Keys::Endless => {
            let chunks =
                stream::repeat_with(|| Ok::<_, std::convert::Infallible>(vec![b' '; 8192]));
            Body::from_stream(chunks).into_response()
        }
        Keys::Elsewhere => axum::response::Redirect::temporary("/other").into_response(),
        Keys::Away => axum::http::StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// A scene whose agent may show tokens of an issuer.
struct Trusting {
    scene: Scene,
    issuer: Issuer,
    trust: TrustId,
}

fn terms(issuer: &str, subject: &str) -> Terms {
    Terms {
        issuer: issuer.to_owned(),
        audience: AUDIENCE.to_owned(),
        claims: [("sub".to_owned(), subject.to_owned())].into(),
        scope: Scope::default(),
        jwks: None,
    }
}

impl Trusting {
    async fn new() -> Self {
        let (scene, issuer) = (Scene::staged().await, Issuer::new().await);
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        scene.app.service.ask_issuers_by(Arc::new(Documents::new(guard).unwrap()));
        let terms = terms(&issuer.url, "job");
        let (by, agent) = (&Steward::Operator, scene.agent.id);
        let trust = scene.app.service.trust(by, agent, terms).await.unwrap();
        Self { scene, issuer, trust }
    }

    fn claims(&self) -> Value {
        let now = self.scene.app.service.now().seconds();
        json!({"iss": self.issuer.url, "aud": AUDIENCE, "sub": "job", "iat": now, "exp": now + 300})
    }

    /// The claims with this one replaced, or taken away.
    fn with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        claims
    }

    fn token(&self) -> String {
        signed(&by("one"), &self.claims(), &signing_key(1))
    }

    fn bearer(&self, token: &str) -> TestAgent {
        self.scene.agent.with(token.to_owned())
    }

    async fn opens(&self, token: &str) -> bool {
        let reply = self.bearer(token).get("/api/v1/requests").await;
        if reply.status != 200 {
            let nonsense = self.bearer("nonsense").get("/api/v1/requests").await;
            assert_eq!((reply.status, &reply.bytes), (nonsense.status, &nonsense.bytes));
        }
        reply.status == 200
    }

    async fn refused(&self, why: &str, token: &str) {
        assert!(!self.opens(token).await, "{why}");
    }
}

#[tokio::test]
async fn a09_a_token_of_a_trusted_issuer_stages_and_redeems_like_a_key() {
    let trusting = Trusting::new().await;
    let workload = trusting.bearer(&trusting.token());
    let request = workload.stage().await;
    trusting.scene.bob.review(&request, "approve").await;
    let release = workload.redeem(&request, "r").await;
    assert_eq!(release.status, 200, "{}", release.text());
    assert_eq!(trusting.issuer.asked(), 1, "its keys are kept");
    let by_key = trusting.scene.agent.redeem(&request, "r").await;
    assert_eq!(by_key.json()["release_token"], release.json()["release_token"], "one agent");
    let trusts = trusting.scene.app.store.trusts_of(workload.id).await.unwrap();
    assert!(trusts[0].last_used_at.is_some());
}

#[tokio::test]
async fn a09_a_token_that_is_wrong_in_anything_is_the_401_of_a_wrong_key() {
    let trusting = Trusting::new().await;
    assert!(trusting.opens(&trusting.token()).await);
    let now = trusting.scene.app.service.now().seconds();
    for (name, value) in [
        ("iss", json!("https://issuer.example")),
        ("iss", Value::Null),
        ("aud", json!("https://other.example")),
        ("aud", json!([AUDIENCE, "https://other.example"])),
        ("aud", Value::Null),
        ("sub", json!("job2")),
        ("sub", Value::Null),
        ("exp", Value::Null),
        ("exp", json!(now - 61)),
        ("exp", json!((now + 300).to_string())),
        ("exp", json!(now + 25 * 3600)),
        ("nbf", json!(now + 120)),
        ("iat", json!(now + 120)),
        ("iat", json!(now - 25 * 3600)),
    ] {
        let token = signed(&by("one"), &trusting.with(name, value.clone()), &signing_key(1));
        trusting.refused(&format!("{name} {value}"), &token).await;
    }
    let within = signed(&by("one"), &trusting.with("exp", json!(now - 30)), &signing_key(1));
    assert!(trusting.opens(&within).await, "clocks may be a minute apart");
    let header = |change: fn(&mut Header)| {
        let mut header = by("one");
        change(&mut header);
        signed(&header, &trusting.claims(), &signing_key(1))
    };
    trusting.refused("crit", &header(|h| h.crit = Some(vec!["exp".into()]))).await;
    trusting.refused("jku", &header(|h| h.jku = Some("https://evil.example".into()))).await;
    trusting.refused("typ", &header(|h| h.typ = Some("release-grant+jwt".into()))).await;
    trusting.refused("no kid", &header(|h| h.kid = None)).await;
    assert!(trusting.opens(&header(|h| h.typ = None)).await);
    let long = trusting.with("pad", json!("x".repeat(9000)));
    trusting.refused("long", &signed(&by("one"), &long, &signing_key(1))).await;
}

#[tokio::test]
async fn a09_only_the_issuers_key_and_its_algorithm_verify_a_token() {
    let trusting = Trusting::new().await;
    let good = trusting.token();
    let (head, signature) = good.rsplit_once('.').unwrap();
    trusting.refused("another key", &signed(&by("one"), &trusting.claims(), &signing_key(2))).await;
    trusting.refused("no signature", &format!("{head}.")).await;
    trusting.refused("cut", &good[..good.len() - 2]).await;
    trusting.refused("four parts", &format!("{good}.{signature}")).await;
    let payload = head.split('.').nth(1).unwrap();
    for header in
        [json!({"alg": "none", "kid": "one"}), json!({"alg": "None", "typ": "JWT", "kid": "one"})]
    {
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        trusting.refused("none", &format!("{header}.{payload}.")).await;
        trusting.refused("none, signed", &format!("{header}.{payload}.{signature}")).await;
    }
    // SECURITY: the public key is no shared secret, in whatever form.
    let public = jwk("one", &signing_key(1));
    let bytes = URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
    for secret in
        [bytes.as_slice(), public["x"].as_str().unwrap().as_bytes(), public.to_string().as_bytes()]
    {
        let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
        let key = EncodingKey::from_secret(secret);
        let token = jsonwebtoken::encode(&header, &trusting.claims(), &key).unwrap();
        trusting.refused("HS256", &token).await;
    }
    // A key twice: whoever reads the first and whoever reads the last see another subject.
    let claims = trusting.claims().to_string().replacen('{', "{\"sub\":\"other\",", 1);
    let head = format!("{}.{}", head.split('.').next().unwrap(), URL_SAFE_NO_PAD.encode(claims));
    let key = signing_key(1);
    let signature = ed25519_dalek::Signer::sign(&key, head.as_bytes());
    let twice = format!("{head}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
    trusting.refused("a claim twice", &twice).await;
}

#[tokio::test]
async fn a09_keys_of_the_sorts_that_issuers_use_verify_their_own_algorithms_and_no_other() {
    use Algorithm::{ES256, ES384, PS256, RS256, RS384, RS512};
    let trusting = Trusting::new().await;
    let keys = serde_json::from_str(include_str!("workload/jwks.json")).unwrap();
    trusting.issuer.says(Keys::These(keys));
    let rsa = EncodingKey::from_rsa_pem(include_bytes!("workload/rsa.pem")).unwrap();
    let p256 = EncodingKey::from_ec_pem(include_bytes!("workload/p256.pem")).unwrap();
    let p384 = EncodingKey::from_ec_pem(include_bytes!("workload/p384.pem")).unwrap();
    let token = |algorithm, kid: &str, key: &EncodingKey| {
        let header = Header { kid: Some(kid.into()), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, &trusting.claims(), key).unwrap()
    };
    // GitHub Actions and Kubernetes sign with RS256, SPIRE with ES256 by default.
    let good = [RS256, RS384, RS512, PS256].map(|algorithm| token(algorithm, "rsa", &rsa));
    let good = good.into_iter().chain([token(ES256, "P-256", &p256), token(ES384, "P-384", &p384)]);
    for token in good {
        assert!(trusting.opens(&token).await, "{token}");
        let (head, signature) = token.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[40] ^= 1;
        trusting.refused("one bit", &format!("{head}.{}", URL_SAFE_NO_PAD.encode(bytes))).await;
    }
    for (kid, other) in
        [("P-256", token(RS256, "P-256", &rsa)), ("rsa", token(ES256, "rsa", &p256))]
    {
        trusting.refused(kid, &other).await;
    }
    trusting.refused("another curve", &token(ES384, "P-256", &p384)).await;
    let public = include_str!("workload/jwks.json").as_bytes();
    trusting
        .refused("HS256", &token(Algorithm::HS256, "rsa", &EncodingKey::from_secret(public)))
        .await;
}

#[tokio::test]
async fn f07_a_flood_of_unknown_keys_asks_the_issuer_once_a_minute() {
    let trusting = Trusting::new().await;
    assert!(trusting.opens(&trusting.token()).await);
    for number in 0..50 {
        let token = signed(&by(&format!("k{number}")), &trusting.claims(), &signing_key(1));
        trusting.refused("an unknown key", &token).await;
    }
    assert_eq!(trusting.issuer.asked(), 1, "it was asked within the last minute");
    trusting.issuer.says(Keys::These(json!({"keys": [jwk("two", &signing_key(2))]})));
    let clock = &trusting.scene.app.clock;
    clock.advance(61);
    let (one, two) = (trusting.token(), signed(&by("two"), &trusting.claims(), &signing_key(2)));
    assert!(trusting.opens(&one).await, "kept keys are not asked for again");
    assert!(trusting.opens(&two).await, "the issuer has changed its key");
    assert_eq!(trusting.issuer.asked(), 2);
    trusting.refused("a key that is gone", &one).await;
}

#[tokio::test]
async fn a09_an_issuer_that_is_away_is_believed_until_its_keys_are_too_old() {
    let trusting = Trusting::new().await;
    assert!(trusting.opens(&trusting.token()).await);
    trusting.issuer.says(Keys::Away);
    trusting.scene.app.clock.advance(599);
    assert!(trusting.opens(&trusting.token()).await);
    trusting.scene.app.clock.advance(1);
    trusting.refused("too old", &trusting.token()).await;
    trusting.issuer.says(Keys::These(json!({"keys": [jwk("one", &signing_key(1))]})));
    trusting.refused("asked too lately", &trusting.token()).await;
    trusting.scene.app.clock.advance(10);
    assert!(trusting.opens(&trusting.token()).await, "it is back");
}

#[tokio::test]
async fn f05_f07_answers_that_are_too_large_endless_or_from_elsewhere_are_no_keys() {
    for keys in [
        Keys::Huge,
        Keys::Endless,
        Keys::Elsewhere,
        Keys::These(json!({"keys": []})),
        Keys::These(json!({"keys": vec![jwk("one", &signing_key(1)); 101]})),
        Keys::These(json!({"keys": [{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}]})),
    ] {
        let trusting = Trusting::new().await;
        trusting.issuer.says(keys);
        trusting.refused("no keys", &trusting.token()).await;
    }
    let trusting = Trusting::new().await;
    *trusting.issuer.named.lock().unwrap() = "https://another.example".into();
    trusting.refused("metadata of another issuer", &trusting.token()).await;
    assert_eq!(trusting.issuer.asked(), 0);
}

#[tokio::test]
async fn f01_an_issuer_on_a_private_address_is_not_asked_unless_the_operator_allows_it() {
    let (scene, issuer) = (Scene::staged().await, Issuer::new().await);
    let documents = Arc::new(Documents::new(Guard::default()).unwrap());
    scene.app.service.ask_issuers_by(documents);
    let terms = terms(&issuer.url, "job");
    let agent = scene.agent.id;
    let trust = scene.app.service.trust(&Steward::Operator, agent, terms).await.unwrap();
    let trusting = Trusting { scene, issuer, trust };
    trusting.refused("not allowed", &trusting.token()).await;
    assert_eq!(trusting.issuer.asked(), 0);
}

#[tokio::test]
async fn i9_a_trust_that_is_removed_stops_its_tokens_and_what_they_have_under_way() {
    let trusting = Trusting::new().await;
    let Trusting { scene, trust, .. } = &trusting;
    let (service, agent) = (&scene.app.service, scene.agent.id);
    let token = trusting.token();
    let caller = match service.caller_of_bearer(&token).await.unwrap() {
        Some(KeyCaller::Agent(caller)) => caller,
        other => panic!("{other:?}"),
    };
    service.distrust(&Steward::Operator, agent, *trust).await.unwrap();
    let body = serde_json::to_vec(&stage_body()).unwrap();
    // The call was let in before the trust was removed.
    let staged = service.stage(&caller, &body, None).await;
    assert!(matches!(staged, Err(StageError::Act(ActError::KeyDead))), "{staged:?}");
    trusting.refused("the trust is gone", &token).await;
    let again = service.distrust(&Steward::Operator, agent, *trust).await;
    assert!(matches!(again, Err(HouseError::NoSuchTrust)));
    scene.app.assert_ledger_holds().await;
}

#[tokio::test]
async fn i9_a_token_that_expires_under_way_commits_nothing() {
    let trusting = Trusting::new().await;
    let service = &trusting.scene.app.service;
    let Some(KeyCaller::Agent(caller)) = service.caller_of_bearer(&trusting.token()).await.unwrap()
    else {
        panic!("an agent")
    };
    trusting.scene.app.clock.advance(361);
    let body = serde_json::to_vec(&stage_body()).unwrap();
    let staged = service.stage(&caller, &body, None).await;
    assert!(matches!(staged, Err(StageError::Act(ActError::KeyDead))), "{staged:?}");
}

#[tokio::test]
async fn i9_a_trust_is_limited_like_a_key_and_may_bring_the_issuers_keys() {
    let trusting = Trusting::new().await;
    let scene = &trusting.scene;
    let jwks = json!({"keys": [jwk("own", &signing_key(3))]}).to_string();
    let scope = Scope { kinds: ["db.export".to_owned()].into(), ..Scope::default() };
    let offline = "https://kubernetes.default.svc.cluster.local";
    let terms =
        Terms { jwks: Some(jwks), scope, ..terms(offline, "system:serviceaccount:data:nightly") };
    let (service, agent) = (&scene.app.service, scene.agent.id);
    service.trust(&Steward::Operator, agent, terms).await.unwrap();
    let mut claims = trusting.with("iss", json!(offline));
    claims["sub"] = json!("system:serviceaccount:data:nightly");
    let token = signed(&by("own"), &claims, &signing_key(3));
    let workload = trusting.bearer(&token);
    let refused = workload.post("/api/v1/requests", &stage_body(), None).await;
    assert_eq!(refused.problem()["code"], "outside_scope");
    assert_eq!(workload.get("/api/v1/requests").await.json()["requests"], json!([]));
    trusting.refused("the other issuer's key", &signed(&by("own"), &claims, &signing_key(1))).await;
}

#[tokio::test]
async fn a09_one_token_never_means_two_agents_and_bad_terms_are_refused() {
    let trusting = Trusting::new().await;
    let Trusting { scene, issuer, .. } = &trusting;
    let other = scene.app.agent("agent-2", scene.owner.id).await;
    let trust = async |terms| scene.app.service.trust(&Steward::Operator, other.id, terms).await;
    let mut wider = terms(&issuer.url, "job");
    wider.claims = [("environment".to_owned(), "production".to_owned())].into();
    assert!(
        matches!(trust(wider).await, Err(HouseError::TrustOverlaps(name)) if name == "agent-1")
    );
    let mut private = terms(&issuer.url, "other");
    private.jwks = Some(json!({"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}]}).to_string());
    assert!(matches!(trust(private).await, Err(HouseError::Terms(_))));
    assert!(matches!(trust(terms(&issuer.url, "repo:*")).await, Err(HouseError::Terms(_))));
    assert!(trust(terms(&issuer.url, "job2")).await.is_ok());
}

#[tokio::test]
async fn i1_whoever_made_a_trust_that_stands_does_not_review_the_agent() {
    let trusting = Trusting::new().await;
    let Trusting { scene, issuer, .. } = &trusting;
    let ann = scene.app.person("Ann Administrator", &["administrators", "approvers"]).await;
    let path = format!("/agents/{}/trusts", scene.agent.id);
    let form = [("issuer", &*issuer.url), ("audience", AUDIENCE), ("claims", "sub=job-2\n")];
    let shown = ann.shown(&scene.request).await;
    assert_eq!(ann.post(&path, &form).await.status, 303);
    let refused = ann.review_as_shown(&scene.request, "approve", &shown).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("whose tokens speak as this agent"), "{}", refused.text());
    // Who made none reviews as before; nor does a token open a page (I10).
    assert_eq!(scene.bob.review(&scene.request, "approve").await.status, 303);

    let page = ann.get("/agents").await.text();
    assert!(page.contains("job-2") && page.contains(AUDIENCE), "{page}");
    let trusts = scene.app.store.trusts_of(scene.agent.id).await.unwrap();
    let made = trusts.iter().find(|trust| trust.added_by == Some(ann.id)).unwrap();
    let remove = format!("{path}/{}/remove", made.id);
    assert_eq!(scene.bob.post(&remove, &[]).await.status, 403);
    let before = scene.app.entries().await;
    assert_eq!(ann.post(&remove, &[]).await.status, 303);
    assert_eq!(scene.app.facts_since(before).await, ["TrustRemoved"]);
    let wrong = [("issuer", "https://x.example"), ("audience", AUDIENCE), ("claims", "sub")];
    let refused = ann.post(&path, &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("Name 1 to 10 claims"), "{}", refused.text());
    assert_eq!(scene.bob.post(&path, &form).await.status, 403);
}

#[tokio::test]
async fn i10_a_token_opens_no_page_and_no_auditors_call() {
    let trusting = Trusting::new().await;
    let workload = trusting.bearer(&trusting.token());
    assert_eq!(workload.get("/api/v1/ledger/checkpoint").await.status, 401);
    let page = workload.get("/inbox").await;
    assert_eq!(page.status, 303);
    assert!(page.header("location").starts_with("/sign-in"));
}
