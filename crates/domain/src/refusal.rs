//! Refusals: the answers that are no. Data, not failures.

use serde::Serialize;

use crate::authority::Ineligible;
use crate::request::Verdict;
use crate::state::StateName;
use crate::{Digest, FreezeId, Timestamp};

/// Why a command does not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    #[error("nothing is staged under this id")]
    NotStaged,
    #[error("a request with this id exists")]
    AlreadyStaged,
    #[error("nobody would have to review this request, so it can never be approved")]
    NoRequirement,
    #[error("the review deadline has passed already")]
    DeadlinePassed,
    #[error("the request is {}, not pending", state.as_str())]
    NotPending { state: StateName },
    #[error("the request has changed: it is revision {revision} now")]
    Changed { revision: u32, digest: Digest },
    #[error("this person may not review this request")]
    NotEligible { why: Ineligible },
    #[error("this person has reviewed this revision already")]
    AlreadyReviewed { verdict: Verdict, at: Timestamp },
    #[error("the page was rendered in the future or too long ago")]
    ShownTooLongAgo,
    #[error("the request is {}, not approved", state.as_str())]
    NotApproved { state: StateName },
    #[error("another agent is the executor of this request")]
    NotExecutor,
    #[error("the digest is not that of the approved revision")]
    DigestMismatch { digest: Digest },
    #[error("outside the window in which the release may be redeemed")]
    OutsideWindow { not_before: Timestamp, not_after: Timestamp },
    #[error("the release was redeemed at {at}")]
    AlreadyRedeemed { at: Timestamp },
    #[error("the agent is suspended")]
    Suspended,
    #[error("the request is {}, not executing", state.as_str())]
    NotExecuting { state: StateName },
    #[error("this is not the lease of the running execution")]
    WrongLease,
    #[error("only whoever staged a request may amend or withdraw it")]
    NotStager,
    #[error(
        "a change to the house is staged by a person and carried out by the gate, and nothing else is"
    )]
    NotAChange,
    #[error("no timer of this request is due")]
    NotDue,
    #[error("a request has at most {most} revisions")]
    TooManyRevisions { most: u32 },
    #[error("this approval asks for a sign-in not older than {within_s} seconds")]
    ReauthenticationNeeded { within_s: u32 },
    #[error("the policy in force could not be asked")]
    PolicyFailed,
    #[error("the policy in force does not permit this release")]
    PolicyForbids,
    #[error("a freeze stops this release")]
    Frozen { freeze: FreezeId },
    #[error("this person has no say in this request")]
    MayNotStop,
    #[error("the execution was asked to halt at {at}")]
    AlreadyHalting { at: Timestamp },
    #[error("the request is {}: there is no outcome to roll back", state.as_str())]
    NothingToRollBack { state: StateName },
    #[error("this request cannot be approved by break-glass")]
    NotByBreakGlass,
    #[error("this person has no right to break the glass, or has lost it")]
    NoBreakGlassRight,
    #[error("no second review is owed")]
    NothingOwed,
    #[error("the second review is a second person's")]
    OwnBreakGlass,
}

impl Refusal {
    /// The stable word for this refusal in the API and the ledger.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotStaged => "not_found",
            Self::AlreadyStaged => "already_staged",
            Self::NoRequirement => "no_requirement",
            Self::DeadlinePassed => "deadline_passed",
            Self::NotPending { .. } => "not_pending",
            Self::Changed { .. } => "changed",
            Self::NotEligible { .. } => "not_eligible",
            Self::AlreadyReviewed { .. } => "already_reviewed",
            Self::ShownTooLongAgo => "shown_too_long_ago",
            Self::NotApproved { .. } => "not_approved",
            Self::NotExecutor => "not_executor",
            Self::DigestMismatch { .. } => "digest_mismatch",
            Self::OutsideWindow { .. } => "outside_window",
            Self::AlreadyRedeemed { .. } => "already_redeemed",
            Self::Suspended => "suspended",
            Self::NotExecuting { .. } => "not_executing",
            Self::WrongLease => "wrong_lease",
            Self::NotStager => "not_stager",
            Self::NotAChange => "not_a_change",
            Self::NotDue => "not_due",
            Self::TooManyRevisions { .. } => "too_many_revisions",
            Self::ReauthenticationNeeded { .. } => "reauthentication_needed",
            Self::PolicyFailed => "policy_failed",
            Self::PolicyForbids => "policy_forbids",
            Self::Frozen { .. } => "frozen",
            Self::MayNotStop => "may_not_stop",
            Self::AlreadyHalting { .. } => "already_halting",
            Self::NothingToRollBack { .. } => "nothing_to_roll_back",
            Self::NotByBreakGlass => "not_by_break_glass",
            Self::NoBreakGlassRight => "no_break_glass_right",
            Self::NothingOwed => "nothing_owed",
            Self::OwnBreakGlass => "own_break_glass",
        }
    }
}
