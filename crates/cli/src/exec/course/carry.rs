//! The command itself, the report of it, and what undoes it.

use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};

use super::release::rollback;
use super::{Course, Next};
use crate::agent::report::{self, Said, Status};
use crate::agent::say;
use crate::exec::lease::Lease;
use crate::exec::program::Program;
use crate::exec::proposal::{Command, passed_unseen};
use crate::exec::record::{End, Step};
use crate::exec::running::{self, Ended, Run};
use crate::exit::Exit;
use crate::wire::Problem;

/// The most of the output that goes with a report, in characters.
const MAX_OUTPUT_CHARS: usize = 32 << 10;
/// Passed on to every command, without a word: who and where it is, and in which language.
const ALWAYS: [&str; 9] =
    ["HOME", "LANG", "LC_ALL", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TZ", "USER"];

impl Course {
    /// Runs the command until it ends or has to stop, and writes down how it ended.
    pub(super) async fn carry_out(
        &mut self,
        command: &Command,
        program: &Program,
        lease: Lease,
        token: &str,
    ) -> anyhow::Result<Next> {
        let id = lease.id.clone();
        let process = self.process(command, program, Some(token))?;
        let has_rollback = rollback(&self.record()?.body)?.is_some();
        let grace = Duration::from_secs(self.arguments.grace);
        // INVARIANT: from here on it may have been started, and is not started again.
        self.write(Step::Started { lease: id.clone() })?;
        say("approved and redeemed; running it");
        let ended = match running::run(process, lease.keep(), &mut self.signals, grace).await? {
            Run::Ended(ended) => ended,
            Run::NotStarted(error) => {
                let summary = format!("Never started: {error}.");
                say(&summary);
                let (status, code) = (Status::Failed, Exit::CannotRun as u8);
                return self.go(Step::Ended {
                    lease: id,
                    end: End { status, summary, output: None, code, undo: false },
                });
            }
        };
        let (status, code, undo) = if ended.stopped.is_some() {
            (Status::Halted, Exit::Halted as u8, has_rollback)
        } else if ended.status.success() {
            (Status::Succeeded, ended.code(), false)
        } else {
            (Status::Failed, ended.code(), self.arguments.rollback_on_failure)
        };
        let (summary, output) = self.told(&ended, token);
        self.go(Step::Ended { lease: id, end: End { status, summary, output, code, undo } })
    }

    /// The process to start: the open file, the approved environment and directory.
    fn process(
        &mut self,
        command: &Command,
        program: &Program,
        token: Option<&str>,
    ) -> anyhow::Result<std::process::Command> {
        let request = self.request()?;
        let mut process = program.command(&command.argv);
        let unseen = passed_unseen(&self.record()?.body);
        let passed = unseen.iter().map(String::as_str).chain(ALWAYS);
        let passed = passed.filter(|name| !name.starts_with("COUNTERSIGN_"));
        let passed = passed.filter_map(|name| Some((name, std::env::var_os(name)?)));
        process
            .env_clear()
            .envs(passed)
            .envs(&command.env)
            .env("COUNTERSIGN_REQUEST_ID", request.id.to_string())
            .env("COUNTERSIGN_EXECUTABLE", command.argv.first().map_or("", String::as_str))
            .current_dir(&command.cwd);
        if let Some(token) = token {
            process.env("COUNTERSIGN_RELEASE_TOKEN", token);
        }
        Ok(process)
    }

    /// What people are told of it: a sentence, and the end of what it printed as evidence.
    fn told(&self, ended: &Ended, token: &str) -> (String, Option<String>) {
        let sentence = ended.sentence();
        if self.arguments.withhold_output {
            return (sentence, None);
        }
        let tail = ended.tail.text(MAX_OUTPUT_CHARS, token);
        match tail.is_empty() {
            true => (format!("{sentence} It printed nothing."), None),
            false => (sentence, Some(tail + "\n")),
        }
    }

    /// Reports how it ended; runs the rollback command where that comes next.
    pub(super) async fn report(&mut self, lease: String, end: End) -> anyhow::Result<Next> {
        let request = self.request()?;
        let agent = self.agent.clone();
        let evidence = end.output.as_deref().map(output).into_iter().collect();
        let said = Said { status: end.status, summary: &end.summary, evidence };
        let sending = report::send(&agent, request.id, &lease, said);
        match self.or_signal(sending).await? {
            Ok(answer) => self.tell(&format!("reported as {}", end.status), &answer.document),
            Err(error) => match error.downcast_ref::<Problem>() {
                Some(problem) => say(&format!("the report as {} is refused: {problem}", end.status)),
                None => bail!(Exit::Unreported.because(format!(
                    "it ended ({}, code {}), and that could not be reported: {error:#}. Run the same \
                     command line again: it reports, and runs nothing",
                    end.status, end.code
                ))),
            },
        }
        if end.undo {
            return self.undo(lease, end.code).await;
        }
        self.place.clear()?;
        Ok(Next::Break(end.code))
    }

    /// Runs the approved rollback command.
    async fn undo(&mut self, lease: String, code: u8) -> anyhow::Result<Next> {
        let Some(command) = rollback(&self.record()?.body)? else {
            self.place.clear()?;
            return Ok(Next::Break(code));
        };
        self.write(Step::Undoing { lease: lease.clone() })?;
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
        self.go(Step::Undone { lease, end })
    }

    async fn undoing(&mut self, command: &Command, program: &Program) -> anyhow::Result<Run> {
        let process = self.process(command, program, None)?;
        let grace = Duration::from_secs(self.arguments.grace);
        running::run(process, std::future::pending(), &mut self.signals, grace).await
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
            "command" => state.is_live() || state == domain::StateName::OutcomeUnknown,
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
