//! `countersign admin kind`: the catalogue of what can be staged.

use std::path::PathBuf;

use clap::Subcommand;

use super::print::{list, named, proposed, text};
use crate::client::Session;
use crate::wire;
use crate::wire::rows;

/// What can be asked for.
#[derive(Subcommand)]
pub enum Command {
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
pub async fn act(session: &Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            let document = session.get("/kinds").await?;
            let rows = rows(&document["kinds"]).map(|kind| {
                let version = kind["version"].to_string();
                [text(&kind["name"]), &version, text(&kind["title"])].map(str::to_owned)
            });
            list(session, &document, ["NAME", "VERSION", "TITLE"], rows);
            Ok(())
        }
        Command::Show { name } => {
            let document = session.get("/kinds").await?;
            let kinds = rows(&document["kinds"]).map(|kind| (text(&kind["name"]), kind));
            let mut kind = named("kind", &name, kinds)?.clone();
            // The gate numbers the versions; a kind that is put has none.
            if let Some(fields) = kind.as_object_mut() {
                fields.remove("version");
            }
            println!("{kind:#}");
            Ok(())
        }
        Command::Put { file, reason } => {
            let text = wire::read(&file)?;
            let fields = [("text", &*text), ("reason", &*reason)];
            proposed(session, session.post("/kinds", &fields).await?)
        }
    }
}
