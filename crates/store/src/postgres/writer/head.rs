//! The row that is locked to move the end of the ledger, and where that end is then.

use std::time::Instant;

use domain::merkle::{Frontier, Hash, peaks_of};
use domain::{InstanceId, Timestamp};
use sqlx::{PgConnection, Row};

use super::super::rows::{Column, signed};
use crate::batch::Head;
use crate::clock::Clock;
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// Everything that other nodes may have moved, and the time. A statement after the one that takes
/// the lock: it sees what was committed while the lock was waited for.
const END: &str = "SELECT i.id, i.authority_epoch, \
     (SELECT coalesce(max(idx) + 1, 0) FROM entries) AS size, \
     (SELECT at FROM entries ORDER BY idx DESC LIMIT 1) AS at, \
     (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS clock_timestamp \
     FROM ledger_head LEFT JOIN instance AS i ON true";

/// Takes the lock, and catches up with what other nodes have appended; answers with the time.
pub(super) async fn lock(
    head: &mut Head,
    tx: &mut PgConnection,
    clock: &dyn Clock,
) -> Answer<Timestamp> {
    sqlx::query("SELECT 1 FROM ledger_head FOR UPDATE").fetch_one(&mut *tx).await?;
    let asked = Instant::now();
    let end = sqlx::query(END).fetch_one(&mut *tx).await?;
    head.instance = Column("instance", "id").parsed_if_any(&end)?.map(InstanceId);
    let now = clock.by_database(asked.elapsed(), Column("", "clock_timestamp").time(&end)?);
    let epoch: Option<i64> = end.try_get("authority_epoch")?;
    head.epoch = epoch.and_then(|epoch| u64::try_from(epoch).ok()).unwrap_or_default();
    let size = Column("entries", "size").number(&end)?;
    if size != head.frontier.size() {
        head.frontier = load_frontier(tx, size).await?;
    }
    head.newest = Column("entries", "at").time_if_any(&end)?;
    Ok(now)
}

/// Whether the last entry of a batch stands in the ledger where this process put it.
pub(super) async fn is_recorded(last: Option<(u64, Hash)>, tx: &mut PgConnection) -> Answer<bool> {
    let Some((index, leaf)) = last else { return Ok(false) };
    let row = sqlx::query("SELECT leaf FROM entries WHERE idx = $1")
        .bind(signed(index))
        .fetch_optional(tx)
        .await?;
    let found = row.map(|row| Column("entries", "leaf").digest(&row)).transpose()?;
    Ok(found.is_some_and(|found| found.0 == leaf))
}

async fn load_frontier(tx: &mut PgConnection, size: u64) -> Answer<Frontier> {
    let peaks = peaks_of(size);
    let levels: Vec<i64> = peaks.iter().map(|(level, _)| i64::from(*level)).collect();
    let indices: Vec<i64> = peaks.iter().map(|(_, index)| signed(*index)).collect();
    let rows = sqlx::query(
        "SELECT level, idx, hash FROM tree_nodes \
         JOIN unnest($1::bigint[], $2::bigint[]) AS peak (level, idx) USING (level, idx)",
    )
    .bind(levels)
    .bind(indices)
    .fetch_all(tx)
    .await?;
    let mut nodes = Vec::with_capacity(rows.len());
    for row in rows {
        let at: (i64, i64) = (row.try_get("level")?, row.try_get("idx")?);
        nodes.push((at, Column("tree_nodes", "hash").digest(&row)?.0));
    }
    Frontier::load(size, |level, index| {
        let wanted = (i64::from(level), signed(index));
        let found = nodes.iter().find(|(at, _)| *at == wanted).map(|(_, hash)| *hash);
        found.ok_or(StoreError::Corrupt {
            table: "tree_nodes",
            column: "hash",
            id: format!("level {level}, index {index}"),
        })
    })
}
