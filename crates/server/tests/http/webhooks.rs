//! Webhooks: what reaches an endpoint, and what does not. Endpoints listen on 127.0.0.1, which the
//! tests' guard permits, and nowhere else.

mod kept;
mod receiver;

use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use server::AppState;
use server::outbound::System;
use server::webhooks::Courier;
use server::webhooks::sender::{Sender, TIMEOUT};
use service::guard::Guard;
use service::webhook::delivery::{DELAYS_S, MAX_ATTEMPTS};
use testing::{Scene, TestApp, TestPerson, stage_body};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use receiver::{Got, Receiver, deliver, endpoint, row, verified};

const PATH: &str = "/settings/webhooks";

#[tokio::test]
async fn an_endpoint_is_told_what_was_staged_and_decided_and_nothing_that_could_release_it() {
    let Scene { app, agent, request, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let (_eve, secret) = endpoint(&app, &url, &[]).await;
    deliver(&app).await;
    assert_eq!(receiver.take().len(), 0, "told from now on, not of what was");

    let path = format!("/api/v1/requests/{}/withdraw", request["id"].as_str().unwrap());
    assert_eq!(agent.post(&path, &json!({}), None).await.status, 200);
    deliver(&app).await;
    let got = receiver.take();
    let [withdrawn] = &got[..] else { panic!("{} messages", got.len()) };
    let message = withdrawn.json();
    assert_eq!(withdrawn.header("content-type"), "application/json");
    assert!(verified(&secret, withdrawn));
    let timestamp = withdrawn.header("webhook-timestamp").parse::<i64>().unwrap();
    assert_eq!(timestamp, app.service.now().seconds());
    let index = app.entries().await - 1;
    let wanted = json!({
        "type": "request.withdrawn",
        "timestamp": message["timestamp"],
        "data": {
            "index": index, "request": request["id"], "revision": 1, "digest": request["digest"],
            "state": "withdrawn", "kind": "vendor.key_extend",
            "environment": stage_body()["environment"],
            "review_url": format!("http://localhost/requests/{}", request["id"].as_str().unwrap()),
        },
    });
    assert_eq!(message, wanted, "thin: this and nothing else");
    deliver(&app).await;
    assert_eq!(receiver.take().len(), 0, "once is enough");
}

#[tokio::test]
async fn an_endpoint_is_told_of_the_types_that_it_chose() {
    let Scene { app, agent, bob, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    endpoint(&app, &url, &["request.denied", "freeze.started"]).await;
    let request = agent.stage().await;
    assert_eq!(bob.review(&request, "deny").await.status, 303);
    let frozen = [("scope", "all"), ("running", "go_on"), ("reason", "an incident")];
    assert_eq!(bob.post("/freezes", &frozen).await.status, 303);
    deliver(&app).await;
    let mut told: Vec<Value> = receiver.take().iter().map(Got::json).collect();
    told.sort_by_key(|message| message["data"]["index"].as_u64());
    let types: Vec<&str> = told.iter().map(|message| message["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["request.denied", "freeze.started"]);
    let page = json!({"index": app.entries().await - 1, "page_url": "http://localhost/freezes"});
    assert_eq!(told[1]["data"], page);
}

#[tokio::test]
async fn f08_python_without_any_library_of_ours_verifies_and_refuses_one_bit_more() {
    const VERIFY: &str = r#"
import base64, hashlib, hmac, json, sys
m = json.load(sys.stdin)
key = base64.b64decode(m["secret"].removeprefix("whsec_"))
signed = f'{m["id"]}.{m["timestamp"]}.'.encode() + base64.b64decode(m["body"])
mine = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
print(any(hmac.compare_digest(mine, s) for s in m["signature"].split(" ")))
"#;
    fn verifies(secret: &str, id: &str, timestamp: &str, body: &[u8], signature: &str) -> bool {
        use base64::Engine;
        let body = base64::engine::general_purpose::STANDARD.encode(body);
        let message = json!({"secret": secret, "id": id, "timestamp": timestamp, "body": body, "signature": signature});
        let mut python = Command::new("python3")
            .args(["-c", VERIFY])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        python.stdin.take().unwrap().write_all(message.to_string().as_bytes()).unwrap();
        let out = python.wait_with_output().unwrap();
        String::from_utf8(out.stdout).unwrap().trim() == "True"
    }
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let (_eve, secret) = endpoint(&app, &url, &[]).await;
    agent.stage().await;
    deliver(&app).await;
    let got = receiver.take().remove(0);
    let (id, timestamp) = (got.header("webhook-id"), got.header("webhook-timestamp"));
    let signature = got.header("webhook-signature");
    assert!(verifies(&secret, id, timestamp, &got.body, signature));
    let mut altered = got.body.clone();
    altered[0] ^= 1;
    assert!(!verifies(&secret, id, timestamp, &altered, signature));
    assert!(!verifies(&secret, &format!("{id}0"), timestamp, &got.body, signature));
    assert!(!verifies(&secret, id, &format!("{timestamp}0"), &got.body, signature));
}

#[tokio::test]
async fn f10_what_fails_is_tried_on_the_schedule_under_one_id_then_dead_then_replayed() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let (eve, secret) = endpoint(&app, &url, &["request.staged"]).await;
    agent.stage().await;
    let mut attempts = Vec::new();
    for attempt in 0..MAX_ATTEMPTS {
        receiver.answers(500);
        deliver(&app).await;
        let mut got = receiver.take();
        assert_eq!(got.len(), 1, "attempt {attempt}");
        attempts.append(&mut got);
        deliver(&app).await;
        assert_eq!(receiver.take().len(), 0, "not before its time");
        if let Some(delay) = DELAYS_S.get(attempt as usize).copied().map(i64::from) {
            app.clock.advance(delay - 1);
            deliver(&app).await;
            assert_eq!(receiver.take().len(), 0, "not a second before");
            app.clock.advance(1 + delay / 10 + 1);
        }
    }
    let ids: Vec<&str> = attempts.iter().map(|got| got.header("webhook-id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(attempts.iter().all(|got| verified(&secret, got) && got.body == attempts[0].body));
    let dead = row(&app, &eve).await;
    assert_eq!((&dead["dead"], &dead["waiting"]), (&json!(1), &json!(0)));
    assert_eq!(dead["deliveries"][0]["answer"], "500");
    let eve = app.session(eve.id).await;
    assert!(eve.get(PATH).await.text().contains("Try what is dead again"));
    app.clock.advance(100 * 3600);
    deliver(&app).await;
    assert_eq!(receiver.take().len(), 0, "dead is dead");

    let id = dead["id"].as_str().unwrap();
    let eve = app.session(eve.id).await;
    assert_eq!(eve.post(&format!("{PATH}/{id}/replay"), &[]).await.status, 303);
    deliver(&app).await;
    assert_eq!(receiver.take()[0].header("webhook-id"), ids[0]);
    assert_eq!(row(&app, &eve).await["deliveries"][0]["state"], "delivered");
}

#[tokio::test]
async fn f10_a_server_that_ends_before_an_answer_is_recorded_sends_again_under_the_same_id() {
    let Scene { app, agent, bob, owner, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let (eve, _) = endpoint(&app, &url, &[]).await;
    agent.stage().await;
    app.service.advance_webhooks().await.unwrap();
    let sent = app.service.due_webhooks(4).await.unwrap().remove(0);
    let sender = Sender::new(app.service.webhook_guard().clone()).unwrap();
    sender.send(&sent).await;
    // The answer came, and then the power went: nothing was recorded.
    drop((agent, bob, owner, eve, sender));
    let app = app.restarted().await;
    deliver(&app).await;
    let got = receiver.take();
    let ids: Vec<&str> = got.iter().map(|got| got.header("webhook-id")).collect();
    assert_eq!(ids, [&*sent.id, &*sent.id]);
    deliver(&app).await;
    assert_eq!(receiver.take().len(), 0);
}

#[tokio::test]
async fn f10_what_cannot_be_recorded_as_told_is_not_sent_again_and_again() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    endpoint(&app, &url, &["request.staged"]).await;
    app.refuse("UPDATE", "webhook_deliveries").await;
    agent.stage().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let state = AppState::new(Arc::clone(&app.service), false);
    let serving = tokio::spawn(server::serve(listener, state, std::future::pending()));
    while receiver.got.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(receiver.take().len(), 1, "for two rounds");
    serving.abort();
}

#[tokio::test]
async fn f05_a_redirect_is_not_followed_and_counts_as_a_failure() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let (elsewhere, other) = Receiver::start().await;
    let (eve, _) = endpoint(&app, &url, &["request.staged"]).await;
    agent.stage().await;
    for status in [301, 302, 303, 307, 308] {
        receiver.answers_with(status, "location", &other);
        deliver(&app).await;
        let row = row(&app, &eve).await;
        assert_eq!(row["deliveries"][0]["answer"], status.to_string());
        assert_eq!(row["deliveries"][0]["state"], "waiting");
        app.clock.advance(3600 * 24);
    }
    assert_eq!((receiver.take().len(), elsewhere.take().len()), (5, 0));
}

#[tokio::test]
async fn f03_f04_a_name_is_looked_up_once_and_refused_if_any_address_is_not_permitted() {
    use reqwest::dns::{Addrs, Name, Resolve, Resolving};
    /// Answers the first time with one row of addresses, then with another.
    struct Names(Mutex<VecDeque<Vec<SocketAddr>>>);
    impl Resolve for Names {
        fn resolve(&self, _: Name) -> Resolving {
            let found = self.0.lock().unwrap().pop_front().expect("no further look-up");
            Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
        }
    }
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let port = url.rsplit(':').next().unwrap().trim_end_matches("/hook");
    let (eve, _) = endpoint(&app, &format!("http://bridge.example:{port}/hook"), &[]).await;
    agent.stage().await;
    let address = |text: &str| -> SocketAddr { format!("{text}:0").parse().unwrap() };
    let (good, bad) = (address("127.0.0.1"), address("127.0.0.2"));
    for (answers, said) in [
        (vec![vec![good, bad]], "address refused"),
        (vec![vec![bad]], "address refused"),
        (vec![vec![address("[::1]"), good]], "address refused"),
        // It would say something else if it was asked again.
        (vec![vec![good], vec![bad]], "204"),
    ] {
        let names = Arc::new(Names(Mutex::new(answers.into())));
        let sender = Sender::by(app.service.webhook_guard().clone(), names, TIMEOUT).unwrap();
        let mut courier = Courier::new(Arc::clone(&app.service), sender);
        courier.round().await.unwrap();
        courier.settle().await;
        assert_eq!(row(&app, &eve).await["deliveries"][0]["answer"], said);
        assert_eq!(receiver.take().len(), usize::from(said == "204"));
        app.clock.advance(3600);
    }
}

#[tokio::test]
async fn f01_an_address_that_the_operator_no_longer_allows_is_not_dialled() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let (eve, _) = endpoint(&app, &url, &[]).await;
    agent.stage().await;
    let sender = Sender::new(Guard::default()).unwrap();
    let mut courier = Courier::new(Arc::clone(&app.service), sender);
    courier.round().await.unwrap();
    courier.settle().await;
    assert_eq!(receiver.take().len(), 0);
    assert_eq!(row(&app, &eve).await["deliveries"][0]["answer"], "address refused");
}

#[tokio::test]
async fn f01_an_endpoint_that_is_not_public_is_refused_with_what_was_typed() {
    let app = TestApp::new().await;
    let eve = app.person("Eve Admin", &["administrators"]).await;
    let before = app.entries().await;
    for (url, why) in [
        ("https://10.0.0.1/hook", "not public"),
        ("https://169.254.169.254/latest", "not public"),
        ("https://[::1]/", "not public"),
        ("http://8.8.8.8/hook", "must begin with https://"),
        ("https://user:secret@bridge.example/", "user name"),
        ("bridge.example", "no URL"),
        ("", "no URL"),
    ] {
        let reply = eve.post(PATH, &[("name", "bridge"), ("url", url)]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}");
        assert!(reply.text().contains(why) && reply.text().contains("bridge"), "{url}");
    }
    for fields in [
        [("name", "bridge"), ("url", "https://bridge.example/"), ("events", "request.dreamt")],
        [("name", ""), ("url", "https://bridge.example/"), ("events", "request.staged")],
    ] {
        assert_eq!(eve.post(PATH, &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(app.entries().await, before);
}

#[tokio::test]
async fn f12_a_stage_call_names_no_endpoint() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let before = app.entries().await;
    for field in ["callback_url", "webhook", "notify"] {
        let mut body = stage_body();
        body[field] = json!("https://attacker.example/");
        let reply = agent.post("/api/v1/requests", &body, None).await;
        assert!(reply.status.is_client_error(), "{field}: {}", reply.text());
        assert!(reply.problem().to_string().contains(field), "{}", reply.text());
    }
    assert_eq!(app.entries().await, before);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_and_it_is_a_fact() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let (eve, _) = endpoint(&app, &url, &["request.staged"]).await;
    agent.stage().await;
    let before = app.entries().await;
    receiver.answers(410);
    deliver(&app).await;
    assert_eq!(app.facts_since(before).await, ["WebhookDisabled"]);
    agent.stage().await;
    app.clock.advance(3600);
    deliver(&app).await;
    assert_eq!(receiver.take().len(), 1, "not told any more");
    let row = row(&app, &eve).await;
    assert!(row["disabled_at"].is_string() && row["dead"] == 1, "{row}");
    let eve = app.session(eve.id).await;
    assert!(eve.get(PATH).await.text().contains("answered that it is gone"));
    let replay = format!("{PATH}/{}/replay", row["id"].as_str().unwrap());
    assert_eq!(eve.post(&replay, &[]).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_endpoint_that_says_when_to_come_back_is_asked_then() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    endpoint(&app, &url, &["request.staged"]).await;
    agent.stage().await;
    for status in [429, 503] {
        receiver.answers_with(status, "retry-after", "7200");
        deliver(&app).await;
        app.clock.advance(7199);
        deliver(&app).await;
        assert_eq!(receiver.take().len(), 1, "{status}");
        app.clock.advance(1);
    }
    let then = app.service.now().plus_seconds(7200).utc().format("%a, %d %b %Y %H:%M:%S GMT");
    receiver.answers_with(429, "retry-after", &then.to_string());
    deliver(&app).await;
    app.clock.advance(7199);
    deliver(&app).await;
    assert_eq!(receiver.take().len(), 1);
    // What nobody means is not believed for longer than a day.
    app.clock.advance(1);
    receiver.answers_with(503, "retry-after", "99999999999");
    deliver(&app).await;
    app.clock.advance(24 * 3600);
    deliver(&app).await;
    assert_eq!(receiver.take().len(), 2);
}

#[tokio::test]
async fn f07_an_answer_without_end_takes_no_longer_than_its_head_and_holds_up_nobody() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let (eve, _) = endpoint(&app, &url, &["request.staged"]).await;
    // An answer whose body never ends, and one whose head never does.
    let endless = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for (name, listener) in [("endless", &endless), ("silent", &silent)] {
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let fields = [("name", name), ("url", &url), ("events", "request.staged")];
        assert_eq!(eve.post(PATH, &fields).await.status, 200);
    }
    tokio::spawn(async move {
        let (mut stream, _) = endless.accept().await.unwrap();
        let mut request = [0; 1024];
        let _read = stream.read(&mut request).await;
        let head =
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 10000000000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        while stream.write_all(&[0; 4096]).await.is_ok() {}
    });
    let held = tokio::spawn(async move {
        let (mut stream, _) = silent.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-endless: ").await.unwrap();
        std::future::pending::<()>().await;
    });
    agent.stage().await;
    let guard = app.service.webhook_guard().clone();
    let sender = Sender::by(guard, Arc::new(System), Duration::from_secs(5)).unwrap();
    let mut courier = Courier::new(Arc::clone(&app.service), sender);
    courier.round().await.unwrap();
    while receiver.got.lock().unwrap().is_empty() || answer(&app, &eve, "endless").await.is_null() {
        tokio::task::yield_now().await;
    }
    assert_eq!(answer(&app, &eve, "endless").await, "200");
    assert_eq!(answer(&app, &eve, "silent").await, Value::Null, "still under way");
    courier.settle().await;
    assert_eq!(answer(&app, &eve, "silent").await, "timed out");
    held.abort();
}

async fn answer(app: &TestApp, eve: &TestPerson, name: &str) -> Value {
    let view = app.service.webhooks_view(&app.caller(eve.id).await).await.unwrap();
    let row = view.webhooks.into_iter().find(|row| row.name == name).unwrap();
    json!(row.deliveries.first().and_then(|delivery| delivery.answer.clone()))
}
