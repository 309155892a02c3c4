//! Staging a request, and amending it.

use crate::authority::Authority;
use crate::fact::{RequestAmended, RequestFact, RequestStaged};
use crate::kind::is_change;
use crate::state::State;
use crate::{Actor, AgentId, Refusal, Requirement, Timestamp};

use super::At;

/// The most revisions of one request.
pub const MAX_REVISIONS: u32 = 50;

/// Everything that staging fixes; see [`RequestStaged`].
#[derive(Clone, Debug, PartialEq)]
pub struct Staging(pub RequestStaged);

/// Everything that amending fixes anew; see [`RequestAmended`].
#[derive(Clone, Debug, PartialEq)]
pub struct Amendment(pub RequestAmended);

pub(super) fn stage(
    staged: RequestStaged,
    authority: &Authority,
    now: Timestamp,
) -> Result<Vec<RequestFact>, Refusal> {
    if !is_of_its_sort(&staged) {
        return Err(Refusal::NotAChange);
    }
    reviewable(&staged.requirements, staged.review_deadline, authority, now)?;
    Ok(vec![RequestFact::RequestStaged(Box::new(staged))])
}

/// INVARIANT: I10. What changes the house is a person's wish that the gate itself carries out; the
/// gate is asked for nothing else.
fn is_of_its_sort(staged: &RequestStaged) -> bool {
    let by_person = matches!(staged.staged_by, Actor::Person(_));
    let gates = [staged.agent, staged.executor].map(|agent| agent == AgentId::HOUSE);
    match is_change(&staged.kind.name) {
        true => by_person && gates == [true, true],
        false => gates == [false, false],
    }
}

/// What every revision owes before anybody looks at it.
fn reviewable(
    requirements: &[Requirement],
    review_deadline: Timestamp,
    authority: &Authority,
    now: Timestamp,
) -> Result<(), Refusal> {
    // INVARIANT: I5. A revision that nobody has to review could never be approved.
    if requirements.is_empty() || requirements.iter().any(|requirement| requirement.seats == 0) {
        return Err(Refusal::NoRequirement);
    }
    if !authority.agent_active || !authority.executor_active {
        return Err(Refusal::Suspended);
    }
    if review_deadline <= now {
        return Err(Refusal::DeadlinePassed);
    }
    Ok(())
}

impl At<'_> {
    pub(super) fn amend(&self, amendment: Amendment) -> Result<Vec<RequestFact>, Refusal> {
        let Amendment(amended) = amendment;
        match self.state {
            State::Pending | State::ChangesRequested { .. } => {
                if amended.amended_by != self.request.staged_by {
                    return Err(Refusal::NotStager);
                }
                if self.request.revision >= MAX_REVISIONS {
                    return Err(Refusal::TooManyRevisions { most: MAX_REVISIONS });
                }
                // Somebody amended it in between: the new revision was made from an old one.
                if amended.revision != self.request.revision.saturating_add(1) {
                    return Err(self.changed());
                }
                let deadline = amended.review_deadline;
                reviewable(&amended.requirements, deadline, self.authority, self.now)?;
                Ok(vec![RequestFact::RequestAmended(Box::new(amended))])
            }
            // INVARIANT: I4. What was approved is what is released: it cannot change any more.
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

    pub(super) fn changed(&self) -> Refusal {
        Refusal::Changed { revision: self.request.revision, digest: self.request.digest }
    }
}
