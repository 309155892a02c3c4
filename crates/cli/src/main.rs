//! `countersign`: the only binary.
//!
//! Reads the command line, opens the database and the keys, and hands over to the library crates.
//! An error is one clear line on standard error and a non-zero exit.

mod admin;
mod agent;
mod backup;
mod client;
mod copy;
mod database;
mod demo;
mod exec;
mod exit;
mod ledger;
mod limits;
mod manual;
mod migrate;
mod restore;
mod serve;
mod stop;
mod wire;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::exit::Exit;

/// Many threads allocate at once here, and the allocator of the C library makes them wait for each other: a
/// quarter of what a staging cost under load (`docs/performance.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "\
Try it:
  countersign demo                                  a server with people and agents, on this machine
  export COUNTERSIGN_KEY=csn_agt_…                  the agent's key that it printed
  countersign stage -f request.json --wait          put an action before people, and wait for them
  countersign exec --kind K … -- COMMAND            run a command once it is approved, in one line

Agents read COUNTERSIGN_URL, and COUNTERSIGN_KEY or COUNTERSIGN_KEY_FILE. Guide: docs/agents.md";

/// Agents stage. People decide. Nothing completes until they do, and silence is never a yes.
#[derive(Parser)]
#[command(name = "countersign", version, propagate_version = true, after_long_help = HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Agent(Box<agent::Command>),
    /// Run the server
    Serve(serve::Arguments),
    /// Run a seeded throwaway server on this machine, to try the product
    Demo(demo::Arguments),
    /// Set up an installation, and change a running one
    #[command(subcommand)]
    Admin(Box<admin::Command>),
    /// Bring the schema of a database up to date, as the owner of its tables
    Migrate(migrate::Arguments),
    /// Copy a database into one file, verified, also while servers have it
    Backup(backup::Arguments),
    /// Go on from a backup, where no database is; what it has as unused is void
    Restore(restore::Arguments),
    /// Move to the other sort of database, with the same ledger
    Copy(copy::Arguments),
    /// Check the record
    #[command(subcommand)]
    Ledger(Box<ledger::Command>),
    /// Print what your shell needs to complete command lines, to be sourced or put where it looks
    Completions(manual::Completions),
    /// Write the manual, for `man`
    Manual(manual::Manual),
}

/// SECURITY: below a warning `rmcp` writes down whole messages, and release tokens with them. No
/// filter that somebody sets turns that on.
fn has_no_message(event: &Metadata<'_>) -> bool {
    *event.level() <= Level::WARN || !event.target().starts_with("rmcp")
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let quiet = matches!(arguments.command, Command::Demo(_) | Command::Agent(_));
    let default = if quiet { "warn" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.finish().with(filter_fn(has_no_message)).init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start")),
    };
    match runtime.block_on(run(arguments.command)) {
        Ok(exit) => exit,
        Err(error) => failed(&error),
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let done = match command {
        Command::Agent(command) => return agent::run(*command).await,
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Admin(command) => admin::run(*command).await,
        Command::Migrate(arguments) => migrate::run(arguments).await,
        Command::Backup(arguments) => backup::run(arguments).await,
        Command::Restore(arguments) => restore::run(arguments).await,
        Command::Copy(arguments) => copy::run(arguments).await,
        Command::Ledger(command) => ledger::run(*command).await,
        Command::Completions(arguments) => {
            manual::completions(&arguments, Arguments::command());
            Ok(())
        }
        Command::Manual(arguments) => manual::pages(&arguments, Arguments::command()),
    };
    done.map(|()| Exit::Done.into())
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("countersign: {error:#}");
    code_of(error)
}

/// The code with which the process ends.
fn code_of(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<exec::Interrupted>() {
        Some(interrupted) => interrupted.code.into(),
        None => Exit::of_error(error).into(),
    }
}
