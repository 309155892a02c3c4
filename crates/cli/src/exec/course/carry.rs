//! The command itself, while it runs.

use std::time::Duration;

use super::release::rollback;
use super::{Course, Next};
use crate::agent::report::Status;
use crate::agent::say;
use crate::exec::lease::Lease;
use crate::exec::program::Program;
use crate::exec::proposal::{Command, passed_unseen};
use crate::exec::record::{End, Step};
use crate::exec::running::{self, Ended, Run};
use crate::exit::Exit;

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
    pub(super) fn process(
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
    pub(super) fn told(&self, ended: &Ended, token: &str) -> (String, Option<String>) {
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
}
