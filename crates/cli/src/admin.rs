//! `countersign admin`: setting up an installation, and changing one that runs.
//!
//! `init` and `recover` open the database, `rotate-release-key` the directory of keys; all else is a client of the running server and acts as
//! the person who signs in, with the same rules and the same ledger entries as in the browser.

mod agent;
mod freeze;
mod group;
mod kind;
mod policy;
mod print;
mod release_key;
mod setup;
mod user;
mod webhook;

use clap::Subcommand;

use crate::client::Asked;

/// What can be set up and changed.
#[derive(Subcommand)]
pub enum Command {
    /// Make an installation out of an empty database, with its first administrator
    Init(setup::Arguments),
    /// Add an administrator past everybody else, when the house can no longer change itself.
    /// The ledger keeps a mark of it for ever
    Recover(setup::Arguments),
    /// Have release tokens signed by a new key in ten minutes, also while servers run
    RotateReleaseKey(release_key::Arguments),
    /// People: who they are, and links that let them in
    User(Asked<user::Command>),
    /// Who is in which group: a request that a second administrator approves
    Group(Asked<group::Command>),
    /// Agents and their keys
    Agent(Asked<agent::Command>),
    /// The catalogue of what can be staged: a change is a request that a second administrator approves
    Kind(Asked<kind::Command>),
    /// Which reviews an action needs: a change is a request that a second administrator approves
    Policy(Asked<policy::Command>),
    /// Stop redemption, for everything or for a part
    Freeze(Asked<freeze::Command>),
    /// Endpoints that are told of what happens
    Webhook(Asked<webhook::Command>),
}

/// Does it.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Init(arguments) => setup::init(arguments).await,
        Command::Recover(arguments) => setup::recover(arguments).await,
        Command::RotateReleaseKey(arguments) => release_key::rotate(&arguments),
        Command::User(asked) => asked.run(user::act).await,
        Command::Group(asked) => asked.run(group::act).await,
        Command::Agent(asked) => asked.run(agent::act).await,
        Command::Kind(asked) => asked.run(kind::act).await,
        Command::Policy(asked) => asked.run(policy::act).await,
        Command::Freeze(asked) => asked.run(freeze::act).await,
        Command::Webhook(asked) => asked.run(webhook::act).await,
    }
}
