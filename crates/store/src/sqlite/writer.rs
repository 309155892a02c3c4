//! The writer: one task, one connection, group commit.
//!
//! Takes as many changes as are waiting into one transaction, gives their facts contiguous indices,
//! commits once, then answers each. Where one of them cannot be written, each is written in a
//! transaction of its own; the tree in memory moves only after COMMIT.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::merkle::Frontier;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use super::uploads::Turns;
use super::{house, insert, ledger, project, requests};
use crate::batch::{Batch, Head, Times};
use crate::change::{Change, Committed, Side};
use crate::clock::{Clock, Newest, now_after};
use crate::error::StoreError;
use crate::queue::{Job, Outcome, Transactions, wanted};

type Answer<T> = Result<T, StoreError>;

/// The authority epoch as it is committed. No other process writes, so nobody has to ask the file.
#[derive(Clone, Debug)]
pub(super) struct Epoch(Arc<AtomicI64>);

/// Before `admin init` there is no epoch.
const NO_EPOCH: i64 = -1;

impl Epoch {
    fn set(&self, head: &Head) {
        let epoch = head.instance.and_then(|_| i64::try_from(head.epoch).ok());
        self.0.store(epoch.unwrap_or(NO_EPOCH), Ordering::SeqCst);
    }

    pub(super) fn get(&self) -> Option<u64> {
        u64::try_from(self.0.load(Ordering::SeqCst)).ok()
    }
}

impl Default for Epoch {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(NO_EPOCH)))
    }
}

pub(super) struct Writer {
    options: SqliteConnectOptions,
    /// None after a failure, until a new one is open: what the old one believes is not to be trusted.
    connection: Option<SqliteConnection>,
    turns: Turns,
    clock: Arc<dyn Clock>,
    newest: Newest,
    epoch: Epoch,
    head: Head,
}

impl Writer {
    pub(super) async fn start(
        options: SqliteConnectOptions,
        mut connection: SqliteConnection,
        turns: Turns,
        clock: Arc<dyn Clock>,
        newest: Newest,
        epoch: Epoch,
    ) -> Answer<Self> {
        let head = load_head(&mut connection).await?;
        now_after(head.newest, clock.now())?;
        let connection = Some(connection);
        let writer = Self { options, connection, turns, clock, newest, epoch, head };
        writer.tell();
        Ok(writer)
    }

    /// The connection; a new one after a failure, with the head as it finds it.
    async fn connect(&mut self) -> Answer<SqliteConnection> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let mut connection = SqliteConnection::connect_with(&self.options).await?;
        self.head = load_head(&mut connection).await?;
        self.tell();
        Ok(connection)
    }

    /// What everybody goes by from now on, before anybody is answered.
    fn tell(&self) {
        self.newest.raise(self.head.newest);
        self.epoch.set(&self.head);
    }
}

impl Transactions for Writer {
    async fn attempt(&mut self, jobs: &mut [Job]) -> Answer<Vec<Outcome>> {
        let mut connection = self.connect().await?;
        let turns = self.turns.clone();
        let _turn = turns.next().await;
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
        // Read once the lock is held: waiting for it must not make a deadline look kept.
        let now = self.clock.now();
        let found = requests::found(&mut tx, &wanted(jobs)).await?;
        let mut batch = Batch::new(self.head.clone(), now, found);
        let filled = fill(&mut tx, &mut batch, jobs).await;
        if !matches!(filled, Ok(_) | Err(StoreError::Unavailable(_))) {
            tx.rollback().await?;
            self.connection = Some(connection);
            return filled;
        }
        let outcomes = filled?;
        if let Err(error) = tx.commit().await {
            drop(connection);
            let moved = batch.head != self.head;
            // The outcome is unknown: what a new connection finds is what counts.
            let connection = self.connect().await?;
            self.connection = Some(connection);
            #[cfg(not(planted = "a_failed_commit_is_acknowledged"))]
            if !moved || self.head != batch.head {
                return Err(error.into());
            }
        } else {
            self.connection = Some(connection);
            self.head = batch.head;
            self.tell();
        }
        Ok(outcomes)
    }

    async fn close(self) -> Answer<()> {
        match self.connection {
            Some(connection) => Ok(connection.close().await?),
            None => Ok(()),
        }
    }
}

/// Writes every job of a batch.
async fn fill(
    tx: &mut SqliteConnection,
    batch: &mut Batch,
    jobs: &mut [Job],
) -> Answer<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        outcomes.push(match job {
            Job::Commit(change, _) => Outcome::Committed(match batch.admit(change) {
                Ok(times) => Ok(commit(tx, batch, change, times).await?),
                Err(refusal) => Err(refusal),
            }),
            Job::Side(side, _) => {
                if matches!(**side, Side::Sweep { .. }) {
                    // What goes for good is what nothing refers to, rows that wait included.
                    flush(tx, batch).await?;
                }
                project::side(tx, side).await?;
                Outcome::Written
            }
        });
    }
    flush(tx, batch).await?;
    Ok(outcomes)
}

/// Writes what waits: first what the updates rest on, which the schema wants to be there (I1, I3, I4).
async fn flush(tx: &mut SqliteConnection, batch: &mut Batch) -> Answer<()> {
    insert::flush(tx, &mut batch.inserts).await?;
    insert::update(tx, &mut batch.updates).await
}

async fn commit(
    tx: &mut SqliteConnection,
    batch: &mut Batch,
    change: &Change,
    times: Times,
) -> Answer<Committed> {
    let first = batch.head.frontier.size();
    batch.take(change, times)?;
    for fact in &change.facts {
        if fact.takes_back() {
            // What it takes back may wait still.
            flush(tx, batch).await?;
        }
        batch.append(fact)?;
        project::fact(tx, fact).await?;
    }
    for write in &change.writes {
        let at = change.written_at(write).unwrap_or(times.now);
        project::write(tx, write, at).await?;
    }
    if let Some(request) = &change.request {
        if batch.updates.has(request.after.id) {
            flush(tx, batch).await?;
        }
        batch.updates.add(request, times.changed)?;
    }
    if change.moves_epoch() {
        batch.head.epoch += 1;
        project::epoch(tx, batch.head.epoch).await?;
    }
    Ok(batch.committed(first, change))
}

async fn load_head(connection: &mut SqliteConnection) -> Answer<Head> {
    let instance = house::instance(&mut *connection).await?;
    let size = ledger::size(connection).await?;
    let newest = ledger::newest_at(connection).await?;
    let mut nodes = Vec::new();
    for (level, index) in domain::merkle::peaks_of(size) {
        let hash = ledger::tree_node(connection, level, index).await?;
        nodes.push(((level, index), hash));
    }
    let frontier = Frontier::load(size, |level, index| {
        let found = nodes.iter().find(|(at, _)| *at == (level, index)).and_then(|(_, hash)| *hash);
        found.ok_or(StoreError::Corrupt {
            table: "tree_nodes",
            column: "hash",
            id: format!("level {level}, index {index}"),
        })
    })?;
    Ok(Head {
        instance: instance.map(|instance| instance.id),
        epoch: instance.map_or(0, |instance| instance.epoch),
        frontier,
        newest,
    })
}
