//! `countersign admin agent`: agents and their keys.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::print::{done, list, named, secret, text, texts};
use super::user;
use crate::client::Session;
use crate::wire;
use crate::wire::rows;

const TRUST_EXAMPLES: &str = "\
Examples:
  countersign admin agent trust release --audience https://gate.example.com \\
      --issuer https://token.actions.githubusercontent.com \\
      --claim repository_id=123456789 --claim environment=production
  countersign admin agent trust nightly --audience https://gate.example.com \\
      --issuer https://kubernetes.default.svc.cluster.local --jwks keys.json \\
      --claim sub=system:serviceaccount:data:nightly";

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
    /// Print a new key beside the one there is. Whoever sees it does not count as a reviewer of the agent
    Issue {
        /// The agent's name
        name: String,
        #[command(flatten)]
        limits: Limits,
    },
    /// Print the key that takes the place of the one there is, shown this once, with the same limits
    Rotate {
        /// The agent's name
        name: String,
        /// Which key, as `agent list` shows it, where two live
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// End the old key at once, instead of leaving 24 hours to move over
        #[arg(long)]
        revoke_old: bool,
    },
    /// Trust tokens of an issuer to speak as an agent, which then needs no key
    #[command(after_help = TRUST_EXAMPLES)]
    Trust {
        /// The agent's name
        name: String,
        /// The `iss` of the tokens
        #[arg(long, value_name = "URL")]
        issuer: String,
        /// The `aud` of the tokens, such as the address of the server
        #[arg(long, value_name = "TEXT")]
        audience: String,
        /// A claim and its whole value; may be given several times
        #[arg(long = "claim", value_name = "NAME=VALUE", required = true)]
        claims: Vec<String>,
        /// A file with the issuer's keys (JWKS), where the server cannot ask it
        #[arg(long, value_name = "FILE")]
        jwks: Option<PathBuf>,
        #[command(flatten)]
        limits: Limits,
    },
    /// Remove a trust: its tokens open nothing from now on
    Distrust {
        /// The agent's name
        name: String,
        /// Which, by the id that `agent list` shows, where there are several
        #[arg(long, value_name = "ID")]
        trust: Option<String>,
    },
    /// Suspend an agent: it stages and redeems nothing from now on
    Suspend {
        /// The agent's name
        name: String,
    },
}

/// What a credential is limited to; each may be given several times.
#[derive(Args, Default)]
pub struct Limits {
    /// Only this kind
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only this environment
    #[arg(long = "environment", value_name = "ENVIRONMENT")]
    environments: Vec<String>,
}

impl Limits {
    fn fields(&self) -> [(&'static str, String); 2] {
        [("kinds", self.kinds.join(",")), ("environments", self.environments.join(","))]
    }
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
                    .map(|key| {
                        let [hint, until] = ["hint", "expires_at"].map(|field| text(&key[field]));
                        format!("{hint} until {until}{}", limited(&key["scope"]))
                    })
                    .chain(rows(&row["trusts"]).map(|trust| {
                        let [id, issuer] = ["id", "issuer"].map(|field| text(&trust[field]));
                        format!("tokens of {issuer} ({id}){}", limited(&trust["scope"]))
                    }))
                    .collect();
                [text(&agent["name"]), text(&agent["owner"]), state, &keys.join(", ")]
                    .map(str::to_owned)
            });
            list(session, &document, ["NAME", "OWNER", "STATE", "KEYS AND TRUSTS"], rows);
        }
        Command::Add { name, owner } => {
            let owner = user::id(session, &owner).await?;
            session.post("/agents", &[("name", &name), ("owner", &owner)]).await?;
            done(
                session,
                &format!("Added. `countersign admin agent rotate '{name}'` prints its key."),
            );
        }
        Command::Issue { name, limits } => issue(session, &name, &limits).await?,
        Command::Rotate { name, key, revoke_old } => {
            rotate(session, &name, key.as_deref(), revoke_old).await?;
        }
        Command::Trust { name, issuer, audience, claims, jwks, limits } => {
            let id = id(session, &name).await?;
            let jwks = jwks.as_deref().map(wire::read).transpose()?.unwrap_or_default();
            let claims = claims.join("\n");
            let [kinds, environments] = limits.fields();
            let fields = [
                ("issuer", &*issuer),
                ("audience", &*audience),
                ("claims", &*claims),
                ("jwks", &*jwks),
                (kinds.0, &*kinds.1),
                (environments.0, &*environments.1),
            ];
            session.post(&format!("/agents/{id}/trusts"), &fields).await?;
            done(session, &format!("These tokens speak as {name} from now on."));
        }
        Command::Distrust { name, trust } => distrust(session, &name, trust.as_deref()).await?,
        Command::Suspend { name } => {
            let row = row(session, &name).await?;
            let id = text(&row["agent"]["id"]);
            session.post(&format!("/agents/{id}/suspend"), &[]).await?;
            done(session, &format!("{name} is suspended."));
        }
    }
    Ok(())
}

async fn issue(session: &Session, name: &str, limits: &Limits) -> anyhow::Result<()> {
    let id = id(session, name).await?;
    let fields = limits.fields();
    let fields = fields.each_ref().map(|(field, value)| (*field, value.as_str()));
    secret(session, session.post(&format!("/agents/{id}/keys"), &fields).await?)
}

async fn rotate(
    session: &Session,
    name: &str,
    key: Option<&str>,
    revoke_old: bool,
) -> anyhow::Result<()> {
    let row = row(session, name).await?;
    let id = text(&row["agent"]["id"]);
    let living: Vec<&Value> = living(&row).collect();
    let old = match (key, living.as_slice()) {
        (None, []) => return issue(session, name, &Limits::default()).await,
        (None, [only]) => *only,
        (None, _) => bail!("{name} has two living keys: say which, --key {}", hints(&living)),
        (Some(hint), _) => {
            let found = living.iter().find(|key| text(&key["hint"]) == hint);
            found.ok_or_else(|| {
                anyhow!("{name} has no living key `{hint}`; it has {}", hints(&living))
            })?
        }
    };
    let path = format!("/agents/{id}/keys/{}/rotate", text(&old["id"]));
    let ends = if revoke_old { "now" } else { "day" };
    secret(session, session.post(&path, &[("old", ends)]).await?)
}

async fn distrust(session: &Session, name: &str, trust: Option<&str>) -> anyhow::Result<()> {
    let row = row(session, name).await?;
    let id = text(&row["agent"]["id"]);
    let standing: Vec<&str> = rows(&row["trusts"]).map(|trust| text(&trust["id"])).collect();
    let trust = match (trust, standing.as_slice()) {
        (Some(trust), _) => trust,
        (None, [only]) => *only,
        (None, []) => bail!("{name} has no trust"),
        (None, several) => bail!("{name} has several: say which, --trust {}", several.join(" or ")),
    };
    session.post(&format!("/agents/{id}/trusts/{trust}/remove"), &[]).await?;
    done(session, &format!("Tokens on those terms no longer speak as {name}."));
    Ok(())
}

fn hints(keys: &[&Value]) -> String {
    keys.iter().map(|key| text(&key["hint"])).collect::<Vec<_>>().join(" or ")
}

/// What a credential is limited to, to follow what it is.
fn limited(scope: &Value) -> String {
    let part = |list: &Value, all: &str| match texts(list).join(", ") {
        names if names.is_empty() => all.to_owned(),
        names => names,
    };
    let (kinds, environments) = (&scope["kinds"], &scope["environments"]);
    match (texts(kinds).is_empty(), texts(environments).is_empty()) {
        (true, true) => String::new(),
        _ => format!(
            " for {} in {}",
            part(kinds, "every kind"),
            part(environments, "every environment")
        ),
    }
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
