//! Writes rows that wait: some tens of them become one statement, because each statement is a
//! message to the driver's thread and back.

use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::error::StoreError;
use crate::insert::{Inserts, Shape, Value};
use crate::update::{COLUMNS, UPDATE, Updates, all_updated};

/// How many rows one statement takes: few sizes beyond the small ones, so that each is prepared once.
const SIZES: [usize; 10] = [64, 16, 8, 7, 6, 5, 4, 3, 2, 1];
/// So few rows go in one message, whatever their tables: those of a change that comes alone. More would
/// make a new text of almost every batch.
const FEW: usize = 24;

/// Writes everything that waits.
pub(super) async fn flush(
    tx: &mut SqliteConnection,
    inserts: &mut Inserts,
) -> Result<(), StoreError> {
    let tables: Vec<(Shape, Vec<Vec<Value>>)> = inserts.take().collect();
    let few = tables.iter().map(|(_, rows)| rows.len()).sum::<usize>() <= FEW;
    let mut sql = QueryBuilder::new("");
    for (shape, rows) in tables {
        let mut rows = rows.into_iter();
        while let Some(size) = SIZES.into_iter().find(|size| *size <= rows.len()) {
            insert(&mut sql, &shape, rows.by_ref().take(size));
            if !few {
                run(tx, &mut sql).await?;
            }
        }
    }
    Ok(run(tx, &mut sql).await?)
}

/// Updates every request that waits. What they bring has to be there: the schema looks for it.
pub(super) async fn update(
    tx: &mut SqliteConnection,
    updates: &mut Updates,
) -> Result<(), StoreError> {
    let mut rows = updates.take().into_iter();
    while let Some(size) = SIZES.into_iter().find(|size| *size <= rows.len()) {
        let mut statement = updating(rows.by_ref().take(size));
        let updated = statement.build().execute(&mut *tx).await?;
        all_updated(size, updated.rows_affected())?;
    }
    Ok(())
}

fn updating<const N: usize>(rows: impl Iterator<Item = [Value; N]>) -> QueryBuilder<Sqlite> {
    let columns = COLUMNS.map(|(name, _)| name).join(", ");
    let mut sql = QueryBuilder::new(format!("WITH new ({columns}) AS ("));
    sql.push_values(rows, |mut row, values| {
        for value in values {
            bind(&mut row, value);
        }
    });
    sql.push(") ").push(UPDATE);
    sql
}

async fn run(tx: &mut SqliteConnection, sql: &mut QueryBuilder<Sqlite>) -> Result<(), sqlx::Error> {
    let mut statements = std::mem::replace(sql, QueryBuilder::new(""));
    if !statements.sql().as_str().is_empty() {
        statements.build().execute(tx).await?;
    }
    Ok(())
}

fn insert(sql: &mut QueryBuilder<Sqlite>, shape: &Shape, rows: impl Iterator<Item = Vec<Value>>) {
    let columns: Vec<&str> = shape.columns.iter().map(|(name, _)| *name).collect();
    sql.push("INSERT INTO ").push(shape.table).push(" (").push(columns.join(", ")).push(") ");
    sql.push_values(rows, |mut row, values| {
        for value in values {
            bind(&mut row, value);
        }
    });
    sql.push(" ").push(shape.on_conflict).push("; ");
}

fn bind(row: &mut Separated<'_, Sqlite, &'static str>, value: Value) {
    match value {
        Value::Null => row.push_bind(None::<i64>),
        Value::Id(id) => row.push_bind(id.to_string()),
        Value::Number(number) => row.push_bind(number),
        Value::Text(text) => row.push_bind(text),
        Value::Bytes(bytes) => row.push_bind(bytes),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{AssertSqlSafe, Connection, Row};

    #[tokio::test]
    async fn an_update_finds_each_row_by_its_id() {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        super::super::MIGRATIONS.run(&mut database).await.unwrap();
        let rows = [[const { Value::Null }; COLUMNS.len()], [const { Value::Null }; COLUMNS.len()]];
        let sql = updating(rows.into_iter()).sql().as_str().replace('?', "NULL");
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
        let steps = plan.fetch_all(&mut database).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|row| row.get("detail")).collect();
        let by_id = |step: &String| {
            step.starts_with("SEARCH requests USING INDEX") && step.contains("(id=?")
        };
        assert!(steps.iter().any(by_id), "{steps:#?}");
    }
}
