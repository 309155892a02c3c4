//! Node.js for the browser suite: the machine's, Debian's, or one from the npm registry.
//!
//! Debian's may be older than the test driver allows. npm carries Node.js itself as a package, so a
//! newer one is put below `target/`, for the tests alone; the machine's stays as it is.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;
use crate::{debian, process};

/// The oldest major version that playwright-core and the test files run on.
const OLDEST: u32 = 20;

/// The package that is put below `target/` where the machine's is older.
const PACKAGE: &str = "node@20";

/// Finds or installs Node.js and npm and returns the `PATH` that has them.
///
/// # Errors
/// When they cannot be had here.
pub fn ensure_path(workspace: &Workspace) -> Result<OsString> {
    if [version("node"), version("npm")].contains(&None) {
        debian::install(&["nodejs", "npm"], "Node.js")?;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = version("node").context("Node.js was installed but does not start")?;
    if is_new_enough(&found) {
        return Ok(path);
    }
    let place = workspace.path("target/node");
    let directory = place.join("node_modules/node/bin");
    let node = directory.join("node").into_os_string();
    if version(&node).is_none() {
        eprintln!(
            "  Node.js {} is too old for the tests: installing {PACKAGE} below target/",
            found.trim()
        );
        let mut npm = workspace.command("npm", &["install", "--no-audit", "--no-fund", "--prefix"]);
        process::run(npm.arg(&place).arg(PACKAGE)).context("cannot install a newer Node.js")?;
    }
    ensure!(version(&node).is_some_and(|found| is_new_enough(&found)), "{PACKAGE} does not start");
    let directories = std::iter::once(directory).chain(env::split_paths(&path));
    env::join_paths(directories.collect::<Vec<PathBuf>>()).context("cannot use PATH")
}

fn version(program: impl Into<OsString>) -> Option<String> {
    process::ask(Command::new(program.into()).arg("--version"))
}

/// Reads what `node --version` prints: `v20.20.2`.
fn is_new_enough(version: &str) -> bool {
    let major = version.trim().trim_start_matches('v').split('.').next();
    major.and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, expected) in [
            ("v18.20.4\n", false),
            ("v9.1.0", false),
            ("v20.0.0\n", true),
            ("v100.1", true),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version}");
        }
    }
}
