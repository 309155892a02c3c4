//! The programs under `examples/`, on a running server; and that the pages name what there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{Said, done, started};
use crate::backup::Gate;
use crate::people::Person;
use crate::{BINARY, UNLIMITED, demo_command, demo_started, run, text};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn example(name: &str) -> PathBuf {
    Path::new(ROOT).join("examples").join(name)
}

/// A program of the examples, as the agent with this key runs it.
fn program(gate: &Gate, key: &str, command: &mut Command) -> std::process::Child {
    let mut command = std::mem::replace(command, Command::new("true"));
    let beside = Path::new(BINARY).parent().unwrap().display().to_string();
    let path = format!("{beside}:{}", std::env::var("PATH").unwrap());
    command
        .env("COUNTERSIGN_URL", &gate.server.url)
        .env("COUNTERSIGN_KEY", text(&gate.handout[key]))
        .env("XDG_STATE_HOME", gate.path("state"))
        .env("PATH", path)
        .env_remove("http_proxy")
        .env("no_proxy", "localhost,127.0.0.1");
    started(command)
}

/// The Python that has `requests`; `cargo xtask test` sees to it that there is one.
fn python() -> &'static str {
    let has = |python: &&&str| {
        let imported = Command::new(python).args(["-c", "import requests"]).output();
        imported.is_ok_and(|output| output.status.success())
    };
    ["python3", "/usr/bin/python3"].iter().find(has).expect("a Python that has `requests`")
}

#[tokio::test]
async fn the_agent_in_python_acts_once_it_is_approved_and_not_once_it_is_denied() {
    let gate = Gate::start();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    for (job, verdict, code, state) in
        [("one", "approve", 0, "reported: succeeded"), ("two", "deny", 10, "denied - not today")]
    {
        let mut agent = Command::new(python());
        agent.arg(example("agent.py")).env("JOB_ID", job);
        let agent = program(&gate, "agent_key", &mut agent);
        let id = gate.staged_by("agent_key", "vendor.key_extend").await;
        person.review(&id, verdict, "not today").await;
        let said = Said::by(agent).await;
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(format!("{}{}", said.out, said.err).contains(state), "{said:?}");
    }
}

/// The Python that has the SDK of the Model Context Protocol, beside the target directory's builds.
fn python_with_sdk() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("python/bin/python3");
    assert!(python.exists(), "`cargo xtask test` makes {}", python.display());
    python
}

#[tokio::test]
async fn the_agent_over_mcp_acts_once_it_is_approved_and_not_once_it_is_denied() {
    let gate = Gate::start();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    for (mode, verdict, code, state) in [
        ("auto", "approve", 0, "reported: succeeded"),
        ("legacy", "approve", 0, "reported: succeeded"),
        ("auto", "deny", 10, "denied - not today"),
        ("legacy", "deny", 10, "denied - not today"),
    ] {
        let mut agent = Command::new(python_with_sdk());
        let job = format!("{mode} {verdict}");
        agent.arg(example("mcp_agent.py")).env("JOB_ID", job).env("MCP_MODE", mode);
        let before = gate.requests("agent_key");
        let agent = program(&gate, "agent_key", &mut agent);
        let id = gate.staged_beside("agent_key", &before).await;
        person.review(&id, verdict, "not today").await;
        let said = Said::by(agent).await;
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(format!("{}{}", said.out, said.err).contains(state), "{said:?}");
    }
}

#[tokio::test]
async fn i11_the_agent_over_mcp_that_is_started_again_goes_on_with_what_it_staged() {
    let gate = limited();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    let start = || {
        let mut agent = Command::new(python_with_sdk());
        program(&gate, "agent_key", agent.arg(example("mcp_agent.py")).env("JOB_ID", "one"))
    };
    let before = gate.requests("agent_key");
    let mut killed = start();
    let id = gate.staged_beside("agent_key", &before).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let again = start();
    person.approve(&id).await;
    let said = Said::by(again).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(gate.requests("agent_key").len(), before.len() + 1);
}

/// Whatever the filter of the log is: the release token that a tool answers is not in it, and
/// neither are the key and what was staged.
#[tokio::test]
async fn no_filter_of_the_log_shows_what_goes_over_mcp() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let database = format!("sqlite://{}", directory.path().join("demo.db").display());
    let mut demo = demo_command(directory.path(), &database);
    demo.env("RUST_LOG", "debug,rmcp=trace,rmcp::service=trace");
    demo.stderr(std::fs::File::create(&log).unwrap());
    let (server, handout) = demo_started(demo);
    let person = Person::sign_in(&server.url, &handout, "approver").await;
    let gate = Gate { server, handout, directory };
    let mut agent = Command::new(python_with_sdk());
    let agent = program(&gate, "agent_key", agent.arg(example("mcp_agent.py")));
    let id = gate.staged_by("agent_key", "vendor.key_extend").await;
    person.approve(&id).await;
    let said = Said::by(agent).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("DEBUG"), "the filter was heard: {log}");
    let key = text(&gate.handout["agent_key"]);
    for secret in ["release_token", "eyJ", &key, "Two calls an hour"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn the_first_approval_is_one_script_and_one_person() {
    let gate = limited();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    let start = || program(&gate, "agent_key", &mut Command::new(example("first-approval.sh")));
    for _ in ["once", "and again"] {
        let before = gate.requests("agent_key");
        let script = start();
        let id = gate.staged_beside("agent_key", &before).await;
        // Whoever starts it again meanwhile is told what is open.
        let hasty = Said::by(start()).await;
        assert_eq!(hasty.code, Some(1), "{hasty:?}");
        assert!(hasty.err.contains("urn:countersign:problem:duplicate"), "{hasty:?}");
        assert!(hasty.err.contains(&id), "{hasty:?}");
        person.approve(&id).await;
        let said = Said::by(script).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        let link = format!("Decide here, as a person: {}/requests/{id}", gate.server.url);
        assert!(said.out.contains(&link), "{said:?}");
        assert_eq!(gate.requests("agent_key")[0]["state"], "succeeded");
    }
}

/// The demo with the limits that everybody gets.
fn limited() -> Gate {
    let directory = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", directory.path().join("demo.db").display());
    let mut demo = demo_command(directory.path(), &database);
    for (name, _) in UNLIMITED {
        demo.env_remove(name);
    }
    let (server, handout) = demo_started(demo);
    Gate { server, handout, directory }
}

/// What the README and the demo say to paste, with the limits that everybody gets.
#[tokio::test]
async fn r01_the_printed_command_pasted_again_names_what_is_open_and_works_once_that_is_over() {
    let gate = limited();
    let paste = || {
        let output = Command::new("sh").arg("-c").arg(text(&gate.handout["example_curl"])).output();
        serde_json::from_slice::<Value>(&output.unwrap().stdout).unwrap()
    };
    let first = paste();
    assert_eq!(first["state"], "pending", "{first}");
    let again = paste();
    assert_eq!((&again["code"], &again["request"]), (&json!("duplicate"), &first["id"]));
    done(gate.as_agent("agent_key", &["withdraw", &text(&first["id"])]));
    assert_eq!(paste()["state"], "pending");
}

#[tokio::test]
async fn the_pipeline_releases_what_was_approved() {
    let gate = Gate::start();
    let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
    // It writes its evidence beside itself.
    let copy = Command::new("cp").arg("-r").arg(example("")).arg(gate.path("examples")).status();
    assert!(copy.unwrap().success());
    let mut pipeline = Command::new(gate.path("examples/pipeline.sh"));
    pipeline.args(["checkout", "4.12.0", "4.11.3"]);
    let before = gate.requests("executor_key");
    let pipeline = program(&gate, "executor_key", &mut pipeline);
    let id = gate.staged_beside("executor_key", &before).await;
    person.approve(&id).await;
    let said = Said::by(pipeline).await;
    let wanted = format!("Release checkout 4.12.0, as request {id} allows\n");
    assert_eq!((said.code, &said.out), (Some(0), &wanted), "{said:?}");
    assert_eq!(gate.requests("executor_key")[0]["state"], "succeeded");
}

/// The options of every command line of our binary in a text, but not those of what it runs.
fn options(text: &str) -> BTreeSet<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().flat_map(|line| {
        let begins = line.match_indices("countersign ").map(|(at, _)| &line[at..]);
        // Up to where the command line, or the words in a code span, are over.
        begins.filter_map(|line| line.split(" -- ").next()?.split('`').next())
    });
    let words =
        lines.flat_map(|line| line.split(|c: char| c.is_whitespace() || "|=)'\"]".contains(c)));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

#[test]
fn the_pages_and_examples_name_only_options_that_there_are() {
    let commands =
        ["stage", "wait", "show", "list", "withdraw", "evidence", "exec", "report", "kinds"];
    let mut help = String::new();
    for command in commands {
        let output = match command {
            "evidence" => run(&["evidence", "add", "--help"]),
            command => run(&[command, "--help"]),
        };
        help.push_str(&String::from_utf8(output.stdout).unwrap());
    }
    // What an administrator has to say first.
    let trust = run(&["admin", "agent", "trust", "--help"]);
    help.push_str(&String::from_utf8(trust.stdout).unwrap());
    let there: BTreeSet<String> = help
        .split(|c: char| !(c.is_ascii_lowercase() || c == '-'))
        .filter(|word| word.starts_with("--"))
        .map(str::to_owned)
        .collect();
    let job = std::fs::read_to_string(example("kubernetes-job.yaml")).unwrap();
    // A list of arguments as one line, without their values.
    let arguments =
        job.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split('=').next());
    let job: Vec<&str> = arguments.collect();
    let mut texts = vec![format!("countersign {}", job.join(" "))];
    for page in ["examples/pipeline.sh", "examples/github-actions.yml", "docs/agents.md"] {
        texts.push(std::fs::read_to_string(Path::new(ROOT).join(page)).unwrap());
    }
    for text in texts {
        let named = options(&text);
        assert!(named.len() > 5, "{named:?}");
        let unknown: Vec<_> = named.difference(&there).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
