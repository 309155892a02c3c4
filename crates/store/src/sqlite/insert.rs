//! Writes rows that wait: some tens of them become one statement, because each statement is a
//! message to the driver's thread and back.

use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::error::StoreError;
use crate::insert::{Inserts, Shape, Value};

/// How many rows one statement takes: few sizes, so that each is prepared once.
const SIZES: [usize; 3] = [64, 8, 1];

/// Writes everything that waits.
pub(super) async fn flush(
    tx: &mut SqliteConnection,
    inserts: &mut Inserts,
) -> Result<(), StoreError> {
    for (shape, rows) in inserts.take() {
        let mut rows = rows.into_iter();
        while let Some(size) = SIZES.into_iter().find(|size| *size <= rows.len()) {
            insert(tx, &shape, rows.by_ref().take(size)).await?;
        }
    }
    Ok(())
}

async fn insert(
    tx: &mut SqliteConnection,
    shape: &Shape,
    rows: impl Iterator<Item = Vec<Value>>,
) -> Result<(), sqlx::Error> {
    let columns: Vec<&str> = shape.columns.iter().map(|(name, _)| *name).collect();
    let mut sql = QueryBuilder::<Sqlite>::new("INSERT INTO ");
    sql.push(shape.table).push(" (").push(columns.join(", ")).push(") ");
    sql.push_values(rows, |mut row, values| {
        for value in values {
            bind(&mut row, value);
        }
    });
    sql.push(" ").push(shape.on_conflict);
    sql.build().execute(tx).await.map(drop)
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
