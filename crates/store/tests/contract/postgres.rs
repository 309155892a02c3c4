//! PostgreSQL alone: what its schema and its roles refuse, and what holds between several nodes.

mod cut;
mod nodes;
mod schema;

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::{PostgresStore, Store, StoreError};

use crate::fixture::Standing;
use crate::rules::{Database, hold};

/// A migrated database.
struct Postgres(String);

impl Database for Postgres {
    async fn new() -> Self {
        Self(testing::postgres::database().await)
    }

    async fn open_by(&self, clock: Arc<Standing>) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(PostgresStore::open(&self.0, clock).await?))
    }

    async fn forge(&self, sql: &str) {
        let all = format!("SET session_replication_role = replica; {sql}");
        sqlx::raw_sql(AssertSqlSafe(all)).execute(&mut self.raw().await).await.unwrap();
    }
}

impl Postgres {
    /// A connection of the superuser: whom no privilege stops.
    async fn raw(&self) -> PgConnection {
        PgConnection::connect(&self.0).await.unwrap()
    }
}

hold!(Postgres);
