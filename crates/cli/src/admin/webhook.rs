//! `countersign admin webhook`: the endpoints that are told of what happens.

use clap::Subcommand;
use serde_json::Value;

use super::print::{done, list, named, secret, text, texts};
use crate::client::Session;
use crate::wire::rows;

const PATH: &str = "/settings/webhooks";

/// What can be asked for.
#[derive(Subcommand)]
pub enum Command {
    /// List every endpoint
    List,
    /// List what an endpoint was told last, and what waits
    Show {
        /// The endpoint's name
        name: String,
    },
    /// Add an endpoint and print its secret, shown this once
    Add {
        /// A name for it
        name: String,
        /// Where it listens: https://…
        #[arg(value_name = "URL")]
        address: String,
        /// Only this type of event; repeat it for several [default: all]
        #[arg(long = "event", value_name = "TYPE")]
        events: Vec<String>,
    },
    /// Print a new secret, shown this once. The one before signs too for 24 hours
    Rotate {
        /// The endpoint's name
        name: String,
    },
    /// Remove an endpoint, with what waits for it
    Remove {
        /// The endpoint's name
        name: String,
    },
    /// Tell an endpoint again: what was given up, or a part of the ledger
    Replay {
        /// The endpoint's name
        name: String,
        /// The first entry to tell again
        #[arg(long, value_name = "INDEX", requires = "to")]
        from: Option<u64>,
        /// The last entry to tell again
        #[arg(long, value_name = "INDEX", requires = "from")]
        to: Option<u64>,
    },
}

/// Does it.
pub async fn act(session: &Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            let document = session.get(PATH).await?;
            let rows = rows(&document["webhooks"]).map(endpoint);
            let headings = ["NAME", "URL", "STATE", "TOLD OF", "WAITING", "DEAD"];
            list(session, &document, headings, rows);
        }
        Command::Show { name } => {
            let row = row(session, &name).await?;
            let rows = rows(&row["deliveries"]).map(delivery);
            let headings =
                ["ENTRY", "EVENT", "STATE", "ATTEMPTS", "ANSWER", "LAST TRY", "NEXT TRY"];
            list(session, &row, headings, rows);
        }
        Command::Add { name, address, events } => {
            let mut fields = vec![("name", &*name), ("url", &*address)];
            fields.extend(events.iter().map(|event| ("events", &**event)));
            secret(session, session.post(PATH, &fields).await?)?;
        }
        Command::Rotate { name } => {
            let path = path(session, &name, "rotate").await?;
            secret(session, session.post(&path, &[]).await?)?;
        }
        Command::Remove { name } => {
            session.post(&path(session, &name, "remove").await?, &[]).await?;
            done(session, &format!("{name} is removed."));
        }
        Command::Replay { name, from, to } => {
            let bounds = from.zip(to).map(|(from, to)| (from.to_string(), to.to_string()));
            let fields: Vec<(&str, &str)> = match &bounds {
                Some((from, to)) => vec![("from", &**from), ("to", &**to)],
                None => vec![],
            };
            session.post(&path(session, &name, "replay").await?, &fields).await?;
            done(session, &format!("{name} is told again."));
        }
    }
    Ok(())
}

fn endpoint(row: &Value) -> [String; 6] {
    let state = if row["disabled_at"].is_null() { "active" } else { "disabled" };
    let events = texts(&row["events"]).join(", ");
    let told = if events.is_empty() { "everything" } else { &events };
    let [name, url] = [&row["name"], &row["url"]].map(text);
    let [waiting, dead] = [&row["waiting"], &row["dead"]].map(Value::to_string);
    [name.to_owned(), url.to_owned(), state.to_owned(), told.to_owned(), waiting, dead]
}

fn delivery(row: &Value) -> [String; 7] {
    let [event, state, answer] = [&row["event"], &row["state"], &row["answer"]].map(text);
    let [last, next] = [&row["last_at"], &row["next_at"]].map(text);
    let [index, attempts] = [&row["index"], &row["attempts"]].map(Value::to_string);
    let [event, state, answer, last, next] = [event, state, answer, last, next].map(str::to_owned);
    [index, event, state, attempts, answer, last, next]
}

async fn row(session: &Session, name: &str) -> anyhow::Result<Value> {
    let document = session.get(PATH).await?;
    let endpoints = rows(&document["webhooks"]).map(|row| (text(&row["name"]), row));
    named("endpoint", name, endpoints).cloned()
}

async fn path(session: &Session, name: &str, deed: &str) -> anyhow::Result<String> {
    Ok(format!("{PATH}/{}/{deed}", text(&row(session, name).await?["id"])))
}
