//! Two servers on one PostgreSQL: killed, paused, and set up wrongly.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::{BINARY, Server, client, demo_on, free_port, refused, run, serve, stage, text};

/// The demo as the first server, and a second one on its database and keys.
struct Nodes {
    first: Server,
    second: Server,
    handout: Value,
    body: String,
    _directory: TempDir,
}

impl Nodes {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = testing::postgres::empty_database().await;
        let (first, handout) = demo_on(directory.path(), &database);
        let example = Path::new(&text(&handout["data_dir"])).join("request.json");
        let body = std::fs::read_to_string(example).unwrap();
        let second = serve(&handout, free_port()).await;
        Self { first, second, handout, body, _directory: directory }
    }

    async fn stage(&self, server: &Server) -> Option<String> {
        stage(&client(), &server.url, &self.handout, &self.body).await
    }

    /// Stages at both servers at once, `each` at each; gives the ids that each acknowledged.
    async fn stage_many(&self, each: usize) -> (Vec<String>, Vec<String>) {
        let at = async |server: &Server| {
            let staged = (0..each).map(|_| self.stage(server));
            let staged = futures::future::join_all(staged).await;
            staged.into_iter().flatten().collect::<Vec<_>>()
        };
        tokio::join!(at(&self.first), at(&self.second))
    }

    /// What `server` says of a request.
    async fn find(&self, server: &Server, id: &str, wait: &str) -> Value {
        let answer = client()
            .get(format!("{}/api/v1/requests/{id}", server.url))
            .bearer_auth(text(&self.handout["agent_key"]))
            .header("prefer", wait)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{id} was acknowledged and is gone");
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    fn assert_ledger_holds(&self) {
        let verified = run(&["ledger", "verify", "--database", &text(&self.handout["database"])]);
        assert!(verified.status.success(), "{verified:?}");
    }
}

fn signal(server: &Server, name: &str) {
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

#[tokio::test]
async fn c12_a_wait_at_one_server_ends_with_a_change_at_the_other() {
    let nodes = Nodes::start().await;
    let id = nodes.stage(&nodes.first).await.unwrap();
    let withdrawal = async {
        let answer = client()
            .post(format!("{}/api/v1/requests/{id}/withdraw", nodes.first.url))
            .bearer_auth(text(&nodes.handout["agent_key"]))
            .send()
            .await;
        assert!(answer.unwrap().status().is_success());
    };
    let (found, ()) = tokio::join!(nodes.find(&nodes.second, &id, "wait=30"), withdrawal);
    assert_eq!(found["state"], "withdrawn");
}

#[tokio::test]
async fn i6_k05_of_two_servers_one_goes_on_when_the_other_is_killed() {
    let mut nodes = Nodes::start().await;
    let (mut acknowledged, second) = nodes.stage_many(20).await;
    assert_eq!((acknowledged.len(), second.len()), (20, 20));
    acknowledged.extend(second);
    let load = nodes.stage_many(40);
    let kill = async {
        // In the midst of the load, which the other server has to carry on.
        nodes.find(&nodes.second, &acknowledged[0], "wait=0").await;
        signal(&nodes.first, "-KILL");
    };
    let ((first, second), ()) = tokio::join!(load, kill);
    assert_eq!(second.len(), 40, "the second server acknowledged everything");
    acknowledged.extend(first);
    acknowledged.extend(second);
    nodes.first.child.wait().unwrap();
    assert!(nodes.stage(&nodes.second).await.is_some());
    nodes.assert_ledger_holds();
    for id in &acknowledged {
        nodes.find(&nodes.second, id, "wait=0").await;
    }
}

#[tokio::test]
async fn k16_of_two_servers_one_goes_on_while_the_other_is_paused() {
    let nodes = Nodes::start().await;
    let id = nodes.stage(&nodes.second).await.unwrap();
    let load = tokio::time::timeout(Duration::from_secs(60), nodes.stage_many(20));
    let pause = async {
        nodes.find(&nodes.second, &id, "wait=0").await;
        signal(&nodes.first, "-STOP");
        // Each within the server's own time limits: one that waited for the paused server for
        // longer would have answered 503.
        for _ in 0..20 {
            assert!(nodes.stage(&nodes.second).await.is_some());
        }
        signal(&nodes.first, "-CONT");
    };
    let (load, ()) = tokio::join!(load, pause);
    let (_, second) = load.expect("everybody gets an answer");
    assert_eq!(second.len(), 20, "the second server acknowledged everything");
    // What the paused server believed is gone with its connections; it catches up.
    let mut caught_up = false;
    for _ in 0..100 {
        caught_up = nodes.stage(&nodes.first).await.is_some();
        if caught_up {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(caught_up);
    nodes.assert_ledger_holds();
}

#[tokio::test]
async fn a12_on_postgresql_a_schema_is_migrated_then_set_up_then_served() {
    let directory = tempfile::tempdir().unwrap();
    let database = testing::postgres::empty_database().await;
    let keys = directory.path().join("keys").display().to_string();
    let port = free_port();
    let place = ["--database", &database, "--keys", &keys];
    let init = [&["admin", "init", "--administrator", "Ada Lind"][..], &place].concat();
    let missing = refused(&init);
    assert!(missing.contains("run: countersign migrate"), "{missing}");
    for _ in 0..2 {
        let migrated = run(&["migrate", "--database", &database]);
        assert!(migrated.status.success(), "{migrated:?}");
    }
    let listen = format!("127.0.0.1:{port}");
    let unset = refused(&[&["serve", "--listen", &listen][..], &place].concat());
    assert!(unset.contains("countersign admin init"), "{unset}");
    let done = Command::new(BINARY).args(&init).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let handout = serde_json::json!({"database": database, "keys": keys});
    let server = serve(&handout, port).await;
    let recover = [&["admin", "recover", "--administrator", "Eve Lind"][..], &place].concat();
    let running = refused(&recover);
    assert!(running.contains("a server runs on"), "{running}");
    drop(server);

    let away = "postgres://ada:s3cret@127.0.0.1:1/gate";
    let away = refused(&["serve", "--listen", &listen, "--database", away, "--keys", &keys]);
    assert!(away.contains("postgres://ada@127.0.0.1:1/gate"), "{away}");
    assert!(!away.contains("s3cret"), "{away}");
}
