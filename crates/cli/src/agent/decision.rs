//! Waiting until people have decided: through restarts of the server, for as long as it takes.

use std::time::{Duration, Instant};

use clap::Args;
use domain::{RequestId, StateName};
use serde_json::Value;

use super::Progress;
use super::api::{Agent, Answer, Call, known};
use super::print;

/// How long one call waits, in seconds: shorter than proxies cut off, and than the server's cap.
const WAIT_S: u64 = 25;

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
        self.timeout.map(|seconds| Instant::now() + Duration::from_secs(seconds))
    }
}

/// The request once it is not `pending` any more, or as it is at `end`.
pub async fn decided(
    agent: &Agent,
    id: RequestId,
    end: Option<Instant>,
    progress: &mut Progress,
) -> anyhow::Result<Value> {
    let path = Agent::path(id, "");
    let Answer { mut document, mut etag, .. } = agent.send(Call::get(&path)).await?;
    loop {
        progress.now(print::standing(&document));
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let over = left.is_some_and(|left| left.is_zero());
        if over || known(&document)?.state != StateName::Pending {
            return Ok(document);
        }
        let wait = left.map_or(WAIT_S, |left| left.as_secs().clamp(1, WAIT_S));
        let answer = agent.send(Call::get(&path).waiting(wait, etag.as_deref())).await?;
        if !answer.unchanged {
            (document, etag) = (answer.document, answer.etag);
        }
    }
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
    let end = Instant::now() + longest;
    agent.send_until(Call::get(&path).waiting(wait, seen), end).await
}
