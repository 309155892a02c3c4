//! Writes rows that wait: all rows of a table in one statement, a column of them in one array, so that
//! the statement is the same however many there are.

use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::error::StoreError;
use crate::insert::{Inserts, Shape, Type, Value};
use crate::update::{COLUMNS, UPDATE, Updates, all_updated};

/// Writes everything that waits.
pub(super) async fn flush(tx: &mut PgConnection, inserts: &mut Inserts) -> Result<(), StoreError> {
    for (shape, rows) in inserts.take() {
        insert(tx, &shape, rows).await?;
    }
    Ok(())
}

async fn insert(
    tx: &mut PgConnection,
    shape: &Shape,
    rows: Vec<Vec<Value>>,
) -> Result<(), sqlx::Error> {
    let names: Vec<&str> = shape.columns.iter().map(|(name, _)| *name).collect();
    let mut sql = QueryBuilder::<Postgres>::new("INSERT INTO ");
    sql.push(shape.table).push(" (").push(names.join(", ")).push(") ");
    select(&mut sql, shape.columns, rows);
    sql.push(" ").push(shape.on_conflict);
    sql.build().execute(tx).await.map(drop)
}

/// Updates every request that waits. What they bring has to be there: the schema looks for it.
pub(super) async fn update(tx: &mut PgConnection, updates: &mut Updates) -> Result<(), StoreError> {
    let rows = updates.take();
    if rows.is_empty() {
        return Ok(());
    }
    let count = rows.len();
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let mut sql = QueryBuilder::<Postgres>::new(format!("WITH new ({names}) AS ("));
    select(&mut sql, &COLUMNS, rows);
    sql.push(") ").push(UPDATE);
    let updated = sql.build().execute(tx).await?;
    all_updated(count, updated.rows_affected())
}

/// The rows as a relation, a column of them in one array.
fn select<R: IntoIterator<Item = Value>>(
    sql: &mut QueryBuilder<Postgres>,
    shape: &[(&str, Type)],
    rows: Vec<R>,
) {
    let mut columns: Vec<Vec<Value>> = shape.iter().map(|_| Vec::new()).collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    sql.push("SELECT * FROM unnest(");
    let mut arrays = sql.separated(", ");
    for ((_, kind), column) in shape.iter().zip(columns) {
        match kind {
            Type::Id => arrays.push_bind(array::<Uuid>(column)),
            Type::Number => arrays.push_bind(array::<i64>(column)),
            Type::Text => arrays.push_bind(array::<String>(column)),
            Type::Bytes => arrays.push_bind(array::<Vec<u8>>(column)),
        };
    }
    sql.push(")");
}

/// A column's values as its type has them. One of another type becomes NULL, which no column takes
/// that does not mean it.
fn array<T: TryFrom<Value>>(values: Vec<Value>) -> Vec<Option<T>> {
    values.into_iter().map(|value| T::try_from(value).ok()).collect()
}

impl TryFrom<Value> for Uuid {
    type Error = ();

    fn try_from(value: Value) -> Result<Self, ()> {
        if let Value::Id(id) = value { Ok(id) } else { Err(()) }
    }
}

impl TryFrom<Value> for i64 {
    type Error = ();

    fn try_from(value: Value) -> Result<Self, ()> {
        if let Value::Number(number) = value { Ok(number) } else { Err(()) }
    }
}

impl TryFrom<Value> for String {
    type Error = ();

    fn try_from(value: Value) -> Result<Self, ()> {
        if let Value::Text(text) = value { Ok(text) } else { Err(()) }
    }
}

impl TryFrom<Value> for Vec<u8> {
    type Error = ();

    fn try_from(value: Value) -> Result<Self, ()> {
        if let Value::Bytes(bytes) = value { Ok(bytes) } else { Err(()) }
    }
}
