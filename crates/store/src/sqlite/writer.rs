//! The writer: one task, one connection, group commit.
//!
//! Takes as many changes as are waiting into one transaction, each in its own savepoint, gives
//! their facts contiguous indices, commits once, then answers each. A change that fails does not
//! take the others with it; the tree in memory moves only after COMMIT.

use std::sync::Arc;

use domain::merkle::Frontier;
use domain::{Entry, InstanceId, Timestamp, entry};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::rows::signed;
use super::{house, ledger, project, requests};
use crate::change::{Change, Committed, NewFact, Side, Write};
use crate::clock::{Clock, Newest, now_after};
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// The most changes in one transaction: bounds how long the first of them waits.
const MAX_BATCH: usize = 128;

/// Something for the writer to do, and where to answer.
pub(super) enum Job {
    Commit(Box<Change>, oneshot::Sender<Answer<Committed>>),
    Side(Box<Side>, oneshot::Sender<Answer<()>>),
    Close(oneshot::Sender<Answer<()>>),
}

/// The state of the ledger at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    instance: Option<InstanceId>,
    epoch: u64,
    frontier: Frontier,
    /// When the newest entry was recorded.
    newest: Option<Timestamp>,
}

/// An answer that waits for COMMIT.
enum Pending {
    Commit(oneshot::Sender<Answer<Committed>>, Answer<Committed>),
    Side(oneshot::Sender<Answer<()>>, Answer<()>),
}

pub(super) struct Writer {
    options: SqliteConnectOptions,
    /// None after a failure, until a new one is open: what the old one believes is not to be trusted.
    connection: Option<SqliteConnection>,
    clock: Arc<dyn Clock>,
    newest: Newest,
    head: Head,
}

impl Writer {
    pub(super) async fn start(
        options: SqliteConnectOptions,
        mut connection: SqliteConnection,
        clock: Arc<dyn Clock>,
        newest: Newest,
    ) -> Answer<Self> {
        let head = load_head(&mut connection).await?;
        now_after(head.newest, clock.now())?;
        newest.raise(head.newest);
        Ok(Self { options, connection: Some(connection), clock, newest, head })
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(first) = queue.recv().await {
            let mut batch = vec![first];
            while batch.len() < MAX_BATCH {
                let Ok(job) = queue.try_recv() else { break };
                batch.push(job);
            }
            let mut closing = None;
            let mut work = Vec::with_capacity(batch.len());
            for job in batch {
                match job {
                    Job::Close(reply) => closing = Some(reply),
                    job => work.push(job),
                }
            }
            if !work.is_empty() {
                self.write(work).await;
            }
            if let Some(reply) = closing {
                queue.close();
                let closed = match self.connection.take() {
                    Some(connection) => connection.close().await.map_err(StoreError::from),
                    None => Ok(()),
                };
                // Nobody waits for the answer when the process is going down anyway.
                let _ = reply.send(closed);
                return;
            }
        }
    }

    async fn write(&mut self, batch: Vec<Job>) {
        // Where there is no connection, every waiting caller sees its answer dropped: unavailable,
        // nothing was written.
        if let Err(error) = self.connect().await {
            tracing::error!(error = &error as &dyn std::error::Error, "no connection to write on");
            return;
        }
        let Some(connection) = &mut self.connection else { return };
        let mut head = self.head.clone();
        let written = write_batch(connection, &mut head, batch, &*self.clock).await;
        let (outcome, pending) = match written {
            Ok(written) => written,
            Err(error) => (Err(error), Vec::new()),
        };
        let moved = head != self.head;
        let durable = match outcome {
            Ok(()) => {
                self.head = head;
                true
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a transaction failed");
                self.connection = None;
                // The outcome is unknown: what a new connection finds is what counts.
                let found = self.connect().await;
                found.is_ok() && moved && self.head == head
            }
        };
        self.newest.raise(self.head.newest);
        for answer in pending {
            answer.send(durable);
        }
    }

    /// Opens a new connection after a failure, and reads the head anew.
    async fn connect(&mut self) -> Answer<()> {
        if self.connection.is_none() {
            let mut connection = SqliteConnection::connect_with(&self.options).await?;
            self.head = load_head(&mut connection).await?;
            self.connection = Some(connection);
        }
        Ok(())
    }
}

impl Pending {
    fn send(self, durable: bool) {
        let lost = || StoreError::Unavailable("the transaction was not committed".into());
        // A caller that has gone away finds the outcome by reading.
        match self {
            Self::Commit(reply, answer) => {
                drop(reply.send(if durable { answer } else { Err(lost()) }));
            }
            Self::Side(reply, answer) => {
                drop(reply.send(if durable { answer } else { Err(lost()) }));
            }
        }
    }
}

/// One transaction over the whole batch: the outcome of its COMMIT, and the answers that wait.
async fn write_batch(
    connection: &mut SqliteConnection,
    head: &mut Head,
    batch: Vec<Job>,
    clock: &dyn Clock,
) -> Result<(Result<(), sqlx::Error>, Vec<Pending>), sqlx::Error> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    // Read once the lock is held: waiting for it must not make a deadline look kept.
    let now = clock.now();
    let mut pending = Vec::with_capacity(batch.len());
    for job in batch {
        let mut savepoint = tx.begin().await?;
        let mut trial = head.clone();
        match job {
            Job::Commit(change, reply) => {
                let answer = commit(&mut savepoint, &mut trial, *change, now).await;
                if answer.is_ok() {
                    savepoint.commit().await?;
                    *head = trial;
                } else {
                    savepoint.rollback().await?;
                }
                pending.push(Pending::Commit(reply, answer));
            }
            Job::Side(side, reply) => {
                let answer = project::side(&mut savepoint, *side).await;
                if answer.is_ok() {
                    savepoint.commit().await?;
                } else {
                    savepoint.rollback().await?;
                }
                pending.push(Pending::Side(reply, answer));
            }
            Job::Close(_) => {}
        }
    }
    Ok((tx.commit().await, pending))
}

async fn commit(
    tx: &mut SqliteConnection,
    head: &mut Head,
    mut change: Change,
    clock: Timestamp,
) -> Answer<Committed> {
    let now = now_after(head.newest, clock)?;
    if change.is_ahead_of(now) {
        return Err(StoreError::Stale);
    }
    // INVARIANT: I9. Epoch, version and deadline are compared here, inside the transaction.
    if change.expected_epoch.is_some_and(|expected| expected != head.epoch) {
        return Err(StoreError::Stale);
    }
    if change.valid_until.is_some_and(|until| now >= until) {
        return Err(StoreError::TooLate);
    }
    if let Some(record) = &change.idempotency
        && let Some(used) = requests::idempotency(tx, &record.scope, &record.key).await?
    {
        return Err(StoreError::KeyUsed(used));
    }
    if let Some(request) = &change.request {
        requests::expect_version(tx, request.after.id, request.expected_version).await?;
    }
    if change.is_behind(head.newest) {
        let before = match &change.request {
            Some(request) => requests::load(tx, request.after.id).await?,
            None => None,
        };
        change.follow(head.newest, before.map(|stored| stored.request))?;
    }
    for write in &change.writes {
        if let Write::Instance { id } = write {
            head.instance = Some(*id);
        }
    }
    // INVARIANT: L13. What the tables say follows from the entries, times included.
    let staged_at = change.staged_at().unwrap_or(now);
    let changed_at = change.changed_at().unwrap_or(now);
    let first_index = head.frontier.size();
    if let Some(request) = &change.request {
        project::stage(tx, request, changed_at).await?;
    }
    for fact in &change.facts {
        append(tx, head, fact).await?;
        project::fact(tx, fact).await?;
    }
    for write in std::mem::take(&mut change.writes) {
        let at = change.written_at(&write).unwrap_or(now);
        project::write(tx, write, at).await?;
    }
    if let Some(request) = &change.request {
        project::update(tx, request, staged_at, changed_at).await?;
    }
    if let Some(record) = &change.idempotency {
        project::idempotency(tx, record, now).await?;
    }
    if change.moves_epoch {
        head.epoch += 1;
        project::epoch(tx, head.epoch).await?;
    }
    Ok(Committed { first_index, size: head.frontier.size() })
}

async fn append(tx: &mut SqliteConnection, head: &mut Head, fact: &NewFact) -> Answer<()> {
    let instance = head
        .instance
        .ok_or_else(|| StoreError::Refused("the installation is not initialised".into()))?;
    let index = head.frontier.size();
    let entry = Entry {
        format: entry::FORMAT.to_owned(),
        instance,
        index,
        at: fact.at,
        actor: fact.actor,
        request: fact.request,
        fact: fact.fact.clone(),
    };
    let (body, leaf) = entry.seal().map_err(|error| StoreError::Refused(error.to_string()))?;
    ledger::insert(tx, &entry, &body, &leaf).await?;
    head.newest = Some(entry.at);
    for node in head.frontier.append(leaf) {
        ledger::insert_node(tx, node).await?;
    }
    for text in &fact.texts {
        sqlx::query("INSERT INTO entry_texts (idx, field, salt, text) VALUES (?, ?, ?, ?)")
            .bind(signed(index))
            .bind(text.field)
            .bind(text.salt.as_slice())
            .bind(&text.text)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
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
