//! The facts of a request's life, in the past tense, as they stand in the ledger.

use serde::{Deserialize, Serialize};

use crate::authority::Ineligible;
use crate::commitment::Commitment;
use crate::entry::Actor;
use crate::request::{Outcome, Release, Request, State, Verdict};
use crate::stage::Window;
use crate::{AgentId, Digest, KindRef, PersonId, RequestId, Requirement, Risk, Timestamp};

/// Something that happened to one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "body")]
pub enum RequestFact {
    RequestStaged(Box<RequestStaged>),
    ReviewRecorded {
        reviewer: PersonId,
        verdict: Verdict,
        revision: u32,
        digest: Digest,
        /// When the page that the person decided on was rendered.
        shown_at: Timestamp,
        justification: Commitment,
    },
    RequestApproved {
        digest: Digest,
        approved_until: Timestamp,
        /// Who fills a seat of which requirement.
        seats: Vec<Seat>,
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
    ReleaseRedeemed {
        digest: Digest,
        executor: AgentId,
        release: Release,
    },
    ReleaseLapsed {
        approved_until: Timestamp,
    },
    OutcomeReported {
        outcome: Outcome,
        summary: Commitment,
    },
}

/// Everything that is fixed when a request is staged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestStaged {
    pub request: RequestId,
    pub agent: AgentId,
    pub executor: AgentId,
    pub kind: KindRef,
    pub revision: u32,
    pub digest: Digest,
    pub content_digest: Digest,
    pub requirements: Vec<Requirement>,
    pub excluded: Vec<(PersonId, Ineligible)>,
    pub risk: Risk,
    pub review_deadline: Timestamp,
    pub release_ttl_s: u32,
    pub report_deadline_s: u32,
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
            agent: self.agent,
            executor: self.executor,
            kind: self.kind.clone(),
            revision: self.revision,
            digest: self.digest,
            content_digest: self.content_digest,
            requirements: self.requirements.clone(),
            excluded: self.excluded.clone(),
            risk: self.risk.clone(),
            staged_at: at,
            review_deadline: self.review_deadline,
            release_ttl_s: self.release_ttl_s,
            report_deadline_s: self.report_deadline_s,
            window: self.window,
            reviews: Vec::new(),
            state: State::Pending,
        }
    }
}

impl RequestFact {
    /// The name under which the fact stands in the ledger.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RequestStaged(_) => "RequestStaged",
            Self::ReviewRecorded { .. } => "ReviewRecorded",
            Self::RequestApproved { .. } => "RequestApproved",
            Self::RequestDenied { .. } => "RequestDenied",
            Self::RequestExpired { .. } => "RequestExpired",
            Self::RequestWithdrawn { .. } => "RequestWithdrawn",
            Self::QuorumLost { .. } => "QuorumLost",
            Self::ReleaseRedeemed { .. } => "ReleaseRedeemed",
            Self::ReleaseLapsed { .. } => "ReleaseLapsed",
            Self::OutcomeReported { .. } => "OutcomeReported",
        }
    }
}
