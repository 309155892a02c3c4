//! How long a command waits for a server that is away, and what it takes for the server's word.

use std::time::{Duration, Instant};

use super::{Said, done, started};
use crate::backup::Gate;
use crate::gateway::{Gateway, Spoilt};
use crate::people::Person;
use crate::proxy::Proxy;
use crate::text;

const KEY: &str = "agent_key";
/// Nobody is there.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn the_timeout_holds_while_the_server_is_away() {
    let gate = Gate::start();
    let id = "01a2056c-8d2b-7dc2-917d-36f536c1660c";
    for (timeout, patience, code) in [("1", "20", 19), ("20", "1", 20)] {
        let arguments = ["wait", id, "--timeout", timeout, "--retry-for", patience];
        let began = Instant::now();
        let said = done(gate.as_agent_at(NOWHERE, KEY, &arguments));
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
}

#[test]
fn no_time_is_too_long_to_be_said() {
    let gate = Gate::start();
    let staged = done(gate.as_agent(KEY, &["stage", "-f", &gate.example(), "--json"])).json();
    let id = text(&staged["id"]);
    assert_eq!(done(gate.as_agent(KEY, &["withdraw", &id])).code, Some(0));
    let most = u64::MAX.to_string();
    let said = done(gate.as_agent(KEY, &["wait", &id, "--timeout", &most, "--retry-for", &most]));
    assert_eq!(said.code, Some(12), "{said:?}");
}

#[tokio::test]
async fn k05_a_wait_goes_on_over_pages_of_something_in_front_of_the_server() {
    let gate = Gate::start();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    let id = gate.stage().await;
    for status in ["404 Not Found", "522 Connection Timed Out"] {
        let spoilt =
            Spoilt { call: "GET /api/v1/requests/", after: 1, times: 2, status, arrives: false };
        let gateway = Gateway::to(&gate.server.url, spoilt).await;
        let arguments = ["wait", &id, "--timeout", "10"];
        let said = Said::by(started(gate.as_agent_at(&gateway.url, KEY, &arguments))).await;
        assert_eq!(said.code, Some(19), "{said:?}");
        assert!(said.err.contains("trying again") && gateway.seen() > 3, "{said:?}");
        assert!(said.out.contains("pending"), "it is asked once more: {said:?}");
    }
    person.approve(&id).await;
    // Where the pages do not end, that is a server which is away.
    let status = "404 Not Found";
    let spoilt = Spoilt {
        call: "GET /api/v1/requests?",
        after: 0,
        times: usize::MAX,
        status,
        arrives: false,
    };
    let gateway = Gateway::to(&gate.server.url, spoilt).await;
    let before = Instant::now();
    let arguments = ["list", "--state", "pending"];
    let said = Said::by(started(gate.as_agent_at(&gateway.url, KEY, &arguments))).await;
    assert_eq!(said.code, Some(21), "{said:?}");
    assert!(said.err.contains("404") && said.err.contains("is it Countersign?"), "{said:?}");
    assert!(before.elapsed() < Duration::from_secs(20), "a wrong address is said at once");
    assert_eq!(gateway.seen(), 1);
}

#[tokio::test]
async fn i1_what_was_over_before_a_run_is_not_what_that_run_has_staged() {
    let gate = Gate::start();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    let example = gate.example();
    let stage = ["stage", "-f", &example, "--wait", "--timeout", "0"];
    for verdict in ["deny", "withdraw"] {
        let staged = done(gate.as_agent(KEY, &["stage", "-f", &example, "--json"])).json();
        let id = text(&staged["id"]);
        match verdict {
            "deny" => person.review(&id, "deny", "not today").await,
            _ => assert_eq!(done(gate.as_agent(KEY, &["withdraw", &id])).code, Some(0)),
        }
        // The `Date` of an answer has whole seconds.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        let proxy = Proxy::to(&gate.server.url, "POST /api/v1/requests", 1).await;
        let said = Said::by(started(gate.as_agent_at(&proxy.url, KEY, &stage))).await;
        assert_eq!(proxy.lost(), 1);
        assert_eq!(said.code, Some(19), "people are asked again: {said:?}");
        assert!(!said.out.contains(&id), "{said:?}");
        let now = gate.staged_by(KEY, "vendor.key_extend").await;
        assert_eq!(done(gate.as_agent(KEY, &["withdraw", &now])).code, Some(0));
    }
}

#[tokio::test]
async fn what_a_run_has_staged_and_people_denied_before_it_heard_of_it_is_denied() {
    let gate = Gate::start();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    let before = gate.requests(KEY).len();
    let proxy = Proxy::to(&gate.server.url, "POST /api/v1/requests", 5).await;
    let example = gate.example();
    let stage = gate.as_agent_at(&proxy.url, KEY, &["stage", "-f", &example, "--wait"]);
    let stage = started(stage);
    let id = gate.staged_by(KEY, "vendor.key_extend").await;
    person.review(&id, "deny", "not today").await;
    assert!(proxy.lost() < 5, "it has not heard of it yet");
    let said = Said::by(stage).await;
    assert_eq!(said.code, Some(10), "{said:?}");
    assert_eq!(gate.requests(KEY).len(), before + 1, "people are not asked again");
}
