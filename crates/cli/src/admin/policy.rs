//! `countersign admin policy`: which reviews an action needs.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::Value;

use super::print::{proposed, text};
use crate::client::{Answer, Session};
use crate::wire::{self, printable, rows};

/// What can be asked for.
#[derive(Subcommand)]
pub enum Command {
    /// Print the policy in force, to edit it and put it back
    Show {
        /// The number of an earlier version
        number: Option<u64>,
    },
    /// Hold a draft against the newest requests: what would have changed. Changes nothing
    Try {
        /// The policy in Cedar, `-` for standard input
        file: PathBuf,
    },
    /// Propose another policy; docs/policy.md describes the form
    Put {
        /// The policy in Cedar, `-` for standard input
        file: PathBuf,
        /// Why, in 3 to 4,000 characters; kept for ever
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The version that it was made from; refused if another is in force by now [default: the newest]
        #[arg(long, value_name = "NUMBER")]
        replaces: Option<u64>,
    },
}

/// Does it.
pub async fn act(session: &Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Show { number } => show(session, number).await,
        Command::Try { file } => {
            let draft = wire::read(&file)?;
            let answer = session.post("/policy", &[("text", &draft), ("do", "try")]).await?;
            let Answer::Document(document) = answer else {
                bail!("the server answered with an address, not with what would change");
            };
            if session.json {
                println!("{}", document["replay"]);
            } else {
                replayed(&document["replay"]);
            }
            Ok(())
        }
        Command::Put { file, reason, replaces } => {
            let draft = wire::read(&file)?;
            let replaces = match replaces {
                Some(version) => version,
                None => current(&session.get("/policy").await?)?,
            };
            let replaces = replaces.to_string();
            let fields = [
                ("text", &*draft),
                ("reason", &*reason),
                ("replaces", &*replaces),
                ("do", "propose"),
            ];
            proposed(session, session.post("/policy", &fields).await?)
        }
    }
}

async fn show(session: &Session, number: Option<u64>) -> anyhow::Result<()> {
    let document = session.get("/policy").await?;
    let mut versions = rows(&document["policy"]["versions"]);
    let shown = match number {
        None => Some(&document["policy"]["current"]),
        Some(number) => versions.find(|row| row["version"] == number),
    };
    let shown = shown.context("there is no such version of the policy")?;
    if session.json {
        println!("{shown}");
    } else {
        eprintln!("Version {}, {}", shown["version"], text(&shown["digest"]));
        print!("{}", text(&shown["text"]));
    }
    Ok(())
}

fn current(document: &Value) -> anyhow::Result<u64> {
    document["policy"]["current"]["version"].as_u64().context("the server named no version")
}

/// What a draft would have changed.
fn replayed(replay: &Value) {
    println!(
        "Held against the newest {} requests; it would ask less of {}.",
        replay["replayed"], replay["laxer"]
    );
    for row in rows(&replay["rows"]) {
        println!("{}", printable(text(&row["request"])));
        for requirement in rows(&row["added"]) {
            println!("  would ask for {}", spelled(requirement));
        }
        for requirement in rows(&row["removed"]) {
            println!("  would no longer ask for {}", spelled(requirement));
        }
        for change in rows(&row["changed"]) {
            println!("  would ask for {}, not {}", spelled(&change[1]), spelled(&change[0]));
        }
        if let Some(why) = row["would_be_refused"].as_str() {
            println!("  would be refused: {}", printable(why));
        }
        if let Some(why) = row["refused"].as_str() {
            println!("  would be staged; the policy in force refuses it: {}", printable(why));
        }
    }
}

fn spelled(requirement: &Value) -> String {
    let [id, group] = ["id", "group"].map(|member| printable(text(&requirement[member])));
    format!("{} of {group} ({id})", requirement["seats"])
}
