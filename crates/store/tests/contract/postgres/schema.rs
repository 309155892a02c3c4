//! The schema, and who may do what in it.

use std::str::FromStr;
use std::sync::Arc;

use domain::{Digest, RequestId};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};
use store::{PostgresStore, Store, StoreError};

use super::Postgres;
use crate::checkpoints::keep;
use crate::fixture::{Standing, four_states, rule_the_house, staging};
use crate::rules::Database;

async fn open(url: &str) -> Result<PostgresStore, StoreError> {
    PostgresStore::open(url, Arc::<Standing>::default()).await
}

async fn refusal(raw: &mut PgConnection, sql: &str) -> String {
    let refused = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(raw).await;
    refused.err().unwrap_or_else(|| panic!("done: {sql}")).to_string()
}

/// What somebody with SQL, every privilege and no respect tries, and the rule that stops it.
#[tokio::test]
async fn the_schema_refuses_what_the_code_never_does() {
    let database = Postgres::new().await;
    let store = database.furnished().await;
    let [pending, denied, approved, executing] = four_states(&*store).await;
    rule_the_house(&*store).await;
    keep(&*store, 5, "five").await.unwrap();
    let mut raw = database.raw().await;
    let set = |(id, _): (RequestId, Digest), state: &str| {
        format!("UPDATE requests SET state = '{state}', version = version + 1 WHERE id = '{id}'")
    };
    let again = format!("INSERT INTO releases VALUES ('{}', gen_random_uuid(), 0)", executing.0);
    let entry = "INSERT INTO entries (idx, at, fact, body, leaf) \
                 VALUES (999, 0, 'x', '\\x00', decode(repeat('00', 32), 'hex'))";
    let attempts = [
        (set(pending, "approved"), "I1"),
        (set(pending, "executing"), "I"),
        (set(pending, "succeeded"), "I"),
        (set(pending, "nonsense"), "I"),
        (set(denied, "pending"), "I2"),
        (set(denied, "approved"), "I"),
        (set(approved, "executing"), "I"),
        (set(executing, "approved"), "I"),
        (format!("UPDATE requests SET state = 'expired' WHERE id = '{}'", pending.0), "versions"),
        ("DELETE FROM requests".to_owned(), "deleted"),
        ("TRUNCATE requests CASCADE".to_owned(), "deleted"),
        ("DELETE FROM entries".to_owned(), "I8"),
        ("TRUNCATE entries CASCADE".to_owned(), "I8"),
        ("UPDATE entries SET at = 0".to_owned(), "I8"),
        (entry.to_owned(), "I8"),
        ("UPDATE tree_nodes SET level = 9".to_owned(), "I8"),
        ("DELETE FROM tree_nodes".to_owned(), "I8"),
        ("TRUNCATE tree_nodes".to_owned(), "I8"),
        ("UPDATE revisions SET body = ''".to_owned(), "I4"),
        ("DELETE FROM revisions".to_owned(), "I4"),
        ("TRUNCATE revisions".to_owned(), "I4"),
        ("DELETE FROM releases".to_owned(), "I3"),
        ("TRUNCATE releases".to_owned(), "I3"),
        ("UPDATE releases SET redeemed_at = 0".to_owned(), "I3"),
        (again, "releases_pkey"),
        ("UPDATE kinds SET body = ''".to_owned(), "never changes"),
        ("DELETE FROM kinds".to_owned(), "never deleted"),
        ("TRUNCATE kinds CASCADE".to_owned(), "deleted"),
        ("UPDATE policies SET text = ''".to_owned(), "never changes"),
        ("DELETE FROM policies".to_owned(), "never deleted"),
        ("INSERT INTO policies VALUES (9, '', 0)".to_owned(), "no gaps"),
        ("DELETE FROM freezes".to_owned(), "never deleted"),
        (
            format!(
                "UPDATE requests SET revision = 2, version = version + 1 WHERE id = '{}'",
                pending.0
            ),
            "I4",
        ),
        ("UPDATE instance SET changes_gated = FALSE".to_owned(), "second person"),
        ("UPDATE checkpoints SET note = 'x'".to_owned(), "I8"),
        ("DELETE FROM checkpoints".to_owned(), "I8"),
        ("TRUNCATE checkpoints".to_owned(), "I8"),
        ("INSERT INTO checkpoints VALUES (4, 0, 'x')".to_owned(), "I8"),
        ("INSERT INTO checkpoints VALUES (99999, 0, 'x')".to_owned(), "I8"),
        ("TRUNCATE policies".to_owned(), "never deleted"),
        ("TRUNCATE freezes".to_owned(), "never deleted"),
    ];
    for (sql, rule) in attempts {
        let error = refusal(&mut raw, &sql).await;
        assert!(error.contains(rule), "{sql}: {error}");
    }
}

#[tokio::test]
async fn l14_the_serving_role_cannot_change_the_record() {
    let database = Postgres::new().await;
    let store = database.furnished().await;
    store.commit(staging(1)).await.unwrap();
    let mut raw = database.raw().await;
    sqlx::query("SET ROLE countersign_serve").execute(&mut raw).await.unwrap();
    for table in ["entries", "tree_nodes", "revisions", "releases", "kinds", "checkpoints"] {
        for sql in [
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("DROP TABLE {table}"),
        ] {
            let error = refusal(&mut raw, &sql).await;
            assert!(error.contains("permission") || error.contains("owner"), "{sql}: {error}");
        }
    }
    for sql in ["UPDATE entries SET at = 0", "UPDATE tree_nodes SET idx = 0"] {
        let error = refusal(&mut raw, sql).await;
        assert!(error.contains("permission denied"), "{sql}: {error}");
    }
}

/// Every table, and what a server may do to it, as a list that a reviewer can read.
#[tokio::test]
async fn l14_the_rights_of_the_serving_role() {
    let database = Postgres::new().await;
    let rows = sqlx::query(
        "SELECT c.relname AS name, string_agg(p, ' ' ORDER BY n) AS rights \
         FROM pg_class AS c LEFT JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', \
         'TRUNCATE', 'REFERENCES', 'TRIGGER']) WITH ORDINALITY AS right_of (p, n) \
         ON has_table_privilege('countersign_serve', c.oid, p) \
         WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace \
         GROUP BY c.relname ORDER BY c.relname COLLATE \"C\"",
    )
    .fetch_all(&mut database.raw().await)
    .await
    .unwrap();
    let line = |row: &sqlx::postgres::PgRow| {
        let rights: Option<String> = row.get("rights");
        format!("{:18} {}\n", row.get::<String, _>("name"), rights.unwrap_or_default())
    };
    let table: String = rows.iter().map(line).collect();
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn l14_a_serving_role_that_may_change_the_record_is_refused() {
    let database = Postgres::new().await;
    // In this test's database alone: a grant on a table is the database's.
    let grant = "GRANT DELETE ON tree_nodes TO countersign_serve";
    sqlx::query(grant).execute(&mut database.raw().await).await.unwrap();
    let opened = open(&database.0).await;
    assert!(
        matches!(&opened, Err(StoreError::Unfit(why)) if why.contains("may change the ledger"))
    );
}

#[tokio::test]
async fn n03_a_schema_of_another_program_is_refused() {
    let database = Postgres::new().await;
    let empty = testing::postgres::empty_database().await;
    let missing = open(&empty).await.err().unwrap().to_string();
    assert!(missing.contains("run: countersign migrate"), "{missing}");
    let mut raw = database.raw().await;
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
               execution_time) VALUES (9999, 'later', true, '', 0)";
    sqlx::query(sql).execute(&mut raw).await.unwrap();
    assert!(matches!(open(&database.0).await, Err(StoreError::NewerSchema { found: 9999, .. })));
    let migrated = PostgresStore::migrate(&database.0).await;
    assert!(matches!(migrated, Err(StoreError::NewerSchema { found: 9999, .. })));
}

#[tokio::test]
async fn n05_a_migration_that_was_altered_is_refused() {
    let database = Postgres::new().await;
    let sql = "UPDATE _sqlx_migrations SET checksum = 'x' WHERE version = 1";
    sqlx::query(sql).execute(&mut database.raw().await).await.unwrap();
    let opened = open(&database.0).await;
    assert!(matches!(&opened, Err(StoreError::Unfit(why)) if why.contains("migration 1")));
    assert!(PostgresStore::migrate(&database.0).await.is_err());
}

#[tokio::test]
async fn n04_two_that_migrate_at_once_make_one_schema() {
    let empty = testing::postgres::empty_database().await;
    let (one, two) = tokio::join!(PostgresStore::migrate(&empty), PostgresStore::migrate(&empty));
    one.unwrap();
    two.unwrap();
    open(&empty).await.unwrap();
}

#[tokio::test]
async fn k10_a_server_that_would_lose_commits_is_refused() {
    let database = Postgres::new().await;
    let mut raw = database.raw().await;
    let name: String =
        sqlx::query_scalar("SELECT current_database()").fetch_one(&mut raw).await.unwrap();
    let sql = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    execute(&mut raw, sql).await;
    let opened = open(&database.0).await;
    assert!(matches!(&opened, Err(StoreError::Unfit(why)) if why.contains("synchronous_commit")));
}

/// A new user of the server, under whom `url` is returned.
async fn url_of_new_user(raw: &mut PgConnection, url: &str, rights: &str) -> (String, String) {
    let name: String = sqlx::query_scalar("SELECT 'user_' || md5(gen_random_uuid()::text)")
        .fetch_one(&mut *raw)
        .await
        .unwrap();
    execute(raw, format!("CREATE ROLE {name} LOGIN {rights}")).await;
    let url = PgConnectOptions::from_str(url).unwrap().username(&name).to_url_lossy().to_string();
    (name, url)
}

async fn execute(raw: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(raw).await.unwrap();
}

#[tokio::test]
async fn an_owner_without_further_rights_migrates_and_serves() {
    let empty = testing::postgres::empty_database().await;
    let mut raw = PgConnection::connect(&empty).await.unwrap();
    let (name, url) = url_of_new_user(&mut raw, &empty, "CREATEROLE").await;
    let database = PgConnectOptions::from_str(&empty).unwrap();
    let database = database.get_database().unwrap();
    execute(&mut raw, format!("ALTER DATABASE {database} OWNER TO {name}")).await;
    PostgresStore::migrate(&url).await.unwrap();
    open(&url).await.unwrap();
}

#[tokio::test]
async fn a_user_who_may_not_act_as_the_serving_role_is_told_so() {
    let database = Postgres::new().await;
    let mut raw = database.raw().await;
    let (name, url) = url_of_new_user(&mut raw, &database.0, "").await;
    let refused = open(&url).await.err().unwrap().to_string();
    assert!(refused.contains("GRANT countersign_serve TO"), "{refused}");
    // Reading the ledger needs no more than the right to read it.
    execute(&mut raw, format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")).await;
    let reader = PostgresStore::open_to_read(&url).await.unwrap();
    assert_eq!(reader.ledger_size().await.unwrap(), 0);
    assert!(matches!(reader.commit(staging(1)).await, Err(StoreError::Unavailable(_))));
    execute(&mut raw, format!("GRANT countersign_serve TO {name}")).await;
    open(&url).await.unwrap();
}
