//! `countersign admin group`: who is in which group.

use clap::{Args, Subcommand};

use super::print::{list, proposed, text, texts};
use super::user;
use crate::client::Session;
use crate::wire::rows;

/// What can be asked for.
#[derive(Subcommand)]
pub enum Command {
    /// List every group with its people
    List,
    /// Add a person to a group
    Add(Membership),
    /// Remove a person from a group
    Remove(Membership),
}

#[derive(Args)]
pub struct Membership {
    /// The group: approvers, auditors, administrators, break-glass, or one that policy or a kind names
    group: String,
    /// The person's name
    #[arg(value_name = "PERSON")]
    member: String,
    /// Why, in 3 to 4,000 characters; kept for ever
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Does it.
pub async fn act(session: &Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            let document = session.get("/people").await?;
            let people = || rows(&document["people"]);
            let rows = texts(&document["groups"]).into_iter().map(|group| {
                let members = people().filter(|person| {
                    person["active"] == true && texts(&person["groups"]).contains(&group)
                });
                let members: Vec<&str> = members.map(|person| text(&person["name"])).collect();
                [group.to_owned(), members.join(", ")]
            });
            list(session, &document, ["GROUP", "PEOPLE"], rows);
            Ok(())
        }
        Command::Add(membership) => change(session, "add", membership).await,
        Command::Remove(membership) => change(session, "remove", membership).await,
    }
}

async fn change(session: &Session, change: &str, membership: Membership) -> anyhow::Result<()> {
    let person = user::id(session, &membership.member).await?;
    let fields = [
        ("change", change),
        ("person", &*person),
        ("group", &*membership.group),
        ("reason", &*membership.reason),
    ];
    proposed(session, session.post("/people/groups", &fields).await?)
}
