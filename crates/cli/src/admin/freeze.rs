//! `countersign admin freeze`: stopping redemption, for everything or for a part.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::Value;

use super::agent;
use super::print::{done, list, text, texts};
use crate::client::Session;
use crate::wire::rows;

/// What can be asked for.
#[derive(Subcommand)]
pub enum Command {
    /// List every freeze that is on
    List,
    /// Freeze at once: nothing within it is redeemed until the freeze ends
    Start(Scope),
    /// End a freeze
    End {
        /// Its id, as `freeze list` prints it
        id: String,
        /// Why, in 3 to 4,000 characters; kept for ever
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Args)]
#[command(group(ArgGroup::new("scope").required(true).args(["all", "agent", "kind", "environment"])))]
pub struct Scope {
    /// Everything
    #[arg(long)]
    all: bool,
    /// What this agent staged or would redeem
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Requests of this kind
    #[arg(long, value_name = "NAME")]
    kind: Option<String>,
    /// Requests for this environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Tell what runs already to halt and roll back too; without it, what runs goes on
    #[arg(long)]
    halt_running: bool,
    /// Why, in 3 to 4,000 characters; kept for ever
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Does it.
pub async fn act(session: &Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            let document = session.get("/freezes").await?;
            let rows = rows(&document["freezes"]).map(|freeze| {
                let running = if freeze["halts"] == true { "halts" } else { "goes on" };
                let scope = frozen(&freeze["scope"]);
                let [id, at] = [&freeze["id"], &freeze["at"]].map(text);
                let [by, reason] = [&freeze["by"], &freeze["reason"]].map(text);
                [id, &scope, running, at, by, reason].map(str::to_owned)
            });
            let headings = ["ID", "FROZEN", "WHAT RUNS", "SINCE", "BY", "REASON"];
            list(session, &document, headings, rows);
        }
        Command::Start(scope) => {
            let named = named(session, &scope).await?;
            let running = if scope.halt_running { "halt" } else { "go_on" };
            let fields = [("scope", &*named), ("running", running), ("reason", &*scope.reason)];
            session.post("/freezes", &fields).await?;
            done(session, "Frozen. `countersign admin freeze list` prints the id that ends it.");
        }
        Command::End { id, reason } => {
            session.post(&format!("/freezes/{id}/thaw"), &[("reason", &reason)]).await?;
            done(session, "The freeze has ended.");
        }
    }
    Ok(())
}

/// The scope as the form of the dashboard names it.
async fn named(session: &Session, scope: &Scope) -> anyhow::Result<String> {
    Ok(match scope {
        Scope { agent: Some(name), .. } => format!("agent:{}", agent::id(session, name).await?),
        Scope { kind: Some(name), .. } => format!("kind:{name}"),
        Scope { environment: Some(name), .. } => {
            let document = session.get("/freezes").await?;
            let known = texts(&document["environments"]);
            if !known.contains(&&**name) {
                let known = known.join(", ");
                eprintln!("No request has named the environment `{name}` so far, only: {known}.");
            }
            format!("environment:{name}")
        }
        Scope { agent: None, kind: None, environment: None, .. } => "all".to_owned(),
    })
}

fn frozen(scope: &Value) -> String {
    match scope.as_object().and_then(|fields| fields.iter().next()) {
        Some((sort, name)) => format!("{sort} {}", text(name)),
        None => text(scope).to_owned(),
    }
}
