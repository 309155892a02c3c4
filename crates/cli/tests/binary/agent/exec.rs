//! `exec`, from the command line to the report.

mod away;
mod reading;
mod trouble;

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::Value;

use super::{Said, done, started};
use crate::backup::Gate;
use crate::people::Person;
use crate::text;

/// The agent that stages and redeems `vendor.key_extend` itself.
const KEY: &str = "agent_key";
const KIND: &str = "vendor.key_extend";

/// What the kind asks for, beside the command.
const LINE: [&str; 24] = [
    "exec",
    "--kind",
    KIND,
    "--environment",
    "staging",
    "--target",
    "mailgrid/keys/MG-0402",
    "--param",
    "vendor=mailgrid",
    "--param",
    "key_id=MG-0402",
    "--param",
    "extend_days=7",
    "--param",
    "remaining_minutes=2160",
    "--param",
    "extension_count=0",
    "--param",
    "scopes=templates:read",
    "--param",
    "reason=rotation_blocked",
    "--evidence",
    "key_metadata=key.json",
    "--evidence=usage_log.txt",
];

struct House {
    gate: Gate,
    person: Person,
}

impl House {
    async fn start() -> Self {
        let gate = Gate::start();
        std::fs::write(gate.path("key.json"), "{\"key_id\": \"MG-0402\"}").unwrap();
        std::fs::write(gate.path("usage_log.txt"), "319 calls\n").unwrap();
        std::fs::write(gate.path("rollback.md"), "# Back\n\n1. expire the key\n").unwrap();
        let person = Person::sign_in(&gate.server.url, &gate.handout, "approver").await;
        Self { gate, person }
    }

    fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.gate.path(name);
        std::fs::write(&path, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
        path
    }

    fn line(&self, options: &[&str], command: &[&str]) -> Command {
        self.line_at(&self.gate.server.url, options, command)
    }

    fn line_at(&self, url: &str, options: &[&str], command: &[&str]) -> Command {
        let plan: &[&str] =
            if options.contains(&"--rollback-exec") { &[] } else { &["--rollback", "rollback.md"] };
        let arguments = [&LINE[..], plan, options, &["--"], command].concat();
        self.gate.as_agent_at(url, KEY, &arguments)
    }

    fn exec(&self, options: &[&str], command: &[&str]) -> Child {
        started(self.line(options, command))
    }

    async fn staged(&self) -> String {
        self.gate.staged_by(KEY, KIND).await
    }

    fn request(&self, id: &str) -> Value {
        done(self.gate.as_agent(KEY, &["show", id, "--json"])).json()
    }

    async fn page(&self, id: &str) -> String {
        self.person.page(&format!("/requests/{id}")).await
    }

    /// Opens a piece of evidence by its button.
    async fn open(&self, id: &str, page: &str, name: &str) {
        let mut forms = page.split("<form").skip(1);
        let form = forms.find(|form| form.contains("/open\"") && form.contains(name));
        let form = form.unwrap_or_else(|| panic!("{id} has no {name} to open"));
        let action = form.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        self.person.post(action, &[]).await;
    }
}

/// Waits until a file is there, and gives what it says.
async fn written(path: &Path) -> String {
    for _ in 0..800 {
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text,
            _ => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
    panic!("{} is never written", path.display());
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn kill(pid: u32, signal: &str) {
    let pid = pid.to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

#[tokio::test]
async fn i4_what_runs_is_what_was_approved_and_its_end_is_reported() {
    let house = House::start().await;
    let script = house.script(
        "größer als.sh",
        "#!/bin/sh\nprintf '[%s]' \"$@\"\necho\necho to stderr >&2\n\
         test \"$COUNTERSIGN_EXECUTABLE\" = \"$PWD/größer als.sh\" || exit 9\n\
         echo \"$SHOWN $PASSED $UNSEEN $COUNTERSIGN_KEY $COUNTERSIGN_RELEASE_TOKEN\"\nexit 3\n",
    );
    let odd = ["two words", "", "$(id)", "日本", "-x"];
    let command = [&["./größer als.sh"][..], &odd].concat();
    let options = ["--env", "SHOWN=seen", "--pass-env", "PASSED", "--justification", "because"];
    let mut line = house.line(&options, &command);
    line.env("PASSED", "hidden-value").env("UNSEEN", "unseen-value");
    let exec = started(line);
    let id = house.staged().await;
    let page = house.page(&id).await;
    for part in ["hidden-value", "unseen-value"] {
        assert!(!page.contains(part), "{part}");
    }
    let digest = domain_digest(&script);
    let path = script.display().to_string();
    for part in ["two words", "$(id)", "日本", "SHOWN", "seen", "PASSED", &digest, &path, "because"]
    {
        assert!(page.contains(part), "{part} is not on the page");
    }
    house.person.approve(&id).await;
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.out.starts_with("[two words][][$(id)][日本][-x]\nseen hidden-value   eyJ"),
        "{said:?}"
    );
    assert!(said.err.contains("to stderr"), "{said:?}");
    assert_eq!(house.request(&id)["state"], "failed");
    let page = house.page(&id).await;
    assert!(page.contains("Exit code 3"), "the report is on the page");
    assert!(!page.contains("to stderr"), "what it printed is evidence: closed until it is opened");
    house.open(&id, &page, "output.txt").await;
    let page = house.page(&id).await;
    assert!(page.contains("to stderr") && page.contains("[release token]"), "and the output's end");
    assert!(!page.contains("eyJ"), "but no token");

    // The same line again is another execution: the first one is over.
    let again = house.exec(&options, &command);
    assert_ne!(house.staged().await, id);
    kill(again.id(), "-INT");
    let again = Said::by(again).await;
    assert_eq!(again.code, Some(130), "{again:?}");
    assert!(again.err.contains("the same command line goes on"), "{again:?}");
}

/// SHA-256, as another program has it.
fn domain_digest(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .trim_start_matches('\\')
        .to_owned()
}

#[tokio::test]
async fn i1_what_is_denied_or_expires_does_not_run() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\necho ran > ran\n");
    let exec = house.exec(&[], &["./act.sh"]);
    let id = house.staged().await;
    house.person.review(&id, "deny", "not today").await;
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(10), "{said:?}");
    assert!(said.err.contains("not today"), "{said:?}");

    // Changes that are asked for are made by running the line again with them.
    let exec = house.exec(&["--timeout", "60"], &["./act.sh"]);
    let id = house.staged().await;
    house.person.review(&id, "request_changes", "say why").await;
    assert_eq!(Said::by(exec).await.code, Some(15));
    let exec = house.exec(&["--justification", "the successor is late"], &["./act.sh"]);
    assert_eq!(house.staged().await, id);
    assert_eq!(house.request(&id)["revision"], 2);
    let withdraw = done(house.gate.as_agent(KEY, &["withdraw", &id]));
    assert_eq!(withdraw.code, Some(0), "{withdraw:?}");
    assert_eq!(Said::by(exec).await.code, Some(12));
    assert!(!house.gate.path("ran").exists());
}

#[tokio::test]
async fn e09_what_was_replaced_after_the_approval_does_not_run() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\necho ran > ran\n");
    let exec = house.exec(&[], &["./act.sh"]);
    let id = house.staged().await;
    house.script("act.sh", "#!/bin/sh\necho another > ran\n");
    house.person.approve(&id).await;
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(22), "{said:?}");
    assert!(said.err.contains("is not what was approved"), "{said:?}");
    assert_eq!(house.request(&id)["state"], "approved", "the release is not spent");
    assert!(!house.gate.path("ran").exists());
    // What was approved is put back: it runs.
    house.script("act.sh", "#!/bin/sh\necho ran > ran\n");
    let said = Said::by(house.exec(&[], &["./act.sh"])).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(house.request(&id)["state"], "succeeded");
}

#[tokio::test]
async fn i4_a_line_that_asks_for_more_after_the_approval_gets_what_was_approved() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\necho \"[$FIRST][$SECOND]\"\n");
    let line = |options: &[&str]| {
        let mut line = house.line(options, &["./act.sh"]);
        line.env("FIRST", "one").env("SECOND", "two");
        started(line)
    };
    let exec = line(&["--pass-env", "FIRST", "--timeout", "0"]);
    let id = house.staged().await;
    assert_eq!(Said::by(exec).await.code, Some(19));
    house.person.approve(&id).await;
    let said = Said::by(line(&["--pass-env", "FIRST", "--pass-env", "SECOND"])).await;
    assert_eq!((said.code, said.out.as_str()), (Some(0), "[one][]\n"), "{said:?}");
    assert!(said.err.contains("what counts is what was decided"), "{said:?}");
}

#[tokio::test]
async fn i4_what_something_else_amended_does_not_run() {
    let house = House::start().await;
    house.script("act.sh", "#!/bin/sh\necho ran > ran\n");
    let exec = house.exec(&[], &["./act.sh"]);
    let id = house.staged().await;
    let amended = std::fs::read(house.gate.example()).unwrap();
    let answer = crate::client()
        .post(format!("{}/api/v1/requests/{id}/revisions", house.gate.server.url))
        .bearer_auth(text(&house.gate.handout[KEY]))
        .header("content-type", "application/json")
        .body(amended);
    assert_eq!(answer.send().await.unwrap().status(), 201);
    house.person.approve(&id).await;
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(22), "{said:?}");
    assert!(said.err.contains("was amended by something else"), "{said:?}");
    assert_eq!(house.request(&id)["state"], "approved");
    assert!(!house.gate.path("ran").exists());
}

#[tokio::test]
async fn a_halt_stops_the_command_and_runs_the_approved_rollback() {
    let house = House::start().await;
    let stubborn = "#!/bin/sh\ntrap 'echo asked >> heard' TERM\necho $$ > started\n\
                    while :; do sleep 0.1; done\n";
    house.script("act.sh", stubborn);
    house.script(
        "back.sh",
        "#!/bin/sh\necho \"back $1 ${COUNTERSIGN_RELEASE_TOKEN-none}\" > undone\n",
    );
    let options = ["--grace", "1", "--rollback-exec", "./back.sh 'two words'"];
    let exec = house.exec(&options, &["./act.sh"]);
    let id = house.staged().await;
    house.person.approve(&id).await;
    let pid = written(&house.gate.path("started")).await;
    house.person.post(&format!("/requests/{id}/halt"), &[("reason", "it is wrong")]).await;
    let said = Said::by(exec).await;
    assert_eq!(said.code, Some(16), "{said:?}");
    assert!(said.err.contains("killed"), "{said:?}");
    assert_eq!(written(&house.gate.path("heard")).await.lines().next(), Some("asked"));
    assert_eq!(written(&house.gate.path("undone")).await, "back two words none\n");
    assert_eq!(house.request(&id)["state"], "rolled_back");
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "it is gone");
}

#[tokio::test]
async fn signals_reach_the_command_and_a_failure_is_undone_where_that_is_wanted() {
    let house = House::start().await;
    let patient = "#!/bin/sh\ntrap 'echo terminated; exit 7' TERM\necho up > started\n\
                   while :; do sleep 0.1; done\n";
    house.script("act.sh", patient);
    let back = ["--rollback-exec", "sh -c 'echo undone > undone; exit 1'", "--rollback-on-failure"];
    let exec = house.exec(&back, &["./act.sh"]);
    let id = house.staged().await;
    house.person.approve(&id).await;
    written(&house.gate.path("started")).await;
    kill(exec.id(), "-TERM");
    let said = Said::by(exec).await;
    assert_eq!((said.code, said.out.as_str()), (Some(7), "terminated\n"), "{said:?}");
    assert!(said.err.contains("the rollback failed"), "{said:?}");
    assert_eq!(written(&house.gate.path("undone")).await, "undone\n");
    assert_eq!(house.request(&id)["state"], "rollback_failed");
}

#[tokio::test]
async fn a_program_runs_like_a_script_and_reads_what_is_piped_to_it() {
    let house = House::start().await;
    let mut line = house.line(&["--withhold-output", "--json"], &["cat", "-"]);
    line.stdin(std::process::Stdio::piped());
    let mut exec = started(line);
    std::io::Write::write_all(&mut exec.stdin.take().unwrap(), b"piped\n").unwrap();
    let id = house.staged().await;
    house.person.approve(&id).await;
    let said = Said::by(exec).await;
    assert_eq!((said.code, said.out.as_str()), (Some(0), "piped\n"), "{said:?}");
    let objects: Vec<Value> =
        said.err.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let states: Vec<String> = objects.iter().map(|request| text(&request["state"])).collect();
    assert_eq!(states, ["pending", "approved", "succeeded"], "{said:?}");
    let page = house.page(&id).await;
    assert!(page.contains("Exit code 0") && !page.contains("piped"), "it is withheld");
}

#[tokio::test]
async fn what_is_missing_is_named_before_anything_is_staged() {
    let house = House::start().await;
    let before = house.gate.requests(KEY).len();
    let bare = |arguments: &[&str]| done(house.gate.as_agent(KEY, arguments));
    let said = bare(&["exec", "--kind", KIND, "--param", "vendor=m", "--", "true"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    for part in ["--param key_id=…", "such as MG-0402", "--evidence usage_log=FILE", "--rollback"]
    {
        assert!(said.err.contains(part), "{part}: {said:?}");
    }
    let unknown = bare(&["exec", "--kind", KIND, "--param", "venodr=m", "--", "true"]);
    assert!(unknown.err.contains("has no parameter `venodr`; it has: extend_days"), "{unknown:?}");
    let no_kind = bare(&["exec", "--kind", "no.such", "--", "true"]);
    assert_eq!(no_kind.code, Some(21), "{no_kind:?}");
    let absent = done(house.line(&[], &["./absent"]));
    assert_eq!(absent.code, Some(127), "{absent:?}");
    std::fs::write(house.gate.path("plain"), "echo").unwrap();
    assert_eq!(done(house.line(&[], &["./plain"])).code, Some(126));
    let key = done(house.line(&["--env", "COUNTERSIGN_KEY"], &["true"]));
    assert!(key.code == Some(1) && key.err.contains("is not passed on"), "{key:?}");
    let tried = done(house.line(&["--validate", "--json"], &["true"]));
    assert_eq!(tried.json()["requirements"][0]["group"], "approvers", "{tried:?}");
    assert_eq!(house.gate.requests(KEY).len(), before);
}

#[tokio::test]
async fn a_release_is_gated_by_one_line_and_by_its_executor_alone() {
    let house = House::start().await;
    std::fs::write(house.gate.path("plan.txt"), "Version 4.12.0 in place of 4.11.3.\n").unwrap();
    house.script("rollback.sh", "#!/bin/sh\necho \"back to the version before, of $1\"\n");
    house.script("deploy.sh", "#!/bin/sh\necho \"$1 $2\"\n");
    // As README.md and `exec --help` have it.
    let example = [
        "exec --kind deploy.release --param service=checkout --param version=4.12.0",
        "--evidence plan.txt --rollback rollback.md --rollback-exec",
    ];
    let mut line: Vec<&str> = example.iter().flat_map(|part| part.split(' ')).collect();
    let command =
        ["./rollback.sh checkout", "--timeout", "0", "--", "./deploy.sh", "checkout", "4.12.0"];
    line.extend(command);
    let before = house.gate.requests(KEY);
    let wrong = done(house.gate.as_agent(KEY, &line));
    assert_eq!(wrong.code, Some(21), "{wrong:?}");
    assert!(wrong.err.contains("`release-runner` alone"), "{wrong:?}");
    assert_eq!(house.gate.requests(KEY), before, "nothing is staged");
    let right = done(house.gate.as_agent("executor_key", &line));
    assert_eq!(right.code, Some(19), "{right:?}");
    assert_eq!(text(&house.gate.requests("executor_key")[0]["kind"]["name"]), "deploy.release");
}
