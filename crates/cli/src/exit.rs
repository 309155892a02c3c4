//! With which code the binary ends: the one list, for shells, pipelines and the documentation.

use std::fmt;
use std::process::ExitCode;

use domain::StateName;

use crate::wire::{Problem, Unreachable};

/// How a command ended. `exec` passes on the code of the command that it ran, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Denied = 10,
    Expired = 11,
    Withdrawn = 12,
    Revoked = 13,
    Lapsed = 14,
    ChangesRequested = 15,
    Halted = 16,
    OutcomeUnknown = 17,
    NotWell = 18,
    Undecided = 19,
    Unreachable = 20,
    Refused = 21,
    NotAsApproved = 22,
    Unreported = 23,
    CannotRun = 126,
    NotFound = 127,
}

impl Exit {
    /// Every code with what it means.
    pub const ALL: [(Self, &str); 19] = [
        (Self::Done, "done; of a request: approved, and nothing after that went wrong"),
        (Self::Failed, "something else went wrong; the message says what"),
        (Self::Usage, "the command line is wrong, or lacks what the kind asks for"),
        (Self::Denied, "denied"),
        (Self::Expired, "nobody decided in time, which is a no"),
        (Self::Withdrawn, "withdrawn"),
        (Self::Revoked, "approved, and the approval was taken back"),
        (Self::Lapsed, "approved, and not used in time"),
        (
            Self::ChangesRequested,
            "a reviewer asks for changes: amend it, by `stage --amend ID` or the changed `exec`",
        ),
        (Self::Halted, "somebody stopped the execution"),
        (Self::OutcomeUnknown, "it was started and nobody knows how it ended: look, then `report`"),
        (Self::NotWell, "carried out, and failed or was rolled back"),
        (Self::Undecided, "not decided yet when `--timeout` was over; it stays staged"),
        (Self::Unreachable, "the server could not be reached for as long as `--retry-for` says"),
        (Self::Refused, "the server refuses; the message has its reason, fields and limits"),
        (Self::NotAsApproved, "what is there is not what was approved; nothing was run"),
        (
            Self::Unreported,
            "the command ended, but its end could not be reported: run `exec` again",
        ),
        (Self::CannotRun, "the command is there and cannot be run"),
        (Self::NotFound, "the command is not there"),
    ];

    /// The code that a request's state stands for, to whoever waits for a decision.
    pub fn of(state: StateName) -> Self {
        match state {
            StateName::Pending => Self::Undecided,
            StateName::Approved | StateName::Executing | StateName::Succeeded => Self::Done,
            StateName::ChangesRequested => Self::ChangesRequested,
            StateName::Denied => Self::Denied,
            StateName::Expired => Self::Expired,
            StateName::Withdrawn => Self::Withdrawn,
            StateName::Revoked => Self::Revoked,
            StateName::Lapsed => Self::Lapsed,
            StateName::Halted => Self::Halted,
            StateName::OutcomeUnknown => Self::OutcomeUnknown,
            StateName::Failed | StateName::RolledBack | StateName::RollbackFailed => Self::NotWell,
        }
    }

    /// The code of an error: its own, or that of what the server said.
    pub fn of_error(error: &anyhow::Error) -> Self {
        if let Some(ended) = error.downcast_ref::<Ended>() {
            ended.exit
        } else if error.downcast_ref::<Unreachable>().is_some() {
            // Also where something in front of the server answered in its place.
            Self::Unreachable
        } else if error.downcast_ref::<Problem>().is_some() {
            Self::Refused
        } else {
            Self::Failed
        }
    }

    /// An error that ends the binary with this code.
    pub fn because(self, why: impl Into<String>) -> anyhow::Error {
        Ended { exit: self, why: why.into() }.into()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why it ends with that code.
#[derive(Debug)]
struct Ended {
    exit: Exit,
    why: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Ended {}

/// The list, for `--help` and the manual.
pub fn help() -> String {
    let rows = Exit::ALL.map(|(exit, means)| format!("  {:>3}  {means}", exit as u8));
    format!("Exit codes:\n{}", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::Exit;

    /// The guide for authors of agents.
    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/agents.md");

    #[test]
    fn every_exit_code_is_on_the_page_once() {
        let rows = Exit::ALL.map(|(exit, means)| format!("| {} | {means} |\n", exit as u8));
        let wanted = format!("| code | means |\n|---|---|\n{}", rows.concat());
        let page = std::fs::read_to_string(PAGE).unwrap();
        let (open, close) = ("<!-- generated: exit codes -->\n", "<!-- end -->");
        let start = page.find(open).expect("the part's mark") + open.len();
        let end = start + page[start..].find(close).expect("the part's end");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let new = format!("{}\n{wanted}\n{}", &page[..start], &page[end..]);
            std::fs::write(PAGE, new).unwrap();
        } else {
            let found = page[start..end].trim();
            assert_eq!(found, wanted.trim(), "run this test with UPDATE_DOCS=1 to write {PAGE}");
        }
    }
}
