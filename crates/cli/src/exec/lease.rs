//! A lease while the command runs: kept alive, and watched for somebody who wants it to stop.

use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::DateTime;
use domain::RequestId;
use serde_json::{Value, json};

use crate::agent::api::{Agent, Answer, Call};
use crate::agent::decision::changed;
use crate::wire::Problem;

/// The longest time between two heartbeats.
const BEAT: Duration = Duration::from_secs(30);
/// The pause after an answer that was none.
const PAUSE: Duration = Duration::from_secs(1);

/// A spent release, and for how long it holds.
pub struct Lease {
    agent: Agent,
    request: RequestId,
    pub id: String,
    /// How long the lease is.
    length: Duration,
    /// Until when it holds, if nobody is reached any more.
    end: Instant,
}

/// What the server says to a heartbeat.
pub enum Beat {
    Continue,
    /// Why to stop.
    Stop(String),
}

impl Lease {
    /// What redeeming answered.
    pub fn of(agent: &Agent, request: RequestId, answer: &Answer) -> anyhow::Result<Self> {
        let id = answer.document["lease_id"].as_str().context("a redemption without a lease")?;
        let (from, until) = (&answer.document["redeemed_at"], &answer.document["lease_until"]);
        let length = between(from.as_str(), until.as_str()).context("a lease without a length")?;
        let (agent, id) = (agent.clone(), id.to_owned());
        Ok(Self { agent, request, id, length, end: Instant::now() + length })
    }

    /// A sign of life, and what to do.
    pub async fn beat(&mut self) -> anyhow::Result<Beat> {
        let body = serde_json::to_vec(&json!({"lease_id": self.id}))?;
        let path = Agent::path(self.request, "/heartbeat");
        let answer = match self.agent.send_until(Call::post(&path, body), self.end).await {
            Ok(answer) => answer,
            Err(error) => {
                return match error.downcast_ref::<Problem>() {
                    Some(problem) if problem.status() < 500 => {
                        Ok(Beat::Stop(format!("the lease is over ({problem})")))
                    }
                    _ => Err(error),
                };
            }
        };
        self.end = Instant::now() + self.left(&answer.document, answer.date.as_deref());
        Ok(match answer.document["signal"].as_str() {
            Some("continue") => Beat::Continue,
            Some("halt") => Beat::Stop("somebody halted the execution".to_owned()),
            _ => Beat::Stop("the server says something else than `continue`".to_owned()),
        })
    }

    /// How long the lease holds, by the server's clock; at least half of it after a heartbeat.
    fn left(&self, answer: &Value, date: Option<&str>) -> Duration {
        let until = answer["lease_until"].as_str();
        let now = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let now = now.map(|now| now.to_rfc3339());
        between(now.as_deref(), until).unwrap_or(self.length / 2)
    }

    /// Keeps it until there is a reason to stop, and says which.
    pub async fn keep(mut self) -> String {
        let mut seen = None;
        loop {
            let between = BEAT.min(self.length / 3);
            // Somebody who halts it changes the request: that is not waited for until the next beat.
            match changed(&self.agent, self.request, seen.as_deref(), between).await {
                Ok(answer) if answer.unchanged => {}
                Ok(answer) => seen = answer.etag,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
            match self.beat().await {
                Ok(Beat::Continue) => {}
                Ok(Beat::Stop(why)) => return why,
                Err(_) if Instant::now() < self.end => tokio::time::sleep(PAUSE).await,
                Err(error) => {
                    let away = "the server is away and the lease is over, so nobody could stop it";
                    return format!("{away} ({error:#})");
                }
            }
        }
    }
}

/// From one instant to a later one.
pub fn between(from: Option<&str>, until: Option<&str>) -> Option<Duration> {
    let [from, until] = [from?, until?].map(DateTime::parse_from_rfc3339);
    (until.ok()? - from.ok()?).to_std().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::between;

    #[test]
    fn a_time_that_is_over_or_unknown_is_no_time() {
        let (early, late) = ("2026-11-22T18:40:00Z", "2026-11-22T18:40:01.5Z");
        assert_eq!(between(Some(early), Some(late)), Some(Duration::from_millis(1500)));
        assert_eq!(between(Some(late), Some(early)), None);
        assert_eq!(between(Some(early), None), None);
        assert_eq!(between(Some("soon"), Some(late)), None);
    }
}
