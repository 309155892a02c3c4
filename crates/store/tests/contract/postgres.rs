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

    async fn migrate(&self) -> Result<(), StoreError> {
        PostgresStore::migrate(&self.0).await
    }

    fn alterations() -> &'static [(&'static str, &'static str)] {
        &[
            (
                "DROP TRIGGER entries_never_change ON entries",
                "`entries_never_change` of `entries` is missing",
            ),
            (
                "ALTER TABLE requests DISABLE TRIGGER requests_terminal",
                "`requests_terminal` of `requests` is not as",
            ),
            (
                "DROP TRIGGER releases_never_go ON releases; CREATE TRIGGER releases_never_go \
                 BEFORE DELETE ON releases FOR EACH ROW WHEN (false) EXECUTE FUNCTION refuse('x')",
                "`releases_never_go` of `releases` is not as",
            ),
            (
                "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RETURN NEW; END $$",
                "the function `refuse` is not as",
            ),
            (
                "ALTER TABLE entries DROP CONSTRAINT entries_leaf_is_sha256",
                "`entries_leaf_is_sha256` of `entries` is missing",
            ),
            ("ALTER TABLE reviews DISABLE TRIGGER ALL", "of `reviews` is not as"),
            (
                "CREATE RULE quiet AS ON DELETE TO freezes DO INSTEAD NOTHING",
                "the rule `quiet` of `freezes` is not of the migrations",
            ),
            ("ALTER TABLE requests ENABLE ROW LEVEL SECURITY", "the table `requests` is not as"),
            (
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', \
                 current_database()); END $$",
                "the setting `session_replication_role` is not as",
            ),
        ]
    }

    async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.raw().await).await.unwrap();
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
