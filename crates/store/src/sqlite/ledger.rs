//! Entries and tree nodes.

use domain::merkle::Hash;
use domain::{AgentId, RequestId, Timestamp};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::rows::{Column, signed};
use crate::error::StoreError;
use crate::read::{AgentEntries, LOOK, StoredEntry};

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
    read(pool, |sql| {
        sql.push("fact = 'CheckpointKeyNamed'");
    })
    .await
}

pub(super) async fn entries_of(pool: &SqlitePool, id: RequestId) -> Answer<Vec<StoredEntry>> {
    read(pool, |sql| {
        sql.push("request_id = ").push_bind(id.to_string());
    })
    .await
}

pub(super) async fn entries(pool: &SqlitePool, from: u64, limit: u32) -> Answer<Vec<StoredEntry>> {
    let end = signed(from.saturating_add(u64::from(limit)));
    read(pool, |sql| {
        sql.push("e.idx >= ").push_bind(signed(from)).push(" AND e.idx < ").push_bind(end);
    })
    .await
}

/// Entries first, by their place: SQLite takes the tables of a cross join in the order they have here.
const OF_AGENT: &str = "SELECT idx, request_id FROM entries CROSS JOIN requests ON id = request_id \
     WHERE idx >= ?1 AND idx < ?2 AND (agent_id = ?3 OR executor_id = ?3) ORDER BY idx";

pub(super) async fn entries_of_agent(
    pool: &SqlitePool,
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
        .bind(agent.to_string())
        .fetch_all(pool)
        .await?;
    let entry = |row: &SqliteRow| {
        let index = Column("entries", "idx").number(row)?;
        Ok((index, Column("entries", "request_id").parsed(row)?))
    };
    let entries = rows.iter().map(entry).collect::<Answer<_>>()?;
    Ok(AgentEntries { entries, next, size })
}

/// Entries with the texts that are still there: one statement, so as of one instant.
async fn read(
    pool: &SqlitePool,
    condition: impl FnOnce(&mut QueryBuilder<Sqlite>),
) -> Answer<Vec<StoredEntry>> {
    let mut sql = QueryBuilder::new(
        "SELECT e.idx, body, leaf, field, salt, text FROM entries AS e \
         LEFT JOIN entry_texts AS t ON t.idx = e.idx WHERE ",
    );
    condition(&mut sql);
    sql.push(" ORDER BY e.idx, field");
    joined(sql.build().fetch_all(pool).await?)
}

/// Entries of the attached database `live`.
pub(super) async fn attached(
    tx: &mut SqliteConnection,
    from: u64,
    end: u64,
) -> Answer<Vec<StoredEntry>> {
    let rows = sqlx::query(
        "SELECT e.idx, body, leaf, field, salt, text FROM live.entries AS e \
         LEFT JOIN live.entry_texts AS t ON t.idx = e.idx \
         WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx, field",
    );
    joined(rows.bind(signed(from)).bind(signed(end)).fetch_all(tx).await?)
}

/// An entry has a row for each of its texts, and one where it has none.
fn joined(rows: Vec<SqliteRow>) -> Answer<Vec<StoredEntry>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{AssertSqlSafe, Connection};

    #[tokio::test]
    async fn what_is_an_agents_is_found_by_the_places_of_entries_and_costs_no_more_than_they_are() {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        super::super::MIGRATIONS.run(&mut database).await.unwrap();
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {OF_AGENT}")));
        let steps = plan.fetch_all(&mut database).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|row| row.get("detail")).collect();
        assert_eq!(
            steps,
            [
                "SEARCH entries USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
                "SEARCH requests USING INDEX sqlite_autoindex_requests_1 (id=?)"
            ]
        );
    }
}
