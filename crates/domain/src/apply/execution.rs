//! From the spent release to the outcome: redeem, heartbeat, halt, report, rollback.

use crate::authority::Authority;
use crate::commitment::Commitment;
use crate::fact::RequestFact;
use crate::quorum;
use crate::request::Request;
use crate::state::{Basis, Release, State};
use crate::{AgentId, Digest, LeaseId, PersonId, Refusal, Timestamp};

use super::At;

/// The longest life of a release token: 300 seconds.
pub const TOKEN_LIFE_S: i64 = 300;

/// What an executor is told at each heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    Continue,
    /// Stop, follow the rollback plan, report.
    Halt,
}

/// Whether a running execution goes on: nobody asked it to halt, and no freeze that halts is on.
pub fn signal(request: &Request, authority: &Authority) -> Signal {
    let asked = matches!(request.state, State::Executing { halt: Some(_), .. });
    if asked || authority.frozen.iter().any(|freeze| freeze.halts) {
        Signal::Halt
    } else {
        Signal::Continue
    }
}

impl At<'_> {
    pub(super) fn redeem(
        &self,
        executor: AgentId,
        digest: Digest,
        lease_id: LeaseId,
    ) -> Result<Vec<RequestFact>, Refusal> {
        self.is_executor(executor)?;
        match self.state {
            State::Approved { approved_until, basis, .. } => {
                self.redeem_approved(digest, lease_id, *approved_until, *basis)
            }
            #[cfg(planted = "a_release_is_redeemed_again")]
            State::Executing { release, .. } => {
                self.redeem_approved(digest, lease_id, release.report_by, Basis::Quorum)
            }
            State::Executing { release, .. }
            | State::Succeeded { release, .. }
            | State::Failed { release, .. }
            | State::Halted { release, .. }
            | State::OutcomeUnknown { release, .. }
            | State::RolledBack { release, .. }
            | State::RollbackFailed { release, .. } => {
                Err(Refusal::AlreadyRedeemed { at: release.redeemed_at })
            }
            State::Pending
            | State::ChangesRequested { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Revoked { .. }
            | State::Lapsed { .. } => Err(self.not_approved()),
        }
    }

    fn redeem_approved(
        &self,
        digest: Digest,
        lease_id: LeaseId,
        approved_until: Timestamp,
        basis: Basis,
    ) -> Result<Vec<RequestFact>, Refusal> {
        let (request, authority, now) = (self.request, self.authority, self.now);
        if !authority.agent_active || !authority.executor_active {
            return Err(Refusal::Suspended);
        }
        #[cfg(not(planted = "any_digest_is_redeemed"))]
        if digest != request.digest {
            return Err(Refusal::DigestMismatch { digest: request.digest });
        }
        #[cfg(not(planted = "a_freeze_is_not_asked"))]
        if let Some(freeze) = authority.frozen.first() {
            return Err(Refusal::Frozen { freeze: freeze.id });
        }
        if let Some(window) = request.window
            && (now < window.not_before || now >= window.not_after)
        {
            let (not_before, not_after) = (window.not_before, window.not_after);
            return Err(Refusal::OutsideWindow { not_before, not_after });
        }
        // INVARIANT: I9. The approval must hold now, not only when it was given.
        #[cfg(not(planted = "the_quorum_is_not_asked_again"))]
        if let Some(void) = self.void_approvals(basis)? {
            return Ok(vec![RequestFact::QuorumLost { void }]);
        }
        let window_end = request.window.map_or(approved_until, |window| window.not_after);
        let report_by = now.plus_seconds(i64::from(request.report_deadline_s));
        let release = Release {
            lease_id,
            redeemed_at: now,
            token_expires_at: now.plus_seconds(TOKEN_LIFE_S).min(window_end).min(approved_until),
            lease_until: self.lease_end(report_by),
            report_by,
        };
        let (digest, executor) = (request.digest, request.executor);
        Ok(vec![RequestFact::ReleaseRedeemed { digest, executor, release }])
    }

    /// Whose approvals no longer count, if the approval no longer holds.
    ///
    /// By whatever it was approved, a review that is still valid is kept.
    fn void_approvals(&self, basis: Basis) -> Result<Option<Vec<PersonId>>, Refusal> {
        let (request, authority) = (self.request, self.authority);
        let alone = match basis {
            Basis::Quorum => None,
            Basis::BreakGlass => request.break_glass.as_ref().map(|broken| broken.by),
        };
        let holds = match basis {
            Basis::Quorum => {
                // INVARIANT: I5. A policy that cannot be asked releases nothing.
                let ruling = authority.ruling.as_ref().ok_or(Refusal::PolicyFailed)?;
                if !ruling.permits_release {
                    return Err(Refusal::PolicyForbids);
                }
                quorum::complete(&request.requirements, request, authority).is_some()
                    && quorum::complete(&ruling.requirements, request, authority).is_some()
            }
            Basis::BreakGlass => alone.is_some_and(|person| {
                authority.exclusion(request, person).is_none()
                    && authority.may_break_glass(person, self.now)
            }),
        };
        if holds {
            return Ok(None);
        }
        // What was said in place of everybody fills no seat beside others.
        let void = |person: &PersonId| {
            alone == Some(*person) || authority.ineligible(request, *person).is_some()
        };
        Ok(Some(request.approvals().map(|review| review.reviewer).filter(void).collect()))
    }

    pub(super) fn renew(
        &self,
        executor: AgentId,
        lease_id: LeaseId,
    ) -> Result<Vec<RequestFact>, Refusal> {
        self.is_executor(executor)?;
        match self.state {
            State::Executing { release, .. } => {
                is_lease(release, lease_id)?;
                let lease_until = self.lease_end(release.report_by);
                // Recorded when half of the lease is gone: a record at most twice per lease.
                let gained_s = lease_until.seconds_since(release.lease_until);
                let worth = gained_s * 2 >= i64::from(self.request.lease_ttl_s)
                    || (gained_s > 0 && lease_until == release.report_by);
                Ok(worth.then_some(RequestFact::LeaseRenewed { lease_until }).into_iter().collect())
            }
            State::Pending
            | State::ChangesRequested { .. }
            | State::Approved { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Revoked { .. }
            | State::Lapsed { .. }
            | State::Succeeded { .. }
            | State::Failed { .. }
            | State::Halted { .. }
            | State::OutcomeUnknown { .. }
            | State::RolledBack { .. }
            | State::RollbackFailed { .. } => Err(self.not_executing()),
        }
    }

    pub(super) fn halt(
        &self,
        by: PersonId,
        reason: Commitment,
    ) -> Result<Vec<RequestFact>, Refusal> {
        match self.state {
            State::Executing { halt: None, .. } => {
                if self.authority.may_stop(by) {
                    Ok(vec![RequestFact::HaltRequested { by, reason }])
                } else {
                    Err(Refusal::MayNotStop)
                }
            }
            State::Executing { halt: Some(halt), .. } => {
                Err(Refusal::AlreadyHalting { at: halt.at })
            }
            State::Pending
            | State::ChangesRequested { .. }
            | State::Approved { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Revoked { .. }
            | State::Lapsed { .. }
            | State::Succeeded { .. }
            | State::Failed { .. }
            | State::Halted { .. }
            | State::OutcomeUnknown { .. }
            | State::RolledBack { .. }
            | State::RollbackFailed { .. } => Err(self.not_executing()),
        }
    }

    pub(super) fn report(
        &self,
        executor: AgentId,
        lease_id: LeaseId,
        reported: RequestFact,
    ) -> Result<Vec<RequestFact>, Refusal> {
        self.is_executor(executor)?;
        match self.state {
            // A late report settles what was unknown; that it was late stays on record.
            State::Executing { release, .. } | State::OutcomeUnknown { release, .. } => {
                is_lease(release, lease_id)?;
                Ok(self.overdue().into_iter().chain([reported]).collect())
            }
            State::Pending
            | State::ChangesRequested { .. }
            | State::Approved { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Revoked { .. }
            | State::Lapsed { .. }
            | State::Succeeded { .. }
            | State::Failed { .. }
            | State::Halted { .. }
            | State::RolledBack { .. }
            | State::RollbackFailed { .. } => Err(self.not_executing()),
        }
    }

    pub(super) fn report_rollback(
        &self,
        executor: AgentId,
        lease_id: LeaseId,
        reported: RequestFact,
    ) -> Result<Vec<RequestFact>, Refusal> {
        self.is_executor(executor)?;
        match self.state {
            State::Succeeded { release, .. }
            | State::Failed { release, .. }
            | State::Halted { release, .. }
            | State::OutcomeUnknown { release, .. } => {
                is_lease(release, lease_id)?;
                Ok(self.overdue().into_iter().chain([reported]).collect())
            }
            State::Pending
            | State::ChangesRequested { .. }
            | State::Approved { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Revoked { .. }
            | State::Lapsed { .. }
            | State::Executing { .. }
            | State::RolledBack { .. }
            | State::RollbackFailed { .. } => {
                Err(Refusal::NothingToRollBack { state: self.state.name() })
            }
        }
    }

    fn lease_end(&self, report_by: Timestamp) -> Timestamp {
        self.now.plus_seconds(i64::from(self.request.lease_ttl_s)).min(report_by)
    }

    fn is_executor(&self, executor: AgentId) -> Result<(), Refusal> {
        if executor == self.request.executor { Ok(()) } else { Err(Refusal::NotExecutor) }
    }
}

fn is_lease(release: &Release, lease_id: LeaseId) -> Result<(), Refusal> {
    #[cfg(not(planted = "any_lease_will_do"))]
    if release.lease_id != lease_id {
        return Err(Refusal::WrongLease);
    }
    Ok(())
}
