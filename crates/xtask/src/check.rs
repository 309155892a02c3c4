//! `check`: everything that can be said about the sources without running the product.
//!
//! Every check runs, whatever became of the ones before it, and each has a line in the summary.

mod edges;
mod licences;
mod lints;
mod source;

use anyhow::{Result, bail};

use crate::process;
use crate::progress::Steps;
use crate::summary::Summary;
use crate::workspace::Workspace;

type Check = fn(&Workspace) -> Result<()>;

/// The checks in the order in which they run: the lock file before anything could rewrite it, then
/// the quick ones first.
const CHECKS: [(&str, Check); 8] = [
    ("lock file", lock_file),
    ("format", lints::format),
    ("crate edges", edges::check),
    ("licences", licences::check),
    ("source rules", source::check),
    ("lints, native", lints::native),
    ("lints, WASM", lints::wasm),
    ("documentation", lints::documentation),
];

/// Runs every check and tells whether all of them passed.
///
/// # Errors
/// Never for a finding; those are in the summary.
pub fn run(workspace: &Workspace) -> Result<bool> {
    let mut steps = Steps::new(CHECKS.len());
    let mut summary = Summary::new("check");
    for (name, check) in CHECKS {
        steps.announce(name);
        summary.record(name, || check(workspace));
    }
    summary.print();
    Ok(summary.passed())
}

/// Demands that `Cargo.lock` fits the manifests, so that everybody builds the same thing.
fn lock_file(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo(&["metadata", "--locked", "--format-version", "1"]);
    match process::ask(&mut cargo) {
        Some(_) => Ok(()),
        None => bail!("Cargo.lock does not fit the manifests; build once and commit it"),
    }
}

/// Turns findings into one error that lists them, one a line.
fn report(findings: &[String]) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{} found\n{}", findings.len(), findings.join("\n"));
}
