//! Entries and tree nodes.

use domain::merkle::Hash;
use domain::{AgentId, RequestId, Timestamp};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};

use super::rows::{Column, signed};
use crate::error::StoreError;
use crate::read::{AgentEntries, LOOK, StoredEntry};

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
    read(pool, |sql| {
        sql.push("fact = 'CheckpointKeyNamed'");
    })
    .await
}

pub(super) async fn entries_of(pool: &PgPool, id: RequestId) -> Answer<Vec<StoredEntry>> {
    read(pool, |sql| {
        sql.push("request_id = ").push_bind(id.0);
    })
    .await
}

pub(super) async fn entries(pool: &PgPool, from: u64, limit: u32) -> Answer<Vec<StoredEntry>> {
    let end = signed(from.saturating_add(u64::from(limit)));
    read(pool, |sql| {
        sql.push("e.idx >= ").push_bind(signed(from)).push(" AND e.idx < ").push_bind(end);
    })
    .await
}

const OF_AGENT: &str = "SELECT idx, request_id FROM entries JOIN requests ON id = request_id \
     WHERE idx >= $1 AND idx < $2 AND (agent_id = $3 OR executor_id = $3) ORDER BY idx";

pub(super) async fn entries_of_agent(
    pool: &PgPool,
    agent: AgentId,
    from: u64,
) -> Answer<AgentEntries> {
    // Before the entries: all that are below it are there for whoever reads after it.
    let size = size(&mut *pool.acquire().await?).await?;
    let next = from.saturating_add(LOOK).min(size).max(from);
    if next == from {
        return Ok(AgentEntries { entries: Vec::new(), next, size });
    }
    let rows = sqlx::query(OF_AGENT)
        .bind(signed(from))
        .bind(signed(next))
        .bind(agent.0)
        .fetch_all(pool)
        .await?;
    let entry = |row: &PgRow| {
        let index = Column("entries", "idx").number(row)?;
        Ok((index, Column("entries", "request_id").parsed(row)?))
    };
    let entries = rows.iter().map(entry).collect::<Answer<_>>()?;
    Ok(AgentEntries { entries, next, size })
}

/// Entries with the texts that are still there: one statement, so as of one instant.
async fn read(
    pool: &PgPool,
    condition: impl FnOnce(&mut QueryBuilder<Postgres>),
) -> Answer<Vec<StoredEntry>> {
    let mut sql = QueryBuilder::new(
        "SELECT e.idx, body, leaf, field, salt, text FROM entries AS e \
         LEFT JOIN entry_texts AS t ON t.idx = e.idx WHERE ",
    );
    condition(&mut sql);
    sql.push(" ORDER BY e.idx, field");
    joined(sql.build().fetch_all(pool).await?)
}

/// An entry has a row for each of its texts, and one where it has none.
fn joined(rows: Vec<PgRow>) -> Answer<Vec<StoredEntry>> {
    let mut entries: Vec<StoredEntry> = Vec::new();
    for row in rows {
        let index = Column("entries", "idx").number(&row)?;
        if entries.last().is_none_or(|last| last.index != index) {
            let leaf = Column("entries", "leaf").digest(&row)?;
            entries.push(StoredEntry {
                index,
                body: row.try_get("body")?,
                leaf,
                texts: Vec::new(),
            });
        }
        let field: Option<String> = row.try_get("field")?;
        if let (Some(field), Some(entry)) = (field, entries.last_mut()) {
            entry.texts.push((field, row.try_get("salt")?, row.try_get("text")?));
        }
    }
    Ok(entries)
}
