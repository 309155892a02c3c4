//! The report of how a command ended, and what undoes it.
//!
//! INVARIANT: what is not reported stays written down until Countersign has taken it, or has refused
//! it for good; and what has to be undone does not wait for a server that is away.

use std::time::Duration;

use anyhow::bail;
use domain::StateName;
use serde_json::{Value, json};

use super::release::rollback;
use super::{Course, Next};
use crate::agent::api::{Until, after};
use crate::agent::report::{self, Said, Status};
use crate::agent::say;
use crate::exec::program::Program;
use crate::exec::proposal::Command;
use crate::exec::record::{End, Step};
use crate::exec::running::{self, Run};
use crate::exit::Exit;
use crate::wire::Problem;

/// For so long a report is tried before what is reported as wrong is undone.
const BEFORE_UNDOING: Duration = Duration::from_secs(10);
/// The refusals that are the last word on a report.
const SETTLED: [&str; 6] = [
    "not_executing",
    "nothing_to_roll_back",
    "wrong_lease",
    "not_executor",
    "not_found",
    "invalid_body",
];

impl Course {
    /// Reports how it ended; runs the rollback command where that comes next.
    pub(super) async fn report(&mut self, lease: String, end: End) -> anyhow::Result<Next> {
        if end.undo {
            let unsent = self.send(&lease, &end, after(BEFORE_UNDOING).into()).await?;
            if let Some(error) = &unsent {
                say(&format!("not reported yet: {error:#}"));
            }
            let (code, unsent) = (end.code, unsent.map(|_| End { undo: false, ..end }));
            return self.undo(lease, code, unsent).await;
        }
        self.send_or_keep(&lease, &end).await?;
        self.place.clear()?;
        Ok(Next::Break(end.code))
    }

    /// Reports how undoing it ended, after what is still to be said before that.
    pub(super) async fn report_undone(
        &mut self,
        lease: String,
        end: End,
        unsent: Option<End>,
    ) -> anyhow::Result<Next> {
        if let Some(first) = unsent {
            self.send_or_keep(&lease, &first).await?;
            return self.go(Step::Undone { lease, end, unsent: None });
        }
        self.report(lease, end).await
    }

    /// Sends a report.
    ///
    /// # Errors
    /// [`Exit::Unreported`] where nobody has taken it; it stays written down.
    async fn send_or_keep(&mut self, lease: &str, end: &End) -> anyhow::Result<()> {
        let Some(error) = self.send(lease, end, self.agent.patiently()).await? else {
            return Ok(());
        };
        bail!(Exit::Unreported.because(format!(
            "it ended ({}, code {}), and that could not be reported: {error:#}. Run the same command \
             line again: it reports, and runs nothing",
            end.status, end.code
        )))
    }

    /// Sends a report; gives back why it has to be sent again, where it has.
    async fn send(
        &mut self,
        lease: &str,
        end: &End,
        until: Until,
    ) -> anyhow::Result<Option<anyhow::Error>> {
        let request = self.request()?;
        let agent = self.agent.clone();
        let evidence = end.output.as_deref().map(output).into_iter().collect();
        let said = Said { status: end.status, summary: &end.summary, evidence };
        let sending = report::send(&agent, request.id, lease, said, until);
        let error = match self.or_signal(sending).await? {
            Ok(answer) => {
                self.tell(&format!("reported as {}", end.status), &answer.document);
                return Ok(None);
            }
            Err(error) => error,
        };
        match error.downcast_ref::<Problem>() {
            Some(problem) if SETTLED.contains(&problem.code()) => {
                say(&format!("the report as {} is refused: {problem}", end.status));
                Ok(None)
            }
            _ => Ok(Some(error)),
        }
    }

    /// Runs the approved rollback command.
    async fn undo(&mut self, lease: String, code: u8, unsent: Option<End>) -> anyhow::Result<Next> {
        let Some(command) = rollback(&self.record()?.body)? else {
            self.place.clear()?;
            return Ok(Next::Break(code));
        };
        self.write(Step::Undoing { lease: lease.clone(), unsent: unsent.clone() })?;
        say("running the rollback command");
        let undone = match command.open_as_approved() {
            Ok(program) => self.undoing(&command, &program).await,
            Err(error) => Err(error),
        };
        let (status, (summary, output)) = match undone {
            Ok(Run::Ended(ended)) if ended.status.success() => {
                (Status::RolledBack, self.told(&ended, ""))
            }
            Ok(Run::Ended(ended)) => (Status::RollbackFailed, self.told(&ended, "")),
            Ok(Run::NotStarted(error)) => {
                (Status::RollbackFailed, (format!("Not run: {error}."), None))
            }
            Err(error) => (Status::RollbackFailed, (format!("Not run: {error:#}."), None)),
        };
        if status == Status::RollbackFailed {
            let first = summary.lines().next().unwrap_or_default();
            say(&format!("the rollback failed; somebody has to look at it now. {first}"));
        }
        let end = End { status, summary, output, code, undo: false };
        self.go(Step::Undone { lease, end, unsent })
    }

    async fn undoing(&mut self, command: &Command, program: &Program) -> anyhow::Result<Run> {
        let process = self.process(command, program, None)?;
        let grace = Duration::from_secs(self.arguments.grace);
        running::run(process, std::future::pending(), &mut self.signals, grace).await
    }

    /// The rollback command was started, and nobody saw its end: before somebody can report that, how
    /// the command itself ended has to be said.
    pub(super) async fn look_for_undoing(
        &mut self,
        lease: String,
        unsent: Option<End>,
    ) -> anyhow::Result<Next> {
        if let Some(first) = unsent {
            self.send_or_keep(&lease, &first).await?;
            return self.go(Step::Undoing { lease, unsent: None });
        }
        self.look(&lease, "rollback command", "rolled_back").await
    }

    /// Something was started, and this process's predecessor did not see its end: it is not
    /// started again, whatever happens.
    pub(super) async fn look(
        &mut self,
        lease: &str,
        what: &str,
        well: &str,
    ) -> anyhow::Result<Next> {
        let id = self.request()?.id;
        let state = self.found(id).await?.state;
        let waits = match what {
            "command" => state.is_live() || state == StateName::OutcomeUnknown,
            _ => !matches!(state.as_str(), "rolled_back" | "rollback_failed"),
        };
        if waits {
            bail!(Exit::OutcomeUnknown.because(format!(
                "the {what} of {id} was started, and this program ended before it did: nobody knows \
                 how that ended, so it is not started again. Find out, then say it:\n  \
                 countersign report {id} --lease {lease} --status {well} --summary '…'\nor another \
                 --status. After that the same command line begins anew"
            )));
        }
        let said = state.as_str();
        say(&format!("{id} is {said}, as somebody reported; the next run begins anew"));
        self.place.clear()?;
        Ok(Next::Break(Exit::of(state) as u8))
    }
}

/// The end of the output as a piece of evidence.
fn output(text: &str) -> Value {
    json!({"type": "output", "name": "output.txt", "media_type": "text/plain", "content": text})
}
