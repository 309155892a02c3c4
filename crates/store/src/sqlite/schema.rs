//! The schema: brought up to date by whoever opens the file to write, and then held against what the
//! migrations make.

use sqlx::migrate::Migrator;
use sqlx::{Connection, Row, SqliteConnection};

use crate::error::StoreError;
use crate::schema::{Definition, expect_same};

type Answer<T> = Result<T, StoreError>;

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

pub(super) async fn migrate(connection: &mut SqliteConnection) -> Answer<()> {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    let versioned: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_optional(&mut *connection)
            .await?;
    if versioned.is_some() {
        let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(&mut *connection)
            .await?;
        if let Some(found) = found.filter(|found| *found > known) {
            return Err(StoreError::NewerSchema { found, known });
        }
    }
    MIGRATIONS.run(connection).await.map_err(|error| StoreError::Unavailable(Box::new(error)))
}

/// Refuses a file that lacks a rule which the migrations make (threats L14).
pub(super) async fn expect_intact(connection: &mut SqliteConnection) -> Answer<()> {
    let mut scratch = SqliteConnection::connect("sqlite::memory:").await?;
    make(&mut scratch).await?;
    expect_same(&definitions(&mut scratch).await?, &definitions(connection).await?)
}

/// Makes the schema in an empty database.
pub(super) async fn make(connection: &mut SqliteConnection) -> Answer<()> {
    for migration in MIGRATIONS.iter() {
        sqlx::raw_sql(migration.sql.clone()).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn definitions(connection: &mut SqliteConnection) -> Answer<Vec<Definition>> {
    let rows = sqlx::query(
        "SELECT type, tbl_name, name, sql FROM main.sqlite_schema \
         WHERE sql IS NOT NULL AND name <> '_sqlx_migrations'",
    )
    .fetch_all(connection)
    .await?;
    let definition = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Definition {
            what: row.try_get("type")?,
            on: row.try_get("tbl_name")?,
            name: row.try_get("name")?,
            text: row.try_get("sql")?,
        })
    };
    rows.iter().map(definition).collect()
}
