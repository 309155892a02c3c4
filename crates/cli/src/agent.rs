//! The client of an agent: stage, wait, show, list, withdraw, evidence, report.
//!
//! A retry of any of these is safe: what could be sent twice carries a key that says so.

mod access;
pub mod api;
pub mod decision;
pub mod evidence;
mod kinds;
pub mod print;
mod progress;
pub mod report;
pub mod requests;
pub mod stage;
pub mod writer;

use std::process::ExitCode;

use clap::Subcommand;

pub use access::Access;
pub use progress::{Progress, say};

use crate::wire::Problem;

/// What an agent's author can ask for.
#[derive(Subcommand)]
pub enum Command {
    /// Put an action before people, from a stage body
    Stage(stage::Arguments),
    /// Wait until people have decided; the exit code says what
    Wait(requests::WaitArguments),
    /// Print a request
    Show(requests::OneArguments),
    /// List what this agent staged, the newest first
    List(requests::ListArguments),
    /// Take back a request that is not decided
    Withdraw(requests::OneArguments),
    /// Files that people read before they decide
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// List what can be staged, or what one kind asks for
    Kinds(kinds::Arguments),
    /// Run a command once people have approved exactly this command
    Exec(Box<crate::exec::Arguments>),
    /// Report how an execution or its rollback ended, where `exec` or a program could not
    Report(report::Arguments),
}

/// Does it. With `--json` a refusal is the API's own object, too.
pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let json = command.access().json;
    // What `exec` prints belongs to the command that it runs.
    let to_stdout = !matches!(command, Command::Exec(_));
    let done = act(command).await;
    let problem = done.as_ref().err().and_then(|error| error.downcast_ref::<Problem>());
    match problem {
        Some(problem) if json && to_stdout => println!("{}", problem.document),
        Some(problem) if json => eprintln!("{}", problem.document),
        _ => {}
    }
    done
}

async fn act(command: Command) -> anyhow::Result<ExitCode> {
    let exit = match command {
        Command::Stage(arguments) => stage::stage(arguments).await?,
        Command::Wait(arguments) => requests::wait(arguments).await?,
        Command::Show(arguments) => requests::show(arguments).await?,
        Command::List(arguments) => requests::list(arguments).await?,
        Command::Withdraw(arguments) => requests::withdraw(arguments).await?,
        Command::Evidence(command) => evidence::run(command).await?,
        Command::Kinds(arguments) => kinds::kinds(arguments).await?,
        Command::Exec(arguments) => return crate::exec::exec(*arguments).await,
        Command::Report(arguments) => report::report(arguments).await?,
    };
    Ok(exit.into())
}

impl Command {
    fn access(&self) -> &Access {
        match self {
            Self::Stage(arguments) => &arguments.access,
            Self::Wait(arguments) => &arguments.access,
            Self::Show(arguments) | Self::Withdraw(arguments) => &arguments.access,
            Self::List(arguments) => &arguments.access,
            Self::Evidence(evidence::Command::Add(arguments)) => &arguments.access,
            Self::Kinds(arguments) => &arguments.access,
            Self::Exec(arguments) => &arguments.access,
            Self::Report(arguments) => &arguments.access,
        }
    }
}
