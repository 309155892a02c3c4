//! What people say of a revision: the ordinary verdicts, and break-glass.

use crate::commitment::Commitment;
use crate::fact::RequestFact;
use crate::quorum;
use crate::request::{BreakGlass, Request, SecondVerdict, Verdict};
use crate::state::{Basis, State};
use crate::{PersonId, Refusal};

use super::{At, ReviewInput, Reviewer};

/// How long a rendered page may be decided on: 12 hours.
pub const MAX_SHOWN_S: i64 = 12 * 3600;
/// How fresh the authentication of whoever breaks the glass is: five minutes.
pub const BREAK_GLASS_REAUTH_S: u32 = 300;
/// How soon a second person looks at a break-glass approval: 72 hours.
pub const SECOND_REVIEW_S: i64 = 72 * 3600;

impl At<'_> {
    pub(super) fn review(
        &self,
        verdict: Verdict,
        input: &ReviewInput,
    ) -> Result<Vec<RequestFact>, Refusal> {
        match (self.state, verdict) {
            (State::Pending, Verdict::Approve) => self.approve(input),
            (State::Pending, Verdict::RequestChanges) => {
                let by = input.reviewer.person();
                self.ended_by(verdict, input, RequestFact::ChangesRequested { by })
            }
            // A single denial by an eligible reviewer ends it.
            (State::Pending | State::ChangesRequested { .. }, Verdict::Deny) => {
                let by = input.reviewer.person();
                self.ended_by(verdict, input, RequestFact::RequestDenied { by })
            }
            (State::Pending, Verdict::Pass) => Ok(vec![self.recorded(verdict, input)?]),
            (
                State::ChangesRequested { .. },
                Verdict::Approve | Verdict::RequestChanges | Verdict::Pass,
            ) => Err(self.not_pending()),
            (
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
                | State::RollbackFailed { .. },
                Verdict::Approve | Verdict::RequestChanges | Verdict::Deny | Verdict::Pass,
            ) => Err(self.not_pending()),
        }
    }

    fn approve(&self, input: &ReviewInput) -> Result<Vec<RequestFact>, Refusal> {
        self.may_review(input)?;
        let recorded = self.fact(Verdict::Approve, input);
        // INVARIANT: I5. A policy that cannot be asked approves nothing.
        let ruling = self.authority.ruling.as_ref().ok_or(Refusal::PolicyFailed)?;
        self.fresh_enough(input)?;
        let reviewed = Request::evolve(Some(self.request.clone()), &recorded, self.now)
            .map_err(|_| self.not_pending())?;
        let mut facts = vec![recorded];
        // INVARIANT: I1. Approved exists only where complete assignments exist: to the seats it
        // was staged under, and to those that the policy in force asks for.
        let seats = quorum::complete(&reviewed.requirements, &reviewed, self.authority);
        let also = quorum::complete(&ruling.requirements, &reviewed, self.authority);
        if let (Some(seats), Some(_)) = (seats, also) {
            let approved_until = self.request.approved_until(self.now);
            let digest = self.request.digest;
            facts.push(RequestFact::RequestApproved { digest, approved_until, seats });
        } else {
            self.says_something_new(input)?;
        }
        Ok(facts)
    }

    /// An approval given again counts for something only where the first no longer does: the
    /// policy in force may ask for a fresher sign-in than the one it was given with.
    fn says_something_new(&self, input: &ReviewInput) -> Result<(), Refusal> {
        let person = input.reviewer.person();
        let Some(first) = self.request.review_of(person) else { return Ok(()) };
        let mut theirs = self
            .authority
            .requirements_of(self.request)
            .filter(|need| self.authority.is_in(&need.group, person));
        let stale = theirs.any(|need| !self.authority.counts(self.request, need, first));
        if first.verdict == Verdict::Approve && !stale {
            return Err(Refusal::AlreadyReviewed { verdict: first.verdict, at: first.at });
        }
        Ok(())
    }

    fn ended_by(
        &self,
        verdict: Verdict,
        input: &ReviewInput,
        end: RequestFact,
    ) -> Result<Vec<RequestFact>, Refusal> {
        Ok(vec![self.recorded(verdict, input)?, end])
    }

    /// The review as a fact, if this person may say this of what they were shown.
    fn recorded(&self, verdict: Verdict, input: &ReviewInput) -> Result<RequestFact, Refusal> {
        self.may_review(input)?;
        let earlier = self.request.review_of(input.reviewer.person());
        if let Some(earlier) = earlier.filter(|review| review.verdict == verdict) {
            return Err(Refusal::AlreadyReviewed { verdict, at: earlier.at });
        }
        Ok(self.fact(verdict, input))
    }

    fn may_review(&self, input: &ReviewInput) -> Result<(), Refusal> {
        self.was_shown(input)?;
        let why = self.authority.ineligible(self.request, input.reviewer.person());
        why.map_or(Ok(()), |why| Err(Refusal::NotEligible { why }))
    }

    fn fact(&self, verdict: Verdict, input: &ReviewInput) -> RequestFact {
        RequestFact::ReviewRecorded {
            reviewer: input.reviewer.person(),
            verdict,
            revision: self.request.revision,
            digest: self.request.digest,
            shown_at: input.shown_at,
            authenticated_at: input.authenticated_at,
            justification: input.justification,
        }
    }

    /// INVARIANT: I4. The verdict names what was shown, and that is what there is.
    fn was_shown(&self, input: &ReviewInput) -> Result<(), Refusal> {
        #[cfg(not(planted = "a_verdict_is_on_whatever_is_there"))]
        if input.digest != self.request.digest {
            return Err(self.changed());
        }
        if self.now.is_within(MAX_SHOWN_S, input.shown_at) {
            Ok(())
        } else {
            Err(Refusal::ShownTooLongAgo)
        }
    }

    /// The strictest freshness that a seat open to this person asks for.
    fn fresh_enough(&self, input: &ReviewInput) -> Result<(), Refusal> {
        let person = input.reviewer.person();
        let needs = self.authority.requirements_of(self.request);
        let theirs = needs.filter(|need| self.authority.is_in(&need.group, person));
        match theirs.filter_map(|need| need.reauth_s).min() {
            Some(most) => self.authenticated_within(input, most),
            None => Ok(()),
        }
    }

    fn authenticated_within(&self, input: &ReviewInput, most_s: u32) -> Result<(), Refusal> {
        if self.now.is_within(i64::from(most_s), input.authenticated_at) {
            Ok(())
        } else {
            Err(Refusal::ReauthenticationNeeded { within_s: most_s })
        }
    }

    pub(super) fn break_glass(&self, input: &ReviewInput) -> Result<Vec<RequestFact>, Refusal> {
        match self.state {
            State::Pending => self.break_glass_now(input),
            State::ChangesRequested { .. }
            | State::Approved { .. }
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

    fn break_glass_now(&self, input: &ReviewInput) -> Result<Vec<RequestFact>, Refusal> {
        let by = input.reviewer.person();
        // SECURITY: the rules themselves are never changed by one person in a hurry.
        if self.request.is_change() || self.request.break_glass.is_some() {
            return Err(Refusal::NotByBreakGlass);
        }
        self.was_shown(input)?;
        if let Some(why) = self.authority.exclusion(self.request, by) {
            return Err(Refusal::NotEligible { why });
        }
        if !self.authority.may_break_glass(by, self.now) {
            return Err(Refusal::NoBreakGlassRight);
        }
        self.authenticated_within(input, BREAK_GLASS_REAUTH_S)?;
        let broken = RequestFact::GlassBroken {
            by,
            digest: self.request.digest,
            approved_until: self.request.approved_until(self.now),
            review_by: self.now.plus_seconds(SECOND_REVIEW_S),
        };
        Ok(vec![self.fact(Verdict::Approve, input), broken])
    }

    /// In whatever state the request is by then: what is owed is a look, not a decision.
    pub(super) fn review_break_glass(
        &self,
        reviewer: Reviewer,
        verdict: SecondVerdict,
        justification: Commitment,
    ) -> Result<Vec<RequestFact>, Refusal> {
        let by = reviewer.person();
        let broken = self.request.owes_second_review().ok_or(Refusal::NothingOwed)?;
        self.second_person(broken, by)?;
        let recorded = RequestFact::SecondReviewRecorded { by, verdict, justification };
        // What one person approved alone and a second one calls wrong is not released any more.
        let stopped = match (verdict, self.state) {
            (SecondVerdict::Unjustified, State::Approved { basis: Basis::BreakGlass, .. }) => {
                Some(RequestFact::ReleaseRevoked { by, reason: justification })
            }
            _ => None,
        };
        let missed = self.second_review_missed();
        Ok(missed.into_iter().chain([recorded]).chain(stopped).collect())
    }

    fn second_person(&self, broken: &BreakGlass, by: PersonId) -> Result<(), Refusal> {
        if by == broken.by {
            return Err(Refusal::OwnBreakGlass);
        }
        let why = match self.authority.exclusion(self.request, by) {
            None if self.authority.is_in(crate::authority::BREAK_GLASS, by) => None,
            _ => self.authority.ineligible(self.request, by),
        };
        why.map_or(Ok(()), |why| Err(Refusal::NotEligible { why }))
    }
}
