//! What a command can read of `exec`, and `exec` whose own output nobody reads.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::{House, KEY, written};
use crate::agent::{Said, done, started};
use crate::text;

#[tokio::test]
async fn a_halt_stops_a_command_whose_output_nobody_reads() {
    let house = House::start().await;
    // Not for ever, should nothing stop it.
    let loud = "#!/bin/sh\necho up > started\nlast='timeout --foreground 90'\n\
                $last yes out &\n$last yes err >&2\n";
    house.script("act.sh", loud);
    house.script("back.sh", "#!/bin/sh\necho back > undone\n");
    let mut line = house.line(&["--grace", "1", "--rollback-exec", "./back.sh"], &["./act.sh"]);
    // As on a small machine: one thread for each output would be all there are.
    line.env("TOKIO_WORKER_THREADS", "2");
    let exec = started(line);
    let id = house.staged().await;
    house.person.approve(&id).await;
    written(&house.gate.path("started")).await;
    // Long enough that every pipe is full.
    tokio::time::sleep(Duration::from_secs(1)).await;
    house.person.post(&format!("/requests/{id}/halt"), &[("reason", "it is wrong")]).await;
    for _ in 0..800 {
        if house.request(&id)["state"] == "rolled_back" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(house.request(&id)["state"], "rolled_back");
    assert_eq!(written(&house.gate.path("undone")).await, "back\n");
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(16));
    assert!(said.out.starts_with("out\n") && said.err.contains("err\n"));
    assert!(said.err.ends_with("reported as rolled_back\n"), "what was said comes in order");
}

#[tokio::test]
async fn a_slow_reader_gets_all_of_the_output() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' x\necho end\n");
    let mut line = house.line(&[], &["./act.sh"]);
    let mut exec = line.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let id = house.staged().await;
    house.person.approve(&id).await;
    for _ in 0..800 {
        if house.request(&id)["state"] == "succeeded" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(house.request(&id)["state"], "succeeded");
    assert!(exec.try_wait().unwrap().is_none(), "the report does not wait, the output does");
    let said = Said::by(exec).await;
    assert_eq!((said.code, said.out.len()), (Some(0), 100_004));
}

#[tokio::test]
async fn a09_the_command_finds_no_key_in_the_environment_of_exec() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\ntr '\\0' '\\n' < /proc/$PPID/environ\necho looked\n");
    let inner = house.line(&[], &["./act.sh"]);
    let mut line = match rustix::process::getuid().is_root() {
        // What root may do, an agent may not.
        true => {
            let mut line = Command::new("setpriv");
            line.args(["--bounding-set", "-all", "--"]).arg(inner.get_program());
            line.args(inner.get_args()).current_dir(house.gate.directory.path());
            line.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
            line
        }
        false => inner,
    };
    line.stdin(Stdio::null());
    let exec = started(line);
    let id = house.staged().await;
    house.person.approve(&id).await;
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.ends_with("looked\n"), "{said:?}");
    assert!(!said.out.contains(&text(&house.gate.handout[KEY])), "{said:?}");
}

#[tokio::test]
async fn a_trial_says_what_looks_like_a_secret() {
    let house = House::start().await;
    let token = format!("ghp_{}", "a1B2".repeat(9));
    std::fs::write(house.gate.path("usage_log.txt"), format!("319 calls, {token}\n")).unwrap();
    let said = done(house.line(&["--validate"], &["true"]));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("warning: /evidence/1") && said.err.contains("GitHub"), "{said:?}");
    assert!(!said.err.contains(&token), "{said:?}");
}
