//! The real binary: killed, stopped, started twice, started wrongly.

mod admin;
mod agent;
mod backup;
mod gateway;
mod killed;
mod nodes;
mod people;
mod proxy;
mod stop;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use reqwest::{Client, ClientBuilder};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_countersign");

/// A server process that is ended when the test ends, however it ends.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One agent stages the demo's example over and over, which is not what these tests are about.
const UNLIMITED: [(&str, &str); 4] = [
    ("COUNTERSIGN_AGENT_CALLS", "0"),
    ("COUNTERSIGN_AGENT_OPEN_REQUESTS", "0"),
    ("COUNTERSIGN_AGENT_DUPLICATES", "true"),
    ("COUNTERSIGN_AGENT_COOL_DOWN", "0"),
];

/// The demo, and what it printed.
fn demo(directory: &Path) -> (Server, Value) {
    demo_on(directory, &format!("sqlite://{}", directory.join("demo.db").display()))
}

fn demo_on(directory: &Path, database: &str) -> (Server, Value) {
    demo_started(demo_command(directory, database))
}

fn demo_command(directory: &Path, database: &str) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(["demo", "--print-json", "--listen", "127.0.0.1:0", "--database", database])
        .env("TMPDIR", directory)
        .envs(UNLIMITED);
    command
}

fn demo_started(mut demo: Command) -> (Server, Value) {
    let mut child = demo.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let handout: Value = serde_json::from_str(&line).unwrap();
    let url = text(&handout["url"]);
    (Server { child, url }, handout)
}

/// The server on the demo's data.
async fn serve(handout: &Value, port: u16) -> Server {
    let listen = format!("127.0.0.1:{port}");
    let child = Command::new(BINARY)
        .args(["serve", "--listen", &listen, "--database", &text(&handout["database"])])
        .args(["--keys", &text(&handout["keys"])])
        .envs(UNLIMITED)
        .spawn()
        .unwrap();
    let server = Server { child, url: format!("http://localhost:{port}") };
    for _ in 0..200 {
        let ready = client().get(format!("{}/readyz", server.url)).send().await;
        if ready.is_ok_and(|answer| answer.status().is_success()) {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server does not get ready");
}

fn builder() -> ClientBuilder {
    // The binary installs its own; a test that ran before has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

fn client() -> Client {
    builder().build().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    let ours: Vec<&str> = error.lines().filter(|line| line.starts_with("countersign: ")).collect();
    assert_eq!(ours.len(), 1, "one clear line: {error}");
    ours[0].to_owned()
}

async fn stage(client: &Client, url: &str, handout: &Value, body: &str) -> Option<String> {
    let answer = client
        .post(format!("{url}/api/v1/requests"))
        .bearer_auth(text(&handout["agent_key"]))
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
        .await
        .ok()?;
    if answer.status() != 201 {
        return None;
    }
    let body: Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
    Some(text(&body["id"]))
}

#[tokio::test]
async fn i6_k05_kill_dash_nine_during_200_stagings_loses_no_acknowledged_one() {
    let directory = tempfile::tempdir().unwrap();
    let (mut server, handout) = demo(directory.path());
    let body = std::fs::read_to_string(Path::new(&text(&handout["data_dir"])).join("request.json"))
        .unwrap();
    let (report, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (url, handout, body) = (server.url.clone(), handout.clone(), body.clone());
        let (client, report) = (client(), report.clone());
        workers.spawn(async move {
            for _ in 0..25 {
                if let Some(id) = stage(&client, &url, &handout, &body).await {
                    report.send(id).unwrap();
                }
            }
        });
    }
    drop(report);
    let mut acknowledged = Vec::new();
    while let Some(id) = reports.recv().await {
        acknowledged.push(id);
        // Killed while changes are under way: not at the start, not after the end.
        if acknowledged.len() == 60 {
            server.child.kill().unwrap();
            server.child.wait().unwrap();
        }
    }
    workers.join_all().await;
    assert!((60..200).contains(&acknowledged.len()), "{} acknowledged", acknowledged.len());

    let verified = run(&["ledger", "verify", "--database", &text(&handout["database"])]);
    assert!(verified.status.success(), "{verified:?}");
    let server = serve(&handout, free_port()).await;
    for id in &acknowledged {
        let answer = client()
            .get(format!("{}/api/v1/requests/{id}", server.url))
            .bearer_auth(text(&handout["agent_key"]))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{id} was acknowledged and is gone");
    }
    println!("{} acknowledged before the kill, all there after it", acknowledged.len());
}

#[tokio::test]
async fn k12_sigterm_ends_open_waits_and_the_process_within_five_seconds() {
    let directory = tempfile::tempdir().unwrap();
    let (mut server, handout) = demo(directory.path());
    let body = std::fs::read_to_string(Path::new(&text(&handout["data_dir"])).join("request.json"))
        .unwrap();
    let client = client();
    let id = stage(&client, &server.url, &handout, &body).await.unwrap();
    let waits: Vec<_> = (0..50)
        .map(|_| {
            let wait = client
                .get(format!("{}/api/v1/requests/{id}", server.url))
                .bearer_auth(text(&handout["agent_key"]))
                .header("prefer", "wait=30");
            tokio::spawn(async move { wait.send().await.unwrap().status().as_u16() })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let told = std::time::Instant::now();
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    for wait in waits {
        assert_eq!(wait.await.unwrap(), 200, "a wait ends with the present state");
    }
    let status = tokio::task::spawn_blocking(move || server.child.wait().unwrap()).await.unwrap();
    assert!(status.success(), "{status}");
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    let left: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("countersign-demo-"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "the demo removes its data");
}

#[tokio::test]
async fn wrong_starts_are_one_clear_line_and_a_non_zero_exit() {
    let directory = tempfile::tempdir().unwrap();
    let (server, handout) = demo(directory.path());
    let address = server.url.replace("http://localhost", "127.0.0.1");
    let database = text(&handout["database"]);
    let keys = text(&handout["keys"]);
    let elsewhere = |name: &str| directory.path().join(name).display().to_string();

    let taken = refused(&["serve", "--listen", &address, "--database", &database]);
    assert!(taken.contains("choose another with --listen"), "{taken}");
    let free = format!("127.0.0.1:{}", free_port());
    let held = refused(&["serve", "--listen", &free, "--database", &database, "--keys", &keys]);
    assert!(held.contains("another process holds"), "{held}");
    let public = refused(&["demo", "--listen", "0.0.0.0:0"]);
    assert!(public.contains("loopback"), "{public}");
    let unknown = refused(&["serve", "--listen", &free, "--database", "mysql://x"]);
    assert!(unknown.contains("sqlite://PATH or postgres://"), "{unknown}");
    let empty = format!("sqlite://{}", elsewhere("empty.db"));
    let keys = elsewhere("empty-keys");
    let unset = refused(&["serve", "--listen", &free, "--database", &empty, "--keys", &keys]);
    assert!(unset.contains("countersign admin init"), "{unset}");
    std::fs::write(elsewhere("garbage.db"), vec![b'x'; 8192]).unwrap();
    let garbage = format!("sqlite://{}", elsewhere("garbage.db"));
    let unreadable =
        refused(&["serve", "--listen", &free, "--database", &garbage, "--keys", &keys]);
    assert!(unreadable.contains("garbage.db"), "{unreadable}");
    let missing =
        refused(&["ledger", "verify", "--database", &format!("sqlite://{}", elsewhere("no.db"))]);
    assert!(missing.contains("no.db"), "{missing}");
}

#[tokio::test]
async fn a12_admin_init_makes_an_installation_once_and_its_link_signs_in() {
    let directory = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", directory.path().join("a.db").display());
    let keys = directory.path().join("keys").display().to_string();
    let port = free_port();
    let url = format!("http://localhost:{port}");
    let init = [
        "admin",
        "init",
        "--administrator",
        "Ada Lind",
        "--database",
        &database,
        "--keys",
        &keys,
        "--public-url",
        &url,
    ];
    let output = run(&init);
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let link = printed.split_whitespace().find(|word| word.starts_with("http")).unwrap();
    assert!(refused(&init).contains("initialised already"));
    let handout = serde_json::json!({"database": database, "keys": keys});
    let _server = serve(&handout, port).await;
    let page = client().get(link).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Ada Lind"));
}

#[tokio::test]
async fn l01_a_changed_entry_is_named_by_ledger_verify() {
    let directory = tempfile::tempdir().unwrap();
    let (mut server, handout) = demo(directory.path());
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let database = text(&handout["database"]);
    let verify = || run(&["ledger", "verify", "--database", &database]);
    assert!(verify().status.success());
    let path = database.strip_prefix("sqlite://").unwrap();
    // Somebody with the file and no respect: the trigger goes first, then the entry.
    let script = "import sqlite3,sys\n\
         db=sqlite3.connect(sys.argv[1])\n\
         db.execute('DROP TRIGGER entries_never_change')\n\
         body=bytearray(db.execute('SELECT body FROM entries WHERE idx=17').fetchone()[0])\n\
         body[40]^=1\n\
         db.execute('UPDATE entries SET body=? WHERE idx=17',(bytes(body),))\n\
         db.commit()\n";
    let changed = Command::new("python3").args(["-c", script, path]).output().unwrap();
    assert!(changed.status.success(), "{changed:?}");
    let output = verify();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("entry 17"), "{error}");
}

/// Runs statements on a database, as somebody with the file and no respect.
fn tampered(database: &str, statements: &[&str]) {
    let script = "import sqlite3,sys\n\
         db=sqlite3.connect(sys.argv[1])\n\
         [db.execute(sql) for sql in sys.argv[2:]]\n\
         db.commit()\n";
    let path = database.strip_prefix("sqlite://").unwrap();
    let run = Command::new("python3").args(["-c", script, path]).args(statements).output().unwrap();
    assert!(run.status.success(), "{run:?}");
}

#[test]
fn an_export_is_there_whole_and_private_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).display().to_string();
    let database = format!("sqlite://{}", at("gate.db"));
    let file = at("export.jsonl");
    let export =
        || run(&["ledger", "export", "--with-texts", "--database", &database, "--output", &file]);
    let init = ["admin", "init", "--administrator", "Ada", "--database", &database];
    assert!(run(&[&init[..], &["--keys", &at("keys")]].concat()).status.success());
    let early = String::from_utf8(export().stderr).unwrap();
    assert!(early.contains("no checkpoint was issued yet"), "{early}");
    assert!(!Path::new(&file).exists());
    let rotate = ["ledger", "rotate-key", "--database", &database, "--keys", &at("keys")];
    assert!(run(&rotate).status.success());
    assert!(export().status.success());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = String::from_utf8(export().stderr).unwrap();
    assert!(again.contains("is there already"), "{again}");
}

#[test]
fn migrate_makes_no_database_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("countersign.db");
    let said = refused(&["migrate", "--database", &format!("sqlite://{}", file.display())]);
    assert!(said.contains("there is no database") && said.contains("admin init"), "{said}");
    assert!(!file.exists());
}

#[tokio::test]
async fn l13_l18_tables_that_differ_from_the_entries_are_reported_by_ledger_verify() {
    let directory = tempfile::tempdir().unwrap();
    let (mut server, handout) = demo(directory.path());
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let database = text(&handout["database"]);
    let verify = || {
        let output = run(&["ledger", "verify", "--database", &database]);
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), said)
    };
    let (holds, said) = verify();
    assert!(holds && said.contains("The tables say what the entries say."), "{said}");

    // Erasing is allowed, and said.
    tampered(&database, &["DELETE FROM entry_texts WHERE field = 'name'"]);
    let (holds, said) = verify();
    assert!(holds && said.contains("Erased are the texts of 6 commitments"), "{said}");

    let triggers = [
        "entries_never_change",
        "requests_terminal",
        "requests_legal_transition",
        "requests_identity_fixed",
        "requests_approved_needs_approval",
    ];
    let drops: Vec<String> = triggers.iter().map(|name| format!("DROP TRIGGER {name}")).collect();
    tampered(&database, &drops.iter().map(String::as_str).collect::<Vec<_>>());
    let cases = [
        ("UPDATE requests SET state='approved' WHERE state='denied'", "requests ", "'denied'"),
        ("UPDATE requests SET due_at=due_at+1 WHERE state='pending'", "requests ", "due_at"),
        (
            "UPDATE requests SET document=replace(document,'approvers','friends')",
            "requests ",
            "document",
        ),
        ("UPDATE people SET active=0 WHERE name='Mia Okafor'", "people ", "active"),
        ("UPDATE agents SET suspended=1 WHERE name='deploy-bot'", "agents ", "suspended"),
        ("UPDATE api_keys SET expires_at=expires_at*2", "api_keys ", "expires_at"),
        (
            "INSERT INTO group_members SELECT 'approvers', id FROM people WHERE name='Tom Beck'",
            "group_members 'approvers'",
            "the entries say none, the table says a row",
        ),
        ("DELETE FROM reviews", "reviews ", "the entries say a row, the table says none"),
        ("UPDATE evidence_opened SET at=0", "evidence_opened ", ", at"),
        ("UPDATE entries SET fact='SignedOut' WHERE idx=9", "entries 9", "fact"),
        ("UPDATE entries SET at=0 WHERE idx=10", "entries 10", ", at"),
    ];
    let statements: Vec<&str> = cases.iter().map(|(sql, ..)| *sql).collect();
    tampered(&database, &statements);
    let (holds, said) = verify();
    assert!(!holds && said.contains("the tables differ from the entries in"), "{said}");
    for (sql, table, what) in cases {
        let named = said.lines().any(|line| line.starts_with(table) && line.contains(what));
        assert!(named, "{sql}: {said}");
    }

    // A text that is not what was committed to is no erasure.
    tampered(&database, &["UPDATE entry_texts SET text='another' WHERE field='justification'"]);
    let (holds, said) = verify();
    assert!(!holds && said.contains("commits to another text under `justification`"), "{said}");
}
