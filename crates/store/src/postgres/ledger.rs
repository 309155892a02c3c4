//! Entries and tree nodes.

use std::collections::HashMap;

use domain::merkle::Hash;
use domain::{RequestId, Timestamp};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row};

use super::connect::snapshot;
use super::rows::{Column, signed};
use crate::error::StoreError;
use crate::read::StoredEntry;

type Answer<T> = Result<T, StoreError>;

pub(super) async fn size(connection: &mut PgConnection) -> Answer<u64> {
    let row = sqlx::query("SELECT coalesce(max(idx) + 1, 0) AS idx FROM entries")
        .fetch_one(connection)
        .await?;
    Column("entries", "idx").number(&row)
}

/// When the newest entry was recorded.
pub(super) async fn newest_at(connection: &mut PgConnection) -> Answer<Option<Timestamp>> {
    let row = sqlx::query("SELECT at FROM entries ORDER BY idx DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    row.map(|row| Column("entries", "at").time(&row)).transpose()
}

pub(super) async fn tree_nodes(pool: &PgPool, level: u8, from: u64, to: u64) -> Answer<Vec<Hash>> {
    let rows = sqlx::query(
        "SELECT idx, hash FROM tree_nodes WHERE level = $1 AND idx >= $2 AND idx < $3 ORDER BY idx",
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

pub(super) async fn key_entries(pool: &PgPool) -> Answer<Vec<StoredEntry>> {
    let rows = sqlx::query(
        "SELECT idx, body, leaf FROM entries WHERE fact = 'CheckpointKeyNamed' ORDER BY idx",
    )
    .fetch_all(pool)
    .await?;
    joined(rows, Vec::new())
}

pub(super) async fn entries_of(pool: &PgPool, id: RequestId) -> Answer<Vec<StoredEntry>> {
    let mut tx = snapshot(pool).await?;
    let rows =
        sqlx::query("SELECT idx, body, leaf FROM entries WHERE request_id = $1 ORDER BY idx")
            .bind(id.0)
            .fetch_all(&mut *tx)
            .await?;
    let texts = sqlx::query(
        "SELECT idx, field, salt, text FROM entry_texts \
         WHERE idx IN (SELECT idx FROM entries WHERE request_id = $1)",
    )
    .bind(id.0)
    .fetch_all(&mut *tx)
    .await?;
    joined(rows, texts)
}

pub(super) async fn entries(pool: &PgPool, from: u64, limit: u32) -> Answer<Vec<StoredEntry>> {
    let end = signed(from.saturating_add(u64::from(limit)));
    let mut tx = snapshot(pool).await?;
    let rows = sqlx::query(
        "SELECT idx, body, leaf FROM entries WHERE idx >= $1 AND idx < $2 ORDER BY idx",
    )
    .bind(signed(from))
    .bind(end)
    .fetch_all(&mut *tx)
    .await?;
    let texts =
        sqlx::query("SELECT idx, field, salt, text FROM entry_texts WHERE idx >= $1 AND idx < $2")
            .bind(signed(from))
            .bind(end)
            .fetch_all(&mut *tx)
            .await?;
    joined(rows, texts)
}

fn joined(rows: Vec<PgRow>, texts: Vec<PgRow>) -> Answer<Vec<StoredEntry>> {
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
