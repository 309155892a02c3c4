//! `countersign admin group`: who is in which group.

use clap::{Args, Subcommand};

use super::print::{list, proposed, text, texts};
use super::user;
use crate::client::{AsPerson, Session};

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
    /// List every group with its people
    List,
    /// Add a person to a group
    Add(Membership),
    /// Remove a person from a group
    Remove(Membership),
}

#[derive(Args)]
struct Membership {
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
pub async fn run(Arguments { who, command }: Arguments) -> anyhow::Result<()> {
    who.run(async |session| act(&who, session, command).await).await
}

async fn act(who: &AsPerson, session: &Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            let document = session.get("/people").await?;
            let people = || document["people"].as_array().into_iter().flatten();
            let rows = texts(&document["groups"]).into_iter().map(|group| {
                let members = people().filter(|person| {
                    person["active"] == true && texts(&person["groups"]).contains(&group)
                });
                let members: Vec<&str> = members.map(|person| text(&person["name"])).collect();
                [group.to_owned(), members.join(", ")]
            });
            list(who, &document, ["GROUP", "PEOPLE"], rows);
            Ok(())
        }
        Command::Add(membership) => change(who, session, "add", membership).await,
        Command::Remove(membership) => change(who, session, "remove", membership).await,
    }
}

async fn change(
    who: &AsPerson,
    session: &Session,
    change: &str,
    membership: Membership,
) -> anyhow::Result<()> {
    let person = user::id(session, &membership.member).await?;
    let fields = [
        ("change", change),
        ("person", &*person),
        ("group", &*membership.group),
        ("reason", &*membership.reason),
    ];
    proposed(who, session, session.post("/people/groups", &fields).await?)
}
