//! `stage --amend`: another body in the place of what is staged.

use serde_json::Value;

use super::{Said, done, started};
use crate::backup::Gate;
use crate::people::Person;
use crate::proxy::Proxy;
use crate::text;

const KEY: &str = "agent_key";

/// The example, with another number of days and other words.
fn body(gate: &Gate, name: &str, days: u32) -> String {
    changed(gate, name, |body| body["parameters"]["extend_days"] = days.into(), days)
}

/// What people read is other words; what is done is the same.
fn reworded(gate: &Gate, name: &str, days: u32) -> String {
    changed(gate, name, |_| (), days)
}

fn changed(gate: &Gate, name: &str, change: impl FnOnce(&mut Value), days: u32) -> String {
    let text = std::fs::read_to_string(gate.example()).unwrap();
    let mut body: Value = serde_json::from_str(&text).unwrap();
    change(&mut body);
    body["summary"] = format!("Extend the key by {days} days").into();
    let path = gate.path(name);
    std::fs::write(&path, body.to_string()).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn changes_that_are_asked_for_are_made_on_the_same_request() {
    let gate = Gate::start();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    let [first, second] = [("first.json", 5), ("second.json", 3)].map(|(n, d)| body(&gate, n, d));
    let wait = started(gate.as_agent(KEY, &["stage", "-f", &first, "--wait"]));
    let id = gate.staged_by(KEY, "vendor.key_extend").await;
    person.review(&id, "request_changes", "three days are enough").await;
    assert_eq!(Said::by(wait).await.code, Some(15));

    let wait = started(gate.as_agent(KEY, &["stage", "--amend", &id, "-f", &second, "--wait"]));
    assert_eq!(gate.staged_by(KEY, "vendor.key_extend").await, id);
    let again = ["stage", "--amend", &id, "-f", &second, "--json", "--idempotency-key", "k"];
    for _ in 0..2 {
        assert_eq!(done(gate.as_agent(KEY, &again)).json()["revision"], 3, "once for this key");
    }
    // What it asks for now is not what the first body says.
    let anew = done(gate.as_agent(KEY, &["stage", "-f", &first, "--json"])).json();
    assert_ne!(text(&anew["id"]), id);
    assert_eq!(done(gate.as_agent(KEY, &["withdraw", &text(&anew["id"])])).code, Some(0));
    person.approve(&id).await;
    let said = Said::by(wait).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("has revision 2"), "{said:?}");
    let late = done(gate.as_agent(KEY, &["stage", "--amend", &id, "-f", &first]));
    assert!(late.code == Some(21) && late.err.contains("cannot amend"), "{late:?}");
}

#[tokio::test]
async fn i11_what_is_amended_to_and_fro_is_what_was_said_last() {
    let gate = Gate::start();
    let [first, second] =
        [("first.json", 5), ("second.json", 3)].map(|(n, d)| reworded(&gate, n, d));
    let staged = done(gate.as_agent(KEY, &["stage", "-f", &first, "--json"])).json();
    let id = text(&staged["id"]);
    // Each answer gets lost once.
    for (file, revision) in [(&second, 2), (&first, 3), (&second, 4)] {
        let proxy = Proxy::to(&gate.server.url, "POST /api/v1/requests", 1).await;
        let amend = ["stage", "--amend", &id, "-f", file, "--json"];
        let said = Said::by(started(gate.as_agent_at(&proxy.url, KEY, &amend))).await;
        assert_eq!((said.code, &said.json()["revision"]), (Some(0), &revision.into()), "{said:?}");
        assert_eq!(proxy.lost(), 1);
    }
    let help = String::from_utf8(crate::run(&["stage", "--help"]).stdout).unwrap();
    assert!(help.contains("--amend <ID>"), "{help}");
}
