//! The writer: one task a process, one connection, group commit, the head row locked.
//!
//! Takes as many changes as are waiting into one transaction, gives their facts contiguous indices,
//! commits once, then answers each. Where one of them cannot be written, each is written in a
//! transaction of its own. The lock on the head row puts the transactions of all nodes in one order,
//! so what the tree in memory lacks is read after it.

mod head;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use super::{connect, insert, listen, project, requests};
use crate::batch::{Batch, Head, Times};
use crate::change::{Change, Committed, Side};
use crate::clock::{Clock, Newest};
use crate::error::StoreError;
use crate::queue::{Job, Outcome, Transactions, wanted};

type Answer<T> = Result<T, StoreError>;

/// How often the lock on the head row is tried for. Another node that is paused while it has the
/// lock loses it as early as we give up waiting, so the second time it is free.
const LOCK_TRIES: usize = 3;
/// A database that takes longer for one step of a batch than this is taken for gone.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

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

    /// One transaction over the whole batch. Where it fails, nothing of it is known to be committed,
    /// and where the lock was not had, nothing of it is.
    async fn transaction(&mut self, jobs: &mut [Job], locked: &mut bool) -> Answer<Vec<Outcome>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => in_time(connect::connect(&self.options)).await?,
        };
        let mut tx = in_time(connection.begin()).await?;
        // Read once the lock is held: waiting for it must not make a deadline look kept.
        let now = in_time(head::lock(&mut self.head, &mut tx, &*self.clock)).await?;
        *locked = true;
        self.newest.raise(self.head.newest);
        let found = in_time(requests::found(&mut tx, &wanted(jobs))).await?;
        let mut batch = Batch::new(self.head.clone(), now, found);
        let filled = in_time(fill(&mut tx, &mut batch, jobs)).await;
        if !matches!(filled, Ok(_) | Err(StoreError::Unavailable(_))) {
            in_time(tx.rollback()).await?;
            self.connection = Some(connection);
            return filled;
        }
        let outcomes = filled?;
        if let Err(error) = in_time(tx.commit()).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a COMMIT failed");
            drop(connection);
            // The outcome is unknown: what a new connection finds is what counts.
            self.expect_recorded(&batch).await?;
        } else {
            self.connection = Some(connection);
        }
        self.newest.raise(batch.head.newest);
        self.head = batch.head;
        Ok(outcomes)
    }

    /// Fails unless what was appended with the batch is in the ledger.
    async fn expect_recorded(&mut self, batch: &Batch) -> Answer<()> {
        let mut connection = in_time(connect::connect(&self.options)).await?;
        let mut tx = in_time(connection.begin()).await?;
        // The lock is free when the transaction in question has ended, one way or the other.
        in_time(head::lock(&mut Head::default(), &mut tx, &*self.clock)).await?;
        if in_time(head::is_recorded(batch.last, &mut tx)).await? {
            Ok(())
        } else {
            Err(StoreError::Unavailable("the transaction was not committed".into()))
        }
    }
}

impl Transactions for Writer {
    /// Tries again for as long as it is the lock that cannot be had.
    async fn attempt(&mut self, jobs: &mut [Job]) -> Answer<Vec<Outcome>> {
        for _ in 1..LOCK_TRIES {
            let mut locked = false;
            match self.transaction(jobs, &mut locked).await {
                Err(error) if !locked => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "cannot lock the ledger's head");
                }
                answer => return answer,
            }
        }
        self.transaction(jobs, &mut false).await
    }

    async fn close(self) -> Answer<()> {
        match self.connection {
            Some(connection) => Ok(connection.close().await?),
            None => Ok(()),
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
async fn fill(tx: &mut PgConnection, batch: &mut Batch, jobs: &mut [Job]) -> Answer<Vec<Outcome>> {
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
    listen::notify(tx, &batch.changed).await?;
    Ok(outcomes)
}

/// Writes what waits: first what the updates rest on, which the schema wants to be there (I1, I3, I4).
async fn flush(tx: &mut PgConnection, batch: &mut Batch) -> Answer<()> {
    insert::flush(tx, &mut batch.inserts).await?;
    insert::update(tx, &mut batch.updates).await
}

async fn commit(
    tx: &mut PgConnection,
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
