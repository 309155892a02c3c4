//! From an approval to a command that runs, once.

use std::time::Duration;

use anyhow::bail;

use super::{Course, Next};
use crate::agent::api::{Agent, Answer, Call, fresh_key};
use crate::agent::report::Status;
use crate::agent::say;
use crate::exec::lease::{Beat, Lease, between};
use crate::exec::program::Program;
use crate::exec::proposal::Command;
use crate::exec::record::{End, Step};
use crate::exit::Exit;
use crate::wire::Problem;

/// The time between two tries while a freeze is on.
const FROZEN: Duration = Duration::from_secs(10);

impl Course {
    /// Spends the release, checks once more, and runs the command.
    pub(super) async fn redeem(&mut self, key: &str) -> anyhow::Result<Next> {
        let request = self.request()?;
        let (agent, path) = (self.agent.clone(), Agent::path(request.id, "/redeem"));
        let body = serde_json::to_vec(&serde_json::json!({"digest": request.digest}))?;
        let call = Call::post(&path, body).keyed(key);
        let answer = match self.or_signal(agent.send(call)).await? {
            Ok(answer) => answer,
            Err(error) => return self.not_redeemed(error).await,
        };
        let mut lease = Lease::of(&self.agent, request.id, &answer)?;
        let never = |status, why: String, exit| End {
            status,
            summary: format!("Never started: {why}."),
            output: None,
            code: exit as u8,
            undo: false,
        };
        let lease_id = lease.id.clone();
        let ended = |end| Step::Ended { lease: lease_id.clone(), end };
        if is_expired(&answer) {
            let why = "the release was spent, and nothing was done with it in time";
            return self.go(ended(never(Status::Failed, why.to_owned(), Exit::Lapsed)));
        }
        match self.or_signal(lease.beat()).await?? {
            Beat::Continue => {}
            Beat::Stop(why) => {
                return self.go(ended(never(Status::Halted, why, Exit::Halted)));
            }
        }
        // Opened anew: as little time as can be between the look and the start.
        let (command, program) = match self.approved_programs() {
            Ok(approved) => approved,
            Err(error) => {
                let exit = Exit::of_error(&error);
                say(&format!("{error:#}"));
                return self.go(ended(never(Status::Failed, format!("{error:#}"), exit)));
            }
        };
        let token = answer.document["release_token"].as_str().unwrap_or_default().to_owned();
        self.carry_out(&command, &program, lease, &token).await
    }

    /// The command and the open file of it; the rollback's file is looked at, too.
    pub(super) fn approved_programs(&mut self) -> anyhow::Result<(Command, Program)> {
        let body = &self.record()?.body;
        let command: Command = serde_json::from_value(body["command"].clone())?;
        if let Some(rollback) = rollback(body)? {
            rollback.open_as_approved()?;
        }
        let program = command.open_as_approved()?;
        Ok((command, program))
    }

    /// What to do where the release was not given.
    async fn not_redeemed(&mut self, error: anyhow::Error) -> anyhow::Result<Next> {
        match error.downcast_ref::<Problem>().map(Problem::code) {
            // People are asked again, or it is over: waiting says which. The key is spent.
            Some("not_approved") => self.go(Step::Staged),
            Some("frozen") => {
                let over = self.end.is_some_and(|end| std::time::Instant::now() + FROZEN > end);
                if over {
                    bail!(Exit::Undecided.because(format!("{error:#}")));
                }
                say(&format!("{error:#}"));
                self.or_signal(tokio::time::sleep(FROZEN)).await?;
                let key = fresh_key("exec")?;
                self.go(Step::Redeeming { key })
            }
            Some("already_redeemed") => {
                self.place.clear()?;
                Err(error.context("somebody else has redeemed it; nothing was run here"))
            }
            _ => Err(error.context("cannot redeem")),
        }
    }
}

/// The approved rollback command of a body, where there is one.
pub(super) fn rollback(body: &serde_json::Value) -> anyhow::Result<Option<Command>> {
    let command = &body["rollback_plan"]["command"];
    if command.is_null() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_value(command.clone())?))
}

/// Whether the token has lost its force by the server's clock: an answer that is given again.
fn is_expired(answer: &Answer) -> bool {
    let until = answer.document["token_expires_at"].as_str();
    let now = answer.date.as_deref().and_then(|d| chrono::DateTime::parse_from_rfc2822(d).ok());
    let now = now.map(|now| now.to_rfc3339());
    answer.replayed && between(now.as_deref(), until).is_none()
}
