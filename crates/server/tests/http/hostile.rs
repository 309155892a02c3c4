//! Hostile input, at every route that the document has: always a problem, never a 5xx, nothing
//! written. What single fields refuse is in `bad_input`.

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, header};
use futures::stream;
use serde_json::{Value, json};
use testing::{Reply, TestAgent, TestApp, stage_body};

use crate::document::operations;

const STAGE: &str = "/api/v1/requests";
/// An id that nobody has.
const UNKNOWN: &str = "0192f0a0-0000-7000-8000-00000000abcd";

async fn agent(app: &TestApp) -> TestAgent {
    let owner = app.person("Olga Owner", &[]).await;
    app.agent("agent-1", owner.id).await
}

fn sent(method: &str, path: &str, key: &str) -> axum::http::request::Builder {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = Request::builder().method(method).uri(path);
    request.header(header::AUTHORIZATION, format!("Bearer {key}"))
}

fn staging(body: impl Into<Body>, media_type: &str, key: &str) -> Request<Body> {
    let request = sent("POST", STAGE, key).header(header::CONTENT_TYPE, media_type);
    request.body(body.into()).unwrap()
}

/// A path of the document with nothing left open.
fn filled(path: &str, id: &str) -> String {
    let digest = format!("sha256:{}", "0".repeat(64));
    let path = path.replace("{id}", id).replace("{digest}", &digest);
    path.replace("{name}", "db.export").replace("{index}", "0")
}

fn code(reply: &Reply) -> String {
    reply.problem()["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn h03_a_body_without_an_end_is_cut_off_at_the_limit() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let endless = || {
        let chunk = Bytes::from_static(&[b' '; 65_536]);
        Body::from_stream(stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())))
    };
    let reply = app.anonymous(staging(endless(), "application/json", &agent.key)).await;
    assert_eq!((reply.status.as_u16(), code(&reply).as_str()), (413, "body_too_large"));
    let upload = sent("POST", "/api/v1/evidence", &agent.key).body(endless()).unwrap();
    let reply = app.anonymous(upload).await;
    assert_eq!((reply.status.as_u16(), code(&reply).as_str()), (413, "body_too_large"));
}

#[tokio::test]
async fn h04_deep_wide_and_long_json_is_refused() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let good = stage_body().to_string();
    let with = |value: String| good.replacen('{', &format!("{{\"parameters\":{value},"), 1);
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    let wide: Vec<String> = (0..60_000).map(|n| format!("\"k{n}\":0")).collect();
    let bodies = [
        with(deep(128)),
        deep(100_000),
        "{\"a\":".repeat(100_000),
        format!("{{{}}}", wide.join(",")),
        format!("{{\"kind\":\"{}\"}}", "x".repeat(1_000_000)),
    ];
    let before = app.entries().await;
    for body in bodies {
        let reply = app.anonymous(staging(body, "application/json", &agent.key)).await;
        assert!(["malformed_json", "invalid_body"].contains(&code(&reply).as_str()));
        let errors = reply.problem()["errors"].as_array().unwrap().len();
        assert!((1..=20).contains(&errors) && reply.bytes.len() < 16_384, "{errors}");
    }
    assert_eq!(app.entries().await, before);
}

#[tokio::test]
async fn h05_what_a_form_can_send_never_reaches_a_json_endpoint() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let types = [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application/json, text/plain",
        "application/problem+json",
    ];
    for (method, path, is) in operations() {
        let json = is["requestBody"]["content"].get("application/json").is_some();
        for media_type in types.into_iter().filter(|_| json) {
            let request = sent(&method, &filled(&path, UNKNOWN), &agent.key);
            let request = request.header(header::CONTENT_TYPE, media_type);
            let reply = app.anonymous(request.body(Body::from("{}")).unwrap()).await;
            assert_eq!(code(&reply), "unsupported_media_type", "{method} {path} {media_type}");
        }
    }
    let utf16 = staging(&b"{\0}\0"[..], "application/json; charset=utf-16", &agent.key);
    assert_eq!(code(&app.anonymous(utf16).await), "malformed_json");
}

#[tokio::test]
async fn h06_an_instant_that_is_none_is_refused_by_its_field() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let instants = [
        "",
        "tomorrow",
        "0000-01-01T00:00:00Z",
        "+10000-01-01T00:00:00Z",
        "2027-02-30T00:00:00Z",
        "2027-01-01T25:00:00Z",
        "2027-01-01T00:00:00+24:00",
        "2027-01-01T00:00:00",
        "2027-01-01",
        "1800000000",
        "Fri, 01 Jan 2027 00:00:00 +0000 (x)",
        "PT1E9H",
        "9999-12-31T23:59:59-23:59",
    ];
    for instant in instants {
        let mut body = stage_body();
        body["review_deadline"] = instant.into();
        let reply = agent.post(STAGE, &body, None).await;
        let problem = reply.problem();
        assert_eq!(problem["code"], "invalid_body", "{instant}");
        assert_eq!(problem["errors"][0]["pointer"], "/review_deadline", "{instant}");
    }
}

#[tokio::test]
async fn h07_a_number_that_would_be_rounded_is_refused_and_never_rounded() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let good = stage_body().to_string();
    let numbers =
        ["9007199254740993", "1e400", "-0", "0.1", "7.0", "7e0", "NaN", "Infinity", "0x7", "+7"];
    for number in numbers {
        let body = good.replacen("\"extend_days\":7", &format!("\"extend_days\":{number}"), 1);
        assert_ne!(body, good);
        let reply = agent.post_bytes(STAGE, body.into_bytes(), None).await;
        assert_eq!((reply.status.as_u16(), code(&reply).as_str()), (400, "malformed_json"));
    }
    let mut body = stage_body();
    body["parameters"]["extend_days"] = json!(9_007_199_254_740_991_u64);
    let problem = agent.post(STAGE, &body, None).await.problem();
    assert_eq!(problem["errors"][0]["pointer"], "/parameters/extend_days", "{problem}");
}

#[tokio::test]
async fn h08_a_text_is_refused_or_kept_as_it_is() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let good = stage_body().to_string();
    let begin = "\"summary\":\"";
    for raw in [
        &b"\xff"[..],
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\\u0000",
        b"\\ud800",
        b"\x00",
        b"\n",
    ] {
        let (before, after) = good.split_once(begin).unwrap();
        let body = [before.as_bytes(), begin.as_bytes(), raw, after.as_bytes()].concat();
        let reply = agent.post_bytes(STAGE, body, None).await;
        assert_eq!(code(&reply), "malformed_json", "{raw:?}");
    }
    for text in [
        "\u{fffe}\u{ffff}",
        "😀 𝔘 e\u{301} é",
        "\u{202e}gnp",
        "'; DROP TABLE requests; --",
        "\u{7f}\t",
    ] {
        let mut body = stage_body();
        body["summary"] = text.into();
        let reply = agent.post(STAGE, &body, None).await;
        assert_eq!(reply.status, 201, "{text:?}: {}", reply.text());
        // The page holds the stored bytes against the digest before it shows them.
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(bob.get(&format!("/requests/{id}")).await.status, 200, "{text:?}");
    }
}

#[tokio::test]
async fn h10_a_forged_cursor_is_refused_and_a_foreign_one_shows_nothing_foreign() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let (one, other) = (app.agent("agent-1", owner.id).await, app.agent("agent-2", owner.id).await);
    for number in 0..51 {
        let mut body = stage_body();
        body["ticket"] = format!("T-{number}").into();
        assert_eq!(one.post(STAGE, &body, None).await.status, 201);
    }
    let page = one.get(STAGE).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(
        one.get(&format!("{STAGE}?cursor={cursor}")).await.json()["requests"][0]["state"],
        "pending"
    );
    let foreign = other.get(&format!("{STAGE}?cursor={cursor}")).await;
    assert_eq!(foreign.json(), json!({"requests": []}));
    let longer = format!("{cursor}x");
    for forged in ["", "x", "-1", "%00", "%27%20OR%201=1--", "9e9", &longer] {
        let reply = one.get(&format!("{STAGE}?cursor={forged}")).await;
        assert_eq!(code(&reply), "invalid_query", "{forged}");
    }
}

#[tokio::test]
async fn h11_unknown_repeated_and_bracketed_parameters_are_refused_everywhere() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &["auditors"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let auditor = app.auditor_key(owner.id).await;
    let mut seen = 0;
    for (method, path, is) in operations() {
        let of = is["parameters"].as_array();
        let queries: Vec<&Value> =
            of.into_iter().flatten().filter(|p| p["in"] == "query").collect();
        let key = if is["security"][0].get("agent_key").is_some() { &agent.key } else { &auditor };
        for parameter in queries {
            let name = parameter["name"].as_str().unwrap();
            seen += 1;
            for query in [
                "surprise=1".to_owned(),
                format!("{name}=1&{name}=1"),
                format!("{name}[]=1"),
                format!("{name}=%00"),
                format!("{name}=-1"),
                format!("{name}=1e9"),
                format!("{name}=9007199254740992"),
                format!("{name}=99999999999999999999"),
            ] {
                let path = format!("{}?{query}", filled(&path, UNKNOWN));
                let request =
                    sent(&method, &path, key).header(header::CONTENT_TYPE, "application/json");
                let reply = app.anonymous(request.body(Body::from("{}")).unwrap()).await;
                let refusals = ["invalid_query", "invalid_last_event_id"];
                assert!(refusals.contains(&code(&reply).as_str()), "{method} {path}");
            }
        }
    }
    assert!(seen >= 8, "{seen}");
}

#[tokio::test]
async fn h12_no_spelling_of_a_path_leads_round_its_route() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let id = agent.stage().await["id"].as_str().unwrap().to_owned();
    let paths = [
        "//api/v1/requests".to_owned(),
        "/api//v1/requests".to_owned(),
        "/api/v1/requests/".to_owned(),
        "/API/v1/requests".to_owned(),
        "/api/v1/requests;x=1".to_owned(),
        "/api/v1/requests%2f".to_owned(),
        "/api/v1/./requests".to_owned(),
        "/api/v1/kinds/../requests".to_owned(),
        "/api/v1/kinds/%2e%2e/requests".to_owned(),
        format!("/api/v1/requests/{id}/"),
        format!("/api/v1/requests/{id}%00"),
        format!("/api/v1/requests/{id}%2e"),
        format!("/api/v1/requests/{id}/redeem/.."),
        format!("/api/v1/requests/%2e%2e%2frequests%2f{id}"),
        format!("/api/v1/requests/{}", id.to_uppercase()),
        format!("/api/v1/requests/%257B{id}"),
        "/api/v1/ledger/proof/+1".to_owned(),
        "/api/v1/ledger/proof/1.0".to_owned(),
    ];
    for path in paths {
        let reply =
            app.anonymous(sent("GET", &path, &agent.key).body(Body::empty()).unwrap()).await;
        assert!([401, 404].contains(&reply.status.as_u16()), "{path}: {}", reply.status);
    }
}

#[tokio::test]
async fn h13_only_the_documented_methods_do_something() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &["auditors"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let request = agent.stage().await;
    let id = request["id"].as_str().unwrap();
    let before = app.entries().await;
    for (_, path, _) in operations() {
        let known: Vec<String> =
            operations().filter(|(_, of, _)| *of == path).map(|(method, ..)| method).collect();
        for method in
            ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
        {
            let head = method == "HEAD" && known.contains(&"GET".to_owned());
            if head || known.contains(&method.to_owned()) {
                continue;
            }
            let request = sent(method, &filled(&path, id), &agent.key);
            let request = request.header("x-http-method-override", &known[0]);
            let reply = app.anonymous(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.status, 405, "{method} {path}");
            assert!(reply.header("allow").contains(&known[0]), "{method} {path}");
        }
        if known.contains(&"GET".to_owned()) {
            let head = sent("HEAD", &filled(&path, id), &agent.key);
            let reply = app.anonymous(head.body(Body::empty()).unwrap()).await;
            assert!(reply.bytes.is_empty() && reply.status.as_u16() < 500, "{path}");
        }
    }
    assert_eq!(app.entries().await, before, "nothing was written");
}

#[tokio::test]
async fn h14_a_key_of_another_form_is_refused_at_every_call_that_takes_one() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let id = agent.stage().await["id"].as_str().unwrap().to_owned();
    let long = "k".repeat(10_240);
    for (method, path, is) in operations() {
        let takes = is["parameters"].as_array().into_iter().flatten();
        if !takes.clone().any(|of| of["name"] == "Idempotency-Key") {
            continue;
        }
        let example = is["requestBody"]["content"]["application/json"]["example"].to_string();
        let tried = if path == STAGE { "?validate=true" } else { "" };
        for key in ["", "\"\"", "a/b", "a?b", "a#b", "a b", "a,b", "\"a", "a\"b", "\u{e9}", &long] {
            let request = sent(&method, &(filled(&path, &id) + tried), &agent.key)
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", key);
            let reply = app.anonymous(request.body(Body::from(example.clone())).unwrap()).await;
            assert_eq!(code(&reply), "invalid_idempotency_key", "{method} {path} {key}");
        }
    }
}

#[tokio::test]
async fn i11_h15_the_same_key_of_two_agents_is_two_requests() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let (one, other) = (app.agent("agent-1", owner.id).await, app.agent("agent-2", owner.id).await);
    let first = one.post(STAGE, &stage_body(), Some("same")).await;
    let second = other.post(STAGE, &stage_body(), Some("same")).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_ne!(first.json()["id"], second.json()["id"]);
    assert_eq!(second.header("idempotency-replayed"), "");
}

#[tokio::test]
async fn h17_no_header_of_a_client_or_a_proxy_gets_into_an_address() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let mut request = staging(stage_body().to_string(), "application/json", &agent.key);
    for name in
        ["host", "x-forwarded-host", "x-original-url", "x-rewrite-url", "x-forwarded-prefix"]
    {
        request.headers_mut().insert(name, "evil.example".parse().unwrap());
    }
    request.headers_mut().insert("x-forwarded-proto", "gopher".parse().unwrap());
    request.headers_mut().insert("forwarded", "host=evil.example;proto=gopher".parse().unwrap());
    let reply = app.anonymous(request).await;
    assert_eq!(reply.status, 201);
    assert!(reply.header("location").starts_with("http://localhost/api/v1/requests/"));
    assert!(!reply.text().contains("evil.example") && !reply.text().contains("gopher"));
}

#[tokio::test]
async fn b_a_foreign_request_is_answered_as_one_that_is_not_there() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let (one, other) = (app.agent("agent-1", owner.id).await, app.agent("agent-2", owner.id).await);
    let id = one.stage().await["id"].as_str().unwrap().to_owned();
    let mut seen = 0;
    for (method, path, is) in operations().filter(|(_, path, _)| path.contains("{id}")) {
        let example = &is["requestBody"]["content"]["application/json"]["example"];
        let ask = async |id: &str| {
            let request = sent(&method, &filled(&path, id), &other.key)
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", "k-1");
            app.anonymous(request.body(Body::from(example.to_string())).unwrap()).await
        };
        let (foreign, unknown, none) = (ask(&id).await, ask(UNKNOWN).await, ask("none").await);
        assert_eq!(code(&foreign), "not_found", "{method} {path}: {}", foreign.text());
        assert_eq!(foreign.bytes, unknown.bytes, "{method} {path}");
        assert_eq!(foreign.bytes, none.bytes, "{method} {path}");
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
}

#[tokio::test]
async fn h_j02_small_bodies_name_the_field_and_the_limit_too() {
    let app = TestApp::new().await;
    let agent = agent(&app).await;
    let id = agent.stage().await["id"].as_str().unwrap().to_owned();
    let lease = UNKNOWN;
    let cases = [
        ("redeem", json!({}), "/digest"),
        ("redeem", json!({"digest": "sha256:00"}), "/digest"),
        ("redeem", json!({"digest": 5, "x": 1}), "/digest"),
        ("heartbeat", json!({"lease_id": "x"}), "/lease_id"),
        ("heartbeat", json!([]), ""),
        ("outcome", json!({"lease_id": lease, "status": "done", "summary": "x"}), "/status"),
        ("outcome", json!({"lease_id": lease, "status": "failed", "summary": ""}), "/summary"),
        (
            "rollback",
            json!({"lease_id": lease, "status": "rolled_back", "summary": "x".repeat(4001)}),
            "/summary",
        ),
        (
            "rollback",
            json!({"lease_id": lease, "status": "failed", "summary": "x", "more": 1}),
            "/more",
        ),
    ];
    for (call, body, pointer) in cases {
        let reply = agent.post(&format!("{STAGE}/{id}/{call}"), &body, Some("k-1")).await;
        let problem = reply.problem();
        assert_eq!((reply.status.as_u16(), problem["code"].as_str()), (422, Some("invalid_body")));
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.iter().any(|error| error["pointer"] == pointer), "{call}: {problem}");
        assert!(!problem.to_string().contains("struct"), "{problem}");
    }
}
