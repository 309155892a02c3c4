//! `countersign admin user`: people, and links that let them in.

use clap::Subcommand;

use super::print::{done, list, named, secret, text, texts};
use crate::client::Session;
use crate::wire::rows;

/// What can be asked for.
#[derive(Subcommand)]
pub enum Command {
    /// List everybody with their groups
    List,
    /// Add a person, and print the link that lets them in once
    Add {
        /// The person's name: what they sign in with
        name: String,
        /// A group to propose them for; repeat it for more
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
    },
    /// Print a new link for somebody who has no password yet
    Invite {
        /// The person's name
        name: String,
    },
    /// Disable a person: signs them out, and none of their approvals counts from now on
    Disable {
        /// The person's name
        name: String,
    },
}

/// Does it.
pub async fn act(session: &Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            let people = session.get("/people").await?;
            let rows = rows(&people["people"]).map(|person| {
                let state = if person["active"] == true { "active" } else { "disabled" };
                [text(&person["name"]), &texts(&person["groups"]).join(", "), state]
                    .map(str::to_owned)
            });
            list(session, &people, ["NAME", "GROUPS", "STATE"], rows);
        }
        Command::Add { name, groups } => {
            let mut fields = vec![("name", name.as_str())];
            fields.extend(groups.iter().map(|group| ("groups", group.as_str())));
            secret(session, session.post("/people", &fields).await?)?;
        }
        Command::Invite { name } => {
            let id = id(session, &name).await?;
            secret(session, session.post(&format!("/people/{id}/invite"), &[]).await?)?;
        }
        Command::Disable { name } => {
            let id = id(session, &name).await?;
            session.post(&format!("/people/{id}/disable"), &[]).await?;
            done(session, &format!("{name} is disabled, and signed out everywhere."));
        }
    }
    Ok(())
}

/// The id of the person with this name.
pub async fn id(session: &Session, name: &str) -> anyhow::Result<String> {
    let document = session.get("/people").await?;
    let people = rows(&document["people"]).map(|person| (text(&person["name"]), &person["id"]));
    named("person", name, people).map(|id| text(id).to_owned())
}
