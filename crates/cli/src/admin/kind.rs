//! `countersign admin kind`: the catalogue of what can be staged.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::print::{list, named, proposed, text};
use crate::client::{self, AsPerson, Session};

/// Who asks, and for what.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    who: AsPerson,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List every kind in its newest version
    List,
    /// Print a kind as JSON, to edit it and put it back
    Show {
        /// The name of the kind, for instance db.export
        name: String,
    },
    /// Propose a kind, or a new version of one. What is staged already keeps its version
    Put {
        /// The kind as JSON, `-` for standard input; docs/kinds.md describes the fields
        file: PathBuf,
        /// Why, in 3 to 4,000 characters; kept for ever
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Does it.
pub async fn run(Arguments { who, command }: Arguments) -> anyhow::Result<()> {
    who.run(async |session| act(&who, session, command).await).await
}

async fn act(who: &AsPerson, session: &Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            let document = session.get("/kinds").await?;
            let rows = document["kinds"].as_array().into_iter().flatten().map(|kind| {
                let version = kind["version"].to_string();
                [text(&kind["name"]), &version, text(&kind["title"])].map(str::to_owned)
            });
            list(who, &document, ["NAME", "VERSION", "TITLE"], rows);
            Ok(())
        }
        Command::Show { name } => {
            let document = session.get("/kinds").await?;
            let kinds = document["kinds"].as_array().context("the server sent no list of kinds")?;
            let rows = kinds.iter().map(|kind| (text(&kind["name"]), kind));
            let mut kind = named("kind", &name, rows)?.clone();
            // The gate numbers the versions; a kind that is put has none.
            if let Some(fields) = kind.as_object_mut() {
                fields.remove("version");
            }
            println!("{kind:#}");
            Ok(())
        }
        Command::Put { file, reason } => {
            let text = client::read(&file)?;
            let fields = [("text", &*text), ("reason", &*reason)];
            proposed(who, session, session.post("/kinds", &fields).await?)
        }
    }
}
