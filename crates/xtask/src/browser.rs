//! The browser suites: Chromium and Node.js installed where missing, then a script of `end2end/`.

mod node;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;
use crate::{debian, process};

/// Where Debian puts its browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// The program that lends a browser test a database.
const LENDER: &str = "lend_postgres";

/// Runs a script of `end2end/package.json` against `binary`.
///
/// # Errors
/// When something they need cannot be had, or a test fails.
pub fn run(workspace: &Workspace, binary: &Path, script: &str, filter: Option<&str>) -> Result<()> {
    let directory = workspace.path("end2end");
    ensure!(directory.join("package.json").exists(), "end2end/package.json is missing");
    let chromium = find_chromium()?;
    let path = node::ensure_path(workspace)?;
    if !is_installed(&directory) {
        eprintln!("  installing what end2end/package-lock.json names");
        let mut npm = workspace.command("npm", &["ci", "--no-audit", "--no-fund"]);
        process::run(npm.current_dir(&directory).env("PATH", &path))
            .context("cannot install the test driver")?;
    }
    let mut npm = workspace.command("npm", &["run", script]);
    npm.current_dir(&directory)
        .env("PATH", path)
        .env("COUNTERSIGN_BIN", binary)
        .env("COUNTERSIGN_LEND_POSTGRES", workspace.test_program(LENDER))
        .env("CHROMIUM", chromium);
    if let Some(filter) = filter {
        npm.env("E2E_FILTER", filter);
    }
    process::run(&mut npm)
}

/// The browser that `CHROMIUM` names, or Debian's, installed if need be.
fn find_chromium() -> Result<PathBuf> {
    if let Some(chosen) = env::var_os("CHROMIUM").map(PathBuf::from) {
        ensure!(chosen.exists(), "CHROMIUM names {}, which does not exist", chosen.display());
        return Ok(chosen);
    }
    let chromium = PathBuf::from(CHROMIUM);
    if !chromium.exists() {
        debian::install(&["chromium"], "the Chromium browser")?;
    }
    Ok(chromium)
}

/// Tells whether `node_modules` is at least as new as the lock file; npm leaves a copy of it there.
fn is_installed(directory: &Path) -> bool {
    let modified = |path: &str| fs::metadata(directory.join(path)).and_then(|file| file.modified());
    match (modified("node_modules/.package-lock.json"), modified("package-lock.json")) {
        (Ok(installed), Ok(locked)) => installed >= locked,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::*;

    fn write(directory: &Path, name: &str, age_seconds: u64) {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = File::create(path).unwrap();
        let base = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        file.set_modified(base - Duration::from_secs(age_seconds)).unwrap();
    }

    #[test]
    fn the_driver_is_installed_again_when_its_lock_file_is_newer() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "package-lock.json", 50);
        assert!(!is_installed(root.path()), "nothing is installed yet");
        write(root.path(), "node_modules/.package-lock.json", 10);
        assert!(is_installed(root.path()));
        write(root.path(), "package-lock.json", 5);
        assert!(!is_installed(root.path()), "the lock file is newer");
    }

    #[test]
    fn without_tests_the_suite_fails() {
        let root = tempfile::tempdir().unwrap();
        let error =
            run(&Workspace::at(root.path()), Path::new("binary"), "test", None).unwrap_err();
        assert_eq!(error.to_string(), "end2end/package.json is missing");
    }
}
