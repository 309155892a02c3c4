//! A request: what it is made of, and the only way it changes.
//!
//! [`Request::evolve`] is the only place that makes one state out of another, from a recorded
//! fact; what may be recorded is `apply`'s to say. Time is always an argument.

use serde::{Deserialize, Serialize};

use crate::authority::Ineligible;
use crate::entry::Actor;
use crate::fact::RequestFact;
use crate::kind::is_change;
use crate::stage::Window;
use crate::state::{Basis, Halt, Outcome, Release, RollbackOutcome, State};
use crate::{AgentId, Digest, KindRef, PersonId, RequestId, Requirement, Risk, Timestamp};

/// One staged action, from staging to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    /// Who staged it: an agent, or for a change to the house itself a person.
    pub staged_by: Actor,
    pub agent: AgentId,
    pub executor: AgentId,
    pub kind: KindRef,
    pub environment: String,
    pub revision: u32,
    pub digest: Digest,
    pub content_digest: Digest,
    pub requirements: Vec<Requirement>,
    /// People who may never review this request, for reasons known when a revision was staged.
    pub excluded: Vec<(PersonId, Ineligible)>,
    pub risk: Risk,
    pub staged_at: Timestamp,
    pub review_deadline: Timestamp,
    pub release_ttl_s: u32,
    pub lease_ttl_s: u32,
    pub report_deadline_s: u32,
    pub window: Option<Window>,
    /// Reviews of every revision; of one person and revision only the last.
    pub reviews: Vec<Review>,
    pub break_glass: Option<BreakGlass>,
    pub state: State,
}

/// One person's verdict on one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub reviewer: PersonId,
    pub revision: u32,
    pub digest: Digest,
    pub verdict: Verdict,
    pub at: Timestamp,
    /// When the person last proved who they are before this review.
    pub authenticated_at: Timestamp,
}

/// What a person says about a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approve,
    RequestChanges,
    Deny,
    /// Not mine to decide: somebody else should. It fills no seat and ends nothing.
    Pass,
}

/// An approval that one person gave in place of all requirements. It stays for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlass {
    pub by: PersonId,
    pub at: Timestamp,
    /// Until when a second person has to have looked at it.
    pub review_by: Timestamp,
    pub second_review: SecondReview,
}

/// The review by a second person that break-glass owes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum SecondReview {
    Owed,
    /// Nobody looked in time: the right of whoever broke the glass is lost.
    Missed {
        at: Timestamp,
    },
    Done {
        by: PersonId,
        at: Timestamp,
        verdict: SecondVerdict,
    },
}

/// What the second person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondVerdict {
    /// It was right to break the glass.
    Justified,
    /// It was not.
    Unjustified,
}

impl Verdict {
    /// All verdicts, in the order in which a form offers them.
    pub const ALL: [Self; 4] = [Self::Approve, Self::RequestChanges, Self::Deny, Self::Pass];

    /// The word used in forms, in the API and in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::RequestChanges => "request_changes",
            Self::Deny => "deny",
            Self::Pass => "pass",
        }
    }

    /// Reads the word; an unknown one is no verdict.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == word)
    }
}

impl Request {
    /// Whether this is a change to the house itself, applied by the gate.
    pub fn is_change(&self) -> bool {
        is_change(&self.kind.name)
    }

    /// The state that holds at `now`, whether or not a timer's fact is recorded yet.
    ///
    /// INVARIANT: I12. Time only ever leads out of a live state into a dead or an unknown one.
    pub fn state_at(&self, now: Timestamp) -> State {
        #[cfg(planted = "a_deadline_is_in_time")]
        let now = Timestamp::from_micros(now.micros() - 1).unwrap_or(now);
        match &self.state {
            State::Pending | State::ChangesRequested { .. } if now >= self.review_deadline => {
                State::Expired { at: self.review_deadline }
            }
            State::Approved { approved_until, .. } if now >= *approved_until => {
                State::Lapsed { at: *approved_until }
            }
            State::Executing { release, .. } if now >= release.lease_until => {
                State::OutcomeUnknown { release: release.clone(), at: release.lease_until }
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
            | State::Succeeded { .. }
            | State::Failed { .. }
            | State::Halted { .. }
            | State::OutcomeUnknown { .. }
            | State::RolledBack { .. }
            | State::RollbackFailed { .. } => self.state.clone(),
        }
    }

    /// When time ends the present state, if it does.
    pub fn state_ends_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Pending | State::ChangesRequested { .. } => Some(self.review_deadline),
            State::Approved { approved_until, .. } => Some(*approved_until),
            State::Executing { release, .. } => Some(release.lease_until),
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

    /// When the next timer of this request fires: its state's, or that of the owed review.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.state_ends_at().into_iter().chain(self.second_review_due()).min()
    }

    /// The broken glass at which a second person still has to look, in time or not.
    pub fn owes_second_review(&self) -> Option<&BreakGlass> {
        let done = |broken: &&BreakGlass| matches!(broken.second_review, SecondReview::Done { .. });
        self.break_glass.as_ref().filter(|broken| !done(broken))
    }

    /// When the second review that break-glass owes is missed, while it is owed.
    pub fn second_review_due(&self) -> Option<Timestamp> {
        let owed = |broken: &&BreakGlass| broken.second_review == SecondReview::Owed;
        self.break_glass.as_ref().filter(owed).map(|broken| broken.review_by)
    }

    /// The reviews of the current revision.
    pub fn standing(&self) -> impl Iterator<Item = &Review> {
        let current =
            |review: &&Review| review.digest == self.digest && review.revision == self.revision;
        #[cfg(planted = "voided_reviews_count")]
        let current = |_: &&Review| true;
        self.reviews.iter().filter(current)
    }

    /// What `person` said of the current revision.
    pub fn review_of(&self, person: PersonId) -> Option<&Review> {
        self.standing().find(|review| review.reviewer == person)
    }

    /// The approvals of the current revision, in the order they were given.
    pub fn approvals(&self) -> impl Iterator<Item = &Review> {
        self.standing().filter(|review| review.verdict == Verdict::Approve)
    }

    /// Until when an approval at `now` may be redeemed.
    ///
    /// The time to live counts from the start of the window where there is one, and never passes
    /// its end.
    pub fn approved_until(&self, now: Timestamp) -> Timestamp {
        let ttl = i64::from(self.release_ttl_s);
        match self.window {
            Some(window) => now.max(window.not_before).plus_seconds(ttl).min(window.not_after),
            None => now.plus_seconds(ttl),
        }
    }

    /// The request after `fact`, recorded at `at`.
    ///
    /// # Errors
    /// [`OutOfOrder`] when the fact cannot follow on this state: a ledger that says so is broken.
    pub fn evolve(
        request: Option<Self>,
        fact: &RequestFact,
        at: Timestamp,
    ) -> Result<Self, OutOfOrder> {
        let broken = OutOfOrder { fact: fact.name() };
        if let RequestFact::RequestStaged(staged) = fact {
            return if request.is_none() { Ok(staged.request(at)) } else { Err(broken) };
        }
        let mut request = request.filter(|request| fact.is_about(request)).ok_or(broken)?;
        request.state = request.next_state(fact, at).ok_or(broken)?;
        request.take_in(fact, at);
        Ok(request)
    }

    /// The state that follows on `fact`; `None` when the fact cannot follow.
    fn next_state(&self, fact: &RequestFact, at: Timestamp) -> Option<State> {
        use RequestFact as F;
        Some(match (&self.state, fact) {
            (State::Pending, F::ReviewRecorded { .. }) => State::Pending,
            (State::ChangesRequested { at, by }, F::ReviewRecorded { .. }) => {
                State::ChangesRequested { at: *at, by: *by }
            }
            (State::Pending | State::ChangesRequested { .. }, F::RequestAmended(_)) => {
                State::Pending
            }
            (State::Pending, F::ChangesRequested { by }) => State::ChangesRequested { at, by: *by },
            (State::Pending, F::RequestApproved { approved_until, .. }) => State::Approved {
                approved_at: at,
                approved_until: *approved_until,
                basis: Basis::Quorum,
            },
            (State::Pending, F::GlassBroken { approved_until, .. }) => State::Approved {
                approved_at: at,
                approved_until: *approved_until,
                basis: Basis::BreakGlass,
            },
            (State::Pending | State::ChangesRequested { .. }, F::RequestDenied { by }) => {
                State::Denied { at, by: *by }
            }
            (State::Pending | State::ChangesRequested { .. }, F::RequestExpired { .. }) => {
                State::Expired { at }
            }
            (State::Pending | State::ChangesRequested { .. }, F::RequestWithdrawn { by }) => {
                State::Withdrawn { at, by: *by }
            }
            (State::Approved { .. }, F::QuorumLost { .. }) => State::Pending,
            (State::Approved { .. }, F::ReleaseRevoked { by, .. }) => {
                State::Revoked { at, by: *by }
            }
            (State::Approved { .. }, F::ReleaseLapsed { .. } | F::ReleaseVoided) => {
                State::Lapsed { at }
            }
            (State::Approved { .. }, F::ReleaseRedeemed { release, .. }) => {
                State::Executing { release: release.clone(), halt: None }
            }
            (State::Executing { release, halt }, F::LeaseRenewed { lease_until }) => {
                let release = Release { lease_until: *lease_until, ..release.clone() };
                State::Executing { release, halt: *halt }
            }
            (State::Executing { release, halt: None }, F::HaltRequested { by, .. }) => {
                State::Executing { release: release.clone(), halt: Some(Halt { at, by: *by }) }
            }
            (State::Executing { release, .. }, F::OutcomeMissed { .. }) => {
                State::OutcomeUnknown { release: release.clone(), at }
            }
            (
                State::Executing { release, .. } | State::OutcomeUnknown { release, .. },
                F::OutcomeReported { outcome, .. },
            ) => {
                let release = release.clone();
                match outcome {
                    Outcome::Succeeded => State::Succeeded { release, at },
                    Outcome::Failed => State::Failed { release, at },
                    Outcome::Halted => State::Halted { release, at },
                }
            }
            (
                State::Succeeded { release, .. }
                | State::Failed { release, .. }
                | State::Halted { release, .. }
                | State::OutcomeUnknown { release, .. },
                F::RollbackReported { outcome, .. },
            ) => {
                let release = release.clone();
                match outcome {
                    RollbackOutcome::RolledBack => State::RolledBack { release, at },
                    RollbackOutcome::RollbackFailed => State::RollbackFailed { release, at },
                }
            }
            (_, F::SecondReviewMissed { .. } | F::SecondReviewRecorded { .. }) => {
                self.state.clone()
            }
            _ => return None,
        })
    }

    /// What a fact changes beside the state.
    fn take_in(&mut self, fact: &RequestFact, at: Timestamp) {
        match fact {
            RequestFact::ReviewRecorded {
                reviewer,
                verdict,
                revision,
                digest,
                authenticated_at,
                ..
            } => {
                self.reviews
                    .retain(|review| review.reviewer != *reviewer || review.revision != *revision);
                self.reviews.push(Review {
                    reviewer: *reviewer,
                    revision: *revision,
                    digest: *digest,
                    verdict: *verdict,
                    at,
                    authenticated_at: *authenticated_at,
                });
            }
            RequestFact::RequestAmended(amended) => amended.take_effect(self),
            RequestFact::QuorumLost { void } => {
                self.reviews.retain(|review| !void.contains(&review.reviewer));
            }
            RequestFact::GlassBroken { by, review_by, .. } => {
                let (by, review_by, second_review) = (*by, *review_by, SecondReview::Owed);
                self.break_glass = Some(BreakGlass { by, at, review_by, second_review });
            }
            RequestFact::SecondReviewMissed { .. } => {
                self.set_second_review(SecondReview::Missed { at });
            }
            RequestFact::SecondReviewRecorded { by, verdict, .. } => {
                self.set_second_review(SecondReview::Done { by: *by, at, verdict: *verdict });
            }
            RequestFact::RequestStaged(_)
            | RequestFact::ChangesRequested { .. }
            | RequestFact::RequestApproved { .. }
            | RequestFact::RequestDenied { .. }
            | RequestFact::RequestExpired { .. }
            | RequestFact::RequestWithdrawn { .. }
            | RequestFact::ReleaseRevoked { .. }
            | RequestFact::ReleaseLapsed { .. }
            | RequestFact::ReleaseVoided
            | RequestFact::ReleaseRedeemed { .. }
            | RequestFact::LeaseRenewed { .. }
            | RequestFact::HaltRequested { .. }
            | RequestFact::OutcomeMissed { .. }
            | RequestFact::OutcomeReported { .. }
            | RequestFact::RollbackReported { .. } => {}
        }
    }

    fn set_second_review(&mut self, second_review: SecondReview) {
        if let Some(broken) = &mut self.break_glass {
            broken.second_review = second_review;
        }
    }
}

/// A fact that cannot follow on the state it was recorded after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{fact}` cannot follow here")]
pub struct OutOfOrder {
    pub fact: &'static str,
}
