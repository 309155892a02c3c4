//! The writer: one task a process, one connection, group commit, the head row locked.
//!
//! Takes as many changes as are waiting into one transaction, each in its own savepoint, gives
//! their facts contiguous indices, commits once, then answers each. The lock on the head row puts
//! the transactions of all nodes in one order, so what the tree in memory lacks is read after it.

mod head;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::{Entry, Timestamp, entry};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::rows::signed;
use super::{connect, ledger, listen, project, requests};
use crate::change::{Change, Committed, NewFact, Side, Write};
use crate::clock::{Clock, Newest, now_after};
use crate::error::StoreError;
use head::Head;

type Answer<T> = Result<T, StoreError>;

/// The most changes in one transaction: bounds how long the first of them waits.
const MAX_BATCH: usize = 128;
/// How often the lock on the head row is tried for. Another node that is paused while it has the
/// lock loses it as early as we give up waiting, so the second time it is free.
const LOCK_TRIES: usize = 3;
/// A database that takes longer for one step of a batch than this is taken for gone.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Something for the writer to do, and where to answer.
pub(super) enum Job {
    Commit(Box<Change>, oneshot::Sender<Answer<Committed>>),
    Side(Box<Side>, oneshot::Sender<Answer<()>>),
    Close(oneshot::Sender<Answer<()>>),
}

/// An answer that waits for COMMIT. One that is dropped says that nothing is known to be durable.
enum Pending {
    Commit(oneshot::Sender<Answer<Committed>>, Answer<Committed>),
    Side(oneshot::Sender<Answer<()>>, Answer<()>),
}

pub(super) struct Writer {
    options: PgConnectOptions,
    /// None after a failure, until a new one is open: what the old one believes is not to be trusted.
    connection: Option<PgConnection>,
    clock: Arc<dyn Clock>,
    newest: Newest,
    head: Head,
}

impl Writer {
    pub(super) fn new(
        options: PgConnectOptions,
        connection: PgConnection,
        clock: Arc<dyn Clock>,
        newest: Newest,
    ) -> Self {
        Self { options, connection: Some(connection), clock, newest, head: Head::default() }
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

    /// Writes a batch. Callers whose answer is dropped see the store as unavailable.
    async fn write(&mut self, mut jobs: Vec<Job>) {
        for _ in 0..LOCK_TRIES {
            let Err(error) = self.attempt(&mut jobs).await else { return };
            let error = &error as &dyn std::error::Error;
            if jobs.is_empty() {
                tracing::error!(error, "a transaction failed");
                return;
            }
            tracing::warn!(error, "cannot lock the ledger's head");
        }
    }

    /// One transaction over the whole batch; takes the jobs once it has the lock.
    ///
    /// Where it fails, the connection goes, and what was not committed with it.
    async fn attempt(&mut self, jobs: &mut Vec<Job>) -> Answer<()> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => in_time(connect::connect(&self.options)).await?,
        };
        let mut tx = in_time(connection.begin()).await?;
        let mut head = self.head.clone();
        in_time(head.lock(&mut tx)).await?;
        // Read once the lock is held: waiting for it must not make a deadline look kept.
        let now = in_time(connect::now(&mut tx, &*self.clock)).await?;
        self.newest.raise(head.newest);
        self.head = head.clone();
        let batch = in_time(fill(&mut tx, &mut head, std::mem::take(jobs), now)).await?;
        let newest = head.newest;
        if let Err(error) = in_time(tx.commit()).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a COMMIT failed");
            drop(connection);
            // The outcome is unknown: what a new connection finds is what counts.
            self.expect_recorded(&head).await?;
        } else {
            self.connection = Some(connection);
            self.head = head;
        }
        self.newest.raise(newest);
        batch.into_iter().for_each(Pending::send);
        Ok(())
    }

    /// Fails unless the batch that ended with `head` is in the ledger.
    async fn expect_recorded(&mut self, head: &Head) -> Answer<()> {
        let mut connection = in_time(connect::connect(&self.options)).await?;
        let mut tx = in_time(connection.begin()).await?;
        // The lock is free when the transaction in question has ended, one way or the other.
        in_time(Head::default().lock(&mut tx)).await?;
        if in_time(head.is_recorded(&mut tx)).await? {
            Ok(())
        } else {
            Err(StoreError::Unavailable("the transaction was not committed".into()))
        }
    }
}

impl Pending {
    fn send(self) {
        // A caller that has gone away finds the outcome by reading.
        match self {
            Self::Commit(reply, answer) => drop(reply.send(answer)),
            Self::Side(reply, answer) => drop(reply.send(answer)),
        }
    }
}

async fn in_time<T, E: Into<StoreError>>(step: impl Future<Output = Result<T, E>>) -> Answer<T> {
    match timeout(STEP_TIMEOUT, step).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(StoreError::Unavailable("the database does not answer".into())),
    }
}

/// Writes every job of a batch; what other nodes have to know leaves with the COMMIT.
async fn fill(
    tx: &mut PgConnection,
    head: &mut Head,
    jobs: Vec<Job>,
    now: Timestamp,
) -> Result<Vec<Pending>, sqlx::Error> {
    let mut pending = Vec::with_capacity(jobs.len());
    let mut changed = Vec::new();
    for job in jobs {
        let mut savepoint = tx.begin().await?;
        let mut trial = head.clone();
        match job {
            Job::Commit(change, reply) => {
                let id = change.request.as_ref().map(|request| request.after.id);
                let answer = commit(&mut savepoint, &mut trial, *change, now).await;
                if answer.is_ok() {
                    savepoint.commit().await?;
                    *head = trial;
                    changed.extend(id);
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
    listen::notify(tx, &changed).await?;
    Ok(pending)
}

async fn commit(
    tx: &mut PgConnection,
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

async fn append(tx: &mut PgConnection, head: &mut Head, fact: &NewFact) -> Answer<()> {
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
    head.last = Some((index, leaf));
    for node in head.frontier.append(leaf) {
        ledger::insert_node(tx, node).await?;
    }
    for text in &fact.texts {
        sqlx::query("INSERT INTO entry_texts (idx, field, salt, text) VALUES ($1, $2, $3, $4)")
            .bind(signed(index))
            .bind(text.field)
            .bind(text.salt.as_slice())
            .bind(&text.text)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
