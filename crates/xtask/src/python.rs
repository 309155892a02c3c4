//! Python for the examples of agents, which run in the tests: with `requests`, and with the SDK of
//! the Model Context Protocol.

use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{debian, process};

/// Which Python has it: the one of the path, or Debian's own.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

/// The SDK that the example is written for. What it needs is taken as it is new.
const SDK: (&str, &str) = ("mcp", "2.3.0");

/// Makes sure that a Python has `requests`, and that the environment of the tests has the SDK.
///
/// # Errors
/// When one is missing and cannot be installed.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    ensure_requests()?;
    ensure_sdk(workspace)
}

fn ensure_requests() -> Result<()> {
    let has = |python: &&str| process::ask(Command::new(python).args(["-c", "import requests"]));
    if PYTHONS.iter().any(|python| has(python).is_some()) {
        return Ok(());
    }
    debian::install(&["python3", "python3-requests"], "Python with requests")
}

/// Debian has no package of the SDK: it comes from PyPI, into an environment below `target/`.
fn ensure_sdk(workspace: &Workspace) -> Result<()> {
    let environment = workspace.python();
    let python = environment.join("bin/python3");
    let (name, version) = SDK;
    let asked = format!("from importlib.metadata import version; print(version('{name}'))");
    let installed = process::ask(Command::new(&python).args(["-c", &asked]));
    if installed.is_some_and(|found| found.trim() == version) {
        return Ok(());
    }
    let makes = |python: &&str| process::ask(Command::new(python).args(["-c", "import ensurepip"]));
    if !PYTHONS.iter().any(|python| makes(python).is_some()) {
        debian::install(&["python3", "python3-venv"], "Python with venv")?;
    }
    let maker = PYTHONS.iter().find(|python| makes(python).is_some());
    let maker = maker.context("no Python here can make an environment: it lacks `ensurepip`")?;
    let wanted = format!("{name}=={version}");
    eprintln!("  installing {wanted} into {}", workspace.relative(&environment));
    process::run(Command::new(maker).args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &wanted]);
    process::run(&mut pip).with_context(|| format!("cannot install {wanted} from PyPI"))
}
