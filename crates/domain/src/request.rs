//! A request: its state, and the only way it changes.
//!
//! Each state holds what that state knows. [`Request::evolve`] is the only place that makes one
//! state out of another, from a recorded fact; what may be recorded is `apply`'s to say.

use serde::{Deserialize, Serialize};

use crate::authority::Ineligible;
use crate::entry::Actor;
use crate::fact::RequestFact;
use crate::stage::Window;
use crate::{AgentId, Digest, KindRef, LeaseId, PersonId, RequestId, Requirement, Risk, Timestamp};

/// One staged action, from staging to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    pub agent: AgentId,
    pub executor: AgentId,
    pub kind: KindRef,
    pub revision: u32,
    pub digest: Digest,
    pub content_digest: Digest,
    pub requirements: Vec<Requirement>,
    /// People who may never review this request, for reasons known when it was staged.
    pub excluded: Vec<(PersonId, Ineligible)>,
    pub risk: Risk,
    pub staged_at: Timestamp,
    pub review_deadline: Timestamp,
    pub release_ttl_s: u32,
    pub report_deadline_s: u32,
    pub window: Option<Window>,
    pub reviews: Vec<Review>,
    pub state: State,
}

/// Where a request is in its life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum State {
    Pending,
    Approved { approved_at: Timestamp, approved_until: Timestamp },
    Denied { at: Timestamp, by: PersonId },
    Expired { at: Timestamp },
    Withdrawn { at: Timestamp, by: Actor },
    Lapsed { at: Timestamp },
    Executing { release: Release },
    Succeeded { release: Release, at: Timestamp },
    Failed { release: Release, at: Timestamp },
}

/// The name of a state, without what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    Pending,
    Approved,
    Denied,
    Expired,
    Withdrawn,
    Lapsed,
    Executing,
    Succeeded,
    Failed,
}

/// A spent release: the running execution, and what its token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub lease_id: LeaseId,
    pub redeemed_at: Timestamp,
    pub token_expires_at: Timestamp,
    pub report_by: Timestamp,
}

/// One person's verdict on one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub reviewer: PersonId,
    pub revision: u32,
    pub digest: Digest,
    pub verdict: Verdict,
    pub at: Timestamp,
}

/// What a person says about a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approve,
    Deny,
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    Failed,
}

impl StateName {
    /// All states, in the order of the lifecycle.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Approved,
        Self::Denied,
        Self::Expired,
        Self::Withdrawn,
        Self::Lapsed,
        Self::Executing,
        Self::Succeeded,
        Self::Failed,
    ];

    /// The word used in the API, in SQL and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Lapsed => "lapsed",
            Self::Executing => "executing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Reads the word; an unknown one is no state.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing can follow.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Pending | Self::Approved | Self::Executing => false,
            Self::Denied
            | Self::Expired
            | Self::Withdrawn
            | Self::Lapsed
            | Self::Succeeded
            | Self::Failed => true,
        }
    }
}

impl State {
    /// This state's name.
    pub fn name(&self) -> StateName {
        match self {
            Self::Pending => StateName::Pending,
            Self::Approved { .. } => StateName::Approved,
            Self::Denied { .. } => StateName::Denied,
            Self::Expired { .. } => StateName::Expired,
            Self::Withdrawn { .. } => StateName::Withdrawn,
            Self::Lapsed { .. } => StateName::Lapsed,
            Self::Executing { .. } => StateName::Executing,
            Self::Succeeded { .. } => StateName::Succeeded,
            Self::Failed { .. } => StateName::Failed,
        }
    }

    /// The spent release, from redemption on.
    pub fn release(&self) -> Option<&Release> {
        match self {
            Self::Executing { release }
            | Self::Succeeded { release, .. }
            | Self::Failed { release, .. } => Some(release),
            Self::Pending
            | Self::Approved { .. }
            | Self::Denied { .. }
            | Self::Expired { .. }
            | Self::Withdrawn { .. }
            | Self::Lapsed { .. } => None,
        }
    }
}

impl Request {
    /// The state that holds at `now`, whether or not a timer's fact is recorded yet.
    ///
    /// INVARIANT: I12. Time only ever leads out of `pending` and `approved` into a dead state.
    pub fn state_at(&self, now: Timestamp) -> State {
        match &self.state {
            State::Pending if now >= self.review_deadline => {
                State::Expired { at: self.review_deadline }
            }
            State::Approved { approved_until, .. } if now >= *approved_until => {
                State::Lapsed { at: *approved_until }
            }
            State::Pending
            | State::Approved { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Lapsed { .. }
            | State::Executing { .. }
            | State::Succeeded { .. }
            | State::Failed { .. } => self.state.clone(),
        }
    }

    /// When the next timer of this request fires, if one runs.
    pub fn due_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Pending => Some(self.review_deadline),
            State::Approved { approved_until, .. } => Some(*approved_until),
            State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Lapsed { .. }
            | State::Executing { .. }
            | State::Succeeded { .. }
            | State::Failed { .. } => None,
        }
    }

    /// The people whose approval of the current revision stands, in the order they gave it.
    pub fn approvers(&self) -> Vec<PersonId> {
        let standing = |review: &&Review| {
            review.verdict == Verdict::Approve
                && review.digest == self.digest
                && review.revision == self.revision
        };
        self.reviews.iter().filter(standing).map(|review| review.reviewer).collect()
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
        let mut request = request.ok_or(broken)?;
        let state = match (&request.state, fact) {
            (State::Pending, RequestFact::ReviewRecorded { reviewer, verdict, digest, .. }) => {
                request.reviews.retain(|review| review.reviewer != *reviewer);
                request.reviews.push(Review {
                    reviewer: *reviewer,
                    revision: request.revision,
                    digest: *digest,
                    verdict: *verdict,
                    at,
                });
                State::Pending
            }
            (State::Pending, RequestFact::RequestApproved { approved_until, .. }) => {
                State::Approved { approved_at: at, approved_until: *approved_until }
            }
            (State::Pending, RequestFact::RequestDenied { by }) => State::Denied { at, by: *by },
            (State::Pending, RequestFact::RequestExpired { .. }) => State::Expired { at },
            (State::Pending, RequestFact::RequestWithdrawn { by }) => {
                State::Withdrawn { at, by: *by }
            }
            (State::Approved { .. }, RequestFact::QuorumLost { void }) => {
                request.reviews.retain(|review| !void.contains(&review.reviewer));
                State::Pending
            }
            (State::Approved { .. }, RequestFact::ReleaseRedeemed { release, .. }) => {
                State::Executing { release: release.clone() }
            }
            (State::Approved { .. }, RequestFact::ReleaseLapsed { .. }) => State::Lapsed { at },
            (State::Executing { release }, RequestFact::OutcomeReported { outcome, .. }) => {
                let release = release.clone();
                match outcome {
                    Outcome::Succeeded => State::Succeeded { release, at },
                    Outcome::Failed => State::Failed { release, at },
                }
            }
            _ => return Err(broken),
        };
        request.state = state;
        Ok(request)
    }
}

/// A fact that cannot follow on the state it was recorded after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{fact}` cannot follow here")]
pub struct OutOfOrder {
    pub fact: &'static str,
}
