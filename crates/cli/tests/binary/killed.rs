//! `backup` and `restore` killed midway: what they leave is not taken for anything (threats M05).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::backup::{Gate, ledger, ok};
use crate::{BINARY, client, free_port, refused, run, text};

/// Every file in a directory and below it, but the demo's own.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Starts a command and kills it as soon as a file whose name contains `part` has `bytes`. Where it
/// was faster than that, `undo` and once more.
fn kill_at(arguments: &[&str], directory: &Path, part: &str, bytes: u64, undo: impl Fn()) {
    let reached = || {
        files(directory).iter().any(|file| {
            let long = file.metadata().is_ok_and(|meta| meta.len() >= bytes);
            long && is(file, part)
        })
    };
    for _ in 0..20 {
        let mut command = Command::new(BINARY);
        let mut child = command.args(arguments).stdout(Stdio::null()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            if reached() {
                child.kill().unwrap();
                if !child.wait().unwrap().success() {
                    return;
                }
            }
            std::thread::yield_now();
        }
        undo();
    }
    panic!("{arguments:?} is never seen at {part}");
}

#[tokio::test]
async fn m05_a_backup_or_a_restore_that_is_killed_midway_leaves_nothing_that_is_served() {
    let mut gate = Gate::start();
    // Enough to copy that it takes a while.
    for number in 0..3_u8 {
        let answer = client()
            .post(format!("{}/api/v1/evidence", gate.server.url))
            .bearer_auth(text(&gate.handout["agent_key"]))
            .header("content-type", "application/octet-stream")
            .body(vec![number; 8 << 20])
            .send();
        assert_eq!(answer.await.unwrap().status(), 201);
    }
    let name = gate.path("backup.db").display().to_string();
    let database = gate.database();
    let backup = ["backup", &name, "--database", &database];
    let undo = || std::fs::remove_file(&name).unwrap();
    for bytes in [0, 1, 8 << 20] {
        kill_at(&backup, gate.directory.path(), ".partial", bytes, undo);
        assert!(!Path::new(&name).exists(), "it has its name once it is verified");
        let left = files(gate.directory.path());
        let left: Vec<_> = left.iter().filter(|file| is(file, ".partial")).collect();
        assert!(!left.is_empty(), "and until then it is called so");
        left.into_iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }
    ok(run(&backup));

    gate.stage().await;
    gate.vouched(&database).await;
    gate.kill();
    let vouched = gate.newest_checkpoint();
    let to = gate.sqlite("restored.db");
    let restore = gate.restore(&name, &to);
    let undo = || panic!("it was restored, and the keys vouch for it");
    for part in ["/.countersign-", "/restored.db-wal", ".partial"] {
        kill_at(&restore, gate.directory.path(), part, 1, undo);
        assert!(!gate.path("restored.db").exists(), "{part}");
        assert_eq!(gate.newest_checkpoint(), vouched, "{part}");
        let (listen, keys) = (format!("127.0.0.1:{}", free_port()), text(&gate.handout["keys"]));
        for left in left_behind(&gate) {
            let left = format!("sqlite://{}", left.display());
            refused(&["serve", "--listen", &listen, "--database", &left, "--keys", &keys]);
        }
        for entry in std::fs::read_dir(gate.directory.path()).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if name.starts_with(".countersign-") {
                std::fs::remove_dir_all(path).unwrap();
            } else if name.starts_with("restored.db") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    ok(run(&restore));
    ledger(&to);
}

/// The databases that a restore had under way.
fn left_behind(gate: &Gate) -> Vec<PathBuf> {
    let beside = ["-wal", "-shm", ".lock"];
    let mut found = files(gate.directory.path());
    found.retain(|file| is(file, "restored.db") && !beside.iter().any(|end| is(file, end)));
    found
}

fn is(file: &Path, part: &str) -> bool {
    file.display().to_string().contains(part)
}
