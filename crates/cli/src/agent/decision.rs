//! Waiting until people have decided: through restarts of the server, for as long as it takes.

use std::time::{Duration, Instant};

use clap::Args;
use domain::{RequestId, StateName};
use serde_json::Value;

use super::Progress;
use super::api::{Agent, Answer, Call, Until, after, known};
use super::print;
use crate::exit::Exit;
use crate::wire::{Problem, Unreachable};

/// How long one call waits, in seconds: shorter than proxies cut off, and than the server's cap.
const WAIT_S: u64 = 25;
/// So much later than it was asked to, an answer may come.
const LATE: Duration = Duration::from_secs(5);

/// How long to wait.
#[derive(Args)]
pub struct Patience {
    /// Stop waiting after this long; the request stays staged, and waiting can go on later
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

impl Patience {
    /// When it is over.
    pub fn end(&self) -> Option<Instant> {
        self.timeout.map(|seconds| after(Duration::from_secs(seconds)))
    }
}

/// The request once it is not `pending` any more, or as it is at `end`.
///
/// # Errors
/// As [`Agent::send`]; [`Exit::Undecided`] where the server is away at `end`.
pub async fn decided(
    agent: &Agent,
    id: RequestId,
    end: Option<Instant>,
    progress: &mut Progress,
) -> anyhow::Result<Value> {
    let path = Agent::path(id, "");
    let Answer { mut document, mut etag, .. } = look(agent, Call::get(&path), end).await?;
    loop {
        progress.now(print::standing(&document));
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let over = left.is_some_and(|left| left.is_zero());
        if over || known(&document)?.state != StateName::Pending {
            return Ok(document);
        }
        let wait = left.map_or(WAIT_S, |left| left.as_secs().clamp(1, WAIT_S));
        let answer = look(agent, Call::get(&path).waiting(wait, etag.as_deref()), end).await?;
        if !answer.unchanged {
            (document, etag) = (answer.document, answer.etag);
        }
    }
}

/// Asks until it is answered; whoever waits does not do so for longer because the server is away.
async fn look(agent: &Agent, call: Call<'_>, end: Option<Instant>) -> anyhow::Result<Answer> {
    let patient = agent.patiently();
    let Some(end) = end.filter(|end| *end < patient.again) else {
        return agent.send_until(call, patient).await;
    };
    let answered = end.max(Instant::now()) + LATE;
    agent.send_until(call, Until { again: end, answered }).await.map_err(|error| {
        let busy = error.downcast_ref::<Problem>().is_some_and(|problem| problem.status() == 429);
        if !busy && error.downcast_ref::<Unreachable>().is_none() {
            return error;
        }
        Exit::Undecided
            .because(format!("nothing was heard of it before --timeout was over: {error:#}"))
    })
}

/// The request once it differs from `seen`, or after `longest`.
pub async fn changed(
    agent: &Agent,
    id: RequestId,
    seen: Option<&str>,
    longest: Duration,
) -> anyhow::Result<Answer> {
    let path = Agent::path(id, "");
    let wait = longest.as_secs().clamp(1, WAIT_S);
    let until = Until { again: after(longest), answered: after(Duration::from_secs(wait) + LATE) };
    agent.send_until(Call::get(&path).waiting(wait, seen), until).await
}
