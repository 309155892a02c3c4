//! Entries and tree nodes.

use std::collections::HashMap;

use domain::merkle::Hash;
use domain::{RequestId, Timestamp};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use super::rows::{Column, signed};
use crate::error::StoreError;
use crate::read::StoredEntry;

type Answer<T> = Result<T, StoreError>;

pub(super) async fn size(connection: &mut SqliteConnection) -> Answer<u64> {
    let row = sqlx::query("SELECT coalesce(max(idx) + 1, 0) AS idx FROM entries")
        .fetch_one(connection)
        .await?;
    Column("entries", "idx").number(&row)
}

/// When the newest entry was recorded.
pub(super) async fn newest_at(connection: &mut SqliteConnection) -> Answer<Option<Timestamp>> {
    let row = sqlx::query("SELECT at FROM entries ORDER BY idx DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    row.map(|row| Column("entries", "at").time(&row)).transpose()
}

pub(super) async fn tree_node(
    connection: &mut SqliteConnection,
    level: u8,
    index: u64,
) -> Answer<Option<Hash>> {
    let row = sqlx::query("SELECT hash FROM tree_nodes WHERE level = ? AND idx = ?")
        .bind(i64::from(level))
        .bind(signed(index))
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok(Column("tree_nodes", "hash").digest(&row)?.0)).transpose()
}

pub(super) async fn tree_nodes(
    pool: &SqlitePool,
    level: u8,
    from: u64,
    to: u64,
) -> Answer<Vec<Hash>> {
    let rows = sqlx::query(
        "SELECT idx, hash FROM tree_nodes WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx",
    )
    .bind(i64::from(level))
    .bind(signed(from))
    .bind(signed(to))
    .fetch_all(pool)
    .await?;
    let mut hashes = Vec::with_capacity(rows.len());
    for (expected, row) in (from..).zip(&rows) {
        let index: u64 = Column("tree_nodes", "idx").number(row)?;
        if index != expected {
            break;
        }
        hashes.push(Column("tree_nodes", "hash").digest(row)?.0);
    }
    Ok(hashes)
}

pub(super) async fn key_entries(pool: &SqlitePool) -> Answer<Vec<StoredEntry>> {
    let rows = sqlx::query(
        "SELECT idx, body, leaf FROM entries WHERE fact = 'CheckpointKeyNamed' ORDER BY idx",
    )
    .fetch_all(pool)
    .await?;
    joined(rows, Vec::new())
}

pub(super) async fn entries_of(pool: &SqlitePool, id: RequestId) -> Answer<Vec<StoredEntry>> {
    let mut tx = pool.begin().await?;
    let rows = sqlx::query("SELECT idx, body, leaf FROM entries WHERE request_id = ? ORDER BY idx")
        .bind(id.to_string())
        .fetch_all(&mut *tx)
        .await?;
    let texts = sqlx::query(
        "SELECT idx, field, salt, text FROM entry_texts \
         WHERE idx IN (SELECT idx FROM entries WHERE request_id = ?)",
    )
    .bind(id.to_string())
    .fetch_all(&mut *tx)
    .await?;
    joined(rows, texts)
}

pub(super) async fn entries(pool: &SqlitePool, from: u64, limit: u32) -> Answer<Vec<StoredEntry>> {
    let end = signed(from.saturating_add(u64::from(limit)));
    let mut tx = pool.begin().await?;
    let rows =
        sqlx::query("SELECT idx, body, leaf FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx")
            .bind(signed(from))
            .bind(end)
            .fetch_all(&mut *tx)
            .await?;
    let texts =
        sqlx::query("SELECT idx, field, salt, text FROM entry_texts WHERE idx >= ? AND idx < ?")
            .bind(signed(from))
            .bind(end)
            .fetch_all(&mut *tx)
            .await?;
    joined(rows, texts)
}

/// Entries of the attached database `live`.
pub(super) async fn attached(
    tx: &mut SqliteConnection,
    from: u64,
    end: u64,
) -> Answer<Vec<StoredEntry>> {
    let rows = sqlx::query(
        "SELECT idx, body, leaf FROM live.entries WHERE idx >= ? AND idx < ? ORDER BY idx",
    )
    .bind(signed(from))
    .bind(signed(end))
    .fetch_all(&mut *tx)
    .await?;
    let texts = sqlx::query(
        "SELECT idx, field, salt, text FROM live.entry_texts WHERE idx >= ? AND idx < ?",
    )
    .bind(signed(from))
    .bind(signed(end))
    .fetch_all(tx)
    .await?;
    joined(rows, texts)
}

fn joined(rows: Vec<SqliteRow>, texts: Vec<SqliteRow>) -> Answer<Vec<StoredEntry>> {
    let mut by_index: HashMap<u64, Vec<(String, Vec<u8>, String)>> = HashMap::new();
    for row in texts {
        let index = Column("entry_texts", "idx").number(&row)?;
        let text = (row.try_get("field")?, row.try_get("salt")?, row.try_get("text")?);
        by_index.entry(index).or_default().push(text);
    }
    rows.iter()
        .map(|row| {
            let index = Column("entries", "idx").number(row)?;
            Ok(StoredEntry {
                index,
                body: row.try_get("body")?,
                leaf: Column("entries", "leaf").digest(row)?,
                texts: by_index.remove(&index).unwrap_or_default(),
            })
        })
        .collect()
}
