//! A whole database, row by row, from one back end to the other.
//!
//! The two schemas have the same tables with the same columns; what differs is how a column's type
//! is called. A file that comes out is an ordinary SQLite database of this version.

use std::path::Path;

use futures::TryStreamExt;
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, Row, Sqlite, SqliteConnection};
use tokio::runtime::Handle;

use crate::error::StoreError;
use crate::postgres::snapshot;
use crate::sqlite::MIGRATIONS;

type Answer<T> = Result<T, StoreError>;

/// A table as SQLite declares it, and each column's type in PostgreSQL.
struct Table {
    name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    held: Held,
    /// As `information_schema` calls it.
    postgres: String,
}

/// What SQLite holds in a column.
#[derive(Clone, Copy)]
enum Held {
    Text,
    Integer,
    Blob,
}

/// Writes everything that the PostgreSQL database has at one instant into a new SQLite file.
///
/// # Errors
/// When either cannot be read or written.
pub(crate) async fn to_file(pool: &PgPool, path: &Path) -> Answer<()> {
    let (pool, path, runtime) = (pool.clone(), path.to_owned(), Handle::current());
    // Long work, on a thread of its own.
    let work = move || runtime.block_on(write_file(&pool, &path));
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Unavailable(Box::new(error)))?
}

async fn write_file(pool: &PgPool, path: &Path) -> Answer<()> {
    let mut target = empty_file(path).await?;
    let mut source = snapshot(pool).await?;
    // It holds no lock that anybody waits for, however long this takes.
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(&mut *source).await?;
    let triggers = without_triggers(&mut target).await?;
    let tables = tables(&mut target, &mut source).await?;
    let mut tx = target.begin().await?;
    for table in &tables {
        let mut rows = sqlx::query(AssertSqlSafe(table.read_postgres())).fetch(&mut *source);
        let insert = table.write_sqlite();
        while let Some(row) = rows.try_next().await? {
            let values = table.bind_sqlite(sqlx::query(AssertSqlSafe(insert.clone())), &row)?;
            values.execute(&mut *tx).await?;
        }
    }
    for trigger in triggers {
        sqlx::raw_sql(AssertSqlSafe(trigger)).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    target.close().await?;
    Ok(())
}

/// Fills an empty, migrated PostgreSQL database from a SQLite file, as its owner.
///
/// # Errors
/// `NotEmpty` when an installation is in the target; when either cannot be read or written. Nothing
/// was changed then.
pub(crate) async fn from_file(path: &Path, target: &mut PgConnection) -> Answer<()> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut source = SqliteConnection::connect_with(&options).await?;
    let tables = tables(&mut source, target).await?;
    let mut tx = target.begin().await?;
    // Whoever sets up an installation at the same time waits, or is waited for.
    sqlx::query("SELECT 1 FROM ledger_head FOR UPDATE").fetch_one(&mut *tx).await?;
    if sqlx::query("SELECT 1 FROM instance").fetch_optional(&mut *tx).await?.is_some() {
        return Err(StoreError::NotEmpty);
    }
    for table in &tables {
        // The rules of the schema say how rows may change, not which rows may come from elsewhere.
        let name = &table.name;
        let off = format!("ALTER TABLE {name} DISABLE TRIGGER USER");
        sqlx::query(AssertSqlSafe(off)).execute(&mut *tx).await?;
        let mut rows = sqlx::query(AssertSqlSafe(table.read_sqlite())).fetch(&mut source);
        let insert = table.write_postgres();
        while let Some(row) = rows.try_next().await? {
            let values = table.bind_postgres(sqlx::query(AssertSqlSafe(insert.clone())), &row)?;
            values.execute(&mut *tx).await?;
        }
        let on = format!("ALTER TABLE {name} ENABLE TRIGGER USER");
        sqlx::query(AssertSqlSafe(on)).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn empty_file(path: &Path) -> Answer<SqliteConnection> {
    crate::sqlite::make_private(path)?;
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let migrated = MIGRATIONS.run(&mut connection).await;
    migrated.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    Ok(connection)
}

/// Drops every trigger; answers with what makes them again.
async fn without_triggers(connection: &mut SqliteConnection) -> Answer<Vec<String>> {
    let rows = sqlx::query("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        .fetch_all(&mut *connection)
        .await?;
    let mut triggers = Vec::new();
    for row in rows {
        let (name, sql): (String, String) = (row.try_get("name")?, row.try_get("sql")?);
        let drop = format!("DROP TRIGGER {name}");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *connection).await?;
        triggers.push(sql);
    }
    Ok(triggers)
}

/// The tables in the order in which they refer to each other.
async fn tables(sqlite: &mut SqliteConnection, postgres: &mut PgConnection) -> Answer<Vec<Table>> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' \
         AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations' ORDER BY rowid",
    )
    .fetch_all(&mut *sqlite)
    .await?;
    let mut tables = Vec::new();
    for name in names {
        let rows = sqlx::query("SELECT name, type FROM pragma_table_info(?) ORDER BY cid")
            .bind(&name)
            .fetch_all(&mut *sqlite)
            .await?;
        let mut columns = Vec::new();
        for row in rows {
            columns.push(column(postgres, &name, &row).await?);
        }
        tables.push(Table { name, columns });
    }
    Ok(tables)
}

async fn column(postgres: &mut PgConnection, table: &str, row: &SqliteRow) -> Answer<Column> {
    let (name, declared): (String, String) = (row.try_get("name")?, row.try_get("type")?);
    let elsewhere: Option<String> = sqlx::query_scalar(
        "SELECT data_type::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = $1 AND column_name = $2",
    )
    .bind(table)
    .bind(&name)
    .fetch_optional(postgres)
    .await?;
    let differ = || StoreError::Refused(format!("the schemas differ at {table}.{name}"));
    let held = match declared.as_str() {
        "TEXT" => Held::Text,
        "INTEGER" => Held::Integer,
        "BLOB" => Held::Blob,
        _ => return Err(differ()),
    };
    let postgres = elsewhere.ok_or_else(differ)?;
    Ok(Column { name, held, postgres })
}

impl Table {
    fn listed(&self, each: impl Fn((usize, &Column)) -> String) -> String {
        self.columns.iter().enumerate().map(each).collect::<Vec<_>>().join(", ")
    }

    fn names(&self) -> String {
        self.listed(|(_, column)| format!("\"{}\"", column.name))
    }

    fn read_sqlite(&self) -> String {
        format!("SELECT {} FROM {}", self.names(), self.name)
    }

    fn read_postgres(&self) -> String {
        let cast = |(_, column): (usize, &Column)| {
            let name = &column.name;
            match (column.held, column.postgres.as_str()) {
                (Held::Integer, "boolean") => format!("\"{name}\"::int4::int8"),
                (Held::Integer, _) => format!("\"{name}\"::int8"),
                (Held::Text, _) => format!("\"{name}\"::text"),
                (Held::Blob, _) => format!("\"{name}\""),
            }
        };
        format!("SELECT {} FROM {}", self.listed(cast), self.name)
    }

    fn write_sqlite(&self) -> String {
        let places = self.listed(|_| "?".to_owned());
        format!("INSERT INTO {} ({}) VALUES ({places})", self.name, self.names())
    }

    fn write_postgres(&self) -> String {
        let cast = |(index, column): (usize, &Column)| {
            let place = index + 1;
            match (column.held, column.postgres.as_str()) {
                (Held::Integer, "boolean") => format!("${place}::int8 <> 0"),
                (Held::Integer, "smallint") => format!("${place}::int8::int2"),
                (Held::Integer, "integer") => format!("${place}::int8::int4"),
                (Held::Integer, _) => format!("${place}::int8"),
                (Held::Text, "uuid") => format!("${place}::text::uuid"),
                (Held::Text, _) => format!("${place}::text"),
                (Held::Blob, _) => format!("${place}::bytea"),
            }
        };
        let places = self.listed(cast);
        format!("INSERT INTO {} ({}) VALUES ({places})", self.name, self.names())
    }

    fn bind_sqlite<'q>(
        &self,
        mut query: Query<'q, Sqlite, SqliteArguments>,
        row: &PgRow,
    ) -> Answer<Query<'q, Sqlite, SqliteArguments>> {
        for (index, column) in self.columns.iter().enumerate() {
            query = match column.held {
                Held::Text => query.bind(row.try_get::<Option<String>, _>(index)?),
                Held::Integer => query.bind(row.try_get::<Option<i64>, _>(index)?),
                Held::Blob => query.bind(row.try_get::<Option<Vec<u8>>, _>(index)?),
            };
        }
        Ok(query)
    }

    fn bind_postgres<'q>(
        &self,
        mut query: Query<'q, Postgres, PgArguments>,
        row: &SqliteRow,
    ) -> Answer<Query<'q, Postgres, PgArguments>> {
        for (index, column) in self.columns.iter().enumerate() {
            query = match column.held {
                Held::Text => query.bind(row.try_get::<Option<String>, _>(index)?),
                Held::Integer => query.bind(row.try_get::<Option<i64>, _>(index)?),
                Held::Blob => query.bind(row.try_get::<Option<Vec<u8>>, _>(index)?),
            };
        }
        Ok(query)
    }
}
