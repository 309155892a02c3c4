//! `cargo xtask`: builds, shows, tests and checks the workspace.
//!
//! This is the whole build system: no other script knows how the parts fit together. It is not part
//! of the product, no crate depends on it, and it depends on no other crate of the workspace.
//!
//! The rule that must hold: everything said here goes to standard error, so that
//! `cargo xtask demo -- --print-json` leaves standard output to the product alone.

mod bench;
mod browser;
mod build;
mod calls;
mod check;
mod debian;
mod demo;
mod faults;
mod planted;
mod postgres;
mod process;
mod progress;
mod prove;
mod python;
mod site;
mod summary;
mod test;
mod toolchain;
mod wasm;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::progress::Steps;
use crate::prove::Proof;
use crate::test::Suite;
use crate::workspace::Workspace;

/// Build, show, test and check Countersign.
///
/// Needs a Rust toolchain and a C compiler. What else is missing (a WASM target, a browser, PostgreSQL)
/// is installed where that is possible; where it is not, the exact commands to run are printed.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the browser part, the assets and the `countersign` binary.
    ///
    /// Leaves the files that the server embeds in target/site and the binary in target/debug (or
    /// target/release). The first run takes several minutes, later ones seconds.
    Build {
        /// Build the binary optimised, into target/release.
        #[arg(long)]
        release: bool,
    },
    /// Build, then start a throwaway server with people, agents and waiting requests.
    ///
    /// Everything after `--` goes to `countersign demo`, for example
    /// `cargo xtask demo -- --listen 127.0.0.1:9000 --print-json`. Stop it with Ctrl-C.
    Demo {
        /// Arguments for `countersign demo`.
        #[arg(last = true, value_name = "ARGS")]
        args: Vec<OsString>,
    },
    /// Build, then run every test: native, on PostgreSQL, documentation, and in a real browser.
    ///
    /// Ends with one line for each suite and fails if any of them failed.
    Test {
        /// Run only tests whose name contains this. A suite that has none of that name says so and
        /// passes. The browser tests are told through the environment variable E2E_FILTER.
        filter: Option<String>,
        /// Run only this suite; may be given several times.
        #[arg(long, value_enum)]
        suite: Vec<Suite>,
    },
    /// Run the long forms of the proofs: the same code as in `test`, with larger counts.
    ///
    /// Ends with one line for each proof and with what each has looked at: states, rounds,
    /// histories, bits. docs/proof.md says what they prove.
    Prove {
        /// Run only this proof; may be given several times.
        #[arg(long, value_enum)]
        only: Vec<Proof>,
    },
    /// Check format, lints, crate edges, documentation, licences and source rules.
    ///
    /// Every check runs, even after one has failed. Changes no file of the workspace.
    Check,
    /// Measure the optimised binary against what this machine can do at most, in the same run.
    ///
    /// Prints a report: each figure beside its base and its goal. Takes about ten minutes after the
    /// build; keep the machine quiet meanwhile. Everything after `--` goes to the load benchmark,
    /// for example `cargo xtask bench -- --sizes 0 --seconds 1`.
    Bench {
        /// Put the report into docs/performance.md.
        #[arg(long)]
        write: bool,
        /// Arguments for the load benchmark.
        #[arg(last = true, value_name = "ARGS")]
        args: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!();
            progress::print_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Runs one task. `Ok(false)` means that it ran to its end and found something wrong.
fn run(cli: Cli) -> Result<bool> {
    let workspace = Workspace::locate()?;
    match cli.task {
        Task::Build { release } => {
            let binary = build::run(&workspace, &mut Steps::new(build::STEPS), release)?;
            eprintln!("built {}", workspace.relative(&binary));
            Ok(true)
        }
        Task::Demo { args } => demo::run(&workspace, &args).map(|never| match never {}),
        Task::Test { filter, suite } => test::run(&workspace, filter.as_deref(), &suite),
        Task::Prove { only } => prove::run(&workspace, &only),
        Task::Check => check::run(&workspace),
        Task::Bench { write, args } => bench::run(&workspace, &args, write).map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn demo_passes_on_what_stands_after_the_dashes() {
        let cli = Cli::try_parse_from(["xtask", "demo", "--", "--print-json"]).unwrap();
        assert!(matches!(cli.task, Task::Demo { args } if args == ["--print-json"]));
        assert!(Cli::try_parse_from(["xtask", "demo", "--print-json"]).is_err());
    }
}
