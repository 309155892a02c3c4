//! Which node does a job that one of them is enough for.
//!
//! A lease on a row, by the database's clock, and not a lock: a node that is paused keeps a lock,
//! but its lease runs out.

use sqlx::PgConnection;
use sqlx::postgres::PgPool;
use uuid::Uuid;

use super::connect;
use crate::clock::Clock;
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// A node that leads is given this long to lead again.
const LEASE_US: i64 = 3_000_000;

/// A name for this process among the nodes.
pub(super) async fn new_node(connection: &mut PgConnection) -> Answer<Uuid> {
    Ok(sqlx::query_scalar("SELECT gen_random_uuid()").fetch_one(connection).await?)
}

/// Takes or renews the lease; false when another node has it.
pub(super) async fn try_lead(
    pool: &PgPool,
    clock: &dyn Clock,
    node: Uuid,
    job: &str,
) -> Answer<bool> {
    let mut connection = pool.acquire().await?;
    let now = connect::now(&mut connection, clock).await?.micros();
    let until = now.saturating_add(LEASE_US);
    // A lease that ends far later than one given now was given before the clock was set back.
    let taken = sqlx::query(
        "INSERT INTO leaders (job, node_id, until) VALUES ($1, $2, $3) \
         ON CONFLICT (job) DO UPDATE SET node_id = excluded.node_id, until = excluded.until \
         WHERE leaders.node_id = excluded.node_id OR leaders.until <= $4 \
            OR leaders.until > $5",
    )
    .bind(job)
    .bind(node)
    .bind(until)
    .bind(now)
    .bind(until.saturating_add(LEASE_US))
    .execute(&mut *connection)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Gives up every lease of a node that stops.
pub(super) async fn step_down(pool: &PgPool, node: Uuid) -> Answer<()> {
    sqlx::query("DELETE FROM leaders WHERE node_id = $1").bind(node).execute(pool).await?;
    Ok(())
}
