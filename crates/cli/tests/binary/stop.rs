//! SIGTERM under load: a thousand open waits, a thousand open streams, and decisions under way.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Scope;
use serde_json::Value;
use service::house::MAX_KEY_LIFE_S;
use service::{KeyRing, OsEntropy, Service, Steward};
use store::{SqliteStore, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backup::Gate;
use crate::people::Person;
use crate::{Server, client, free_port, serve, stage, text};

const AGENTS: usize = 63;
/// Waits, and streams, of each agent: 1,008 of both.
const EACH: usize = 16;
/// Decisions that are sent at the moment of the signal.
const DECISIONS: usize = 20;

/// Adds agents to a house that no server holds; gives their keys.
async fn more_agents(handout: &Value) -> Vec<String> {
    let database = text(&handout["database"]);
    let path = Path::new(database.strip_prefix("sqlite://").unwrap());
    let clock = Arc::new(SystemClock::default());
    let store = Arc::new(SqliteStore::open(path, Arc::clone(&clock) as _).await.unwrap());
    let keys = KeyRing::open(Path::new(&text(&handout["keys"])), &OsEntropy).unwrap();
    let url = "http://localhost".to_owned();
    let service =
        Service::new(Arc::clone(&store) as _, clock, Arc::new(OsEntropy), keys, url).unwrap();
    let (by, owner) = (Steward::Operator, store::Store::house(&*store).await.unwrap());
    let owner = owner.people().iter().find(|person| person.active).unwrap().id;
    let mut keys = Vec::new();
    for number in 0..AGENTS {
        let agent = service.add_agent(&by, &format!("waiter-{number}"), owner).await.unwrap();
        let until = service.now().plus_seconds(MAX_KEY_LIFE_S);
        let key =
            service.issue_agent_key(&by, agent, owner, until, Scope::default()).await.unwrap();
        keys.push(key.reveal().to_owned());
    }
    service.close().await;
    keys
}

/// Sends a GET on a connection of its own.
async fn get(port: u16, path: &str, key: &str) -> TcpStream {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
         prefer: wait=30\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    connection
}

/// Returns once the server has read everything that was sent to it.
async fn all_read(port: u16) {
    let ours = format!(":{port:04X}");
    let unread = || {
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        sockets.lines().skip(1).any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let connected = fields[3] == "01";
            fields[1].ends_with(&ours) && connected && !fields[4].ends_with(":00000000")
        })
    };
    for _ in 0..1000 {
        if !unread() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server does not read");
}

async fn rest(mut connection: TcpStream) -> String {
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn state(server: &Server, handout: &Value, id: &str) -> Value {
    let answer = client()
        .get(format!("{}/api/v1/requests/{id}", server.url))
        .bearer_auth(text(&handout["agent_key"]))
        .send();
    let body = answer.await.unwrap().bytes().await.unwrap();
    serde_json::from_slice::<Value>(&body).unwrap()["state"].clone()
}

#[tokio::test]
async fn k12_sigterm_ends_a_thousand_waits_and_streams_within_five_seconds_and_loses_no_decision() {
    let mut gate = Gate::start();
    gate.kill();
    let keys = more_agents(&gate.handout).await;
    let port = free_port();
    let mut server = serve(&gate.handout, port).await;
    let person = Arc::new(Person::sign_in(&server.url, &gate.handout, "approver").await);
    let body = std::fs::read_to_string(gate.example()).unwrap();
    let mut decisions = Vec::new();
    for _ in 0..DECISIONS {
        let id = stage(&client(), &server.url, &gate.handout, &body).await.unwrap();
        let shown = person.shown(&id).await;
        decisions.push((id, shown));
    }

    let (mut waits, mut streams) = (Vec::new(), Vec::new());
    for key in &keys {
        let own = serde_json::json!({ "agent_key": key });
        let id = stage(&client(), &server.url, &own, &body).await.unwrap();
        for _ in 0..EACH {
            waits.push(get(port, &format!("/api/v1/requests/{id}"), key).await);
            streams.push(get(port, "/api/v1/events", key).await);
        }
    }
    for stream in &mut streams {
        let mut head = Vec::new();
        while !head.windows(13).any(|part| part == b"stream.opened") {
            assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0, "the stream is open");
        }
    }
    all_read(port).await;

    let posts: Vec<_> = decisions
        .into_iter()
        .map(|(id, shown)| {
            let person = Arc::clone(&person);
            tokio::spawn(async move {
                let recorded = person.denies(&id, &shown).await;
                (id, recorded)
            })
        })
        .collect();
    let told = Instant::now();
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = tokio::task::spawn_blocking(move || server.child.wait().unwrap());
    for answer in futures::future::join_all(waits.into_iter().map(rest)).await {
        assert!(answer.starts_with("HTTP/1.1 200"), "a wait is answered as it is: {answer}");
        assert!(answer.contains(r#""state":"pending""#), "{answer}");
    }
    for stream in futures::future::join_all(streams.into_iter().map(rest)).await {
        assert!(stream.ends_with("0\r\n\r\n"), "a stream has an end: {stream:?}");
    }
    let status = status.await.unwrap();
    let took = told.elapsed();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(5), "{took:?}");

    let acknowledged = futures::future::join_all(posts).await;
    let server = serve(&gate.handout, free_port()).await;
    let mut recorded = 0;
    for answer in acknowledged {
        let (id, acknowledged) = answer.unwrap();
        let expected = if acknowledged { "denied" } else { "pending" };
        assert_eq!(state(&server, &gate.handout, &id).await, expected, "{id}");
        recorded += usize::from(acknowledged);
    }
    println!("stopped after {took:?}; {recorded} of {DECISIONS} decisions were recorded");
}
