//! Events: an agent's own, all of them once, for as long as it may have them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, header};
use axum::response::Response;
use axum::{Router, body};
use domain::Actor;
use futures::StreamExt;
use serde_json::{Value, json};
use server::AppState;
use service::caller::KeyCaller;
use service::events::{Event, MAX_STREAMS};
use service::{AgentCaller, Steward};
use testing::{Scene, TestAgent, TestApp, stage_body};
use tower::ServiceExt;

/// What an open stream has sent, event by event.
pub(crate) struct Stream(BodyDataStream, String);

impl Stream {
    pub(crate) async fn open(router: &Router, agent: &TestAgent, query: &str) -> Self {
        let response = ask(router, agent, query, &[]).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self(response.into_body().into_data_stream(), String::new())
    }

    /// The next event as it was sent; `None` at a clean end.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.1 = rest;
                return Some(event);
            }
            let bytes = self.0.next().await?.unwrap();
            self.1.push_str(str::from_utf8(&bytes).unwrap());
        }
    }

    /// The id, name and data of the next event.
    async fn told(&mut self) -> (u64, String, Value) {
        let event = self.next().await.unwrap();
        let field = |name: &str| {
            let mut lines = event.lines().filter_map(|line| line.strip_prefix(name));
            let value = lines.next().unwrap_or_else(|| panic!("no `{name}` in {event}"));
            assert_eq!(lines.next(), None);
            value.to_owned()
        };
        let data = serde_json::from_str(&field("data: ")).unwrap();
        (field("id: ").parse().unwrap(), field("event: "), data)
    }
}

async fn ask(router: &Router, agent: &TestAgent, query: &str, ids: &[&[u8]]) -> Response {
    let bearer = format!("Bearer {}", agent.key);
    let path = format!("/api/v1/events{query}");
    let mut request = Request::get(path).header(header::AUTHORIZATION, bearer);
    for id in ids {
        request = request.header("last-event-id", *id);
    }
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn caller(app: &TestApp, key: &str) -> AgentCaller {
    match app.service.caller_of_key(key).await.unwrap() {
        Some(KeyCaller::Agent(caller)) => caller,
        other => panic!("no agent's key: {other:?}"),
    }
}

/// Everything that was told after an index, without a wait.
async fn after(app: &TestApp, agent: &TestAgent, index: u64) -> Vec<Event> {
    let mut events = app.service.events(&caller(app, &agent.key).await, Some(index)).await.unwrap();
    events.next(Duration::ZERO).await.unwrap().expect("access")
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name).collect()
}

#[tokio::test]
async fn an_agent_hears_of_its_requests_as_they_happen_and_of_nothing_else() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let other = app.agent("agent-2", owner.id).await;
    let mut stream = Stream::open(&app.router, &agent, "").await;
    let opened = stream.next().await.unwrap();
    assert!(opened.contains("retry: 3000"), "{opened}");
    let present = app.entries().await - 1;
    assert!(opened.contains(&format!("id: {present}")), "{opened}");
    assert!(opened.contains("event: stream.opened"), "{opened}");

    let foreign = other.stage().await;
    assert_eq!(bob.review(&foreign, "deny").await.status, 303);
    let request = agent.stage().await;
    let (index, name, data) = stream.told().await;
    assert_eq!((index, name.as_str()), (app.entries().await - 1, "request.staged"));
    let mut expected = json!({"id": request["id"], "revision": 1, "digest": request["digest"]});
    expected["state"] = json!("pending");
    expected["at"] = request["staged_at"].clone();
    assert_eq!(data, expected, "and nothing beside it");

    assert_eq!(bob.review(&request, "approve").await.status, 303);
    let redeemed = agent.redeem(&request, "r-1").await.json();
    let path = format!("/api/v1/requests/{}/outcome", request["id"].as_str().unwrap());
    let report = json!({"lease_id": redeemed["lease_id"], "status": "failed", "summary": "secret"});
    assert_eq!(agent.post(&path, &report, None).await.status, 200);
    let mut last = index;
    for (name, state) in [
        ("request.reviewed", "pending"),
        ("request.approved", "approved"),
        ("release.redeemed", "executing"),
        ("execution.reported", "failed"),
    ] {
        let (index, told, data) = stream.told().await;
        assert!(index > last);
        last = index;
        assert_eq!(
            (told.as_str(), &data["state"], &data["id"]),
            (name, &json!(state), &request["id"])
        );
        let text = data.to_string();
        for secret in ["secret", "Bob", "eyJ", "ticket", &bob.id.to_string()] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert_eq!(
        names(&after(&app, &other, 0).await),
        ["request.staged", "request.reviewed", "request.denied"]
    );
    // What people open, and what they are refused, is theirs.
    let entries = app.facts_since(0).await;
    let own = after(&app, &agent, 0).await;
    assert!(own.iter().all(|event| event.data.id.to_string() == request["id"].as_str().unwrap()));
    assert!(own.len() < entries.len());
}

#[tokio::test]
async fn an_executor_hears_of_what_others_stage_for_it() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let (stager, runner) =
        (app.agent("agent-1", owner.id).await, app.agent("runner-1", owner.id).await);
    let mut kind = app.store.kind("vendor.key_extend", 1).await.unwrap().unwrap();
    kind.executor = Some("runner-1".to_owned());
    let kind = serde_json::to_vec(&kind).unwrap();
    app.service.put_kind(&Steward::Operator, &kind, "a runner carries it out").await.unwrap();
    let mut stream = Stream::open(&app.router, &runner, "").await;
    stream.next().await.unwrap();
    let request = stager.stage().await;
    assert_eq!(bob.review(&request, "approve").await.status, 303);
    for name in ["request.staged", "request.reviewed", "request.approved"] {
        assert_eq!(stream.told().await.1, name);
    }
    assert_eq!(after(&app, &runner, 0).await, after(&app, &stager, 0).await);
}

#[tokio::test]
async fn c12_whoever_comes_back_at_any_server_misses_nothing_and_hears_nothing_twice() {
    let Scene { app, bob, agent, request, .. } = Scene::approved().await;
    let beside = app.beside().await;
    let follower = Arc::clone(&beside);
    let following = tokio::spawn(async move { follower.follow_changes().await });
    let node = server::router(AppState::new(beside, false));
    assert_eq!(agent.redeem(&request, "r-1").await.status, 200);
    let all = after(&app, &agent, 0).await;
    let expected = ["request.staged", "request.reviewed", "request.approved", "release.redeemed"];
    assert_eq!(names(&all), expected);
    for (at, event) in all.iter().enumerate() {
        assert_eq!(after(&app, &agent, event.index).await, all[at + 1..]);
    }
    // At the other server, from the second on, by the query and by the header, which wins.
    let query = format!("?last_event_id={}", all[1].index);
    let mut stream = Stream::open(&node, &agent, &query).await;
    let opened = stream.next().await.unwrap();
    assert!(!opened.contains("id:"), "only whoever begins now is told where: {opened}");
    for event in &all[2..] {
        assert_eq!(stream.told().await, (event.index, event.name.to_owned(), json!(event.data)));
    }
    let newest = all[3].index.to_string();
    let response = ask(&node, &agent, &query, &[newest.as_bytes()]).await;
    let mut later = Stream(response.into_body().into_data_stream(), String::new());
    later.next().await.unwrap();
    // What this server commits wakes the streams at that one.
    let another = agent.stage().await;
    assert_eq!(bob.review(&another, "deny").await.status, 303);
    for stream in [&mut stream, &mut later] {
        for name in ["request.staged", "request.reviewed", "request.denied"] {
            let (_, told, data) = stream.told().await;
            assert_eq!((told.as_str(), &data["id"]), (name, &another["id"]));
        }
    }
    following.abort();
}

#[tokio::test]
async fn c12_events_are_the_same_after_a_restart() {
    let Scene { app, owner, bob, agent, .. } = Scene::approved().await;
    let before = after(&app, &agent, 0).await;
    let key = agent.key.clone();
    drop((owner, bob, agent));
    let app = app.restarted().await;
    let mut events = app.service.events(&caller(&app, &key).await, Some(0)).await.unwrap();
    assert_eq!(events.next(Duration::ZERO).await.unwrap(), Some(before));
}

#[tokio::test]
async fn h12_a_last_event_id_that_is_forged_from_the_future_or_no_number_is_400() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let size = app.entries().await.to_string();
    let long = "9".repeat(30);
    let wrong: [&[u8]; 12] = [
        b"",
        b"-1",
        b"+1",
        b" ",
        b"1.0",
        b"1e3",
        b"0x1",
        b"null",
        "\u{661}".as_bytes(),
        b"18446744073709551616",
        long.as_bytes(),
        size.as_bytes(),
    ];
    for id in wrong {
        let response = ask(&app.router, &agent, "", &[id]).await;
        assert_eq!(response.status(), 400, "{id:?}");
        let bytes = body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(problem["code"], "invalid_last_event_id", "{id:?}");
        assert!(problem["detail"].as_str().unwrap().contains("Last-Event-ID"), "{problem}");
    }
    assert_eq!(ask(&app.router, &agent, "", &[b"1", b"1"]).await.status(), 400);
    for query in ["?last_event_id=x", "?last_event_id=1&last_event_id=2", "?from=1"] {
        assert_eq!(ask(&app.router, &agent, query, &[]).await.status(), 400, "{query}");
    }
    // Zeros in front are the same number; the newest entry is there.
    let newest = format!("000{}", app.entries().await - 1);
    assert_eq!(ask(&app.router, &agent, "", &[newest.as_bytes()]).await.status(), 200);
}

#[tokio::test]
async fn i9_a_stream_ends_when_its_key_is_revoked_or_expires_or_its_agent_is_suspended() {
    let Scene { app, owner, bob, agent, request, .. } = Scene::staged().await;
    let mut quiet = app.service.events(&caller(&app, &agent.key).await, Some(0)).await.unwrap();
    assert_eq!(names(&quiet.next(Duration::ZERO).await.unwrap().unwrap()), ["request.staged"]);
    assert_eq!(quiet.next(Duration::ZERO).await.unwrap(), Some(vec![]), "it goes on");
    let mut told = Stream::open(&app.router, &agent, "").await;
    told.next().await.unwrap();
    let key = app.store.keys_of(&Actor::Agent(agent.id)).await.unwrap()[0].id;
    let second = app.key(agent.id, owner.id).await;
    app.service.revoke_key(&Steward::Operator, agent.id, key).await.unwrap();
    assert_eq!(quiet.next(Duration::ZERO).await.unwrap(), None, "revoked");
    // Nor is what happens then told any more.
    assert_eq!(bob.review(&request, "approve").await.status, 303);
    assert_eq!(told.next().await, None);

    let caller_again = caller(&app, &second).await;
    let mut suspended = app.service.events(&caller_again, None).await.unwrap();
    assert_eq!(suspended.next(Duration::ZERO).await.unwrap(), Some(vec![]), "another key of it");
    app.service.suspend_agent(&Steward::Operator, agent.id).await.unwrap();
    assert_eq!(suspended.next(Duration::ZERO).await.unwrap(), None, "suspended");

    let other = app.agent("agent-2", owner.id).await;
    let mut expiring = app.service.events(&caller(&app, &other.key).await, None).await.unwrap();
    assert_eq!(expiring.next(Duration::ZERO).await.unwrap(), Some(vec![]));
    app.clock.advance(91 * 24 * 3600);
    assert_eq!(expiring.next(Duration::ZERO).await.unwrap(), None, "expired");
}

#[tokio::test]
async fn j07_an_agent_has_so_many_streams_and_no_more_and_takes_nobodys() {
    let Scene { app, owner, agent, .. } = Scene::staged().await;
    let other = app.agent("agent-2", owner.id).await;
    let mut open = Vec::new();
    for _ in 0..MAX_STREAMS {
        open.push(Stream::open(&app.router, &agent, "").await);
    }
    let refused = agent.get("/api/v1/events").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.problem()["code"], "too_many_streams");
    assert_ne!(refused.header("retry-after"), "");
    Stream::open(&app.router, &other, "").await;
    open.pop();
    open.push(Stream::open(&app.router, &agent, "").await);
    // What was refused for another reason holds no place.
    open.pop();
    assert_eq!(ask(&app.router, &agent, "?last_event_id=99999", &[]).await.status(), 400);
    Stream::open(&app.router, &agent, "").await;
}

#[tokio::test]
async fn k12_streams_end_cleanly_when_the_server_stops() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let state = AppState::new(Arc::clone(&app.service), false);
    let (stopping, router) = (state.stopping.clone(), server::router(state));
    let mut stream = Stream::open(&router, &agent, "").await;
    stream.next().await.unwrap();
    stopping.cancel();
    assert_eq!(stream.next().await, None);
    let mut late = Stream::open(&router, &agent, "").await;
    late.next().await.unwrap();
    assert_eq!(late.next().await, None, "one that comes too late ends as well");
}

#[tokio::test]
async fn i11_h15_of_two_bodies_under_one_key_at_once_one_is_staged_and_the_other_refused() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let nodes = app.nodes().await;
    let mut changed = stage_body();
    changed["summary"] = json!("something else");
    let bodies = [stage_body(), changed];
    let before = app.entries().await;
    let at = [agent.at(&nodes[0]), agent.at(&nodes[1])];
    // No call is told to come back: the second waits for the first, whose key is written with it.
    let posts = (0..40).map(|n| at[n % 2].post("/api/v1/requests", &bodies[n / 2 % 2], Some("k")));
    let replies = futures::future::join_all(posts).await;
    let staged: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(staged.len(), 20, "all with the body of the winner");
    assert!(staged.iter().all(|reply| reply.json()["id"] == staged[0].json()["id"]));
    let first = staged.iter().filter(|reply| reply.header("idempotency-replayed").is_empty());
    assert_eq!(first.count(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!(reply.problem()["code"], "idempotency_key_reused");
    }
    assert_eq!(app.facts_since(before).await, ["RequestStaged"]);
}
