//! Uploads: received in pieces, kept whole or not at all.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use domain::Digest;
use futures::stream::{self, StreamExt};
use service::upload::MAX_UPLOADS;
use testing::{Reply, TestAgent, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// More than one piece as they are kept, in pieces of another size as they are sent.
const SENT: usize = 700_001;
const PIECE: usize = 10_007;

async fn scene() -> (TestApp, TestAgent, TestAgent) {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let other = app.agent("agent-2", owner.id).await;
    (app, agent, other)
}

fn content() -> Vec<u8> {
    (0..SENT).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn pieces(bytes: &[u8]) -> Vec<Result<Bytes, std::io::Error>> {
    bytes.chunks(PIECE).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect()
}

fn upload(agent: &TestAgent, body: Body) -> Request<Body> {
    let bearer = format!("Bearer {}", agent.key);
    Request::post("/api/v1/evidence").header(header::AUTHORIZATION, bearer).body(body).unwrap()
}

fn assert_problem(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status.as_u16(), reply.problem()["code"].as_str()), (status, Some(code)));
}

#[tokio::test]
async fn an_upload_without_a_length_is_hashed_while_it_comes_and_kept_once() {
    let (app, agent, _) = scene().await;
    let bytes = content();
    for _ in 0..2 {
        let body = Body::from_stream(stream::iter(pieces(&bytes)));
        let reply = app.anonymous(upload(&agent, body)).await;
        assert_eq!(reply.status, 201);
        let kept = reply.json();
        assert_eq!(kept["digest"], Digest::of(&bytes).to_string());
        assert_eq!(kept["size_bytes"], SENT);
        assert_eq!(app.count("evidence_contents").await, 1);
    }
    let path = format!("/api/v1/evidence/{}", Digest::of(&bytes));
    assert_eq!(agent.get(&path).await.bytes, bytes);
}

#[tokio::test]
async fn h03_an_upload_that_breaks_off_or_is_too_large_leaves_nothing() {
    let (app, agent, _) = scene().await;
    let lost = || Err(std::io::Error::other("the line was lost"));
    let broken: Vec<_> = pieces(&content()).into_iter().chain([lost()]).collect();
    let reply = app.anonymous(upload(&agent, Body::from_stream(stream::iter(broken)))).await;
    assert_problem(&reply, 400, "body_incomplete");

    let chunk = Bytes::from_static(&[b' '; 65_536]);
    let endless = stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
    let reply = app.anonymous(upload(&agent, Body::from_stream(endless))).await;
    assert_problem(&reply, 413, "body_too_large");
    // Where the length is known, nothing of it is waited for.
    let large = Body::from(vec![0; 10 * 1024 * 1024 + 1]);
    assert_problem(&app.anonymous(upload(&agent, large)).await, 413, "body_too_large");
    let largest = Body::from(vec![0; 10 * 1024 * 1024]);
    assert_eq!(app.anonymous(upload(&agent, largest)).await.status, 201);

    assert_problem(&app.anonymous(upload(&agent, Body::empty())).await, 422, "empty_evidence");
    assert_eq!(app.count("evidence_contents").await, 1);
    assert_eq!(app.count("evidence").await, 1);
}

#[tokio::test]
async fn j11_what_was_received_goes_when_the_agent_hangs_up() {
    let (app, agent, _) = scene().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = app.router.clone();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let mut line = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/evidence HTTP/1.1\r\nhost: gate\r\nauthorization: Bearer {}\r\ncontent-length: {SENT}\r\n\r\n",
        agent.key
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(&content()[..SENT - 1]).await.unwrap();
    until(async || app.count("evidence_chunks").await == 2).await;
    drop(line);
    until(async || app.count("evidence_contents").await == 0).await;
    assert_eq!(app.count("evidence").await, 0);
    // Its place is free, and the same bytes are welcome.
    let mut line = TcpStream::connect(address).await.unwrap();
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(&content()).await.unwrap();
    let mut answer = [0; 12];
    line.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 201");
    serving.abort();
}

async fn until(holds: impl AsyncFn() -> bool) {
    while !holds().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn j11_an_agent_has_so_many_uploads_under_way_and_no_more() {
    let (app, agent, other) = scene().await;
    let mut lines = Vec::new();
    for _ in 0..MAX_UPLOADS {
        let slow = stream::iter(pieces(&[1; 300_000])).chain(stream::pending());
        let request = upload(&agent, Body::from_stream(slow));
        let router = app.router.clone();
        lines.push(tokio::spawn(tower::ServiceExt::oneshot(router, request)));
    }
    until(async || app.count("evidence_chunks").await == i64::from(MAX_UPLOADS)).await;
    let reply = app.anonymous(upload(&agent, Body::from("one more"))).await;
    assert_problem(&reply, 429, "too_many_uploads");
    assert_eq!(reply.problem()["limit"], MAX_UPLOADS);
    assert!(reply.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(app.anonymous(upload(&other, Body::from("another's"))).await.status, 201);
    lines.iter().for_each(tokio::task::JoinHandle::abort);
}
