//! Backups of the real binary: taken while it serves, gone on from, damaged, and put where something
//! is; and a database that moves to the other back end.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::people::Person;
use crate::{Server, client, demo, free_port, refused, run, serve, stage, tampered, text};

/// The demo on a file.
pub(super) struct Gate {
    pub(super) server: Server,
    pub(super) handout: Value,
    pub(super) directory: TempDir,
}

impl Gate {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (server, handout) = demo(directory.path());
        Self { server, handout, directory }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn sqlite(&self, name: &str) -> String {
        format!("sqlite://{}", self.path(name).display())
    }

    pub(super) fn database(&self) -> String {
        text(&self.handout["database"])
    }

    pub(super) fn newest_checkpoint(&self) -> Option<String> {
        let keys = PathBuf::from(text(&self.handout["keys"]));
        std::fs::read_to_string(keys.join("newest.checkpoint")).ok()
    }

    /// What the keys vouch for once it has every entry that is in `database` now.
    pub(super) async fn vouched(&self, database: &str) -> String {
        let said = ledger(database);
        let words = said.split_whitespace();
        let size: u64 = words.filter_map(|word| word.parse().ok()).next().unwrap();
        for _ in 0..400 {
            match self.newest_checkpoint() {
                Some(note) if size_of(&note) >= size => return note,
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        panic!("no checkpoint is issued");
    }

    fn backup(&self, name: &str) -> Output {
        let file = self.path(name).display().to_string();
        run(&["backup", &file, "--database", &self.database()])
    }

    pub(super) fn restore<'a>(&'a self, file: &'a str, to: &'a str) -> [&'a str; 6] {
        let keys = self.handout["keys"].as_str().unwrap();
        ["restore", file, "--database", to, "--keys", keys]
    }

    pub(super) async fn stage(&self) -> String {
        let example = Path::new(&text(&self.handout["data_dir"])).join("request.json");
        let body = std::fs::read_to_string(example).unwrap();
        stage(&client(), &self.server.url, &self.handout, &body).await.unwrap()
    }

    pub(super) fn kill(&mut self) {
        self.server.child.kill().unwrap();
        self.server.child.wait().unwrap();
    }

    /// The same house, with another database.
    fn on(&self, database: &str) -> Value {
        let mut handout = self.handout.clone();
        handout["database"] = database.into();
        handout
    }
}

/// The second line of a checkpoint.
fn size_of(note: &str) -> u64 {
    note.lines().nth(1).unwrap().parse().unwrap()
}

pub(super) fn ok(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What `ledger verify` says of a database, without the time of day.
pub(super) fn ledger(database: &str) -> String {
    let said = ok(run(&["ledger", "verify", "--database", database]));
    said.lines().next().unwrap().to_owned()
}

async fn find(url: &str, handout: &Value, id: &str) -> Value {
    let answer = client()
        .get(format!("{url}/api/v1/requests/{id}"))
        .bearer_auth(text(&handout["agent_key"]))
        .send()
        .await
        .unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

async fn redeem(url: &str, handout: &Value, id: &str) -> (u16, Value) {
    let digest = text(&find(url, handout, id).await["digest"]);
    let answer = client()
        .post(format!("{url}/api/v1/requests/{id}/redeem"))
        .bearer_auth(text(&handout["agent_key"]))
        .header("idempotency-key", "one")
        .header("content-type", "application/json")
        .body(serde_json::json!({"digest": digest}).to_string())
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test]
async fn i3_d11_m01_m03_a_backup_taken_under_load_is_gone_on_from_without_its_releases_and_sessions()
 {
    let mut gate = Gate::start();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    assert_eq!(person.status(&gate.server.url, "/inbox").await, 200);
    let id = gate.stage().await;
    person.approve(&id).await;
    let held = gate.vouched(&gate.database()).await;

    // The backup is made while agents stage.
    let (file, database) = (gate.path("backup.db"), gate.database());
    let name = file.display().to_string();
    let arguments = ["backup".to_owned(), name.clone(), "--database".to_owned(), database.clone()];
    let backup =
        tokio::task::spawn_blocking(move || run(&arguments.each_ref().map(String::as_str)));
    let mut staged = 0;
    while !backup.is_finished() {
        gate.stage().await;
        staged += 1;
    }
    let said = ok(backup.await.unwrap());
    assert!(staged > 0 && said.contains("It holds no keys"), "{said}");
    assert!(
        !String::from_utf8_lossy(&std::fs::read(&file).unwrap()).contains(person.session()),
        "M04"
    );

    // Only then the release is used.
    let (status, answer) = redeem(&gate.server.url, &gate.handout, &id).await;
    assert_eq!(status, 200, "{answer}");
    gate.stage().await;
    let lost = gate.vouched(&database).await;
    gate.kill();

    let taken = refused(&gate.restore(&name, &database));
    assert!(taken.contains("is there already"), "{taken}");
    let to = gate.sqlite("restored.db");
    let said = ok(run(&gate.restore(&name, &to)));
    assert!(said.contains(&id) && said.contains("is lost"), "{said}");
    assert!(refused(&gate.restore(&name, &to)).contains("is there already"));
    ledger(&to);

    // What was held before the backup still holds; what came after it does not.
    for (note, holds) in [(held, true), (lost, false)] {
        std::fs::write(gate.path("held"), note).unwrap();
        let path = gate.path("held").display().to_string();
        let verified = run(&["ledger", "verify", "--database", &to, "--checkpoint", &path]);
        assert_eq!(verified.status.success(), holds, "{verified:?}");
    }
    // The database that was lost cannot come back.
    let listen = format!("127.0.0.1:{}", free_port());
    let keys = text(&gate.handout["keys"]);
    let old = refused(&["serve", "--listen", &listen, "--database", &database, "--keys", &keys]);
    assert!(old.contains("does not go with these keys"), "{old}");

    let handout = gate.on(&to);
    let server = serve(&handout, free_port()).await;
    assert_eq!(find(&server.url, &handout, &id).await["state"], "lapsed");
    let (status, answer) = redeem(&server.url, &handout, &id).await;
    assert_eq!((status, &answer["code"]), (409, &Value::from("not_approved")), "{answer}");
    assert_eq!(person.status(&server.url, "/inbox").await, 303, "everybody signs in again");
    let body = std::fs::read_to_string(Path::new(&text(&handout["data_dir"])).join("request.json"));
    let again = stage(&client(), &server.url, &handout, &body.unwrap()).await;
    assert!(again.is_some(), "and the gate goes on");
    let under_it = refused(&gate.restore(&name, &gate.sqlite("elsewhere.db")));
    assert!(under_it.contains("a server runs under the keys"), "{under_it}");
    drop(server);
    ledger(&to);
}

#[tokio::test]
async fn m05_a_backup_that_is_damaged_or_of_another_house_is_refused_and_nothing_changes() {
    let mut gate = Gate::start();
    ok(gate.backup("backup.db"));
    let again = refused(&[
        "backup",
        &gate.path("backup.db").display().to_string(),
        "--database",
        &gate.database(),
    ]);
    assert!(again.contains("nothing is written over"), "{again}");
    gate.vouched(&gate.database()).await;
    gate.kill();
    let vouched = gate.newest_checkpoint().unwrap();
    let to = gate.sqlite("restored.db");
    let refuses = |name: &str, why: &str| {
        let file = gate.path(name).display().to_string();
        let said = refused(&gate.restore(&file, &to));
        assert!(said.contains(name) && said.contains(why), "{name}: {said}");
    };
    let damaged = |name: &str, statements: &[&str]| {
        std::fs::copy(gate.path("backup.db"), gate.path(name)).unwrap();
        tampered(&gate.sqlite(name), statements);
    };
    damaged(
        "entry.db",
        &[
            "DROP TRIGGER entries_never_change",
            "UPDATE entries SET body = CAST(replace(body, 'at', 'am') AS BLOB) WHERE idx = 17",
            "CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries\nBEGIN SELECT raise(ABORT, \
             'I8: ledger entries never change'); END",
        ],
    );
    refuses("entry.db", "entry 17");
    damaged("rule.db", &["DROP TRIGGER entries_never_change"]);
    refuses("rule.db", "the trigger `entries_never_change` of `entries` is missing");
    damaged("row.db", &["UPDATE agents SET suspended = 1 WHERE name = 'deploy-bot'"]);
    refuses("row.db", "the tables differ");
    damaged("evidence.db", &["UPDATE evidence_chunks SET bytes = x'00'"]);
    refuses("evidence.db", "evidence_chunks");
    let whole = std::fs::read(gate.path("backup.db")).unwrap();
    std::fs::write(gate.path("half.db"), &whole[..whole.len() / 2]).unwrap();
    refuses("half.db", "cannot restore from");
    std::fs::write(gate.path("text.db"), "no database").unwrap();
    refuses("text.db", "no backup");
    refuses("none.db", "cannot restore from");
    // The server's own file, of which the -wal is a part.
    refuses("demo.db", "countersign backup");

    // A damaged database gives no backup, and says where.
    damaged(
        "source.db",
        &["DROP TRIGGER entries_never_change", "UPDATE entries SET body = x'00' WHERE idx = 17"],
    );
    let file = gate.path("never.db").display().to_string();
    let said = refused(&["backup", &file, "--database", &gate.sqlite("source.db")]);
    assert!(said.contains("entry 17"), "{said}");

    let other = gate.path("other-keys").display().to_string();
    let file = gate.path("backup.db").display().to_string();
    let restore = ["restore", &file, "--database", &to, "--keys", &other];
    assert!(refused(&restore).contains("there are no keys in"), "no keys are made");
    let elsewhere = gate.sqlite("elsewhere.db");
    ok(run(&[
        "admin",
        "init",
        "--administrator",
        "Ada",
        "--database",
        &elsewhere,
        "--keys",
        &other,
    ]));
    assert!(refused(&restore).contains("does not go with these keys"));

    let names: Vec<String> = std::fs::read_dir(gate.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            name.contains("restored") || name.contains("never") || name.contains(".partial")
        })
        .collect();
    assert_eq!(names, Vec::<String>::new(), "nothing is left of what was refused");
    assert_eq!(gate.newest_checkpoint().unwrap(), vouched, "the keys vouch for what they did");

    // A backup from before a change of the checkpoint key goes on under the key of that time.
    let key = PathBuf::from(text(&gate.handout["keys"])).join("checkpoint.key");
    let present = std::fs::read(&key).unwrap();
    let (database, keys) = (gate.database(), text(&gate.handout["keys"]));
    ok(run(&["ledger", "rotate-key", "--database", &database, "--keys", &keys]));
    let said = refused(&gate.restore(&file, &to));
    assert!(said.contains("another checkpoint key"), "{said}");
    std::fs::write(&key, present).unwrap();
    ok(run(&gate.restore(&file, &to)));
}

#[tokio::test]
async fn a_copy_on_the_other_back_end_has_the_same_ledger_and_one_of_the_two_goes_on() {
    let mut gate = Gate::start();
    let (sqlite, postgres) = (gate.database(), testing::postgres::database().await);
    let held = refused(&["copy", "--from", &sqlite, "--to", &postgres]);
    assert!(held.contains("another process holds"), "{held}");
    gate.kill();
    let said = ok(run(&["copy", "--from", &sqlite, "--to", &postgres]));
    assert_eq!(ledger(&postgres), ledger(&sqlite), "{said}");
    let again = refused(&["copy", "--from", &sqlite, "--to", &postgres]);
    assert!(again.contains("is there already"), "{again}");
    let missing = refused(&["copy", "--from", &gate.sqlite("none.db"), "--to", &postgres]);
    assert!(missing.contains("none.db") || missing.contains("is there already"), "{missing}");
    assert!(!gate.path("none.db").exists(), "nothing is made to copy from");

    // The copy goes on, and a checkpoint of it is issued: the old one is behind.
    gate.server = serve(&gate.on(&postgres), free_port()).await;
    gate.stage().await;
    gate.vouched(&postgres).await;
    let busy = refused(&["copy", "--from", &postgres, "--to", &gate.sqlite("back.db")]);
    assert!(busy.contains("a server runs on"), "{busy}");
    let (listen, keys) = (format!("127.0.0.1:{}", free_port()), text(&gate.handout["keys"]));
    let old = refused(&["serve", "--listen", &listen, "--database", &sqlite, "--keys", &keys]);
    assert!(old.contains("is an older copy"), "{old}");
    let backup = gate.path("pg.db").display().to_string();
    ok(run(&["backup", &backup, "--database", &postgres]));

    let pid = gate.server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    gate.server.child.wait().unwrap();
    let back = gate.sqlite("back.db");
    ok(run(&["copy", "--from", &postgres, "--to", &back]));
    assert_eq!(ledger(&back), ledger(&postgres));

    // And a backup of either is gone on from in either.
    let empty = testing::postgres::database().await;
    ok(run(&gate.restore(&backup, &empty)));
    let server = serve(&gate.on(&empty), free_port()).await;
    drop(server);
    ledger(&empty);
}
