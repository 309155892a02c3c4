//! `countersign stage`: puts an action before people.
//!
//! INVARIANT: staging the same body twice gives one request for as long as that is open, whatever
//! was lost in between: the Idempotency-Key follows from the body and from how many requests of the
//! same body are over already.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use domain::{Digest, StateName, canonical};
use serde_json::Value;

use super::api::{Agent, Answer, Call};
use super::decision::Patience;
use super::requests::{put, wait_for};
use super::{Access, print, say};
use crate::exit::Exit;
use crate::wire::{self, rows};

/// So many requests of one body may be over before it has to be said which staging is meant.
const MOST_OF_ONE_BODY: u32 = 1000;

/// What to stage.
#[derive(Args)]
pub struct Arguments {
    /// The stage body, `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Wait until people have decided, and end with the code of what they did
    #[arg(long)]
    wait: bool,
    /// Check the body and say who would have to approve; stage nothing
    #[arg(long, conflicts_with_all = ["wait", "idempotency_key"])]
    validate: bool,
    #[command(flatten)]
    patience: Patience,
    /// Stage once for this key, instead of once for as long as a request of the same body is open
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    pub access: Access,
}

/// Stages, and waits where that is wanted.
pub async fn stage(arguments: Arguments) -> anyhow::Result<Exit> {
    let agent = arguments.access.agent()?;
    let json = arguments.access.json;
    let body = wire::read(&arguments.file)?.into_bytes();
    if arguments.validate {
        let call = Call::post("/api/v1/requests?validate=true", body);
        let preview = agent.send(call).await?.document;
        warn(&preview);
        put_preview(&preview, json);
        return Ok(Exit::Done);
    }
    let answer = match &arguments.idempotency_key {
        Some(key) => post(&agent, &body, key).await?,
        None => once(&agent, &body).await?,
    };
    let request = answer.request()?;
    warn(&answer.document);
    if answer.replayed && !answer.retried {
        say(&format!("this is staged already, as {}", request.id));
    }
    if !arguments.wait {
        put(&answer.document, json);
        return Ok(Exit::Done);
    }
    say(&format!("staged {}", request.id));
    wait_for(&agent, request.id, &arguments.patience, json).await
}

/// The open request of this body, or a new one.
async fn once(agent: &Agent, body: &[u8]) -> anyhow::Result<Answer> {
    let value = canonical::parse(body).map_err(|error| {
        Exit::Usage.because(format!("the stage body is refused {error}. Nothing was sent"))
    })?;
    let digest = Digest::of(&canonical::to_bytes(&value)?).hex();
    for turn in 0..MOST_OF_ONE_BODY {
        let answer = post(agent, body, &format!("stage-{digest}-{turn}")).await?;
        // What a lost call of this very run had staged is what was meant, whatever became of it.
        let state = answer.request()?.state;
        let open = state.is_live() || state == StateName::OutcomeUnknown;
        if open || !answer.replayed || answer.retried {
            return Ok(answer);
        }
    }
    Err(Exit::Usage.because(format!(
        "{MOST_OF_ONE_BODY} requests of this body are over; name a key for this one with \
         --idempotency-key"
    )))
}

async fn post(agent: &Agent, body: &[u8], key: &str) -> anyhow::Result<Answer> {
    let call = Call::post("/api/v1/requests", body.to_vec()).keyed(key);
    agent.send(call).await.context("cannot stage")
}

/// Says what the author should look at before people do.
pub fn warn(answer: &Value) {
    for warning in rows(&answer["warnings"]) {
        say(&format!(
            "warning: {} {}",
            print::text(&warning["pointer"]),
            print::text(&warning["detail"])
        ));
    }
}

/// Prints what staging would lead to.
pub fn put_preview(preview: &Value, json: bool) {
    if json { println!("{preview}") } else { println!("{}", print::preview(preview)) }
}
