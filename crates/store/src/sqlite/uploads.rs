//! What is received of uploads, on a connection of its own beside the ledger's writer.

use std::sync::Arc;

use domain::Timestamp;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::{Mutex, MutexGuard};

use super::{evidence, insert};
use crate::change::ContentId;
use crate::error::StoreError;
use crate::insert::Inserts;

type Answer<T> = Result<T, StoreError>;

/// Whose turn it is to write: SQLite has one writer at a time, and lets whoever finds it taken poll.
/// In the order of asking, so that a batch of the ledger waits for one piece at most.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<()>>);

impl Turns {
    /// Waits for a turn; it ends when the guard is dropped.
    pub(super) async fn next(&self) -> MutexGuard<'_, ()> {
        self.0.lock().await
    }
}

/// The connection by which pieces are written, one at a time however many uploads there are.
pub(super) struct Uploads {
    connection: SqlitePool,
    turns: Turns,
}

impl Uploads {
    pub(super) fn new(options: &SqliteConnectOptions, turns: Turns) -> Self {
        // A piece is not waited for until the log has reached the disk: the commit that makes evidence
        // of it is, and it comes later in the same log.
        let options = options.clone().synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
        Self { connection: pool.connect_lazy_with(options), turns }
    }

    pub(super) async fn keep_chunk(
        &self,
        content: ContentId,
        seq: u32,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> Answer<()> {
        let mut rows = Inserts::default();
        rows.chunk(content, seq, bytes, at);
        let mut connection = self.connection.acquire().await?;
        let _turn = self.turns.next().await;
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
        insert::flush(&mut tx, &mut rows).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn discard(&self, content: ContentId) -> Answer<()> {
        let mut connection = self.connection.acquire().await?;
        let _turn = self.turns.next().await;
        evidence::discard(&mut connection, content).await
    }

    pub(super) async fn close(&self) {
        self.connection.close().await;
    }
}
