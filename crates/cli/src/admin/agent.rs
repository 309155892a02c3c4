//! `countersign admin agent`: agents and their keys.

use clap::Subcommand;
use serde_json::Value;

use super::print::{done, list, named, rows, secret, text};
use super::user;
use crate::client::Session;

/// What can be asked for.
#[derive(Subcommand)]
pub enum Command {
    /// List every agent with its living keys
    List,
    /// Add an agent
    Add {
        /// The agent's name
        name: String,
        /// The name of the person who answers for it, and whose approval never counts for it
        #[arg(long, value_name = "PERSON")]
        owner: String,
    },
    /// Print a new key, shown this once. Whoever sees it does not count as a reviewer of the agent
    Rotate {
        /// The agent's name
        name: String,
        /// Revoke the keys it had at once, instead of leaving time to move over
        #[arg(long)]
        revoke_old: bool,
    },
    /// Suspend an agent: it stages and redeems nothing from now on
    Suspend {
        /// The agent's name
        name: String,
    },
}

/// Does it.
pub async fn act(session: &Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            let document = session.get("/agents").await?;
            let rows = rows(&document["agents"]).map(|row| {
                let agent = &row["agent"];
                let state = if agent["suspended"] == true { "suspended" } else { "active" };
                let keys: Vec<String> = living(row)
                    .map(|key| format!("{} until {}", text(&key["hint"]), text(&key["expires_at"])))
                    .collect();
                [text(&agent["name"]), text(&agent["owner"]), state, &keys.join(", ")]
                    .map(str::to_owned)
            });
            list(session, &document, ["NAME", "OWNER", "STATE", "LIVING KEYS"], rows);
        }
        Command::Add { name, owner } => {
            let owner = user::id(session, &owner).await?;
            session.post("/agents", &[("name", &name), ("owner", &owner)]).await?;
            done(
                session,
                &format!("Added. `countersign admin agent rotate '{name}'` prints its key."),
            );
        }
        Command::Rotate { name, revoke_old } => rotate(session, &name, revoke_old).await?,
        Command::Suspend { name } => {
            let row = row(session, &name).await?;
            let id = text(&row["agent"]["id"]);
            session.post(&format!("/agents/{id}/suspend"), &[]).await?;
            done(session, &format!("{name} is suspended."));
        }
    }
    Ok(())
}

async fn rotate(session: &Session, name: &str, revoke_old: bool) -> anyhow::Result<()> {
    let row = row(session, name).await?;
    let id = text(&row["agent"]["id"]);
    // The new key is in somebody's hands before an old one dies.
    secret(session, session.post(&format!("/agents/{id}/keys"), &[]).await?)?;
    for key in living(&row) {
        let hint = text(&key["hint"]);
        if revoke_old {
            let key = text(&key["id"]);
            session.post(&format!("/agents/{id}/keys/{key}/revoke"), &[]).await?;
            eprintln!("{hint} is revoked.");
        } else {
            eprintln!("{hint} lives on until {}.", text(&key["expires_at"]));
        }
    }
    Ok(())
}

fn living(row: &Value) -> impl Iterator<Item = &Value> {
    rows(&row["keys"]).filter(|key| key["live"] == true)
}

/// The agent with this name, as `/agents` has it.
async fn row(session: &Session, name: &str) -> anyhow::Result<Value> {
    let document = session.get("/agents").await?;
    let agents = rows(&document["agents"]).map(|row| (text(&row["agent"]["name"]), row));
    named("agent", name, agents).cloned()
}

/// The id of the agent with this name.
pub async fn id(session: &Session, name: &str) -> anyhow::Result<String> {
    Ok(text(&row(session, name).await?["agent"]["id"]).to_owned())
}
