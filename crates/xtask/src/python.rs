//! Python with `requests`: the example of an agent runs on it, in the tests.

use std::process::Command;

use anyhow::Result;

use crate::{debian, process};

/// Which Python has it: the one of the path, or Debian's own.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

/// Makes sure that one is there.
///
/// # Errors
/// When it is missing and cannot be installed.
pub fn ensure() -> Result<()> {
    let has = |python: &&str| process::ask(Command::new(python).args(["-c", "import requests"]));
    if PYTHONS.iter().any(|python| has(python).is_some()) {
        return Ok(());
    }
    debian::install(&["python3", "python3-requests"], "Python with requests")
}
