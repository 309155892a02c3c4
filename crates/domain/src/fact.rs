//! The facts of a request's life, in the past tense, as they stand in the ledger.

mod about;

use serde::{Deserialize, Serialize};

use crate::authority::Ineligible;
use crate::commitment::Commitment;
use crate::entry::Actor;
use crate::request::{Request, SecondVerdict, Verdict};
use crate::revision::EvidenceDescriptor;
use crate::stage::Window;
use crate::state::{Outcome, Release, RollbackOutcome, State};
use crate::{AgentId, Digest, KindRef, PersonId, RequestId, Requirement, Risk, Timestamp};

/// Something that happened to one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "body")]
pub enum RequestFact {
    RequestStaged(Box<RequestStaged>),
    /// A new revision: every review of the old is void.
    RequestAmended(Box<RequestAmended>),
    ReviewRecorded {
        reviewer: PersonId,
        verdict: Verdict,
        revision: u32,
        digest: Digest,
        /// When the page that the person decided on was rendered.
        shown_at: Timestamp,
        /// When the person last proved who they are.
        authenticated_at: Timestamp,
        justification: Commitment,
    },
    ChangesRequested {
        by: PersonId,
    },
    RequestApproved {
        digest: Digest,
        approved_until: Timestamp,
        /// Who fills a seat of which requirement.
        seats: Vec<Seat>,
    },
    /// One person with the right to do so approved in place of all requirements.
    GlassBroken {
        by: PersonId,
        digest: Digest,
        approved_until: Timestamp,
        /// Until when a second person has to look at it.
        review_by: Timestamp,
    },
    SecondReviewRecorded {
        by: PersonId,
        verdict: SecondVerdict,
        justification: Commitment,
    },
    SecondReviewMissed {
        review_by: Timestamp,
    },
    RequestDenied {
        by: PersonId,
    },
    RequestExpired {
        review_deadline: Timestamp,
    },
    RequestWithdrawn {
        by: Actor,
    },
    /// At redemption the approvals no longer filled every seat: back to pending.
    QuorumLost {
        void: Vec<PersonId>,
    },
    ReleaseRevoked {
        by: PersonId,
        reason: Commitment,
    },
    ReleaseRedeemed {
        digest: Digest,
        executor: AgentId,
        release: Release,
    },
    ReleaseLapsed {
        approved_until: Timestamp,
    },
    /// The gate went on from a backup: the release may have been used since the backup was made.
    ReleaseVoided,
    /// A heartbeat moved the end of the lease.
    LeaseRenewed {
        lease_until: Timestamp,
    },
    HaltRequested {
        by: PersonId,
        reason: Commitment,
    },
    OutcomeMissed {
        missed: Missed,
        due: Timestamp,
    },
    OutcomeReported {
        outcome: Outcome,
        summary: Commitment,
        /// What the executor shows for it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<EvidenceDescriptor>,
    },
    RollbackReported {
        outcome: RollbackOutcome,
        summary: Commitment,
        /// What the executor shows for it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<EvidenceDescriptor>,
    },
}

/// What did not come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    Heartbeat,
    Report,
}

/// Everything that is fixed when a request is staged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestStaged {
    pub request: RequestId,
    pub staged_by: Actor,
    pub agent: AgentId,
    pub executor: AgentId,
    pub kind: KindRef,
    pub environment: String,
    pub revision: u32,
    pub digest: Digest,
    pub content_digest: Digest,
    pub requirements: Vec<Requirement>,
    pub excluded: Vec<(PersonId, Ineligible)>,
    pub risk: Risk,
    pub review_deadline: Timestamp,
    pub release_ttl_s: u32,
    pub lease_ttl_s: u32,
    pub report_deadline_s: u32,
    pub window: Option<Window>,
}

/// Everything that a new revision fixes anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestAmended {
    pub amended_by: Actor,
    pub environment: String,
    pub revision: u32,
    pub digest: Digest,
    pub content_digest: Digest,
    pub requirements: Vec<Requirement>,
    /// Beside those excluded from earlier revisions, who stay so.
    pub excluded: Vec<(PersonId, Ineligible)>,
    pub risk: Risk,
    pub review_deadline: Timestamp,
    pub window: Option<Window>,
}

/// One filled seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub requirement: String,
    pub person: PersonId,
}

impl RequestStaged {
    pub(crate) fn request(&self, at: Timestamp) -> Request {
        Request {
            id: self.request,
            staged_by: self.staged_by,
            agent: self.agent,
            executor: self.executor,
            kind: self.kind.clone(),
            environment: self.environment.clone(),
            revision: self.revision,
            digest: self.digest,
            content_digest: self.content_digest,
            requirements: self.requirements.clone(),
            excluded: self.excluded.clone(),
            risk: self.risk.clone(),
            staged_at: at,
            review_deadline: self.review_deadline,
            release_ttl_s: self.release_ttl_s,
            lease_ttl_s: self.lease_ttl_s,
            report_deadline_s: self.report_deadline_s,
            window: self.window,
            reviews: Vec::new(),
            break_glass: None,
            state: State::Pending,
        }
    }
}

impl RequestAmended {
    pub(crate) fn take_effect(&self, request: &mut Request) {
        request.environment.clone_from(&self.environment);
        request.revision = self.revision;
        request.digest = self.digest;
        request.content_digest = self.content_digest;
        request.requirements.clone_from(&self.requirements);
        for excluded in &self.excluded {
            if !request.excluded.contains(excluded) {
                request.excluded.push(*excluded);
            }
        }
        request.risk.clone_from(&self.risk);
        request.review_deadline = self.review_deadline;
        request.window = self.window;
    }
}

impl RequestFact {
    /// The commitment to the free text that belongs to the fact, if one does, and its field.
    pub fn commitment(&self) -> Option<(&'static str, Commitment)> {
        match self {
            Self::ReviewRecorded { justification, .. }
            | Self::SecondReviewRecorded { justification, .. } => {
                Some(("justification", *justification))
            }
            Self::ReleaseRevoked { reason, .. } | Self::HaltRequested { reason, .. } => {
                Some(("reason", *reason))
            }
            Self::OutcomeReported { summary, .. } | Self::RollbackReported { summary, .. } => {
                Some(("summary", *summary))
            }
            Self::RequestStaged(_)
            | Self::RequestAmended(_)
            | Self::ChangesRequested { .. }
            | Self::RequestApproved { .. }
            | Self::GlassBroken { .. }
            | Self::SecondReviewMissed { .. }
            | Self::RequestDenied { .. }
            | Self::RequestExpired { .. }
            | Self::RequestWithdrawn { .. }
            | Self::QuorumLost { .. }
            | Self::ReleaseRedeemed { .. }
            | Self::ReleaseLapsed { .. }
            | Self::ReleaseVoided
            | Self::LeaseRenewed { .. }
            | Self::OutcomeMissed { .. } => None,
        }
    }

    /// The evidence that a report brings; that of a revision stands in the revision.
    pub fn evidence(&self) -> &[EvidenceDescriptor] {
        let (Self::OutcomeReported { evidence, .. } | Self::RollbackReported { evidence, .. }) =
            self
        else {
            return &[];
        };
        evidence
    }

    /// The name under which the fact stands in the ledger.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RequestStaged(_) => "RequestStaged",
            Self::RequestAmended(_) => "RequestAmended",
            Self::ReviewRecorded { .. } => "ReviewRecorded",
            Self::ChangesRequested { .. } => "ChangesRequested",
            Self::RequestApproved { .. } => "RequestApproved",
            Self::GlassBroken { .. } => "GlassBroken",
            Self::SecondReviewRecorded { .. } => "SecondReviewRecorded",
            Self::SecondReviewMissed { .. } => "SecondReviewMissed",
            Self::RequestDenied { .. } => "RequestDenied",
            Self::RequestExpired { .. } => "RequestExpired",
            Self::RequestWithdrawn { .. } => "RequestWithdrawn",
            Self::QuorumLost { .. } => "QuorumLost",
            Self::ReleaseRevoked { .. } => "ReleaseRevoked",
            Self::ReleaseRedeemed { .. } => "ReleaseRedeemed",
            Self::ReleaseLapsed { .. } => "ReleaseLapsed",
            Self::ReleaseVoided => "ReleaseVoided",
            Self::LeaseRenewed { .. } => "LeaseRenewed",
            Self::HaltRequested { .. } => "HaltRequested",
            Self::OutcomeMissed { .. } => "OutcomeMissed",
            Self::OutcomeReported { .. } => "OutcomeReported",
            Self::RollbackReported { .. } => "RollbackReported",
        }
    }
}
