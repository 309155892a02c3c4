//! The end of the ledger as this process knows it, and the row that is locked to move it.

use domain::merkle::{Frontier, Hash, peaks_of};
use domain::{InstanceId, Timestamp};
use sqlx::{PgConnection, Row};

use super::super::rows::{Column, signed};
use super::super::{house, ledger};
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub instance: Option<InstanceId>,
    pub epoch: u64,
    pub frontier: Frontier,
    /// When the newest entry was recorded.
    pub newest: Option<Timestamp>,
    /// The last entry that this process appended: what tells whether a COMMIT took place.
    pub last: Option<(u64, Hash)>,
}

impl Head {
    /// Takes the lock, and catches up with what other nodes have appended.
    pub(super) async fn lock(&mut self, tx: &mut PgConnection) -> Answer<()> {
        sqlx::query("SELECT 1 FROM ledger_head FOR UPDATE").fetch_one(&mut *tx).await?;
        // Statements of their own: each sees what was committed before it began, so also what was
        // committed while the lock was waited for.
        let instance = house::instance(&mut *tx).await?;
        self.instance = instance.map(|instance| instance.id);
        self.epoch = instance.map_or(0, |instance| instance.epoch);
        let size = ledger::size(&mut *tx).await?;
        if size != self.frontier.size() {
            self.frontier = load_frontier(tx, size).await?;
        }
        self.newest = ledger::newest_at(&mut *tx).await?;
        self.last = None;
        Ok(())
    }

    /// Whether the last entry stands in the ledger where this process put it.
    pub(super) async fn is_recorded(&self, tx: &mut PgConnection) -> Answer<bool> {
        let Some((index, leaf)) = self.last else { return Ok(false) };
        let row = sqlx::query("SELECT leaf FROM entries WHERE idx = $1")
            .bind(signed(index))
            .fetch_optional(tx)
            .await?;
        let found = row.map(|row| Column("entries", "leaf").digest(&row)).transpose()?;
        Ok(found.is_some_and(|found| found.0 == leaf))
    }
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
