//! Signed tree heads: kept when they are new, never touched again.

use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use super::rows::{Column, signed};
use crate::error::StoreError;
use crate::read::StoredCheckpoint;

type Answer<T> = Result<T, StoreError>;

/// Keeps a checkpoint, unless one of its size or larger is there: another node was faster.
pub(super) async fn keep(tx: &mut SqliteConnection, checkpoint: &StoredCheckpoint) -> Answer<()> {
    sqlx::query(
        "INSERT INTO checkpoints (size, issued_at, note) SELECT ?1, ?2, ?3 \
         WHERE NOT EXISTS (SELECT 1 FROM checkpoints WHERE size >= ?1)",
    )
    .bind(signed(checkpoint.size))
    .bind(checkpoint.issued_at.micros())
    .bind(&checkpoint.note)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn list(
    pool: &SqlitePool,
    from: u64,
    limit: u32,
) -> Answer<Vec<StoredCheckpoint>> {
    let rows = sqlx::query("SELECT * FROM checkpoints WHERE size >= ? ORDER BY size LIMIT +?")
        .bind(signed(from))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

pub(super) async fn newest(pool: &SqlitePool) -> Answer<Option<StoredCheckpoint>> {
    let row = sqlx::query("SELECT * FROM checkpoints ORDER BY size DESC LIMIT 1")
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &SqliteRow) -> Answer<StoredCheckpoint> {
    Ok(StoredCheckpoint {
        size: Column("checkpoints", "size").number(row)?,
        issued_at: Column("checkpoints", "issued_at").time(row)?,
        note: row.try_get("note")?,
    })
}
