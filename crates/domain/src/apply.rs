//! The lifecycle: which command is allowed in which state, and what then becomes fact.
//!
//! Total and pure: every (state, command) pair is written out, there is no catch-all arm, and
//! time, actor and authority are arguments. A no is a [`Refusal`] with the reason. One file holds
//! what reviewers do, one what executors do; this one says which of it is allowed when.

mod execution;
mod review;
mod staging;

use crate::authority::Authority;
use crate::commitment::Commitment;
use crate::entry::Actor;
use crate::fact::{Missed, RequestFact};
use crate::request::{Request, SecondVerdict, Verdict};
use crate::revision::EvidenceDescriptor;
use crate::state::{Outcome, RollbackOutcome, State};
use crate::{AgentId, Digest, LeaseId, PersonId, Refusal, Timestamp};

pub use execution::{Signal, TOKEN_LIFE_S, signal};
pub use review::{BREAK_GLASS_REAUTH_S, MAX_SHOWN_S, SECOND_REVIEW_S};
pub use staging::{Amendment, MAX_REVISIONS, Staging};

/// A person who may form a verdict.
///
/// SECURITY: I10. Only a signed-in person becomes a reviewer; there is no way from an agent, a key
/// or an [`Actor`] to this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reviewer(PersonId);

impl Reviewer {
    /// The reviewer that a person's own session makes.
    pub fn from_session(person: PersonId) -> Self {
        Self(person)
    }

    /// Who it is.
    pub fn person(self) -> PersonId {
        self.0
    }
}

/// Something that somebody wants to happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Stage(Box<Staging>),
    Amend(Box<Amendment>),
    Approve(ReviewInput),
    RequestChanges(ReviewInput),
    Deny(ReviewInput),
    PassOn(ReviewInput),
    /// Approve alone, in place of all requirements.
    BreakGlass(ReviewInput),
    /// Look at a break-glass approval as the second person.
    ReviewBreakGlass {
        reviewer: Reviewer,
        verdict: SecondVerdict,
        justification: Commitment,
    },
    Withdraw {
        by: Actor,
    },
    Revoke {
        by: PersonId,
        reason: Commitment,
    },
    Redeem {
        executor: AgentId,
        digest: Digest,
        lease_id: LeaseId,
    },
    /// A heartbeat.
    Renew {
        executor: AgentId,
        lease_id: LeaseId,
    },
    Halt {
        by: PersonId,
        reason: Commitment,
    },
    Report {
        executor: AgentId,
        lease_id: LeaseId,
        outcome: Outcome,
        summary: Commitment,
        evidence: Vec<EvidenceDescriptor>,
    },
    ReportRollback {
        executor: AgentId,
        lease_id: LeaseId,
        outcome: RollbackOutcome,
        summary: Commitment,
        evidence: Vec<EvidenceDescriptor>,
    },
    /// Take back an unused release, because the gate goes on from a backup: it cannot tell any more
    /// whether the release was used.
    Void,
    /// Let time take its course: record what is due.
    Elapse,
}

/// A verdict as it arrives: by whom, on exactly what, and when it was shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewInput {
    pub reviewer: Reviewer,
    pub digest: Digest,
    pub shown_at: Timestamp,
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
    pub justification: Commitment,
}

/// What the rules rest on besides the request itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub authority: &'a Authority,
}

/// What follows from `command` for `request` at `now`. No fact means: allowed, nothing changes.
///
/// # Errors
/// [`Refusal`] says why nothing follows.
pub fn apply(
    request: Option<&Request>,
    command: Command,
    context: &Context<'_>,
    now: Timestamp,
) -> Result<Vec<RequestFact>, Refusal> {
    let Some(request) = request else { return first(command, context, now) };
    let state = request.state_at(now);
    let at = At { request, state: &state, authority: context.authority, now };
    match command {
        Command::Stage(_) => Err(Refusal::AlreadyStaged),
        Command::Amend(amendment) => at.amend(*amendment),
        Command::Approve(input) => at.review(Verdict::Approve, &input),
        Command::RequestChanges(input) => at.review(Verdict::RequestChanges, &input),
        Command::Deny(input) => at.review(Verdict::Deny, &input),
        Command::PassOn(input) => at.review(Verdict::Pass, &input),
        Command::BreakGlass(input) => at.break_glass(&input),
        Command::ReviewBreakGlass { reviewer, verdict, justification } => {
            at.review_break_glass(reviewer, verdict, justification)
        }
        Command::Withdraw { by } => at.withdraw(by),
        Command::Revoke { by, reason } => at.revoke(by, reason),
        Command::Redeem { executor, digest, lease_id } => at.redeem(executor, digest, lease_id),
        Command::Renew { executor, lease_id } => at.renew(executor, lease_id),
        Command::Halt { by, reason } => at.halt(by, reason),
        Command::Report { executor, lease_id, outcome, summary, evidence } => {
            let reported = RequestFact::OutcomeReported { outcome, summary, evidence };
            at.report(executor, lease_id, reported)
        }
        Command::ReportRollback { executor, lease_id, outcome, summary, evidence } => {
            let reported = RequestFact::RollbackReported { outcome, summary, evidence };
            at.report_rollback(executor, lease_id, reported)
        }
        Command::Void => at.void(),
        Command::Elapse => at.elapse(),
    }
}

/// What the first command may be: staging, and nothing else.
fn first(
    command: Command,
    context: &Context<'_>,
    now: Timestamp,
) -> Result<Vec<RequestFact>, Refusal> {
    match command {
        Command::Stage(staging) => staging::stage(staging.0, context.authority, now),
        Command::Amend(_)
        | Command::Approve(_)
        | Command::RequestChanges(_)
        | Command::Deny(_)
        | Command::PassOn(_)
        | Command::BreakGlass(_)
        | Command::ReviewBreakGlass { .. }
        | Command::Withdraw { .. }
        | Command::Revoke { .. }
        | Command::Redeem { .. }
        | Command::Renew { .. }
        | Command::Halt { .. }
        | Command::Report { .. }
        | Command::ReportRollback { .. }
        | Command::Void
        | Command::Elapse => Err(Refusal::NotStaged),
    }
}

/// A request at an instant: what every rule looks at.
struct At<'a> {
    request: &'a Request,
    /// The state that holds now, whatever is recorded yet.
    state: &'a State,
    authority: &'a Authority,
    now: Timestamp,
}

impl At<'_> {
    fn withdraw(&self, by: Actor) -> Result<Vec<RequestFact>, Refusal> {
        match self.state {
            State::Pending | State::ChangesRequested { .. } => {
                if by == self.request.staged_by {
                    Ok(vec![RequestFact::RequestWithdrawn { by }])
                } else {
                    Err(Refusal::NotStager)
                }
            }
            State::Approved { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Revoked { .. }
            | State::Lapsed { .. }
            | State::Executing { .. }
            | State::Succeeded { .. }
            | State::Failed { .. }
            | State::Halted { .. }
            | State::OutcomeUnknown { .. }
            | State::RolledBack { .. }
            | State::RollbackFailed { .. } => Err(self.not_pending()),
        }
    }

    fn revoke(&self, by: PersonId, reason: Commitment) -> Result<Vec<RequestFact>, Refusal> {
        match self.state {
            State::Approved { .. } => {
                if self.authority.may_stop(by) {
                    Ok(vec![RequestFact::ReleaseRevoked { by, reason }])
                } else {
                    Err(Refusal::MayNotStop)
                }
            }
            State::Pending
            | State::ChangesRequested { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Revoked { .. }
            | State::Lapsed { .. }
            | State::Executing { .. }
            | State::Succeeded { .. }
            | State::Failed { .. }
            | State::Halted { .. }
            | State::OutcomeUnknown { .. }
            | State::RolledBack { .. }
            | State::RollbackFailed { .. } => Err(self.not_approved()),
        }
    }

    /// INVARIANT: I3. A release that was used after the backup was made is not used again.
    fn void(&self) -> Result<Vec<RequestFact>, Refusal> {
        match self.state {
            State::Approved { .. } => Ok(vec![RequestFact::ReleaseVoided]),
            State::Pending
            | State::ChangesRequested { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Revoked { .. }
            | State::Lapsed { .. }
            | State::Executing { .. }
            | State::Succeeded { .. }
            | State::Failed { .. }
            | State::Halted { .. }
            | State::OutcomeUnknown { .. }
            | State::RolledBack { .. }
            | State::RollbackFailed { .. } => Err(self.not_approved()),
        }
    }

    /// INVARIANT: I12. Only dead ends and the unknown: no timer leads to an approval.
    fn elapse(&self) -> Result<Vec<RequestFact>, Refusal> {
        let mut facts: Vec<RequestFact> = self.overdue().into_iter().collect();
        facts.extend(self.second_review_missed());
        if facts.is_empty() { Err(Refusal::NotDue) } else { Ok(facts) }
    }

    /// That nobody looked in time at a broken glass, if it is not recorded yet.
    fn second_review_missed(&self) -> Option<RequestFact> {
        let missed = self.request.second_review_due().filter(|due| self.now >= *due);
        missed.map(|review_by| RequestFact::SecondReviewMissed { review_by })
    }

    /// The fact that time has made already, if it is not recorded yet.
    fn overdue(&self) -> Option<RequestFact> {
        let due = self.request.state_ends_at().filter(|due| self.now >= *due)?;
        match &self.request.state {
            #[cfg(planted = "silence_is_a_yes")]
            State::Pending => Some(RequestFact::RequestApproved {
                digest: self.request.digest,
                approved_until: self.request.approved_until(self.now),
                seats: Vec::new(),
            }),
            State::Pending | State::ChangesRequested { .. } => {
                Some(RequestFact::RequestExpired { review_deadline: due })
            }
            State::Approved { .. } => Some(RequestFact::ReleaseLapsed { approved_until: due }),
            State::Executing { release, .. } => {
                let last = due >= release.report_by;
                let missed = if last { Missed::Report } else { Missed::Heartbeat };
                Some(RequestFact::OutcomeMissed { missed, due })
            }
            State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Revoked { .. }
            | State::Lapsed { .. }
            | State::Succeeded { .. }
            | State::Failed { .. }
            | State::Halted { .. }
            | State::OutcomeUnknown { .. }
            | State::RolledBack { .. }
            | State::RollbackFailed { .. } => None,
        }
    }

    fn not_pending(&self) -> Refusal {
        Refusal::NotPending { state: self.state.name() }
    }

    fn not_approved(&self) -> Refusal {
        Refusal::NotApproved { state: self.state.name() }
    }

    fn not_executing(&self) -> Refusal {
        Refusal::NotExecuting { state: self.state.name() }
    }
}
