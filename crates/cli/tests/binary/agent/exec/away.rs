//! `exec` while something in front of the server answers in its place, or nobody answers.

use super::{House, KEY, written};
use crate::agent::{Said, done, started};
use crate::gateway::{Gateway, Spoilt};
use crate::serve;

const STAGING: &str = "POST /api/v1/requests HTTP";

#[tokio::test]
async fn an_end_that_no_countersign_has_taken_is_reported_by_the_next_run() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\necho run >> runs\n");
    for status in ["500 Internal Server Error", "503 Service Unavailable", "403 Forbidden"] {
        let spoilt = Spoilt { call: "/outcome HTTP", after: 0, times: 1, status, arrives: false };
        let gateway = Gateway::to(&house.gate.server.url, spoilt).await;
        let line = || house.line_at(&gateway.url, &["--retry-for", "0"], &["./act.sh"]);
        let exec = started(line());
        let id = house.staged().await;
        house.person.approve(&id).await;
        let said = Said::by(exec).await;
        assert_eq!(said.code, Some(23), "{said:?}");
        assert_eq!(house.request(&id)["state"], "executing");
        let said = Said::by(started(line())).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(house.request(&id)["state"], "succeeded");
    }
    assert_eq!(std::fs::read_to_string(house.gate.path("runs")).unwrap(), "run\n".repeat(3));
}

#[tokio::test]
async fn what_has_to_be_undone_is_undone_while_the_server_is_away_and_both_are_reported_later() {
    let mut house = House::start().await;
    let port = house.gate.port();
    house.script("act.sh", "#!/bin/sh\necho run >> runs\nread line < gate\nexit 3\n");
    house.script("back.sh", "#!/bin/sh\necho back >> undone\n");
    super::fifo(&house.gate.path("gate"));
    let options = ["--retry-for", "1", "--rollback-exec", "./back.sh", "--rollback-on-failure"];
    let exec = house.exec(&options, &["./act.sh"]);
    let id = house.staged().await;
    house.person.approve(&id).await;
    written(&house.gate.path("runs")).await;
    house.gate.kill();
    std::fs::write(house.gate.path("gate"), "end\n").unwrap();
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(23), "{said:?}");
    assert_eq!(written(&house.gate.path("undone")).await, "back\n");
    house.gate.server = serve(&house.gate.handout, port).await;
    let said = done(house.line(&options, &["./act.sh"]));
    assert_eq!(said.code, Some(3), "{said:?}");
    for reported in ["reported as failed", "reported as rolled_back"] {
        assert!(said.err.contains(reported), "{said:?}");
    }
    assert_eq!(house.request(&id)["state"], "rolled_back");
    for (name, once) in [("runs", "run\n"), ("undone", "back\n")] {
        assert_eq!(std::fs::read_to_string(house.gate.path(name)).unwrap(), once);
    }
}

#[tokio::test]
async fn what_was_not_reported_is_said_before_somebody_looks_at_its_rollback() {
    let mut house = House::start().await;
    let port = house.gate.port();
    house.script("act.sh", "#!/bin/sh\necho run >> runs\nread line < gate\nexit 3\n");
    house.script("back.sh", "#!/bin/sh\necho back >> undone\nread line < gate\n");
    super::fifo(&house.gate.path("gate"));
    let options = ["--retry-for", "1", "--rollback-exec", "./back.sh", "--rollback-on-failure"];
    let mut exec = house.exec(&options, &["./act.sh"]);
    let id = house.staged().await;
    house.person.approve(&id).await;
    written(&house.gate.path("runs")).await;
    house.gate.kill();
    std::fs::write(house.gate.path("gate"), "end\n").unwrap();
    written(&house.gate.path("undone")).await;
    exec.kill().unwrap();
    exec.wait().unwrap();
    std::fs::write(house.gate.path("gate"), "end\n").unwrap();
    house.gate.server = serve(&house.gate.handout, port).await;
    let said = done(house.line(&options, &["./act.sh"]));
    assert_eq!(said.code, Some(17), "{said:?}");
    assert_eq!(house.request(&id)["state"], "failed");
    // What it says to do is what works.
    let lease = said.err.split("--lease ").nth(1).unwrap().split(' ').next().unwrap();
    let report =
        ["report", &id, "--lease", lease, "--status", "rolled_back", "--summary", "It is."];
    assert_eq!(done(house.gate.as_agent(KEY, &report)).code, Some(0));
    assert_eq!(house.request(&id)["state"], "rolled_back");
}

#[tokio::test]
async fn i11_a_staging_that_may_have_arrived_is_gone_on_with() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\necho run >> runs\n");
    let before = house.gate.requests(KEY).len();
    let status = "503 Service Unavailable";
    let spoilt = Spoilt { call: STAGING, after: 0, times: 1, status, arrives: true };
    let gateway = Gateway::to(&house.gate.server.url, spoilt).await;
    let options = ["--retry-for", "0", "--timeout", "0"];
    let line = || started(house.line_at(&gateway.url, &options, &["./act.sh"]));
    let said = Said::by(line()).await;
    assert_eq!(said.code, Some(20), "{said:?}");
    let said = Said::by(line()).await;
    assert_eq!(said.code, Some(19), "{said:?}");
    assert_eq!(house.gate.requests(KEY).len(), before + 1);
}

#[tokio::test]
async fn i11_an_amendment_that_may_have_arrived_is_gone_on_with() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\necho run >> runs\n");
    let status = "503 Service Unavailable";
    let spoilt = Spoilt { call: "/revisions HTTP", after: 0, times: 1, status, arrives: true };
    let gateway = Gateway::to(&house.gate.server.url, spoilt).await;
    let line = |why: &str| {
        let options = ["--retry-for", "0", "--timeout", "0", "--justification", why];
        started(house.line_at(&gateway.url, &options, &["./act.sh"]))
    };
    assert_eq!(Said::by(line("because")).await.code, Some(19));
    let id = house.staged().await;
    let said = Said::by(line("the successor is late")).await;
    assert_eq!(said.code, Some(20), "{said:?}");
    let said = Said::by(line("the successor is late")).await;
    assert_eq!(said.code, Some(19), "{said:?}");
    assert_eq!(house.request(&id)["revision"], 2, "it is amended once");
}

#[tokio::test]
async fn a_page_in_place_of_a_heartbeat_stops_no_command() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\nread line < gate\n");
    super::fifo(&house.gate.path("gate"));
    // The first one goes out before the command is started.
    let status = "404 Not Found";
    let spoilt = Spoilt { call: "/heartbeat HTTP", after: 1, times: 2, status, arrives: false };
    let gateway = Gateway::to(&house.gate.server.url, spoilt).await;
    let exec = started(house.line_at(&gateway.url, &[], &["./act.sh"]));
    let id = house.staged().await;
    house.person.approve(&id).await;
    for _ in 0..800 {
        if gateway.seen() > 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert!(gateway.seen() > 3, "it went on asking");
    std::fs::write(house.gate.path("gate"), "end\n").unwrap();
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(house.request(&id)["state"], "succeeded");
}
