//! `exec` while processes are killed, answers get lost and releases are held back.

use std::process::Command;

use super::{House, KEY, written};
use crate::agent::{Said, done, started};
use crate::people::Person;
use crate::proxy::Proxy;
use crate::serve;

#[tokio::test]
async fn i3_an_exec_that_is_killed_goes_on_and_never_runs_the_command_twice() {
    let house = House::start().await;
    house.script(
        "act.sh",
        "#!/bin/sh\necho run >> runs\nread line < gate\necho \"$line\" >> runs\n",
    );
    assert!(Command::new("mkfifo").arg(house.gate.path("gate")).status().unwrap().success());
    let before = house.gate.requests(KEY).len();

    let mut exec = house.exec(&[], &["./act.sh"]);
    let id = house.staged().await;
    let second = done(house.line(&[], &["./act.sh"]));
    assert!(second.code == Some(1) && second.err.contains("runs already"), "{second:?}");
    exec.kill().unwrap();
    exec.wait().unwrap();
    let mut exec = house.exec(&[], &["./act.sh"]);
    house.person.approve(&id).await;
    written(&house.gate.path("runs")).await;
    exec.kill().unwrap();
    exec.wait().unwrap();
    assert_eq!(house.gate.requests(KEY).len(), before + 1, "it is staged once");

    for _ in 0..2 {
        let said = done(house.line(&[], &["./act.sh"]));
        assert_eq!(said.code, Some(17), "{said:?}");
        assert!(said.err.contains("countersign report"), "{said:?}");
        assert_eq!(std::fs::read_to_string(house.gate.path("runs")).unwrap(), "run\n");
    }
    // What it says to do is what works.
    let said = done(house.line(&[], &["./act.sh"]));
    let lease = said.err.split("--lease ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let report = ["report", &id, "--lease", &lease, "--status", "failed", "--summary", "I looked."];
    let reported = done(house.gate.as_agent(KEY, &report));
    assert_eq!(reported.code, Some(0), "{reported:?}");
    assert_eq!(house.request(&id)["state"], "failed");
    assert_eq!(done(house.line(&[], &["./act.sh"])).code, Some(18));
    std::fs::write(house.gate.path("gate"), "end\n").unwrap();
}

#[tokio::test]
async fn k05_a_command_goes_on_over_the_kill_of_the_server_and_is_reported_after_it() {
    let mut house = House::start().await;
    let port = house.gate.port();
    house.script("act.sh", "#!/bin/sh\necho run > runs\nread line < gate\necho \"$line\"\n");
    assert!(Command::new("mkfifo").arg(house.gate.path("gate")).status().unwrap().success());
    let exec = house.exec(&[], &["./act.sh"]);
    let id = house.staged().await;
    house.person.approve(&id).await;
    written(&house.gate.path("runs")).await;
    house.gate.kill();
    std::fs::write(house.gate.path("gate"), "the end\n").unwrap();
    house.gate.server = serve(&house.gate.handout, port).await;
    let said = Said::by(exec).await;
    assert_eq!((said.code, said.out.as_str()), (Some(0), "the end\n"), "{said:?}");
    assert_eq!(house.request(&id)["state"], "succeeded");
}

#[tokio::test]
async fn an_end_that_cannot_be_reported_is_reported_by_the_next_run() {
    let mut house = House::start().await;
    let port = house.gate.port();
    house.script("act.sh", "#!/bin/sh\necho run >> runs\nread line < gate\n");
    assert!(Command::new("mkfifo").arg(house.gate.path("gate")).status().unwrap().success());
    let exec = house.exec(&["--retry-for", "0"], &["./act.sh"]);
    let id = house.staged().await;
    house.person.approve(&id).await;
    written(&house.gate.path("runs")).await;
    house.gate.kill();
    std::fs::write(house.gate.path("gate"), "end\n").unwrap();
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(23), "{said:?}");
    house.gate.server = serve(&house.gate.handout, port).await;
    assert_eq!(done(house.line(&[], &["./act.sh"])).code, Some(0));
    assert_eq!(house.request(&id)["state"], "succeeded");
    assert_eq!(std::fs::read_to_string(house.gate.path("runs")).unwrap(), "run\n");
}

#[tokio::test]
async fn i3_i11_answers_that_get_lost_stage_once_redeem_once_and_run_once() {
    let house = House::start().await;
    let before = house.gate.requests(KEY).len();
    house.script("act.sh", "#!/bin/sh\necho run >> runs\n");
    // Staging, redeeming, heartbeat and report are lost once each, and once more.
    let proxy = Proxy::to(&house.gate.server.url, "POST /api/v1/requests", 5).await;
    let exec = started(house.line_at(&proxy.url, &[], &["./act.sh"]));
    let id = house.staged().await;
    house.person.approve(&id).await;
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(proxy.lost(), 5);
    assert_eq!(house.gate.requests(KEY).len(), before + 1);
    assert_eq!(house.request(&id)["state"], "succeeded");
    assert_eq!(std::fs::read_to_string(house.gate.path("runs")).unwrap(), "run\n");
}

#[tokio::test]
async fn i3_a_redemption_whose_answer_nobody_saw_is_gone_on_with() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\necho run >> runs\n");
    // Of the calls about one request the first that changes something is the redemption.
    let proxy = Proxy::to(&house.gate.server.url, "POST /api/v1/requests/", 1).await;
    let line = || house.line_at(&proxy.url, &["--retry-for", "0"], &["./act.sh"]);
    let exec = started(line());
    let id = house.staged().await;
    house.person.approve(&id).await;
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(20), "{said:?}");
    assert_eq!(house.request(&id)["state"], "executing");
    let said = Said::by(started(line())).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(house.request(&id)["state"], "succeeded");
    assert_eq!(std::fs::read_to_string(house.gate.path("runs")).unwrap(), "run\n");
}

#[tokio::test]
async fn i9_a_freeze_holds_an_approved_command_back() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\necho run >> runs\n");
    let ada = Person::sign_in(&house.gate.server.url, &house.gate.handout, "administrator").await;
    let freeze = [("scope", "all"), ("running", "go_on"), ("reason", "an incident")];
    ada.post("/freezes", &freeze).await;
    let exec = house.exec(&["--timeout", "5"], &["./act.sh"]);
    let id = house.staged().await;
    house.person.approve(&id).await;
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(19), "{said:?}");
    assert!(said.err.contains("Wait for the freeze to end"), "{said:?}");
    assert!(!house.gate.path("runs").exists());
    let page = ada.page("/freezes").await;
    let thaw = page.split("action=\"/freezes/").nth(1).unwrap().split('"').next().unwrap();
    ada.post(&format!("/freezes/{thaw}"), &[("reason", "it is over")]).await;
    let said = Said::by(house.exec(&[], &["./act.sh"])).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(house.request(&id)["state"], "succeeded");
}
