//! `countersign admin`, as people use it from a terminal or a script, on a running server.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::{BINARY, Server, demo, run, text};

/// A running demo, and somebody's password.
struct House {
    _server: Server,
    directory: tempfile::TempDir,
    url: String,
    password: PathBuf,
}

fn house() -> House {
    let directory = tempfile::tempdir().unwrap();
    let (server, handout) = demo(directory.path());
    let password = directory.path().join("password");
    std::fs::write(&password, format!("{}\n", text(&handout["password"]))).unwrap();
    House { url: server.url.clone(), _server: server, directory, password }
}

impl House {
    fn admin(&self, person: &str, arguments: &[&str]) -> Output {
        Command::new(BINARY)
            .arg("admin")
            .args(arguments)
            .args(["--url", &self.url, "--as", person, "--password-file"])
            .arg(&self.password)
            // A password in the clear goes through no proxy: through this one it would get nowhere.
            .env("http_proxy", "http://127.0.0.1:1")
            .output()
            .unwrap()
    }

    fn told(&self, arguments: &[&str]) -> String {
        let output = self.admin("Ada Lind", arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.told(&[arguments, &["--json"]].concat())).unwrap()
    }

    fn refused(&self, person: &str, arguments: &[&str]) -> String {
        let output = self.admin(person, arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn file(&self, text: &str) -> String {
        let path = self.directory.path().join("draft");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

#[test]
fn a_kind_a_policy_and_a_group_are_put_before_a_second_administrator() {
    let house = house();
    let kind = house.told(&["kind", "show", "vendor.key_extend"]);
    let file =
        house.file(&kind.replace("Extension of a vendor key", "Longer life for a vendor key"));
    let put = house.json(&["kind", "put", &file, "--reason", "a clearer title"]);
    assert_eq!(put["applied"], false);
    assert!(text(&put["review_url"]).ends_with(&text(&put["request"])));

    let policy = house.told(&["policy", "show"]);
    let file = house.file(&policy.replace("@why(\"", "@why(\"as agreed: "));
    let tried = house.told(&["policy", "try", &file]);
    assert!(tried.starts_with("Held against the newest "), "{tried}");
    let put = house.told(&["policy", "put", &file, "--reason", "say where it comes from"]);
    assert!(put.starts_with("It waits for another administrator: "), "{put}");
    assert_eq!(house.told(&["policy", "show"]), policy, "nothing holds before that");

    let add = ["group", "add", "approvers", "Tom Beck", "--reason", "more hands"];
    assert!(house.told(&add).starts_with("It waits for another administrator: "));
    let groups = house.told(&["group", "list"]);
    assert!(!groups.contains("Tom Beck"), "{groups}");
}

#[test]
fn what_is_wrong_with_a_draft_is_said_by_line_and_field() {
    let house = house();
    let kind = house.told(&["kind", "show", "vendor.key_extend"]);
    let file = house.file(&kind.replace("\"base_risk\": \"", "\"base_risk\": \"very "));
    let error = house.refused("Ada Lind", &["kind", "put", &file, "--reason", "try it"]);
    assert!(error.contains("base_risk"), "{error}");

    let file = house.file("permit (principal, action == Action::\"Review\", resource);\nforbid (");
    let error = house.refused("Ada Lind", &["policy", "put", &file, "--reason", "try it"]);
    assert!(error.contains("line 2"), "{error}");
    let error =
        house.refused("Ada Lind", &["policy", "put", "nowhere.cedar", "--reason", "try it"]);
    assert!(error.contains("cannot read `nowhere.cedar`"), "{error}");
}

#[test]
fn people_and_agents_come_and_go_by_name() {
    let house = house();
    let added = house.json(&["user", "add", "Ned New", "--group", "approvers"]);
    assert!(text(&added["value"]).contains("/sign-in/link/"));
    assert!(text(&added["explanation"]).contains("another administrator"), "{added}");
    house.told(&["user", "disable", "Ned New"]);
    let listed = house.told(&["user", "list"]);
    let ned = listed.lines().find(|line| line.starts_with("Ned New")).unwrap();
    assert!(ned.ends_with("disabled"), "{listed}");

    house.told(&["agent", "add", "nightly", "--owner", "Tom Beck"]);
    let key = house.told(&["agent", "rotate", "nightly"]);
    assert!(key.lines().any(|line| line.starts_with("csn_agt_")), "{key}");
    house.told(&["agent", "rotate", "nightly", "--revoke-old"]);
    let agents = house.json(&["agent", "list"]);
    let agents = agents["agents"].as_array().unwrap();
    let nightly = agents.iter().find(|row| row["agent"]["name"] == "nightly").unwrap();
    let keys = nightly["keys"].as_array().unwrap();
    let living = keys.iter().filter(|key| key["live"] == true).count();
    assert_eq!((keys.len(), living), (2, 1));
    let error = house.refused("Ada Lind", &["user", "disable", "Nobody"]);
    assert!(error.contains("there is no person `Nobody`; there is: Ada Lind"), "{error}");
}

#[test]
fn a_freeze_begins_and_ends_with_a_reason() {
    let house = house();
    let start = ["freeze", "start", "--environment", "production", "--reason", "an incident"];
    house.told(&start);
    let list = house.json(&["freeze", "list"]);
    let freeze = &list["freezes"][0];
    assert_eq!(freeze["scope"]["environment"], "production");
    let id = text(&freeze["id"]);
    house.told(&["freeze", "end", &id, "--reason", "it is over"]);
    let error = house.refused("Ada Lind", &["freeze", "end", &id, "--reason", "again"]);
    assert!(error.contains("ended"), "{error}");
    assert_eq!(house.json(&["freeze", "list"])["freezes"], serde_json::json!([]));
    let error = house.refused("Ada Lind", &["freeze", "start", "--all", "--reason", ""]);
    assert!(error.contains("Say why"), "{error}");
}

#[test]
fn an_endpoint_is_added_told_rotated_and_removed_by_name() {
    let house = house();
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", receiver.local_addr().unwrap());
    let added = house.json(&["webhook", "add", "bridge", &url, "--event", "freeze.started"]);
    let secret = text(&added["value"]);
    assert!(secret.starts_with("whsec_"), "{added}");
    house.told(&["freeze", "start", "--all", "--reason", "an incident"]);
    let (mut stream, _) = receiver.accept().unwrap();
    let mut request = String::new();
    while !request.contains("/freezes\"}}") {
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).unwrap();
        assert!(length > 0, "{request}");
        request += std::str::from_utf8(&bytes[..length]).unwrap();
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\"type\":\"freeze.started\""), "{request}");

    let rotated = house.told(&["webhook", "rotate", "bridge"]);
    assert!(rotated.contains("whsec_") && !rotated.contains(&secret), "{rotated}");
    let shown = house.told(&["webhook", "show", "bridge"]);
    assert!(shown.contains("freeze.started"), "{shown}");
    let inner = ["webhook", "add", "inner", "https://10.0.0.1/"];
    let error = house.refused("Ada Lind", &inner);
    assert!(error.contains("not public"), "{error}");
    house.told(&["webhook", "remove", "bridge"]);
    assert_eq!(house.json(&["webhook", "list"])["webhooks"], serde_json::json!([]));
    let error = house.refused("Ada Lind", &["webhook", "replay", "bridge"]);
    assert!(error.contains("there is no endpoint `bridge`"), "{error}");
}

#[test]
fn i9_who_may_not_in_the_browser_may_not_from_a_terminal() {
    let house = house();
    let error = house.refused("Mia Okafor", &["agent", "add", "mine", "--owner", "Mia Okafor"]);
    assert!(error.contains("Only administrators change this."), "{error}");
    std::fs::write(&house.password, "not the password").unwrap();
    let error = house.refused("Ada Lind", &["user", "list"]);
    assert!(error.contains("cannot sign in: The name or the password is wrong."), "{error}");
    let clear = run(&["admin", "user", "list", "--url", "http://gate.example", "--as", "Ada Lind"]);
    let error = String::from_utf8(clear.stderr).unwrap();
    assert!(error.contains("in the clear"), "{error}");
}
