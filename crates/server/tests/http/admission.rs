//! How much one agent may have at once: calls, waiting calls, open requests, the same content, uploads.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures::future::{Either, select};
use serde_json::{Value, json};
use service::Limits;
use testing::{Reply, TestAgent, TestApp, TestPerson, stage_body};

const STAGE: &str = "/api/v1/requests";
const TRY: &str = "/api/v1/requests?validate=true";

struct Scene {
    app: TestApp,
    bob: TestPerson,
    agent: TestAgent,
    other: TestAgent,
}

async fn scene(limits: Limits) -> Scene {
    let app = TestApp::within(limits).await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let (agent, other) = (app.agent("agent-1", owner.id).await, app.agent("2nd", owner.id).await);
    Scene { app, bob, agent, other }
}

/// The limits of the product, apart from those on calls.
fn of_people() -> Limits {
    Limits { calls_a_minute: 0, ..Limits::default() }
}

fn on(target: &str) -> Value {
    let mut body = stage_body();
    body["targets"] = json!([target]);
    body
}

/// The body in other words, which are no other content.
fn in_other_words(body: &Value) -> Value {
    let mut body = body.clone();
    body["justification"] = json!("It is urgent by now, please.");
    body
}

fn path(request: &Value, what: &str) -> String {
    format!("{STAGE}/{}{what}", request["id"].as_str().unwrap())
}

async fn staged(agent: &TestAgent, body: &Value) -> Value {
    let reply = agent.post(STAGE, body, None).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

/// Staging is refused with this code, trying it out says the same, and nothing is stored of either.
async fn refused(app: &TestApp, agent: &TestAgent, body: &Value, code: &str) -> Reply {
    let before = app.entries().await;
    let tried = agent.post(TRY, body, None).await;
    let reply = agent.post(STAGE, body, None).await;
    assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text());
    assert_eq!(reply.problem()["code"], code);
    assert_eq!(tried.problem(), reply.problem());
    assert_eq!(app.entries().await, before);
    reply
}

#[tokio::test]
async fn r01_what_is_open_or_approved_is_not_staged_again() {
    let Scene { app, bob, agent, other } = scene(of_people()).await;
    let body = on("one");
    let first = staged(&agent, &body).await;
    let again = in_other_words(&body);
    let problem = refused(&app, &agent, &again, "duplicate").await.problem();
    assert_eq!((&problem["request"], &problem["state"]), (&first["id"], &json!("pending")));
    assert_eq!(problem["status_url"], first["status_url"]);
    staged(&other, &body).await;
    staged(&agent, &on("two")).await;

    assert_eq!(bob.review(&first, "approve").await.status, 303);
    let problem = refused(&app, &agent, &again, "duplicate").await.problem();
    assert_eq!(problem["state"], "approved");
    assert_eq!(agent.redeem(&first, "r-1").await.status, 200);
    staged(&agent, &again).await;
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn r01_what_was_withdrawn_or_ran_out_is_staged_again_at_once() {
    let Scene { app, agent, .. } = scene(of_people()).await;
    let first = staged(&agent, &on("one")).await;
    assert_eq!(agent.post(&path(&first, "/withdraw"), &json!({}), None).await.status, 200);
    let second = staged(&agent, &on("one")).await;
    // Nobody has swept yet.
    let deadline = domain::Timestamp::parse(second["review_deadline"].as_str().unwrap()).unwrap();
    app.clock.advance(deadline.seconds_since(app.service.now()) + 1);
    staged(&agent, &on("one")).await;
}

#[tokio::test]
async fn h15_a_retry_of_what_is_open_is_its_answer_and_no_duplicate() {
    let Scene { agent, .. } = scene(of_people()).await;
    let first = agent.post(STAGE, &on("one"), Some("k-1")).await;
    let again = agent.post(STAGE, &on("one"), Some("k-1")).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
    assert_eq!(again.json()["id"], first.json()["id"]);
    let other_key = agent.post(STAGE, &on("one"), Some("k-2")).await;
    assert_eq!(other_key.problem()["code"], "duplicate");
    let other_words = agent.post(STAGE, &in_other_words(&on("one")), Some("k-1")).await;
    assert_eq!(other_words.problem()["code"], "idempotency_key_reused");
}

#[tokio::test]
async fn r01_what_was_denied_is_not_staged_again_for_a_while() {
    let Scene { app, bob, agent, other } = scene(of_people()).await;
    let body = on("one");
    let first = staged(&agent, &body).await;
    assert_eq!(bob.review(&first, "deny").await.status, 303);
    app.clock.advance(60);
    let again = in_other_words(&body);
    let reply = refused(&app, &agent, &again, "just_denied").await;
    let problem = reply.problem();
    let denied = agent.get(&path(&first, "")).await.json();
    assert_eq!(problem["denied_at"], denied["denial"]["at"]);
    assert_eq!(problem["request"], first["id"]);
    assert_eq!(reply.header("retry-after"), "840");
    staged(&other, &body).await;
    staged(&agent, &on("two")).await;
    app.clock.advance(839);
    refused(&app, &agent, &again, "just_denied").await;
    app.clock.advance(1);
    staged(&agent, &again).await;
}

#[tokio::test]
async fn i12_a_clock_set_back_is_no_cool_down_where_there_is_none_and_no_longer_one() {
    for (limits, retry_after) in [(Limits::NONE, None), (of_people(), Some("900"))] {
        let Scene { app, bob, agent, .. } = scene(limits).await;
        let body = on("one");
        let first = staged(&agent, &body).await;
        // A server that has not heard of the denial goes by its clock.
        let [_, beside] = app.nodes().await;
        app.clock.advance(60);
        assert_eq!(bob.review(&first, "deny").await.status, 303);
        app.clock.advance(-3660);
        let (agent, again) = (agent.at(&beside), in_other_words(&body));
        match retry_after {
            Some(seconds) => {
                let reply = refused(&app, &agent, &again, "just_denied").await;
                assert_eq!(reply.header("retry-after"), seconds);
            }
            None => drop(staged(&agent, &again).await),
        }
    }
}

#[tokio::test]
async fn r01_an_amendment_is_no_way_round() {
    let Scene { app, bob, agent, .. } = scene(Limits { open_requests: 2, ..of_people() }).await;
    let denied = staged(&agent, &on("denied")).await;
    assert_eq!(bob.review(&denied, "deny").await.status, 303);
    let open = staged(&agent, &on("open")).await;
    let request = staged(&agent, &on("one")).await;
    let before = app.entries().await;
    for (target, code, named) in [("denied", "just_denied", &denied), ("open", "duplicate", &open)]
    {
        let reply = agent.post(&path(&request, "/revisions"), &on(target), None).await;
        let problem = reply.problem();
        assert_eq!((&problem["code"], &problem["request"]), (&json!(code), &named["id"]));
    }
    assert_eq!(app.entries().await, before);
    // Its own content is no duplicate, and an amendment asks for nothing more than was open.
    let own = in_other_words(&on("one"));
    let amended = agent.post(&path(&request, "/revisions"), &own, Some("a-1")).await;
    assert_eq!(amended.status, 201, "{}", amended.text());
    let replayed = agent.post(&path(&request, "/revisions"), &own, Some("a-1")).await;
    assert_eq!(replayed.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn j03_an_agent_has_no_more_open_than_its_limit() {
    let Scene { app, bob, agent, other } = scene(Limits { open_requests: 2, ..of_people() }).await;
    let first = staged(&agent, &on("one")).await;
    let second = staged(&agent, &on("two")).await;
    let reply = refused(&app, &agent, &on("three"), "too_many_pending").await;
    assert_eq!(reply.problem()["limit"], 2);
    assert!(reply.problem()["detail"].as_str().unwrap().starts_with("2 requests"));
    staged(&other, &on("three")).await;
    assert_eq!(bob.review(&first, "request_changes").await.status, 303);
    refused(&app, &agent, &on("three"), "too_many_pending").await;
    assert_eq!(bob.review(&second, "approve").await.status, 303);
    staged(&agent, &on("three")).await;
    // It is a limit on agents at every server of the database.
    let [_, beside] = app.nodes().await;
    refused(&app, &agent.at(&beside), &on("four"), "too_many_pending").await;
}

#[tokio::test]
async fn j03_an_agent_calls_no_faster_than_its_limit_and_takes_nothing_from_others() {
    let Scene { agent, other, app, .. } = scene(Limits { calls_a_minute: 3, ..Limits::NONE }).await;
    for (left, until_all) in [(2, 20), (1, 40), (0, 60)] {
        let reply = agent.get(STAGE).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("ratelimit-policy"), "\"agent\";q=3;w=60");
        assert_eq!(reply.header("ratelimit"), format!("\"agent\";r={left};t={until_all}"));
    }
    let before = app.entries().await;
    let reply = agent.post(STAGE, &stage_body(), None).await;
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        (&reply.problem()["code"], &reply.problem()["limit"]),
        (&json!("rate_limited"), &json!(3))
    );
    let wait: u32 = reply.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(reply.header("ratelimit"), format!("\"agent\";r=0;t={wait}"));
    assert_eq!(app.entries().await, before);
    assert_eq!(other.get(STAGE).await.header("ratelimit"), "\"agent\";r=2;t=20");
}

#[tokio::test]
async fn j03_whoever_has_no_key_is_told_nothing_of_limits_and_uses_up_nobodys() {
    let Scene { agent, app, .. } = scene(Limits { calls_a_minute: 3, ..Limits::NONE }).await;
    for _ in 0..5 {
        let request = Request::get(STAGE).header("authorization", "Bearer csn_agt_x");
        let reply = app.anonymous(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert!(!reply.headers.contains_key("ratelimit"));
    }
    assert_eq!(agent.get(STAGE).await.status, 200);
}

#[tokio::test]
async fn j03_an_agent_waits_in_no_more_calls_than_its_limit() {
    let Scene { agent, other, bob, .. } = scene(Limits { waits: 1, ..Limits::NONE }).await;
    let request = staged(&agent, &on("one")).await;
    let (wait, path) = ([("prefer", "wait=25")], path(&request, ""));
    // Whichever is there first takes the place.
    let [one, two] = [(); 2].map(|()| Box::pin(agent.get_with(&path, &wait)));
    let (second, first) = select(one, two).await.factor_first();
    assert_eq!(second.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(second.problem()["code"], "too_many_waits");
    assert_eq!(second.header("retry-after"), "5");
    assert_eq!(agent.get(&path).await.status, 200, "asking is no waiting");
    assert_eq!(other.get_with(&path, &wait).await.status, 404, "others have their own");
    assert_eq!(bob.review(&request, "approve").await.status, 303);
    assert_eq!(first.await.json()["state"], "approved");
    assert_eq!(agent.get_with(&path, &wait).await.status, 200);
}

/// A call of a tool, as clients send it.
async fn tool(app: &TestApp, agent: &TestAgent, name: &str, arguments: Value) -> Reply {
    let params = json!({"name": name, "arguments": arguments});
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let request = Request::post("/mcp")
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {}", agent.key))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/event-stream");
    app.anonymous(request.body(Body::from(message.to_string())).unwrap()).await
}

#[tokio::test]
async fn j03_a_call_of_a_tool_is_a_call() {
    let Scene { agent, app, .. } = scene(Limits { calls_a_minute: 2, ..Limits::NONE }).await;
    let reply = tool(&app, &agent, "list_kinds", json!({})).await;
    assert_eq!((reply.status, reply.json()["result"]["isError"] == true), (StatusCode::OK, false));
    assert_eq!(reply.header("ratelimit"), "\"agent\";r=1;t=30");
    assert_eq!(agent.get(STAGE).await.header("ratelimit"), "\"agent\";r=0;t=60");
    let reply = tool(&app, &agent, "list_kinds", json!({})).await;
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(reply.problem()["code"], "rate_limited");
}

#[tokio::test]
async fn j03_a_tool_that_waits_is_a_waiting_call() {
    let Scene { agent, app, .. } = scene(Limits { waits: 1, ..Limits::NONE }).await;
    let request = staged(&agent, &on("one")).await;
    let (wait, path) = ([("prefer", "wait=25")], path(&request, ""));
    let waiting = async |seconds: u64| {
        let arguments = json!({"id": request["id"], "seconds": seconds});
        tool(&app, &agent, "wait_for_decision", arguments).await.json()["result"].clone()
    };
    // Whichever is there first takes the place.
    let call = agent.get_with(&path, &wait);
    match select(Box::pin(waiting(25)), Box::pin(call)).await {
        Either::Left((refused, _)) => {
            assert_eq!(refused["isError"], true, "{refused}");
            assert_eq!(refused["structuredContent"]["code"], "too_many_waits");
        }
        Either::Right((refused, _)) => assert_eq!(refused.problem()["code"], "too_many_waits"),
    }
    assert_eq!(waiting(0).await["structuredContent"]["state"], "pending", "asking is no waiting");
}

#[tokio::test]
async fn r01_a_tool_stages_nothing_that_is_open() {
    let Scene { agent, app, .. } = scene(of_people()).await;
    let first = staged(&agent, &on("one")).await;
    let before = app.entries().await;
    let arguments = json!({"body": in_other_words(&on("one")), "idempotency_key": "k-1"});
    let result = tool(&app, &agent, "stage_request", arguments).await.json()["result"].clone();
    let problem = &result["structuredContent"];
    assert_eq!((&problem["code"], &problem["request"]), (&json!("duplicate"), &first["id"]));
    assert_eq!(app.entries().await, before);
}

#[tokio::test]
async fn j11_an_agent_leaves_no_more_uploads_unused_than_its_quota() {
    let limits = Limits { unused_uploads: 2, unused_bytes: 10, ..Limits::NONE };
    let Scene { app, agent, other, .. } = scene(limits).await;
    let upload = async |agent: &TestAgent, bytes: &str| {
        agent.post_bytes("/api/v1/evidence", bytes.into(), None).await
    };
    assert_eq!(upload(&agent, "five.").await.status, 201);
    assert_eq!(upload(&agent, "five.").await.status, 201, "the same again is no more");
    let reply = upload(&agent, "six...").await;
    assert_eq!(reply.status, StatusCode::CONFLICT);
    assert_eq!(reply.problem()["code"], "evidence_quota");
    let second = upload(&agent, "four").await.json();
    assert_eq!(upload(&agent, "1").await.problem()["code"], "evidence_quota");
    assert_eq!(upload(&other, "six...").await.status, 201);
    // What a request refers to is not unused.
    let mut body = on("one");
    let item = json!({"type": "note", "name": "n", "media_type": "text/plain", "digest": second["digest"]});
    body["evidence"].as_array_mut().unwrap().push(item);
    staged(&agent, &body).await;
    assert_eq!(upload(&agent, "1").await.status, 201);
    // And after a day what is unused goes.
    assert_eq!(upload(&agent, "2").await.problem()["code"], "evidence_quota");
    app.clock.advance(24 * 3600 + 1);
    assert_eq!(upload(&agent, "2").await.status, 201);
}
