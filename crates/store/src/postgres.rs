//! The back end for several servers: PostgreSQL 15 or newer, through a URL.
//!
//! Writes to the ledger go through one task a process (see `postgres/writer.rs`) that commits in
//! groups under the lock of one row, so several servers share one gapless ledger. Time is the
//! database's. A server acts as a role that cannot change the record.

mod admission;
mod checkpoints;
mod connect;
mod evidence;
mod history;
mod house;
mod insert;
mod lead;
mod ledger;
mod listen;
mod project;
mod rebuild;
mod requests;
mod rows;
mod schema;
mod webhooks;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::merkle::Hash;
use domain::revision::Sealed;
use domain::risk::History;
use domain::{Actor, AgentId, Digest, Kind, PersonId, RequestId, StateName, Timestamp, WebhookId};
use sqlx::postgres::PgPool;
use sqlx::{ConnectOptions, Connection};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::change::{Change, Changed, Committed, ContentId, Side};
use crate::clock::{Clock, Newest, now_after};
use crate::copy;
use crate::error::StoreError;
use crate::house::House;
use crate::insert::Inserts;
use crate::port::Store;
use crate::queue::{Jobs, queue};
use crate::read::{
    AgentEntries, ApiKey, Delivery, DeliveryState, IdempotencyRecord, Instance, Opening, Others,
    Rebuilt, Recorded, RequestQuery, SignInLink, StateCount, Stored, StoredCheckpoint, StoredEntry,
    StoredPolicy, Trust, Unused, Webhook,
};
pub(crate) use connect::snapshot;
use writer::Writer;

type Answer<T> = Result<T, StoreError>;

/// How many changes of other servers a slow follower may be behind before it looks at everything.
const CHANGES: usize = 1024;

/// An open PostgreSQL database.
pub struct PostgresStore {
    pool: PgPool,
    jobs: Jobs,
    changes: broadcast::Sender<Changed>,
    newest: Newest,
    /// None where the store only reads.
    node: Option<Node>,
}

/// This process among those that share the database.
struct Node {
    id: Uuid,
    clock: Arc<dyn Clock>,
    listener: AbortHandle,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl PostgresStore {
    /// Brings the schema of the database at `url` up to date, as the owner of its tables, and gives
    /// the role that servers act as its rights.
    ///
    /// # Errors
    /// `Unfit` when the server does not do, `NewerSchema` when a newer program was there,
    /// `SchemaAltered` when somebody took a rule away, `Unavailable` when it cannot be reached.
    pub async fn migrate(url: &str) -> Answer<()> {
        schema::migrate(&connect::options(url)?).await
    }

    /// Opens the database at `url` and starts the writer and the listener.
    ///
    /// # Errors
    /// `NotMigrated` or `NewerSchema` when its schema is not this program's, `Unfit` when it would
    /// lose or change what was acknowledged, `SchemaAltered` when a rule is missing, `ClockBehind` when its clock was set back,
    /// `Unavailable` when it cannot be reached.
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Answer<Self> {
        let options = connect::options(url)?;
        let mut first = options.connect().await?;
        connect::check_server(&mut first).await?;
        schema::expect_migrated(&mut first).await?;
        first.close().await?;
        let mut connection = connect::connect(&options).await?;
        schema::check(&mut connection).await?;
        schema::expect_intact(&mut connection).await?;
        connect::check_role(&mut connection).await?;
        let now = connect::now(&mut connection, &*clock).await?;
        let (newest, newest_at) = (Newest::default(), ledger::newest_at(&mut connection).await?);
        now_after(newest_at, now)?;
        newest.raise(newest_at);
        let id = lead::new_node(&mut connection).await?;
        let (jobs, queue) = queue();
        let writer = Writer::new(options.clone(), connection, Arc::clone(&clock), newest.clone());
        tokio::spawn(queue.serve(writer));
        let (changes, _) = broadcast::channel(CHANGES);
        let listener = tokio::spawn(listen::follow(options.clone(), changes.clone()));
        let node = Node { id, clock, listener: listener.abort_handle() };
        Ok(Self { pool: connect::pool(options), jobs, changes, newest, node: Some(node) })
    }

    /// Opens the database at `url` for reading only, as the URL's user.
    ///
    /// # Errors
    /// `NotMigrated` or `NewerSchema` when its schema is not this program's, `Unavailable` when it
    /// cannot be reached.
    pub async fn open_to_read(url: &str) -> Answer<Self> {
        let pool = connect::reading_pool(connect::options(url)?);
        schema::check(&mut *pool.acquire().await?).await?;
        // Nobody takes jobs: every commit is answered as unavailable.
        let (jobs, _) = queue();
        let (changes, _) = broadcast::channel(1);
        Ok(Self { pool, jobs, changes, newest: Newest::default(), node: None })
    }

    /// Fills the migrated, empty database at `url` with everything in a backup, as the owner of its
    /// tables: whole or not at all.
    ///
    /// # Errors
    /// `NotEmpty` when something is there, `NotMigrated` or `NewerSchema` when its schema is not
    /// this program's, `Refused` when the file's is not.
    pub async fn fill(url: &str, file: &Path) -> Answer<()> {
        let mut target = connect::options(url)?.connect().await?;
        connect::check_server(&mut target).await?;
        schema::check(&mut target).await?;
        copy::from_file(file, &mut target).await?;
        Ok(target.close().await?)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn commit(&self, change: Change) -> Answer<Committed> {
        self.jobs.commit(change).await
    }
    async fn side(&self, side: Side) -> Answer<()> {
        // What goes for good is removed under the lock that changes are written under: a change
        // may refer to it. Nothing else has to wait for the ledger.
        if matches!(side, Side::Sweep { .. }) {
            return self.jobs.side(side).await;
        }
        let mut tx = connect::begin(&self.pool, "BEGIN").await?;
        project::side(&mut tx, &side).await?;
        Ok(tx.commit().await?)
    }
    fn newest_entry_at(&self) -> Timestamp {
        self.newest.get()
    }
    fn changes(&self) -> broadcast::Receiver<Changed> {
        self.changes.subscribe()
    }
    async fn try_lead(&self, job: &str) -> Answer<bool> {
        let Some(node) = &self.node else { return Ok(false) };
        // Every node asks every two seconds: none is behind the others for longer.
        self.newest.raise(ledger::newest_at(&mut *self.pool.acquire().await?).await?);
        lead::try_lead(&self.pool, &*node.clock, node.id, job).await
    }
    async fn close(&self) {
        self.jobs.close().await;
        if let Some(node) = &self.node {
            node.listener.abort();
            if let Err(error) = lead::step_down(&self.pool, node.id).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot step down");
            }
        }
        self.pool.close().await;
    }

    async fn instance(&self) -> Answer<Option<Instance>> {
        house::instance(&self.pool).await
    }
    async fn ping(&self) -> Answer<()> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        if self.jobs.is_closed() {
            return Err(StoreError::Unavailable("the writer has stopped".into()));
        }
        Ok(())
    }

    async fn load(&self, id: RequestId) -> Answer<Option<Stored>> {
        requests::load(&mut *self.pool.acquire().await?, id).await
    }
    async fn record(&self, id: RequestId) -> Answer<Option<Recorded>> {
        requests::record(&self.pool, id).await
    }
    async fn revision(&self, id: RequestId, number: u32) -> Answer<Option<(Vec<u8>, Digest)>> {
        requests::revision(&self.pool, id, number).await
    }
    async fn list(&self, query: RequestQuery) -> Answer<Vec<Stored>> {
        requests::list(&self.pool, query).await
    }
    async fn counts(&self) -> Answer<Vec<StateCount>> {
        requests::counts(&self.pool).await
    }
    async fn count_of_agent(&self, agent: AgentId, state: StateName) -> Answer<u64> {
        requests::count_of_agent(&self.pool, agent, state).await
    }
    async fn environments(&self) -> Answer<Vec<String>> {
        requests::environments(&self.pool).await
    }
    async fn due(&self, now: Timestamp, limit: u32) -> Answer<Vec<RequestId>> {
        requests::due(&self.pool, now, limit).await
    }

    async fn history(&self, of: &Sealed, now: Timestamp) -> Answer<History> {
        history::history(&self.pool, of, now).await
    }
    async fn others(
        &self,
        of: &Sealed,
        up_to: u32,
        denied_after: Timestamp,
        now: Timestamp,
    ) -> Answer<Others> {
        admission::others(&self.pool, of, up_to, denied_after, now).await
    }

    async fn entries_of(&self, id: RequestId) -> Answer<Vec<StoredEntry>> {
        ledger::entries_of(&self.pool, id).await
    }
    async fn entries(&self, from: u64, limit: u32) -> Answer<Vec<StoredEntry>> {
        ledger::entries(&self.pool, from, limit).await
    }
    async fn entries_of_agent(&self, agent: AgentId, from: u64) -> Answer<AgentEntries> {
        ledger::entries_of_agent(&self.pool, agent, from).await
    }
    async fn ledger_size(&self) -> Answer<u64> {
        ledger::size(&mut *self.pool.acquire().await?).await
    }
    async fn tree_nodes(&self, level: u8, from: u64, to: u64) -> Answer<Vec<Hash>> {
        ledger::tree_nodes(&self.pool, level, from, to).await
    }
    async fn key_entries(&self) -> Answer<Vec<StoredEntry>> {
        ledger::key_entries(&self.pool).await
    }
    async fn checkpoints(&self, from: u64, limit: u32) -> Answer<Vec<StoredCheckpoint>> {
        checkpoints::list(&self.pool, from, limit).await
    }
    async fn newest_checkpoint(&self) -> Answer<Option<StoredCheckpoint>> {
        checkpoints::newest(&self.pool).await
    }
    async fn backup(&self, file: &Path) -> Answer<()> {
        copy::to_file(&self.pool, file).await
    }
    async fn rebuild(&self) -> Answer<Rebuilt> {
        rebuild::rebuild(&self.pool).await
    }

    async fn epoch(&self) -> Answer<Option<u64>> {
        Ok(self.instance().await?.map(|instance| instance.epoch))
    }
    async fn house(&self) -> Answer<House> {
        house::house(&self.pool).await
    }
    async fn password_hash(&self, id: PersonId) -> Answer<Option<String>> {
        house::password_hash(&self.pool, id).await
    }
    async fn keys_of(&self, holder: &Actor) -> Answer<Vec<ApiKey>> {
        house::keys_of(&self.pool, holder).await
    }
    async fn trusts_of(&self, agent: AgentId) -> Answer<Vec<Trust>> {
        house::trusts_of(&self.pool, agent).await
    }
    async fn kind(&self, name: &str, version: u32) -> Answer<Option<Kind>> {
        house::kind(&self.pool, name, version).await
    }
    async fn policies(&self) -> Answer<Vec<StoredPolicy>> {
        house::policies(&mut *self.pool.acquire().await?, u32::MAX).await
    }

    async fn keep_chunk(
        &self,
        content: ContentId,
        seq: u32,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> Answer<()> {
        let mut rows = Inserts::default();
        rows.chunk(content, seq, bytes, at);
        let mut tx = connect::begin(&self.pool, "BEGIN").await?;
        insert::flush(&mut tx, &mut rows).await?;
        Ok(tx.commit().await?)
    }
    async fn discard(&self, content: ContentId) -> Answer<()> {
        evidence::discard(&mut *self.pool.acquire().await?, content).await
    }
    async fn evidence_size(&self, agent: AgentId, digest: Digest) -> Answer<Option<u64>> {
        evidence::size(&self.pool, agent, digest).await
    }
    async fn unused_evidence(
        &self,
        agent: AgentId,
        digest: Digest,
        since: Timestamp,
    ) -> Answer<Unused> {
        admission::unused_evidence(&self.pool, agent, digest, since).await
    }
    async fn evidence_bytes(&self, digest: Digest) -> Answer<Option<Vec<u8>>> {
        evidence::bytes(&self.pool, digest).await
    }
    async fn opened(&self, id: RequestId, person: PersonId) -> Answer<Vec<Opening>> {
        evidence::opened(&self.pool, id, person).await
    }

    async fn webhooks(&self) -> Answer<Vec<Webhook>> {
        webhooks::list(&self.pool).await
    }
    async fn deliveries(&self, webhook: WebhookId, limit: u32) -> Answer<Vec<Delivery>> {
        webhooks::deliveries(&self.pool, webhook, limit).await
    }
    async fn delivery_counts(&self, webhook: WebhookId) -> Answer<Vec<(DeliveryState, u64)>> {
        webhooks::counts(&self.pool, webhook).await
    }
    async fn due_deliveries(
        &self,
        webhook: WebhookId,
        now: Timestamp,
        limit: u32,
    ) -> Answer<Vec<Delivery>> {
        webhooks::due(&self.pool, webhook, now, limit).await
    }

    async fn idempotency(&self, scope: &str, key: &str) -> Answer<Option<IdempotencyRecord>> {
        requests::idempotency(&self.pool, scope, key).await
    }
    async fn session(&self, id_hash: [u8; 32]) -> Answer<Option<(String, Timestamp)>> {
        house::session(&self.pool, id_hash).await
    }
    async fn sign_in_link(&self, hash: [u8; 32], now: Timestamp) -> Answer<Option<SignInLink>> {
        house::sign_in_link(&self.pool, hash, now).await
    }
}
