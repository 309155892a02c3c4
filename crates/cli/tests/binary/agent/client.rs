//! `stage`, `wait`, `show`, `list`, `withdraw`, `evidence add`.

use serde_json::Value;

use super::{Said, done, started};
use crate::backup::Gate;
use crate::people::Person;
use crate::proxy::Proxy;
use crate::{run, serve, text};

const KEY: &str = "agent_key";

#[test]
fn i11_a_body_that_is_staged_twice_is_one_request_for_as_long_as_that_is_open() {
    let gate = Gate::start();
    let example = gate.example();
    let json = |arguments: &[&str]| done(gate.as_agent(KEY, arguments)).json();
    let before = gate.requests(KEY);
    let tried = done(gate.as_agent(KEY, &["stage", "-f", &example, "--validate"]));
    assert!(tried.code == Some(0) && tried.out.contains("of approvers"), "{tried:?}");
    assert_eq!(gate.requests(KEY), before, "nothing is staged");
    let first = json(&["stage", "-f", &example, "--json"]);
    let again = done(gate.as_agent(KEY, &["stage", "-f", &example, "--json"]));
    assert_eq!(again.json()["id"], first["id"]);
    assert!(again.err.contains("is staged already"), "{again:?}");
    let id = text(&first["id"]);
    assert_eq!(json(&["show", &id, "--json"]), first);
    let shown = done(gate.as_agent(KEY, &["show", &id]));
    for part in ["pending", "binding_code", "review_url", "digest"] {
        let part = first[part].as_str().unwrap_or(part).to_owned();
        assert!(shown.out.contains(&part), "{part}: {shown:?}");
    }
    assert!(!shown.out.contains('\u{1b}'), "no colour but on a terminal: {shown:?}");
    let listed = json(&["list", "--state", "pending", "--json"]);
    assert!(listed["requests"].as_array().unwrap().contains(&first), "{listed}");

    assert_eq!(json(&["withdraw", &id, "--json"])["state"], "withdrawn");
    let waited = done(gate.as_agent(KEY, &["wait", &id, "--json"]));
    assert_eq!((waited.code, &waited.json()["state"]), (Some(12), &Value::from("withdrawn")));
    let anew = json(&["stage", "-f", &example, "--json"]);
    assert_ne!(anew["id"], first["id"]);
    let named = ["stage", "-f", &example, "--json", "--idempotency-key", "one"];
    assert_ne!(json(&named)["id"], anew["id"]);
    assert_eq!(json(&named)["id"], json(&named)["id"]);
}

#[tokio::test]
async fn the_exit_code_of_a_wait_is_what_people_decided() {
    let gate = Gate::start();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    let example = gate.example();
    let cases = [("approve", 0, "approved"), ("deny", 10, "denied"), ("request_changes", 15, "")];
    for (verdict, code, state) in cases {
        let wait = started(gate.as_agent(KEY, &["stage", "-f", &example, "--wait"]));
        let id = gate.staged_by(KEY, "vendor.key_extend").await;
        person.review(&id, verdict, "because of \u{1b}[31m the ticket").await;
        let said = Said::by(wait).await;
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(said.out.contains(state), "{said:?}");
        let why = said.out.contains("because of \\u{1b}[31m the ticket");
        assert_eq!(why, verdict != "approve", "g09: {said:?}");
        if verdict == "approve" {
            // It would be what the same body stands for, for as long as it may be redeemed.
            let path = format!("/requests/{id}/revoke");
            person.post(&path, &[("reason", "another one comes")]).await;
            assert_eq!(done(gate.as_agent(KEY, &["wait", &id])).code, Some(13));
        } else if verdict == "request_changes" {
            assert_eq!(done(gate.as_agent(KEY, &["withdraw", &id])).code, Some(0));
        }
    }
    let over = done(gate.as_agent(KEY, &["stage", "-f", &example, "--wait", "--timeout", "0"]));
    assert_eq!(over.code, Some(19), "{over:?}");
}

#[test]
fn what_the_server_refuses_is_said_with_field_and_limit() {
    let gate = Gate::start();
    let body = std::fs::read_to_string(gate.example()).unwrap();
    let mut value: Value = serde_json::from_str(&body).unwrap();
    let staged = |text: &str| {
        std::fs::write(gate.path("body.json"), text).unwrap();
        done(gate.as_agent(KEY, &["stage", "-f", "body.json"]))
    };
    for (pointer, wrong, limit) in [
        ("/parameters/extend_days", Value::from(400), "90"),
        ("/summary", "x".repeat(201).into(), "(limit: 200)"),
    ] {
        let right = std::mem::replace(value.pointer_mut(pointer).unwrap(), wrong);
        let said = staged(&value.to_string());
        assert_eq!(said.code, Some(21), "{said:?}");
        assert!(said.err.contains(pointer) && said.err.contains(limit), "{said:?}");
        *value.pointer_mut(pointer).unwrap() = right;
    }
    let json =
        done(gate.as_agent(KEY, &["show", "01a2056c-8d2b-7dc2-917d-36f536c1660c", "--json"]));
    assert_eq!((json.code, &json.json()["code"]), (Some(21), &Value::from("not_found")));
    let twice = staged(r#"{"kind":"a","kind":"b"}"#);
    assert_eq!(twice.code, Some(2), "{twice:?}");
    assert!(twice.err.contains("the key `kind` appears twice"), "{twice:?}");

    let foreign = done(gate.as_agent("executor_key", &["show", "no-id"]));
    assert_eq!(foreign.code, Some(2), "{foreign:?}");
    let unknown = "01a2056c-8d2b-7dc2-917d-36f536c1660c";
    let unknown = done(gate.as_agent(KEY, &["show", unknown]));
    assert!(unknown.code == Some(21) && unknown.err.contains("not yours"), "{unknown:?}");
    let auditor = done(gate.as_agent("auditor_key", &["list"]));
    assert!(auditor.code == Some(1) && auditor.err.contains("csn_agt_"), "{auditor:?}");
}

#[test]
fn a_key_is_on_no_command_line_and_leaves_this_machine_only_encrypted() {
    let gate = Gate::start();
    let key = text(&gate.handout[KEY]);
    assert_eq!(done(gate.as_agent(KEY, &["list", "--key", &key])).code, Some(2));
    let clear = done(gate.as_agent_at("http://gate.example", KEY, &["list"]));
    assert!(clear.code == Some(1) && clear.err.contains("in the clear"), "{clear:?}");
    std::fs::write(gate.path("key"), format!("{key}\n")).unwrap();
    let mut by_file = gate.as_agent(KEY, &["list", "--key-file", "key"]);
    by_file.env_remove("COUNTERSIGN_KEY");
    assert_eq!(done(by_file).code, Some(0));
    let mut none = gate.as_agent(KEY, &["list"]);
    none.env_remove("COUNTERSIGN_KEY");
    let none = done(none);
    assert!(none.code == Some(1) && none.err.contains("--key-file"), "{none:?}");
    let away = gate.as_agent_at("http://127.0.0.1:1", KEY, &["list", "--retry-for", "0"]);
    let away = done(away);
    assert!(away.code == Some(20) && away.err.contains("cannot reach"), "{away:?}");
}

#[test]
fn evidence_is_named_by_the_digest_of_its_bytes() {
    let gate = Gate::start();
    std::fs::write(gate.path("plan ü.txt"), "abc").unwrap();
    let added = done(gate.as_agent(KEY, &["evidence", "add", "plan ü.txt", "--json"])).json();
    let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(added, serde_json::json!({"digest": abc, "size_bytes": 3}));
    std::fs::write(gate.path("large"), vec![0; (10 << 20) + 1]).unwrap();
    let large = done(gate.as_agent(KEY, &["evidence", "add", "large"]));
    assert!(large.code == Some(2) && large.err.contains("10 MiB"), "{large:?}");
}

#[tokio::test]
async fn i11_a_staging_whose_answer_is_lost_is_staged_once() {
    let gate = Gate::start();
    let before = gate.requests(KEY).len();
    let proxy = Proxy::to(&gate.server.url, "POST /api/v1/requests", 2).await;
    let example = gate.example();
    let stage = gate.as_agent_at(&proxy.url, KEY, &["stage", "-f", &example, "--json"]);
    let said = Said::by(started(stage)).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("trying again"), "{said:?}");
    assert_eq!(proxy.lost(), 2);
    assert_eq!(gate.requests(KEY).len(), before + 1);
}

#[tokio::test]
async fn k05_a_wait_goes_on_over_the_kill_and_the_restart_of_the_server() {
    let mut gate = Gate::start();
    let port = gate.port();
    let id = gate.stage().await;
    let wait = started(gate.as_agent(KEY, &["wait", &id, "--json"]));
    gate.kill();
    gate.server = serve(&gate.handout, port).await;
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    person.approve(&id).await;
    let said = Said::by(wait).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.json()["state"], "approved");
}

#[test]
fn the_catalogue_has_a_body_for_every_kind_that_works_as_it_is() {
    let gate = Gate::start();
    let kinds = done(gate.as_agent(KEY, &["kinds", "--json"])).json();
    for kind in kinds["kinds"].as_array().unwrap() {
        let name = text(&kind["name"]);
        assert!(!name.starts_with("countersign."), "{name} is staged by people");
        let told = done(gate.as_agent(KEY, &["kinds", &name]));
        let parameters = kind["parameters_schema"]["properties"].as_object().unwrap();
        assert_eq!(told.out.contains("--param"), !parameters.is_empty(), "{told:?}");
        let example = done(gate.as_agent(KEY, &["kinds", &name, "--example"]));
        std::fs::write(gate.path("example.json"), &example.out).unwrap();
        let tried = done(gate.as_agent(KEY, &["stage", "-f", "example.json", "--validate"]));
        assert_eq!(tried.code, Some(0), "{name}: {tried:?}");
    }
    assert_eq!(done(gate.as_agent(KEY, &["kinds", "no.such"])).code, Some(21));
}

#[test]
fn the_shell_and_the_manual_know_every_command() {
    let directory = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("rollback-exec"), "{shell}");
    }
    let path = directory.path().join("man");
    assert!(run(&["manual", &path.display().to_string()]).status.success());
    for page in ["countersign", "countersign-exec", "countersign-evidence-add"] {
        let text = std::fs::read_to_string(path.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
    let help = String::from_utf8(run(&["exec", "--help"]).stdout).unwrap();
    assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
}
