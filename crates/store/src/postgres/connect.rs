//! Connections as this back end wants them, and whether the server behind them is fit for us.

use std::str::FromStr;
use std::time::{Duration, Instant};

use domain::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection, Postgres, Row, Transaction};

use super::rows::Column;
use crate::clock::Clock;
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// The role that a server acts as, whoever it signs in as.
pub(super) const SERVE_ROLE: &str = "countersign_serve";
/// The oldest PostgreSQL that the tests run on: 15.
const OLDEST: i32 = 150_000;
const CONNECTIONS: u32 = 8;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// insufficient_privilege, and invalid_parameter_value where there is no such role.
const NO_ROLE: [&str; 2] = ["42501", "22023"];

/// A node that is paused or cut off keeps no lock for longer than this, and none waits longer for
/// one; `synchronous_commit` is what makes an acknowledged change a durable one (I6).
const SESSION: &str = "SET lock_timeout = '2s'; \
     SET idle_in_transaction_session_timeout = '2s'; \
     SET synchronous_commit = on; \
     SET ROLE countersign_serve";

/// Reads a URL.
pub(super) fn options(url: &str) -> Answer<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url)?;
    Ok(options.application_name("countersign").disable_statement_logging())
}

/// Connects to read and write as a server does.
pub(super) async fn connect(options: &PgConnectOptions) -> Answer<PgConnection> {
    let mut connection = options.connect().await?;
    match prepare(&mut connection).await {
        Ok(()) => Ok(connection),
        Err(sqlx::Error::Database(error))
            if NO_ROLE.contains(&error.code().as_deref().unwrap_or_default()) =>
        {
            Err(StoreError::Unfit(format!(
                "its user may not act as `{SERVE_ROLE}`; run countersign migrate as the owner of \
                 the tables, then GRANT {SERVE_ROLE} TO the user"
            )))
        }
        Err(error) => Err(error.into()),
    }
}

async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SESSION).execute(connection).await.map(drop)
}

/// The connections for reads, and for small writes beside the ledger.
pub(super) fn pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(|connection, _| Box::pin(prepare(connection)))
        .connect_lazy_with(options)
}

/// Connections that change nothing, with whatever rights the URL's user has.
pub(super) fn reading_pool(options: PgConnectOptions) -> PgPool {
    let options = options.options([("default_transaction_read_only", "on")]);
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options)
}

/// A read transaction in which every statement sees the same instant.
pub(crate) async fn snapshot(pool: &PgPool) -> Answer<Transaction<'static, Postgres>> {
    begin(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
}

/// Begins a transaction on a connection of the pool.
///
/// The driver forgets a BEGIN whose caller vanishes before it is answered: the connection would go
/// back into the pool inside the transaction, and whoever reads on it next would see the past. A
/// task of its own waits for the answer, and ends what nobody takes.
pub(super) async fn begin(
    pool: &PgPool,
    statement: &'static str,
) -> Answer<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(statement).await });
    Ok(begun.await.map_err(|error| StoreError::Unavailable(Box::new(error)))??)
}

/// Now, by the database's clock as `clock` takes it.
pub(super) async fn now(connection: &mut PgConnection, clock: &dyn Clock) -> Answer<Timestamp> {
    let asked = Instant::now();
    let row = sqlx::query(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS clock_timestamp",
    )
    .fetch_one(connection)
    .await?;
    Ok(clock.by_database(asked.elapsed(), Column("", "clock_timestamp").time(&row)?))
}

/// Refuses a server that is too old, speaks another encoding, or loses what it acknowledged (I6).
pub(super) async fn check_server(connection: &mut PgConnection) -> Answer<()> {
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::int AS version, \
         current_setting('server_version') AS version_name, \
         current_setting('server_encoding') AS encoding, \
         current_setting('fsync') AS fsync, \
         current_setting('synchronous_commit') AS synchronous_commit",
    )
    .fetch_one(connection)
    .await?;
    if row.try_get::<i32, _>("version")? < OLDEST {
        let found: String = row.try_get("version_name")?;
        return Err(StoreError::Unfit(format!("it is PostgreSQL {found}; 15 or newer is needed")));
    }
    for (setting, wanted) in [("encoding", "UTF8"), ("fsync", "on")] {
        let found: String = row.try_get(setting)?;
        if found != wanted {
            return Err(StoreError::Unfit(format!("its {setting} is `{found}`, not `{wanted}`")));
        }
    }
    let commits: String = row.try_get("synchronous_commit")?;
    if commits == "off" {
        let detail = "its synchronous_commit is `off`: it would lose what it acknowledged";
        return Err(StoreError::Unfit(detail.to_owned()));
    }
    Ok(())
}

/// Refuses a role that could change the record.
pub(super) async fn check_role(connection: &mut PgConnection) -> Answer<()> {
    let may_change: bool = sqlx::query_scalar(
        "SELECT has_table_privilege('entries', 'UPDATE, DELETE, TRUNCATE') \
         OR has_table_privilege('tree_nodes', 'UPDATE, DELETE, TRUNCATE')",
    )
    .fetch_one(connection)
    .await?;
    if may_change {
        return Err(StoreError::Unfit(format!(
            "the role `{SERVE_ROLE}` may change the ledger; take those rights from it, and let \
             another role own the tables"
        )));
    }
    Ok(())
}
