//! The schema: brought up to date by its owner, only checked by a server.

mod intact;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, Row};

use super::connect::{self, SERVE_ROLE};
use crate::error::StoreError;
pub(super) use intact::expect_intact;

type Answer<T> = Result<T, StoreError>;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");
/// insufficient_privilege (PostgreSQL, appendix A).
const NOT_ALLOWED: &str = "42501";

/// Brings the schema up to date, and gives the serving role its rights.
///
/// Of several that do this at once, one works and the others wait for it (threats N04).
pub(super) async fn migrate(options: &PgConnectOptions) -> Answer<()> {
    let mut connection = options.connect().await?;
    connect::check_server(&mut connection).await?;
    if is_migrated(&mut connection).await? {
        refuse_newer(&applied(&mut connection).await?)?;
    }
    let migrated = MIGRATIONS.run(&mut connection).await;
    migrated.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    expect_intact(&mut connection).await?;
    let mut tx = connection.begin().await?;
    // Roles belong to the whole server: two databases may be set up at once.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('countersign roles'))")
        .execute(&mut *tx)
        .await?;
    make_role(&mut tx).await?;
    sqlx::raw_sql(include_str!("roles.sql")).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(connection.close().await?)
}

/// Makes the serving role where it is missing, and lets whoever migrates act as it where that is
/// theirs to do, so that one user can do both.
async fn make_role(tx: &mut PgConnection) -> Answer<()> {
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)")
            .bind(SERVE_ROLE)
            .fetch_one(&mut *tx)
            .await?;
    if !exists && !is_allowed(tx, "CREATE ROLE countersign_serve NOLOGIN").await? {
        return Err(StoreError::Unfit(format!(
            "the role `{SERVE_ROLE}` does not exist and this user may not make it; have an \
             administrator run: CREATE ROLE {SERVE_ROLE} NOLOGIN"
        )));
    }
    // From PostgreSQL 16 on whoever makes a role is a member that may not act as it.
    let may_act: bool = sqlx::query_scalar(
        "SELECT pg_has_role($1, CASE WHEN current_setting('server_version_num')::integer >= 160000 \
         THEN 'SET' ELSE 'MEMBER' END)",
    )
    .bind(SERVE_ROLE)
    .fetch_one(&mut *tx)
    .await?;
    if !may_act && !is_allowed(tx, "GRANT countersign_serve TO CURRENT_USER").await? {
        tracing::warn!("this user may not act as `{SERVE_ROLE}`: servers need another one");
    }
    Ok(())
}

/// Does what the user may do; false, and nothing is done, where they may not.
async fn is_allowed(tx: &mut PgConnection, sql: &'static str) -> Answer<bool> {
    let mut savepoint = tx.begin().await?;
    match sqlx::query(sql).execute(&mut *savepoint).await {
        Ok(_) => Ok(savepoint.commit().await.map(|()| true)?),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NOT_ALLOWED) => {
            Ok(savepoint.rollback().await.map(|()| false)?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses a schema that `countersign migrate` has not brought up to date, or that a newer program
/// has.
pub(super) async fn check(connection: &mut PgConnection) -> Answer<()> {
    expect_migrated(connection).await?;
    let applied = applied(connection).await?;
    refuse_newer(&applied)?;
    for migration in MIGRATIONS.iter() {
        match applied.iter().find(|(version, _)| *version == migration.version) {
            Some((_, checksum)) if *checksum == *migration.checksum => {}
            Some((version, _)) => {
                return Err(StoreError::Unfit(format!(
                    "its migration {version} is not the one that this program knows"
                )));
            }
            None => {
                let found = applied.iter().map(|(version, _)| *version).max().unwrap_or(0);
                return Err(StoreError::NotMigrated { found, known: known() });
            }
        }
    }
    Ok(())
}

/// Refuses a database that `countersign migrate` never saw: there, no role has any right yet.
pub(super) async fn expect_migrated(connection: &mut PgConnection) -> Answer<()> {
    if is_migrated(connection).await? {
        Ok(())
    } else {
        Err(StoreError::NotMigrated { found: 0, known: known() })
    }
}

async fn is_migrated(connection: &mut PgConnection) -> Answer<bool> {
    let sql = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    Ok(sqlx::query_scalar(sql).fetch_one(connection).await?)
}

async fn applied(connection: &mut PgConnection) -> Answer<Vec<(i64, Vec<u8>)>> {
    let rows = sqlx::query("SELECT version, checksum FROM _sqlx_migrations WHERE success")
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.try_get("version")?, row.try_get("checksum")?))).collect()
}

fn known() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

fn refuse_newer(applied: &[(i64, Vec<u8>)]) -> Answer<()> {
    let found = applied.iter().map(|(version, _)| *version).max().unwrap_or(0);
    let known = known();
    if found > known { Err(StoreError::NewerSchema { found, known }) } else { Ok(()) }
}
