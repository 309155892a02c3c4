//! The states of a request: each holds what that state knows.

use serde::{Deserialize, Serialize};

use crate::entry::Actor;
use crate::{LeaseId, PersonId, Timestamp};

/// Where a request is in its life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum State {
    Pending,
    ChangesRequested { at: Timestamp, by: PersonId },
    Approved { approved_at: Timestamp, approved_until: Timestamp, basis: Basis },
    Denied { at: Timestamp, by: PersonId },
    Expired { at: Timestamp },
    Withdrawn { at: Timestamp, by: Actor },
    Revoked { at: Timestamp, by: PersonId },
    Lapsed { at: Timestamp },
    Executing { release: Release, halt: Option<Halt> },
    Succeeded { release: Release, at: Timestamp },
    Failed { release: Release, at: Timestamp },
    Halted { release: Release, at: Timestamp },
    OutcomeUnknown { release: Release, at: Timestamp },
    RolledBack { release: Release, at: Timestamp },
    RollbackFailed { release: Release, at: Timestamp },
}

/// The name of a state, without what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    Pending,
    ChangesRequested,
    Approved,
    Denied,
    Expired,
    Withdrawn,
    Revoked,
    Lapsed,
    Executing,
    Succeeded,
    Failed,
    Halted,
    OutcomeUnknown,
    RolledBack,
    RollbackFailed,
}

/// What an approval rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Every seat of every requirement was filled.
    Quorum,
    /// One person with that right, in place of all requirements.
    BreakGlass,
}

/// A spent release: the running execution, and what its token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub lease_id: LeaseId,
    pub redeemed_at: Timestamp,
    pub token_expires_at: Timestamp,
    /// Without a heartbeat or a report before this the outcome is unknown. Heartbeats move it.
    pub lease_until: Timestamp,
    /// No heartbeat moves the lease past this.
    pub report_by: Timestamp,
}

/// Somebody asked the executor to stop and follow the rollback plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    pub at: Timestamp,
    pub by: PersonId,
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    Failed,
    /// Stopped before it was done.
    Halted,
}

/// How undoing it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackOutcome {
    RolledBack,
    RollbackFailed,
}

impl Outcome {
    /// The state that a report of this leads to.
    pub fn state(self) -> StateName {
        match self {
            Self::Succeeded => StateName::Succeeded,
            Self::Failed => StateName::Failed,
            Self::Halted => StateName::Halted,
        }
    }
}

impl RollbackOutcome {
    /// The state that a report of this leads to.
    pub fn state(self) -> StateName {
        match self {
            Self::RolledBack => StateName::RolledBack,
            Self::RollbackFailed => StateName::RollbackFailed,
        }
    }
}

impl StateName {
    /// All states, in the order of the lifecycle.
    pub const ALL: [Self; 15] = [
        Self::Pending,
        Self::ChangesRequested,
        Self::Approved,
        Self::Denied,
        Self::Expired,
        Self::Withdrawn,
        Self::Revoked,
        Self::Lapsed,
        Self::Executing,
        Self::Succeeded,
        Self::Failed,
        Self::Halted,
        Self::OutcomeUnknown,
        Self::RolledBack,
        Self::RollbackFailed,
    ];

    /// The word used in the API, in SQL and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::ChangesRequested => "changes_requested",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Revoked => "revoked",
            Self::Lapsed => "lapsed",
            Self::Executing => "executing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Halted => "halted",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::RolledBack => "rolled_back",
            Self::RollbackFailed => "rollback_failed",
        }
    }

    /// Reads the word; an unknown one is no state.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether people may still decide.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::ChangesRequested)
    }

    /// Whether something may happen still without anybody reporting: a decision, a timer, a report.
    pub fn is_live(self) -> bool {
        self.is_open() || matches!(self, Self::Approved | Self::Executing)
    }

    /// Whether nothing can follow.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Denied
            | Self::Expired
            | Self::Withdrawn
            | Self::Revoked
            | Self::Lapsed
            | Self::RolledBack
            | Self::RollbackFailed => true,
            Self::Pending
            | Self::ChangesRequested
            | Self::Approved
            | Self::Executing
            | Self::Succeeded
            | Self::Failed
            | Self::Halted
            | Self::OutcomeUnknown => false,
        }
    }
}

impl State {
    /// This state's name.
    pub fn name(&self) -> StateName {
        match self {
            Self::Pending => StateName::Pending,
            Self::ChangesRequested { .. } => StateName::ChangesRequested,
            Self::Approved { .. } => StateName::Approved,
            Self::Denied { .. } => StateName::Denied,
            Self::Expired { .. } => StateName::Expired,
            Self::Withdrawn { .. } => StateName::Withdrawn,
            Self::Revoked { .. } => StateName::Revoked,
            Self::Lapsed { .. } => StateName::Lapsed,
            Self::Executing { .. } => StateName::Executing,
            Self::Succeeded { .. } => StateName::Succeeded,
            Self::Failed { .. } => StateName::Failed,
            Self::Halted { .. } => StateName::Halted,
            Self::OutcomeUnknown { .. } => StateName::OutcomeUnknown,
            Self::RolledBack { .. } => StateName::RolledBack,
            Self::RollbackFailed { .. } => StateName::RollbackFailed,
        }
    }

    /// The spent release, from redemption on.
    pub fn release(&self) -> Option<&Release> {
        match self {
            Self::Executing { release, .. }
            | Self::Succeeded { release, .. }
            | Self::Failed { release, .. }
            | Self::Halted { release, .. }
            | Self::OutcomeUnknown { release, .. }
            | Self::RolledBack { release, .. }
            | Self::RollbackFailed { release, .. } => Some(release),
            Self::Pending
            | Self::ChangesRequested { .. }
            | Self::Approved { .. }
            | Self::Denied { .. }
            | Self::Expired { .. }
            | Self::Withdrawn { .. }
            | Self::Revoked { .. }
            | Self::Lapsed { .. } => None,
        }
    }
}
