//! The embedded back end: one SQLite file, WAL, `synchronous=FULL`, one writer, a pool of readers.
//!
//! Writes go through one task (see `sqlite/writer.rs`) that commits in groups, all but the pieces of
//! uploads (`sqlite/uploads.rs`); reads run beside it on their own connections and see only what is
//! committed.
//!
//! A bound number of rows is `LIMIT +?`, with the plus: SQLite (3.47 and later) lets the value of a bare `LIMIT ?`
//! count for the plan, and so prepares the statement anew for each call.

mod admission;
mod backup;
mod checkpoints;
mod evidence;
mod history;
mod house;
mod insert;
mod ledger;
mod project;
pub(crate) mod rebuild;
mod requests;
mod rows;
mod schema;
mod uploads;
mod webhooks;
mod writer;

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::merkle::Hash;
use domain::revision::Sealed;
use domain::risk::History;
use domain::{Actor, AgentId, Digest, Kind, PersonId, RequestId, StateName, Timestamp, WebhookId};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::broadcast;

use crate::change::{Change, Changed, Committed, ContentId, Side};
use crate::clock::{Clock, Newest};
use crate::error::StoreError;
use crate::house::House;
use crate::port::Store;
use crate::queue::{Jobs, queue};
use crate::read::{
    AgentEntries, ApiKey, Delivery, DeliveryState, IdempotencyRecord, Instance, Opening, Others,
    Rebuilt, Recorded, RequestQuery, SignInLink, StateCount, Stored, StoredCheckpoint, StoredEntry,
    StoredPolicy, Trust, Unused, Webhook,
};
pub(crate) use schema::MIGRATIONS;
use uploads::{Turns, Uploads};
use writer::{Epoch, Writer};

type Answer<T> = Result<T, StoreError>;

const READERS: u32 = 4;
/// Prepared statements that a connection keeps: those of the rows of a change, in several sizes.
const STATEMENTS: usize = 400;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An open SQLite database.
pub struct SqliteStore {
    path: PathBuf,
    readers: SqlitePool,
    jobs: Jobs,
    /// None where the store only reads.
    uploads: Option<Uploads>,
    /// Never used: no other process writes to this database.
    changes: broadcast::Sender<Changed>,
    newest: Newest,
    /// What the writer has committed, where there is one: no other process writes.
    epoch: Option<Epoch>,
    /// Held for the life of the store, so that a second server on this file refuses to start.
    _lock: Option<std::fs::File>,
}

impl SqliteStore {
    /// Opens or creates the database at `path`, brings its schema up to date, and starts the writer.
    ///
    /// # Errors
    /// `Held` when another process has it, `NewerSchema` when a newer program wrote it,
    /// `SchemaAltered` when a rule of its schema is missing, `ClockBehind` when the clock was set back, `Unavailable` when it cannot be opened.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Answer<Self> {
        make_private(path)?;
        // By its real name, so that a link is no second door.
        let path =
            &std::fs::canonicalize(path).map_err(|e| StoreError::Unavailable(Box::new(e)))?;
        let lock = hold(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging();
        #[cfg(planted = "the_log_is_not_synced")]
        let options = options.synchronous(SqliteSynchronous::Normal);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        schema::migrate(&mut connection).await?;
        schema::expect_intact(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            // Nothing can become of a connection to a file while it is idle.
            .test_before_acquire(false)
            .connect_with(options.clone().read_only(true))
            .await?;
        let (jobs, queue) = queue();
        let (newest, epoch, turns) = (Newest::default(), Epoch::default(), Turns::default());
        let uploads = Some(Uploads::new(&options, turns.clone()));
        let writer =
            Writer::start(options, connection, turns, clock, newest.clone(), epoch.clone()).await?;
        tokio::spawn(queue.serve(writer));
        let (path, changes) = (path.clone(), nobody());
        let (epoch, _lock) = (Some(epoch), Some(lock));
        Ok(Self { path, readers, jobs, uploads, changes, newest, epoch, _lock })
    }

    /// Opens the database at `path` for reading only, also while a server holds it.
    ///
    /// # Errors
    /// `Unavailable` when it is not there or cannot be read.
    pub async fn open_to_read(path: &Path) -> Answer<Self> {
        let options =
            SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_TIMEOUT);
        let readers =
            SqlitePoolOptions::new().max_connections(READERS).connect_with(options).await?;
        // Nobody takes jobs: every commit is answered as unavailable.
        let (jobs, _) = queue();
        let (path, changes, newest) = (path.to_owned(), nobody(), Newest::default());
        let (uploads, epoch, _lock) = (None, None, None);
        Ok(Self { path, readers, jobs, uploads, changes, newest, epoch, _lock })
    }

    fn uploads(&self) -> Answer<&Uploads> {
        let reads = || StoreError::Unavailable("the database is open for reading only".into());
        self.uploads.as_ref().ok_or_else(reads)
    }

    /// Whether `file` is a database whole in itself: nothing of it is in a file beside it.
    ///
    /// # Errors
    /// `Unfit` says what it is instead; `Unavailable` when it cannot be read.
    pub fn expect_whole(file: &Path) -> Answer<()> {
        backup::expect_whole(file)
    }

    /// Checks what no entry speaks of: the file's own structure, and the bytes of every evidence.
    ///
    /// # Errors
    /// `Corrupt` or `Unfit` names what is damaged.
    pub async fn examine(&self) -> Answer<()> {
        backup::examine(&self.readers).await
    }
}

fn nobody() -> broadcast::Sender<Changed> {
    broadcast::channel(1).0
}

fn hold(path: &Path) -> Answer<std::fs::File> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let file = private_file(Path::new(&lock_path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Held(path.display().to_string())),
        Err(std::fs::TryLockError::Error(error)) => Err(StoreError::Unavailable(Box::new(error))),
    }
}

/// Makes the database file where there is none, readable by its owner only: it holds password
/// hashes and evidence. SQLite gives its own files beside it the same mode.
pub(crate) fn make_private(path: &Path) -> Answer<()> {
    private_file(path).map(drop)
}

fn private_file(path: &Path) -> Answer<std::fs::File> {
    std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| StoreError::Unavailable(Box::new(error)))
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, change: Change) -> Answer<Committed> {
        self.jobs.commit(change).await
    }
    async fn side(&self, side: Side) -> Answer<()> {
        self.jobs.side(side).await
    }
    fn newest_entry_at(&self) -> Timestamp {
        self.newest.get()
    }
    fn changes(&self) -> broadcast::Receiver<Changed> {
        self.changes.subscribe()
    }
    async fn try_lead(&self, _job: &str) -> Answer<bool> {
        Ok(true)
    }
    async fn close(&self) {
        // Readers first: the last connection to go folds the write-ahead log into the file.
        self.readers.close().await;
        if let Some(uploads) = &self.uploads {
            uploads.close().await;
        }
        self.jobs.close().await;
    }

    async fn instance(&self) -> Answer<Option<Instance>> {
        house::instance(&self.readers).await
    }
    async fn ping(&self) -> Answer<()> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        if self.jobs.is_closed() {
            return Err(StoreError::Unavailable("the writer has stopped".into()));
        }
        Ok(())
    }

    async fn load(&self, id: RequestId) -> Answer<Option<Stored>> {
        requests::load(&mut *self.readers.acquire().await?, id).await
    }
    async fn record(&self, id: RequestId) -> Answer<Option<Recorded>> {
        requests::record(&self.readers, id).await
    }
    async fn revision(&self, id: RequestId, number: u32) -> Answer<Option<(Vec<u8>, Digest)>> {
        requests::revision(&self.readers, id, number).await
    }
    async fn list(&self, query: RequestQuery) -> Answer<Vec<Stored>> {
        requests::list(&self.readers, query).await
    }
    async fn counts(&self) -> Answer<Vec<StateCount>> {
        requests::counts(&self.readers).await
    }
    async fn count_of_agent(&self, agent: AgentId, state: StateName) -> Answer<u64> {
        requests::count_of_agent(&self.readers, agent, state).await
    }
    async fn environments(&self) -> Answer<Vec<String>> {
        requests::environments(&self.readers).await
    }
    async fn due(&self, now: Timestamp, limit: u32) -> Answer<Vec<RequestId>> {
        requests::due(&self.readers, now, limit).await
    }

    async fn history(&self, of: &Sealed, now: Timestamp) -> Answer<History> {
        history::history(&self.readers, of, now).await
    }
    async fn others(
        &self,
        of: &Sealed,
        up_to: u32,
        denied_after: Timestamp,
        now: Timestamp,
    ) -> Answer<Others> {
        admission::others(&self.readers, of, up_to, denied_after, now).await
    }

    async fn entries_of(&self, id: RequestId) -> Answer<Vec<StoredEntry>> {
        ledger::entries_of(&self.readers, id).await
    }
    async fn entries(&self, from: u64, limit: u32) -> Answer<Vec<StoredEntry>> {
        ledger::entries(&self.readers, from, limit).await
    }
    async fn entries_of_agent(&self, agent: AgentId, from: u64) -> Answer<AgentEntries> {
        ledger::entries_of_agent(&self.readers, agent, from).await
    }
    async fn ledger_size(&self) -> Answer<u64> {
        ledger::size(&mut *self.readers.acquire().await?).await
    }
    async fn tree_nodes(&self, level: u8, from: u64, to: u64) -> Answer<Vec<Hash>> {
        ledger::tree_nodes(&self.readers, level, from, to).await
    }
    async fn key_entries(&self) -> Answer<Vec<StoredEntry>> {
        ledger::key_entries(&self.readers).await
    }
    async fn checkpoints(&self, from: u64, limit: u32) -> Answer<Vec<StoredCheckpoint>> {
        checkpoints::list(&self.readers, from, limit).await
    }
    async fn newest_checkpoint(&self) -> Answer<Option<StoredCheckpoint>> {
        checkpoints::newest(&self.readers).await
    }

    async fn backup(&self, file: &Path) -> Answer<()> {
        backup::write(&self.readers, file).await
    }
    async fn rebuild(&self) -> Answer<Rebuilt> {
        rebuild::rebuild(&self.path).await
    }

    async fn epoch(&self) -> Answer<Option<u64>> {
        match &self.epoch {
            Some(epoch) => Ok(epoch.get()),
            None => Ok(self.instance().await?.map(|instance| instance.epoch)),
        }
    }
    async fn house(&self) -> Answer<House> {
        house::house(&self.readers).await
    }
    async fn password_hash(&self, id: PersonId) -> Answer<Option<String>> {
        house::password_hash(&self.readers, id).await
    }
    async fn keys_of(&self, holder: &Actor) -> Answer<Vec<ApiKey>> {
        house::keys_of(&self.readers, holder).await
    }
    async fn trusts_of(&self, agent: AgentId) -> Answer<Vec<Trust>> {
        house::trusts_of(&self.readers, agent).await
    }
    async fn kind(&self, name: &str, version: u32) -> Answer<Option<Kind>> {
        house::kind(&self.readers, name, version).await
    }
    async fn policies(&self) -> Answer<Vec<StoredPolicy>> {
        house::policies(&mut *self.readers.acquire().await?, u32::MAX).await
    }

    async fn keep_chunk(
        &self,
        content: ContentId,
        seq: u32,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> Answer<()> {
        self.uploads()?.keep_chunk(content, seq, bytes, at).await
    }
    async fn discard(&self, content: ContentId) -> Answer<()> {
        self.uploads()?.discard(content).await
    }
    async fn evidence_size(&self, agent: AgentId, digest: Digest) -> Answer<Option<u64>> {
        evidence::size(&self.readers, agent, digest).await
    }
    async fn unused_evidence(
        &self,
        agent: AgentId,
        digest: Digest,
        since: Timestamp,
    ) -> Answer<Unused> {
        admission::unused_evidence(&self.readers, agent, digest, since).await
    }
    async fn evidence_bytes(&self, digest: Digest) -> Answer<Option<Vec<u8>>> {
        evidence::bytes(&self.readers, digest).await
    }
    async fn opened(&self, id: RequestId, person: PersonId) -> Answer<Vec<Opening>> {
        evidence::opened(&self.readers, id, person).await
    }

    async fn webhooks(&self) -> Answer<Vec<Webhook>> {
        webhooks::list(&self.readers).await
    }
    async fn deliveries(&self, webhook: WebhookId, limit: u32) -> Answer<Vec<Delivery>> {
        webhooks::deliveries(&self.readers, webhook, limit).await
    }
    async fn delivery_counts(&self, webhook: WebhookId) -> Answer<Vec<(DeliveryState, u64)>> {
        webhooks::counts(&self.readers, webhook).await
    }
    async fn due_deliveries(
        &self,
        webhook: WebhookId,
        now: Timestamp,
        limit: u32,
    ) -> Answer<Vec<Delivery>> {
        webhooks::due(&self.readers, webhook, now, limit).await
    }

    async fn idempotency(&self, scope: &str, key: &str) -> Answer<Option<IdempotencyRecord>> {
        requests::idempotency(&self.readers, scope, key).await
    }
    async fn session(&self, id_hash: [u8; 32]) -> Answer<Option<(String, Timestamp)>> {
        house::session(&self.readers, id_hash).await
    }
    async fn sign_in_link(&self, hash: [u8; 32], now: Timestamp) -> Answer<Option<SignInLink>> {
        house::sign_in_link(&self.readers, hash, now).await
    }
}
