//! What reads answer: rows with their meaning, not their columns.

use domain::kind::EffectPart;
use domain::trust::Terms;
use domain::{
    Actor, AgentId, Digest, Freeze, InstanceId, KeyId, PersonId, Request, RequestId, Scope,
    StateName, Timestamp, TrustId, WebhookId,
};

/// Which installation this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    pub id: InstanceId,
    pub epoch: u64,
    /// Changes to the house need a second person, for ever.
    pub changes_gated: bool,
}

/// A request with the version that a change must name.
#[derive(Clone, Debug)]
pub struct Stored {
    pub request: Request,
    pub version: u64,
    pub changed_at: Timestamp,
    pub effect: Vec<EffectPart>,
}

/// A request with what it has to follow from.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub stored: Stored,
    /// The bytes of the current revision, and its digest.
    pub revision: Option<(Vec<u8>, Digest)>,
    /// The bodies of its entries, oldest first.
    pub entries: Vec<Vec<u8>>,
}

/// A person opened a piece of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    pub digest: Digest,
    /// What is masked in it was shown too.
    pub unmasked: bool,
    pub at: Timestamp,
}

/// Which requests to list.
#[derive(Clone, Debug, Default)]
pub struct RequestQuery {
    pub states: Vec<StateName>,
    /// Only requests whose broken glass waits for a second person.
    pub owes_review: bool,
    /// Only requests that one of these agents staged or executes.
    pub agents: Option<Vec<AgentId>>,
    /// Case-insensitive text in the effect sentence.
    pub text: Option<String>,
    /// Only requests changed at or after this instant.
    pub changed_since: Option<Timestamp>,
    /// Keyset: only requests staged before this one.
    pub before: Option<(Timestamp, RequestId)>,
    pub order: Order,
    pub limit: u32,
}

/// In which order to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    NewestFirst,
    /// Highest risk first, within it the soonest deadline.
    MostUrgentFirst,
    LastChangedFirst,
}

/// A person.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub active: bool,
    pub groups: Vec<String>,
    /// How often they set a password; none yet where it is 0. A session ends with the next one.
    pub passwords: u32,
    pub added_at: Timestamp,
}

impl Person {
    /// Whether this person is active and in `group`.
    pub fn is_in(&self, group: &str) -> bool {
        self.active && self.groups.iter().any(|name| name == group)
    }
}

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    pub id: AgentId,
    pub name: String,
    /// Nobody owns the gate itself.
    pub owner: Option<PersonId>,
    pub suspended: bool,
    pub added_at: Timestamp,
}

/// A freeze that is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingFreeze {
    pub freeze: Freeze,
    pub at: Timestamp,
    /// `None`: the operator, at the machine itself.
    pub by: Option<PersonId>,
    pub reason: String,
}

/// A version of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPolicy {
    pub version: u32,
    pub text: String,
    pub at: Timestamp,
}

/// An API key, never the key itself.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub id: KeyId,
    pub holder: Actor,
    pub hint: String,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub shown_to: PersonId,
    pub scope: Scope,
}

impl ApiKey {
    /// Whether the key opens anything at `now`.
    pub fn lives(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// A standing trust: tokens on these terms speak as the agent.
#[derive(Clone, Debug)]
pub struct Trust {
    pub id: TrustId,
    pub agent: AgentId,
    pub terms: Terms,
    pub added_at: Timestamp,
    /// None where the operator made it at the machine itself.
    pub added_by: Option<PersonId>,
    pub last_used_at: Option<Timestamp>,
}

/// What an idempotency key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    pub fingerprint: Digest,
    pub request: RequestId,
    pub at: Timestamp,
}

/// The other requests of an agent, as far as they stand in the way of one more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// How many wait for people, counted no further than was asked.
    pub open: u32,
    /// The newest of the same content that is not decided, or approved and not used.
    pub same: Option<(RequestId, StateName)>,
    /// The last of the same content that was denied, and when.
    pub denied: Option<(RequestId, Timestamp)>,
}

/// What an agent uploaded and no request refers to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unused {
    pub uploads: u64,
    pub bytes: u64,
}

/// A ledger entry with the texts that are still there.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    pub index: u64,
    pub body: Vec<u8>,
    pub leaf: Digest,
    /// Field, salt, text.
    pub texts: Vec<(String, Vec<u8>, String)>,
}

/// How many entries one look for those of an agent goes through.
pub(crate) const LOOK: u64 = 1000;

/// Which entries are of requests of one agent, as far as one look went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentEntries {
    /// In the order of the ledger.
    pub entries: Vec<(u64, RequestId)>,
    /// Where the next look begins: there is nothing of the agent's before it that is not here.
    pub next: u64,
    /// How many entries the ledger had.
    pub size: u64,
}

/// A signed tree head as it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    pub size: u64,
    pub issued_at: Timestamp,
    /// The signed note.
    pub note: String,
}

/// An endpoint that is told of what happens.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub name: String,
    pub url: String,
    /// The types of event it is told of; none stands for all.
    pub events: Vec<String>,
    pub added_at: Timestamp,
    /// The first entry that it was not looked at for.
    pub cursor: u64,
    pub secret_version: u32,
    pub rotated_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SECURITY: addresses of some receivers are secrets.
        write!(f, "Webhook({}, {}, cursor {})", self.id, self.name, self.cursor)
    }
}

/// How far an endpoint has been told of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub index: u64,
    pub state: DeliveryState,
    pub attempts: u32,
    /// When it is tried again; only while it waits.
    pub next_at: Option<Timestamp>,
    pub last_at: Option<Timestamp>,
    /// The last answer: a status, or a word for why there was none.
    pub answer: Option<String>,
}

/// Whether something is still to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryState {
    Waiting,
    Delivered,
    /// Given up; only a replay tries again.
    Dead,
}

impl DeliveryState {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::Dead].into_iter().find(|one| one.as_str() == text)
    }
}

/// A value that is not what the entries say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub table: &'static str,
    /// The row's key, as SQL writes it.
    pub row: String,
    /// `None` when the whole row is there and should not be, or the other way round.
    pub column: Option<String>,
    /// What follows from the entries.
    pub recorded: String,
    /// What stands in the table.
    pub found: String,
}

/// What came of building the tables anew from the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    pub differences: Vec<Difference>,
    /// Commitments whose text is gone: entry and field.
    pub erased: Vec<(u64, String)>,
}

/// A one-time link that may still be used.
#[derive(Clone, Copy, Debug)]
pub struct SignInLink {
    pub person: PersonId,
    pub expires_at: Timestamp,
}

/// How many requests are in a state.
pub type StateCount = (StateName, u64);
