//! `countersign stage`: puts an action before people.
//!
//! INVARIANT: staging the same body twice gives one request for as long as that is open, whatever
//! was lost in between: the Idempotency-Key follows from the body and from how many requests of the
//! same body are over already. Each run that amends makes a revision of its own, once.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use domain::revision::content_digest;
use domain::stage::StageBody;
use domain::{Digest, RequestId, StateName, canonical};
use serde_json::Value;

use super::api::{Agent, Answer, Call, fresh_key};
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
    /// Put the body in the place of what this request asks for, while people may still decide: every
    /// review so far is void
    #[arg(long, value_name = "ID")]
    amend: Option<RequestId>,
    /// Check the body and say who would have to approve; stage nothing
    #[arg(long, conflicts_with_all = ["wait", "idempotency_key", "amend"])]
    validate: bool,
    #[command(flatten)]
    patience: Patience,
    /// Stage or amend once for this key, instead of once for as long as a request of the same body is
    /// open, or once a run
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
    let posting = Posting::of(&agent, &body, arguments.amend);
    let answer = match (&arguments.idempotency_key, arguments.amend) {
        (Some(key), _) => posting.post(key).await?,
        // What was said before may have been replaced since: only this very run says it again.
        (None, Some(_)) => posting.post(&fresh_key("amend")?).await?,
        (None, None) => posting.once().await?,
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
    match arguments.amend {
        Some(id) => say(&format!("{id} has revision {}", request.revision)),
        None => say(&format!("staged {}", request.id)),
    }
    wait_for(&agent, request.id, &arguments.patience, json).await
}

/// A body on its way to people.
struct Posting<'a> {
    agent: &'a Agent,
    body: &'a [u8],
    path: String,
    /// What cannot be done where it is refused.
    deed: &'static str,
    began: Instant,
}

impl<'a> Posting<'a> {
    fn of(agent: &'a Agent, body: &'a [u8], amend: Option<RequestId>) -> Self {
        let (path, deed) = match amend {
            Some(id) => (Agent::path(id, "/revisions"), "amend"),
            None => ("/api/v1/requests".to_owned(), "stage"),
        };
        Self { agent, body, path, deed, began: Instant::now() }
    }

    /// The open request of this body, or a new one.
    async fn once(&self) -> anyhow::Result<Answer> {
        let value = canonical::parse(self.body).map_err(|error| {
            Exit::Usage.because(format!("the stage body is refused {error}. Nothing was sent"))
        })?;
        let digest = Digest::of(&canonical::to_bytes(&value)?).hex();
        for turn in 0..MOST_OF_ONE_BODY {
            let answer = self.post(&format!("stage-{digest}-{turn}")).await?;
            if !answer.replayed || self.is_meant(&answer)? {
                return Ok(answer);
            }
        }
        Err(Exit::Usage.because(format!(
            "{MOST_OF_ONE_BODY} requests of this body are over; name a key for this one with \
             --idempotency-key"
        )))
    }

    /// Whether what an earlier call has staged is what this one asks for.
    fn is_meant(&self, answer: &Answer) -> anyhow::Result<bool> {
        let state = answer.request()?.state;
        let open = state.is_live() || state == StateName::OutcomeUnknown;
        // What a lost call of this very run had staged is what was meant, whatever became of it. What
        // was over before is not: its approval was for another time.
        let ours = answer.retried && answer.is_staged_since(self.began);
        Ok((open || ours) && self.is_content_of(&answer.document))
    }

    /// Another body may have been put in its place since.
    fn is_content_of(&self, request: &Value) -> bool {
        let body = serde_json::from_slice::<StageBody>(self.body).ok();
        let digest = body.and_then(|body| content_digest(&body).ok());
        digest.is_none_or(|digest| request["content_digest"] == digest.to_string())
    }

    async fn post(&self, key: &str) -> anyhow::Result<Answer> {
        let call = Call::post(&self.path, self.body.to_vec()).keyed(key);
        self.agent.send(call).await.with_context(|| format!("cannot {}", self.deed))
    }
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
