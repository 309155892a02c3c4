//! `test`: builds the product and runs every suite on it.
//!
//! The rule that must hold: every suite has a line in the summary, and one that could not run has
//! failed. A suite is left out only when the command line says so, and then the summary says so too.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use crate::progress::Steps;
use crate::workspace::Workspace;
use crate::{browser, build, faults, postgres, process, python, summary};

/// A set of tests that runs as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Tests of the task runner itself.
    Xtask,
    /// Unit and integration tests of every crate of the product but the frontend.
    Native,
    /// The tests of the whole server once more, on PostgreSQL; the proofs on two servers.
    Postgres,
    /// The examples in the documentation of those crates.
    Doc,
    /// Tests in Chromium against the real binary.
    Browser,
    /// Those of them that walk through the gate once more, on PostgreSQL.
    BrowserPostgres,
}

/// All suites, in the order in which they run.
const SUITES: [Suite; 6] = [
    Suite::Xtask,
    Suite::Native,
    Suite::Postgres,
    Suite::Doc,
    Suite::Browser,
    Suite::BrowserPostgres,
];

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Self::Xtask => "task runner tests",
            Self::Native => "native tests",
            Self::Postgres => "server tests on PostgreSQL",
            Self::Doc => "documentation tests",
            Self::Browser => "browser tests",
            Self::BrowserPostgres => "browser tests on PostgreSQL",
        }
    }

    fn run(self, workspace: &Workspace, binary: &Path, filter: Option<&str>) -> Result<()> {
        match self {
            Self::Xtask => {
                let mut cargo = workspace.cargo(runner(workspace));
                process::run(with_filter(cargo.args(["--package", "xtask"]), filter))
            }
            Self::Native => {
                postgres::ensure()?;
                python::ensure(workspace)?;
                faults::ensure()?;
                process::run(with_filter(&mut workspace.product(runner(workspace)), filter))
            }
            Self::Postgres => {
                postgres::ensure()?;
                let mut cargo = workspace.product(runner(workspace));
                cargo.args(["--test", "http", "--test", "races", "--test", "histories"]);
                cargo.env(postgres::TEST_DATABASE, "postgres");
                process::run(with_filter(&mut cargo, filter))
            }
            Self::Doc => process::run(workspace.product(&["test", "--doc"]).args(filter)),
            Self::Browser => browser::run(workspace, binary, "test", filter),
            Self::BrowserPostgres => {
                postgres::ensure()?;
                browser::run(workspace, binary, "test:postgres", filter)
            }
        }
    }
}

/// Builds, runs the suites asked for (all, if none is named) and tells whether all of them passed.
///
/// # Errors
/// When the build fails: then no suite can run.
pub fn run(workspace: &Workspace, filter: Option<&str>, asked: &[Suite]) -> Result<bool> {
    let mut steps = Steps::new(build::STEPS + summary::count(&SUITES, asked));
    let binary = build::run(workspace, &mut steps, false)?;
    let run = |suite: Suite| suite.run(workspace, &binary, filter);
    Ok(summary::run_each("suite", (&SUITES, asked), &mut steps, Suite::name, run))
}

/// The test runner: nextest where it is installed, cargo's own otherwise.
fn runner(workspace: &Workspace) -> &'static [&'static str] {
    let nextest = process::ask(&mut workspace.cargo(&["nextest", "--version"])).is_some();
    if nextest { &["nextest", "run"] } else { &["test"] }
}

/// Narrows a run. One without a filter must find tests; with one, a suite may have none of that name.
fn with_filter<'a>(cargo: &'a mut Command, filter: Option<&str>) -> &'a mut Command {
    let is_nextest = cargo.get_args().any(|argument| argument == "nextest");
    if filter.is_some() && is_nextest {
        cargo.arg("--no-tests=warn");
    }
    cargo.args(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(command: &Command) -> Vec<String> {
        command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn only_a_filtered_run_may_find_no_test() {
        let mut whole = Command::new("cargo");
        assert_eq!(arguments(with_filter(whole.arg("nextest"), None)), ["nextest"]);
        let mut narrowed = Command::new("cargo");
        let narrowed = arguments(with_filter(narrowed.arg("nextest"), Some("quorum")));
        assert_eq!(narrowed, ["nextest", "--no-tests=warn", "quorum"]);
        let mut plain = Command::new("cargo");
        assert_eq!(arguments(with_filter(plain.arg("test"), Some("quorum"))), ["test", "quorum"]);
    }

    #[test]
    fn every_suite_runs_unless_one_is_named() {
        for suite in Suite::value_variants() {
            assert!(SUITES.contains(suite), "{} never runs", suite.name());
        }
    }
}
