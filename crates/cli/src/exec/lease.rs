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
        let answer = match self.agent.send_until(Call::post(&path, body), self.end.into()).await {
            Ok(answer) => answer,
            Err(error) => {
                return match error.downcast_ref::<Problem>() {
                    // A page of something in front of the server ends no lease.
                    Some(problem) if problem.is_final() || problem.code() == "unauthenticated" => {
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
            // INVARIANT: whatever the network does with a call, nothing runs on beyond the lease.
            let end = self.end.into();
            match tokio::time::timeout_at(end, self.round(&mut seen)).await {
                Ok(Beat::Continue) => {}
                Ok(Beat::Stop(why)) => return why,
                Err(_) => {
                    return "the lease is over and was not renewed: nobody could stop it"
                        .to_owned();
                }
            }
        }
    }

    /// One look for whoever stops it, then a sign of life that is answered.
    async fn round(&mut self, seen: &mut Option<String>) -> Beat {
        let between = BEAT.min(self.length / 3);
        // Somebody who halts it changes the request: that is not waited for until the next beat.
        match changed(&self.agent, self.request, seen.as_deref(), between).await {
            Ok(answer) if answer.unchanged => {}
            Ok(answer) => *seen = answer.etag,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        loop {
            match self.beat().await {
                Ok(beat) => return beat,
                Err(_) => tokio::time::sleep(PAUSE).await,
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
    use std::time::{Duration, Instant};

    use clap::Parser;
    use domain::RequestId;
    use tempfile::NamedTempFile;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::{Beat, Lease, between};
    use crate::agent::Access;

    const LEASE: Duration = Duration::from_secs(2);

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        access: Access,
    }

    /// A lease of something that answers every call with this, or never; and the file of its key.
    async fn lease(answer: Option<String>) -> (Lease, NamedTempFile) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut client, _)) = listener.accept().await {
                if let Some(answer) = &answer {
                    let _ = client.read(&mut [0; 4096]).await;
                    client.write_all(answer.as_bytes()).await.unwrap();
                }
                held.push(client);
            }
        });
        let key = NamedTempFile::new().unwrap();
        std::fs::write(key.path(), "csn_agt_key").unwrap();
        let file = key.path().display().to_string();
        let line = Line::try_parse_from(["line", "--url", &url, "--key-file", &file]).unwrap();
        let agent = line.access.agent().unwrap();
        let request: RequestId = "01a2056c-8d2b-7dc2-917d-36f536c1660c".parse().unwrap();
        let (id, end) = ("lease".to_owned(), Instant::now() + LEASE);
        (Lease { agent, request, id, length: LEASE, end }, key)
    }

    fn answer(status: &str, body: &str) -> Option<String> {
        Some(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    #[tokio::test]
    async fn nothing_runs_on_beyond_the_lease_when_the_network_swallows_calls() {
        let (lease, _key) = lease(None).await;
        let end = lease.end;
        let kept = tokio::time::timeout(LEASE * 3, lease.keep()).await;
        assert!(kept.expect("it ends with the lease").contains("the lease is over"));
        assert!(Instant::now() >= end);
    }

    #[tokio::test]
    async fn a_page_of_something_in_front_of_the_server_ends_no_lease() {
        let (mut by_page, _key) = lease(answer("404 Not Found", "<p>No page.")).await;
        assert!(by_page.beat().await.is_err(), "it is no word of the server's");
        let revoked = r#"{"type": "urn:countersign:problem:unauthenticated"}"#;
        let (mut by_us, _key) = lease(answer("401 Unauthorized", revoked)).await;
        assert!(by_us.beat().await.is_ok_and(|beat| matches!(beat, Beat::Stop(_))));
    }

    #[test]
    fn a_time_that_is_over_or_unknown_is_no_time() {
        let (early, late) = ("2026-11-22T18:40:00Z", "2026-11-22T18:40:01.5Z");
        assert_eq!(between(Some(early), Some(late)), Some(Duration::from_millis(1500)));
        assert_eq!(between(Some(late), Some(early)), None);
        assert_eq!(between(Some(early), None), None);
        assert_eq!(between(Some("soon"), Some(late)), None);
    }
}
