//! Calls that nobody thought of: schemathesis makes them from the API's own document and sends them
//! to the real binary, as an agent, as an auditor's program, and without a key.
//!
//! The rules that must hold: no 5xx; no status, media type, header or body that the document does
//! not have; what the document forbids is refused; no route answers without the key it asks for.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Deserializer, Value};

use crate::workspace::Workspace;
use crate::{debian, process};

/// Schemathesis and all that it stands on, pinned.
const REQUIREMENTS: &str = "crates/xtask/schemathesis.txt";
/// What is checked of every answer.
const CONFIGURATION: &str = "crates/xtask/schemathesis.toml";
/// What an agent may have at once: here as much as it likes, or most answers would be 429.
const NO_LIMITS: [&str; 7] = [
    "--agent-calls=0",
    "--agent-waits=0",
    "--agent-open-requests=0",
    "--agent-duplicates",
    "--agent-cool-down=0",
    "--agent-uploads=0",
    "--agent-upload-mib=0",
];
/// Calls for each operation and caller, in `test` and in `prove`.
pub const SHORT: &str = "15";
pub const LONG: &str = "1000";

/// A demo of its own, ended when dropped.
struct Demo {
    process: Child,
    told: Value,
}

impl Demo {
    fn start(binary: &Path) -> Result<Self> {
        let mut command = Command::new(binary);
        command.args(["demo", "--print-json", "--listen", "127.0.0.1:0"]).args(NO_LIMITS);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).env_remove("LD_LIBRARY_PATH");
        let mut process = command.spawn().context("cannot start the demo")?;
        let output = process.stdout.take().context("a demo without an output")?;
        let mut demo = Self { process, told: Value::Null };
        let first = Deserializer::from_reader(output).into_iter().next();
        demo.told = first.context("the demo ended early")?.context("the demo prints no JSON")?;
        Ok(demo)
    }

    fn text(&self, member: &str) -> Result<&str> {
        self.told[member].as_str().with_context(|| format!("the demo has no {member}"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Whatever became of it: it is gone afterwards.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Sends `examples` calls for each operation, as each caller; answers with what was looked at.
///
/// # Errors
/// When schemathesis cannot be had, or an answer is not as the document says.
pub fn run(workspace: &Workspace, binary: &Path, examples: &str) -> Result<Vec<String>> {
    let program = ensure(workspace)?;
    let demo = Demo::start(binary)?;
    let document = format!("{}/api/v1/openapi.json", demo.text("url")?);
    let (agent, auditor) = (demo.text("agent_key")?, demo.text("auditor_key")?);
    let callers = [("no key", None), ("an agent", Some(agent)), ("an auditor", Some(auditor))];
    for (who, key) in callers {
        eprintln!("  {examples} calls for each operation, as {who}");
        let mut command = workspace.command(&program.to_string_lossy(), &[]);
        command.args(["--config-file", CONFIGURATION, "run", &document]);
        command.args(["--max-examples", examples]);
        if let Some(key) = key {
            command.args(["--header", &format!("Authorization: Bearer {key}")]);
        }
        process::run(&mut command).with_context(|| format!("as {who}"))?;
    }
    Ok(callers.map(|(who, _)| format!("{examples} calls for each operation, as {who}")).into())
}

/// Installs what [`REQUIREMENTS`] names into a directory of its own; nothing where it is there.
fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let home = workspace.path("target/schemathesis");
    let (program, installed) = (home.join("bin/schemathesis"), home.join("requirements.txt"));
    let wanted = std::fs::read(workspace.path(REQUIREMENTS)).context(REQUIREMENTS)?;
    if std::fs::read(&installed).is_ok_and(|is| is == wanted) {
        return Ok(program);
    }
    let has_venv = Command::new("python3").args(["-c", "import venv, ensurepip"]).output();
    if !has_venv.is_ok_and(|answer| answer.status.success()) {
        debian::install(&["python3", "python3-venv"], "Python with venv")?;
    }
    eprintln!("  installing what {REQUIREMENTS} names");
    let home = home.to_string_lossy().into_owned();
    process::run(&mut workspace.command("python3", &["-m", "venv", "--clear", &home]))?;
    let mut pip = workspace.command(&format!("{home}/bin/pip"), &["install", "--quiet"]);
    process::run(pip.args(["--no-deps", "--requirement", REQUIREMENTS]))?;
    std::fs::write(&installed, wanted).context("cannot note what is installed")?;
    Ok(program)
}
