//! What is committed: one change, whole.

use domain::commitment::SALT_BYTES;
use domain::entry::HouseFact;
use domain::kind::EffectPart;
use domain::revision::Sealed;
use domain::{
    Actor, AgentId, Digest, Fact, KeyId, Kind, PersonId, Request, RequestFact, RequestId,
    Timestamp, TrustId, WebhookId,
};

use crate::error::StoreError;
use crate::read::StoredCheckpoint;

/// Facts, and everything that becomes durable with them.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The authority epoch that the change was decided under, if it depends on authority.
    pub expected_epoch: Option<u64>,
    /// The writer's clock must be before this instant when it commits.
    pub valid_until: Option<Timestamp>,
    pub request: Option<RequestChange>,
    pub facts: Vec<NewFact>,
    pub writes: Vec<Write>,
    pub idempotency: Option<Idempotency>,
}

/// How far the clock by which a change was decided may be ahead of the writer's.
const MAX_AHEAD_S: i64 = 5;

impl Change {
    /// Whether it was decided at an instant that has not come by the writer's clock: what ends
    /// until then has not ended (I12).
    pub(crate) fn is_ahead_of(&self, now: Timestamp) -> bool {
        self.facts.iter().any(|new| new.at > now.plus_seconds(MAX_AHEAD_S))
    }

    /// Whether entries of it as it is would go back in time, after one of `newest`.
    fn is_behind(&self, newest: Option<Timestamp>) -> bool {
        let times = newest.into_iter().chain(self.facts.iter().map(|new| new.at));
        !times.is_sorted()
    }

    /// Records every fact at the time of the entry before it at the earliest.
    ///
    /// Of changes that are decided at once, the one that is committed second may have read the
    /// clock first.
    pub(crate) fn follow(&mut self, newest: Option<Timestamp>) -> Result<(), StoreError> {
        if !self.is_behind(newest) {
            return Ok(());
        }
        let mut earliest = newest;
        for new in &mut self.facts {
            new.at = earliest.map_or(new.at, |earliest| earliest.max(new.at));
            earliest = Some(new.at);
        }
        let Some(request) = &mut self.request else { return Ok(()) };
        let mut after = request.before.as_ref().map(|before| before.request.clone());
        for new in &self.facts {
            if let Fact::Request(fact) = &new.fact {
                let evolved = Request::evolve(after, fact, new.at);
                after = Some(evolved.map_err(|error| StoreError::Refused(error.to_string()))?);
            }
        }
        if let Some(after) = after {
            request.after = after;
        }
        Ok(())
    }

    /// Whether it alters what authority rests on, so that every decision made under the epoch before
    /// it is stale.
    pub(crate) fn moves_epoch(&self) -> bool {
        self.facts.iter().any(|new| match &new.fact {
            Fact::House(fact) => moves_epoch(fact),
            // Who owes a second review, and for how long, is a part of everybody's authority.
            Fact::Request(fact) => matches!(
                fact,
                RequestFact::GlassBroken { .. } | RequestFact::SecondReviewRecorded { .. }
            ),
        })
    }

    /// When the revision that it brings was staged or amended.
    pub(crate) fn staged_at(&self) -> Option<Timestamp> {
        let brings = |new: &&NewFact| {
            let Fact::Request(fact) = &new.fact else { return false };
            matches!(fact, RequestFact::RequestStaged(_) | RequestFact::RequestAmended(_))
        };
        self.facts.iter().find(brings).map(|new| new.at)
    }

    /// When its request changed: at the last fact about it.
    pub(crate) fn changed_at(&self) -> Option<Timestamp> {
        let about = |new: &&NewFact| matches!(new.fact, Fact::Request(_));
        self.facts.iter().rfind(about).map(|new| new.at)
    }

    /// When the fact was recorded that names what is written.
    pub(crate) fn written_at(&self, write: &Write) -> Option<Timestamp> {
        let names = |new: &&NewFact| {
            let Fact::House(fact) = &new.fact else { return false };
            match (fact, write) {
                (HouseFact::InstanceCreated { .. }, Write::Instance { .. }) => true,
                (HouseFact::KindPut { kind: put, .. }, Write::Kind { kind, version }) => {
                    put.name == kind.name && put.version == *version
                }
                (HouseFact::PolicyPut { version: put, .. }, Write::Policy { version, .. }) => {
                    put == version
                }
                _ => false,
            }
        };
        self.facts.iter().find(names).map(|new| new.at)
    }
}

/// Whether the fact is about something that [`crate::House`] holds.
fn moves_epoch(fact: &HouseFact) -> bool {
    match fact {
        HouseFact::InstanceCreated { .. }
        | HouseFact::PersonAdded { .. }
        | HouseFact::PasswordSet { .. }
        | HouseFact::PersonDisabled { .. }
        | HouseFact::GroupMemberAdded { .. }
        | HouseFact::GroupMemberRemoved { .. }
        | HouseFact::AgentAdded { .. }
        | HouseFact::AgentSuspended { .. }
        | HouseFact::KeyIssued { .. }
        | HouseFact::KeyRetired { .. }
        | HouseFact::KeyRevoked { .. }
        | HouseFact::TrustAdded { .. }
        | HouseFact::TrustRemoved { .. }
        | HouseFact::KindPut { .. }
        | HouseFact::PolicyPut { .. }
        | HouseFact::ChangedDirectly { .. }
        | HouseFact::ChangesGated
        | HouseFact::Recovered { .. }
        | HouseFact::Restored { .. }
        | HouseFact::Frozen { .. }
        | HouseFact::Thawed { .. } => true,
        HouseFact::CheckpointKeyNamed { .. }
        | HouseFact::WebhookAdded { .. }
        | HouseFact::WebhookSecretRotated { .. }
        | HouseFact::WebhookDisabled { .. }
        | HouseFact::WebhookRemoved { .. }
        | HouseFact::SignInLinkIssued { .. }
        | HouseFact::SignedIn { .. }
        | HouseFact::SignInRefused { .. }
        | HouseFact::SignedOut { .. }
        | HouseFact::EvidenceOpened { .. }
        | HouseFact::AttemptRefused { .. } => false,
    }
}

/// The new projection of one request.
#[derive(Clone, Debug)]
pub struct RequestChange {
    /// What the change was decided on; `None` for a new request.
    pub before: Option<Before>,
    pub after: Request,
    /// What a new request or an amendment brings: the revision and how it is listed.
    pub staged: Option<Staged>,
}

impl RequestChange {
    /// The version that has to be there still; `None` for a new request.
    pub(crate) fn expected_version(&self) -> Option<u64> {
        self.before.as_ref().map(|before| before.version)
    }
}

/// A request as it was when something was decided about it.
#[derive(Clone, Debug)]
pub struct Before {
    pub request: Request,
    pub version: u64,
}

/// The parts of a request that are fixed by its revision.
#[derive(Clone, Debug)]
pub struct Staged {
    pub sealed: Sealed,
    pub effect: Vec<EffectPart>,
}

/// A fact without its place in the ledger.
#[derive(Clone, Debug)]
pub struct NewFact {
    pub at: Timestamp,
    pub actor: Actor,
    pub request: Option<RequestId>,
    pub fact: Fact,
    /// The clear texts behind the fact's commitments.
    pub texts: Vec<Text>,
}

impl NewFact {
    /// Whether it takes away rows that earlier facts have brought.
    pub(crate) fn takes_back(&self) -> bool {
        matches!(self.fact, Fact::Request(RequestFact::QuorumLost { .. }))
    }
}

/// A clear text with the salt of its commitment.
#[derive(Clone)]
pub struct Text {
    pub field: &'static str,
    pub salt: [u8; SALT_BYTES],
    pub text: String,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({})", self.field)
    }
}

/// What belongs to a fact but never stands in the ledger.
#[derive(Clone)]
pub enum Write {
    Instance {
        id: domain::InstanceId,
    },
    /// Stale where another one than `replaces` is there: what was checked is what goes.
    PasswordHash {
        person: PersonId,
        hash: String,
        replaces: Option<String>,
    },
    KeyHash {
        key: KeyId,
        hash: [u8; 32],
        hint: String,
    },
    SignInLink {
        hash: [u8; 32],
        person: PersonId,
        expires_at: Timestamp,
    },
    /// Uses a link; the change fails with `LinkSpent` if it cannot be used.
    SpendSignInLink {
        hash: [u8; 32],
    },
    Kind {
        kind: Box<Kind>,
        version: u32,
    },
    Policy {
        version: u32,
        text: String,
    },
    Evidence {
        agent: AgentId,
        digest: Digest,
        bytes: Vec<u8>,
    },
}

impl std::fmt::Debug for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Instance { .. } => "Instance",
            Self::PasswordHash { .. } => "PasswordHash",
            Self::KeyHash { .. } => "KeyHash",
            Self::SignInLink { .. } => "SignInLink",
            Self::SpendSignInLink { .. } => "SpendSignInLink",
            Self::Kind { .. } => "Kind",
            Self::Policy { .. } => "Policy",
            Self::Evidence { .. } => "Evidence",
        })
    }
}

/// The record under which a retry finds the answer again.
#[derive(Clone, Debug)]
pub struct Idempotency {
    pub scope: String,
    pub key: String,
    pub fingerprint: Digest,
    pub request: RequestId,
}

/// Where the bytes of evidence are kept: drawn for an upload, whose digest is known only once all of it
/// is there; the digest itself where the content came whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentId(pub [u8; 32]);

impl From<Digest> for ContentId {
    fn from(digest: Digest) -> Self {
        Self(digest.0)
    }
}

/// A content that an agent uploaded, every piece of which is there.
#[derive(Clone, Copy, Debug)]
pub struct Upload {
    pub agent: AgentId,
    pub digest: Digest,
    pub content: ContentId,
    pub size_bytes: u64,
}

/// Small writes beside the ledger: nothing that anybody decides rests on them.
#[derive(Clone)]
pub enum Side {
    /// One that is there already, unless it is to `create`: what was ended does not come back.
    SaveSession {
        id_hash: [u8; 32],
        data: String,
        expires_at: Timestamp,
        create: bool,
    },
    DeleteSession {
        id_hash: [u8; 32],
    },
    TouchKey {
        key: KeyId,
        at: Timestamp,
    },
    TouchTrust {
        trust: TrustId,
        at: Timestamp,
    },
    /// Makes evidence of a content that was received whole.
    Evidence {
        upload: Upload,
        at: Timestamp,
    },
    /// Keeps a signed tree head, unless one of this size or larger is there already.
    Checkpoint(StoredCheckpoint),
    /// What becomes of an endpoint's deliveries. Does nothing where the endpoint is gone.
    Deliver {
        webhook: WebhookId,
        step: Step,
    },
    /// Removes expired sessions and links, evidence older than this that nothing refers to, contents
    /// that were begun before that and did not become evidence, and what was delivered to endpoints,
    /// or given up, before these instants.
    Sweep {
        now: Timestamp,
        evidence_before: Timestamp,
        contents_before: Timestamp,
        delivered_before: Timestamp,
        dead_before: Timestamp,
    },
}

/// Evidence, and contents that did not become evidence, that one [`Side::Sweep`] removes at most:
/// what is committed meanwhile waits for it.
pub const CLEARED_AT_ONCE: u32 = 500;

/// One step of telling an endpoint what happened.
#[derive(Clone, Debug)]
pub enum Step {
    /// The cursor goes from one entry to another; `wanted` of those between wait from now on.
    /// Does nothing where the cursor is elsewhere: another process was faster.
    Advance { from: u64, to: u64, wanted: Vec<u64>, at: Timestamp },
    /// An attempt was made, the one after `before`. Does nothing where it is not the next one.
    Attempted { index: u64, before: u32, at: Timestamp, answer: String, next: Next },
    /// These wait anew, whether or not they were delivered.
    Replay { wanted: Vec<u64>, at: Timestamp },
    /// What was given up waits anew.
    ReplayDead { at: Timestamp },
}

/// What comes after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Delivered,
    Dead,
    At(Timestamp),
}

impl Next {
    pub(crate) fn state(self) -> crate::read::DeliveryState {
        match self {
            Self::Delivered => crate::read::DeliveryState::Delivered,
            Self::Dead => crate::read::DeliveryState::Dead,
            Self::At(_) => crate::read::DeliveryState::Waiting,
        }
    }

    pub(crate) fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Delivered | Self::Dead => None,
        }
    }
}

/// What another process committed: a reason to read again, and nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// One request, and the agents that staged it and execute it.
    Request { id: RequestId, agents: [AgentId; 2] },
    /// Any of it: some was committed while nobody could tell.
    Anything,
}

impl Changed {
    /// That something was committed about `request`.
    pub fn of(request: &Request) -> Self {
        Self::Request { id: request.id, agents: [request.agent, request.executor] }
    }
}

/// Where a change stands in the ledger, and what became of its request.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    pub first_index: u64,
    pub size: u64,
    /// The request as it was recorded: perhaps at a later instant than it was decided at.
    pub after: Option<Box<Request>>,
}
