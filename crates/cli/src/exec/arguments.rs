//! The command line of `exec`.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use domain::{Digest, canonical};
use serde_json::json;

use crate::agent::Access;
use crate::agent::decision::Patience;

const EXAMPLES: &str = "\
Examples:
  Gate one step of a pipeline (on the demo, with the executor's key):
    countersign exec --kind deploy.release --param service=checkout --param version=4.12.0 \\
        --evidence plan.txt --rollback rollback.md --rollback-exec './rollback.sh checkout' \\
        -- ./deploy.sh checkout 4.12.0

  What the kind wants is said before anything is staged:
    countersign exec --kind deploy.release -- ./deploy.sh

  A secret goes to the command unseen; its name is shown to the reviewers:
    countersign exec --kind db.export --pass-env PGPASSWORD … -- pg_dump orders

The command finds COUNTERSIGN_RELEASE_TOKEN, COUNTERSIGN_REQUEST_ID and COUNTERSIGN_EXECUTABLE in its
environment. The same command line again goes on where it stopped; it never runs the command twice.
The code of the command is passed on, 128 and the signal's number where a signal ended it.";

/// What to run, and what people are told about it.
#[derive(Args)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{}", crate::exit::help()))]
pub struct Arguments {
    /// The kind of the action, a name of the catalogue
    #[arg(long)]
    pub kind: String,
    /// A parameter of the kind; a list takes several, or commas
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// Where it acts; the rules for production hold where nothing is said
    #[arg(long, env = "COUNTERSIGN_ENVIRONMENT", default_value = "production")]
    pub environment: String,
    /// What it acts on; this machine where nothing is said
    #[arg(long = "target", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Evidence; its type is the file's name without its end where nothing is said
    #[arg(long, value_name = "[TYPE=]FILE")]
    pub evidence: Vec<String>,
    /// A file with the plan to undo it: every line that is neither blank nor a heading is a step
    #[arg(long, value_name = "FILE")]
    pub rollback: Option<PathBuf>,
    /// The command that undoes it: run when somebody halts the execution. Split like a shell does,
    /// run without one
    #[arg(long, value_name = "COMMAND")]
    pub rollback_exec: Option<String>,
    /// Run the rollback command also when the command fails
    #[arg(long, requires = "rollback_exec")]
    pub rollback_on_failure: bool,
    /// What it does, in a line; the command itself where nothing is said
    #[arg(long)]
    pub summary: Option<String>,
    /// Why this, why now
    #[arg(long)]
    pub justification: Option<String>,
    /// The ticket it belongs to
    #[arg(long)]
    pub ticket: Option<String>,
    /// A variable of the command's environment, shown to the reviewers. PATH is one of them always
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    pub env: Vec<String>,
    /// A variable that is passed on with whatever value it has: reviewers see its name only
    #[arg(long, value_name = "NAME")]
    pub pass_env: Vec<String>,
    /// Between SIGTERM and SIGKILL, when it has to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub grace: u64,
    /// Leave the end of the command's output out of the report
    #[arg(long)]
    pub withhold_output: bool,
    /// Check everything and say who would have to approve; stage nothing
    #[arg(long)]
    pub validate: bool,
    /// Where it is written down how far this got; a file of its own for each command line where
    /// nothing is said
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    #[command(flatten)]
    pub patience: Patience,
    #[command(flatten)]
    pub access: Access,
    /// The command with its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

impl Arguments {
    /// What makes it the same execution, whatever else is said about it.
    pub fn identity(&self, directory: &Path) -> anyhow::Result<Digest> {
        let mut params = self.params.clone();
        params.sort();
        let bytes = canonical::to_bytes(&json!({
            "server": self.access.url, "kind": self.kind, "params": params,
            "environment": self.environment, "targets": self.targets,
            "command": self.command, "directory": directory,
        }))?;
        Ok(Digest::of(&bytes))
    }

    /// The variables that reviewers see: `NAME=VALUE`, or `NAME` with the value that it has here.
    pub fn shown_variables(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut shown = Vec::new();
        if let Ok(path) = std::env::var("PATH") {
            shown.push(("PATH".to_owned(), path));
        }
        for text in &self.env {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => match std::env::var(text) {
                    Ok(value) => (text.as_str(), value),
                    Err(_) => bail!("--env {text}: there is no such variable here, in UTF-8"),
                },
            };
            // SECURITY: what can stage and redeem is for nobody's eyes.
            if name.starts_with("COUNTERSIGN_") || value.contains("csn_agt_") {
                bail!("--env {name}: the agent's key and what goes with it is not passed on");
            }
            shown.retain(|(other, _)| other != name);
            shown.push((name.to_owned(), value));
        }
        Ok(shown)
    }
}
