//! The port: what the use cases need of a database.

use std::path::Path;

use async_trait::async_trait;
use domain::merkle::Hash;
use domain::revision::Sealed;
use domain::risk::History;
use domain::{Actor, AgentId, Digest, Kind, PersonId, RequestId, StateName, Timestamp, WebhookId};
use tokio::sync::broadcast;

use crate::change::{Change, Changed, Committed, ContentId, Side};
use crate::error::StoreError;
use crate::house::House;
use crate::read::{
    AgentEntries, ApiKey, Delivery, DeliveryState, IdempotencyRecord, Instance, Opening, Others,
    Rebuilt, Recorded, RequestQuery, SignInLink, StateCount, Stored, StoredCheckpoint, StoredEntry,
    StoredPolicy, Trust, Unused, Webhook,
};

type Answer<T> = Result<T, StoreError>;

/// One database. What an implementation owes is in the contract suite, `tests/contract.rs`.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Commits a change; answers once it is durable.
    async fn commit(&self, change: Change) -> Answer<Committed>;
    /// Writes something that nobody decides on; answers once it is durable.
    async fn side(&self, side: Side) -> Answer<()>;

    /// The time of the newest entry that this process knows of, 1970 where it knows of none. Nothing
    /// is decided as of an instant before it (I12).
    fn newest_entry_at(&self) -> Timestamp;
    /// What other processes commit, from now on. Subscribe first, then read: a wake-up can come
    /// for nothing, but none is missed, and where some were lost there is [`Changed::Anything`].
    fn changes(&self) -> broadcast::Receiver<Changed>;
    /// Whether `job` is for this process to do now. Of those that share a database, one is told so
    /// at a time; one that stops asking is followed by another within seconds.
    async fn try_lead(&self, job: &str) -> Answer<bool>;

    /// The installation; `None` before `admin init`.
    async fn instance(&self) -> Answer<Option<Instance>>;
    /// The store answers reads.
    async fn ping(&self) -> Answer<()>;

    async fn load(&self, id: RequestId) -> Answer<Option<Stored>>;
    /// A request with what it has to follow from, all of one instant.
    async fn record(&self, id: RequestId) -> Answer<Option<Recorded>>;
    async fn revision(&self, id: RequestId, number: u32) -> Answer<Option<(Vec<u8>, Digest)>>;
    async fn list(&self, query: RequestQuery) -> Answer<Vec<Stored>>;
    async fn counts(&self) -> Answer<Vec<StateCount>>;
    async fn count_of_agent(&self, agent: AgentId, state: StateName) -> Answer<u64>;
    /// The environments that requests have named, in order.
    async fn environments(&self) -> Answer<Vec<String>>;
    /// Requests whose timer has fired by `now`.
    async fn due(&self, now: Timestamp, limit: u32) -> Answer<Vec<RequestId>>;

    /// What was staged before this revision, the request's own revisions apart. Only for risk: it
    /// is not read again inside a transaction, and costs the same however much was staged.
    async fn history(&self, of: &Sealed, now: Timestamp) -> Answer<History>;

    /// The other requests of the revision's agent: how many wait for people, up to `up_to`; the newest of
    /// the same content that may still be used; the last of it that was denied after `denied_after`.
    /// Not read again inside a transaction, and costs the same however much was staged.
    async fn others(
        &self,
        of: &Sealed,
        up_to: u32,
        denied_after: Timestamp,
        now: Timestamp,
    ) -> Answer<Others>;

    /// The entries of one request, oldest first.
    async fn entries_of(&self, id: RequestId) -> Answer<Vec<StoredEntry>>;
    /// Entries from index `from`, oldest first.
    async fn entries(&self, from: u64, limit: u32) -> Answer<Vec<StoredEntry>>;
    /// Which entries from index `from` on are of requests that `agent` staged or executes. A look
    /// goes through so many entries and no more, whosever they are.
    async fn entries_of_agent(&self, agent: AgentId, from: u64) -> Answer<AgentEntries>;
    async fn ledger_size(&self) -> Answer<u64>;
    /// The stored nodes of a level from index `from` up to and without `to`, as far as they are
    /// there without a gap.
    async fn tree_nodes(&self, level: u8, from: u64, to: u64) -> Answer<Vec<Hash>>;
    /// The entries that name checkpoint keys, oldest first.
    async fn key_entries(&self) -> Answer<Vec<StoredEntry>>;
    /// Checkpoints of `from` entries or more, the smallest first.
    async fn checkpoints(&self, from: u64, limit: u32) -> Answer<Vec<StoredCheckpoint>>;
    async fn newest_checkpoint(&self) -> Answer<Option<StoredCheckpoint>>;

    /// Writes everything that is there at one instant into `file`, which is empty or not there: an
    /// ordinary SQLite database of this version, whichever back end it comes from.
    async fn backup(&self, file: &Path) -> Answer<()>;
    /// Builds the tables anew from the entries, elsewhere, and tells where those at hand differ.
    async fn rebuild(&self) -> Answer<Rebuilt>;

    /// The authority epoch now; `None` before `admin init`.
    async fn epoch(&self) -> Answer<Option<u64>>;
    /// Everything that authority rests on, read at one instant.
    async fn house(&self) -> Answer<House>;
    async fn password_hash(&self, id: PersonId) -> Answer<Option<String>>;
    /// The keys of an agent or of an auditor, dead ones too, the newest first.
    async fn keys_of(&self, holder: &Actor) -> Answer<Vec<ApiKey>>;
    /// The trusts of an agent that stand, the oldest first.
    async fn trusts_of(&self, agent: AgentId) -> Answer<Vec<Trust>>;
    /// One version of a kind.
    async fn kind(&self, name: &str, version: u32) -> Answer<Option<Kind>>;
    /// Every version of the policy, the newest first.
    async fn policies(&self) -> Answer<Vec<StoredPolicy>>;

    /// Keeps a piece of an upload, outside the ledger's writer. It is as durable as the evidence that is
    /// made of it: [`Side::Evidence`] answers for both.
    async fn keep_chunk(
        &self,
        content: ContentId,
        seq: u32,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> Answer<()>;
    /// Removes a content, unless it is evidence.
    async fn discard(&self, content: ContentId) -> Answer<()>;
    /// The size of evidence, if `agent` uploaded it.
    async fn evidence_size(&self, agent: AgentId, digest: Digest) -> Answer<Option<u64>>;
    /// What `agent` uploaded at or after `since` and no request refers to, `digest` apart.
    async fn unused_evidence(
        &self,
        agent: AgentId,
        digest: Digest,
        since: Timestamp,
    ) -> Answer<Unused>;
    async fn evidence_bytes(&self, digest: Digest) -> Answer<Option<Vec<u8>>>;
    /// Which evidence of a request a person has opened, and when.
    async fn opened(&self, id: RequestId, person: PersonId) -> Answer<Vec<Opening>>;

    /// The endpoints that are told of what happens, by name.
    async fn webhooks(&self) -> Answer<Vec<Webhook>>;
    /// What an endpoint is told of, the newest first.
    async fn deliveries(&self, webhook: WebhookId, limit: u32) -> Answer<Vec<Delivery>>;
    /// How much of it is in each state.
    async fn delivery_counts(&self, webhook: WebhookId) -> Answer<Vec<(DeliveryState, u64)>>;
    /// What is to be tried by `now`, the longest overdue first.
    async fn due_deliveries(
        &self,
        webhook: WebhookId,
        now: Timestamp,
        limit: u32,
    ) -> Answer<Vec<Delivery>>;

    async fn idempotency(&self, scope: &str, key: &str) -> Answer<Option<IdempotencyRecord>>;
    async fn session(&self, id_hash: [u8; 32]) -> Answer<Option<(String, Timestamp)>>;
    async fn sign_in_link(&self, hash: [u8; 32], now: Timestamp) -> Answer<Option<SignInLink>>;

    /// Ends the writer after everything that waits; the store answers `Unavailable` afterwards.
    async fn close(&self);
}

/// Reads a revision that was found back and checks it against its digest.
///
/// # Errors
/// `Corrupt` when the bytes are not what the digest names (threats E11).
pub fn opened_revision(id: RequestId, bytes: Vec<u8>, digest: Digest) -> Answer<Sealed> {
    domain::revision::open(bytes, digest).map_err(|_| StoreError::Corrupt {
        table: "revisions",
        column: "body",
        id: id.to_string(),
    })
}
