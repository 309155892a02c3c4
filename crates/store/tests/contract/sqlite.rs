//! SQLite alone: one server a file, and what its schema refuses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Digest, RequestId};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use store::{SqliteStore, Store, StoreError};
use tempfile::TempDir;

use crate::checkpoints::keep;
use crate::fixture::{Standing, four_states, rule_the_house, staging};
use crate::rules::{Database, hold};

struct Sqlite(TempDir);

impl Database for Sqlite {
    async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open_by(&self, clock: Arc<Standing>) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(SqliteStore::open(&self.path(), clock).await?))
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        self.open_by(Arc::default()).await.map(drop)
    }

    fn alterations() -> &'static [(&'static str, &'static str)] {
        &[
            ("DROP TRIGGER entries_never_change", "`entries_never_change` of `entries` is missing"),
            (
                "DROP TRIGGER requests_terminal; CREATE TRIGGER requests_terminal \
                 BEFORE UPDATE ON requests WHEN 0 BEGIN SELECT 1; END",
                "`requests_terminal` of `requests` is not as",
            ),
            (
                "CREATE TRIGGER helpful AFTER INSERT ON requests BEGIN \
                 UPDATE requests SET state = 'approved'; END",
                "`helpful` of `requests` is not of the migrations",
            ),
            (
                "PRAGMA writable_schema = on; UPDATE sqlite_schema \
                 SET sql = replace(sql, 'length(leaf) = 32', 'length(leaf) > 0'); \
                 PRAGMA writable_schema = reset",
                "the table `entries` is not as",
            ),
            ("DROP INDEX requests_by_due", "the index `requests_by_due` of `requests` is missing"),
        ]
    }

    async fn run(&self, sql: &str) {
        let mut raw = SqliteConnection::connect(&self.path().display().to_string()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut raw).await.unwrap();
    }

    async fn forge(&self, sql: &str) {
        let mut raw = SqliteConnection::connect(&self.path().display().to_string()).await.unwrap();
        sqlx::query("PRAGMA foreign_keys = off").execute(&mut raw).await.unwrap();
        let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
        let names: Vec<String> = sqlx::query_scalar(triggers).fetch_all(&mut raw).await.unwrap();
        let drops = names.iter().map(|name| format!("DROP TRIGGER {name};"));
        let all = drops.collect::<String>() + sql;
        sqlx::raw_sql(AssertSqlSafe(all)).execute(&mut raw).await.unwrap();
    }
}

impl Sqlite {
    fn path(&self) -> PathBuf {
        self.0.path().join("a.db")
    }
}

hold!(Sqlite);

#[tokio::test]
async fn k15_a_second_server_on_one_file_is_refused_and_a_reader_is_not() {
    let database = Sqlite::new().await;
    let (path, store) = (database.path(), database.furnished().await);
    let second = SqliteStore::open(&path, Arc::<Standing>::default()).await;
    assert!(matches!(second, Err(StoreError::Held(_))));
    let reader = SqliteStore::open_to_read(&path).await.unwrap();
    assert_eq!(reader.ledger_size().await.unwrap(), store.ledger_size().await.unwrap());
    assert!(matches!(reader.commit(staging(1)).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn n03_a_newer_schema_is_refused() {
    let database = Sqlite::new().await;
    let path = database.path();
    database.furnished().await.close().await;
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
               execution_time) VALUES (9999, 'later', 1, x'00', 0)";
    sqlx::query(sql).execute(&mut raw(&path).await).await.unwrap();
    let opened = SqliteStore::open(&path, Arc::<Standing>::default()).await;
    assert!(matches!(opened, Err(StoreError::NewerSchema { found: 9999, .. })));
}

async fn raw(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// What somebody with SQL and no respect tries, and the rule that stops it.
#[tokio::test]
async fn the_schema_refuses_what_the_code_never_does() {
    let database = Sqlite::new().await;
    let (path, store) = (database.path(), database.furnished().await);
    let [pending, denied, approved, executing] = four_states(&*store).await;
    rule_the_house(&*store).await;
    keep(&*store, 5, "five").await.unwrap();
    store.close().await;
    let mut raw = raw(&path).await;
    let set = |(id, _): (RequestId, Digest), state: &str| {
        format!("UPDATE requests SET state = '{state}', version = version + 1 WHERE id = '{id}'")
    };
    let entry = "INSERT INTO entries (idx, at, fact, body, leaf) \
                 VALUES (999, 0, 'x', x'00', zeroblob(32))";
    let attempts = [
        (set(pending, "approved"), ") I"),
        (set(pending, "executing"), ") I"),
        (set(pending, "succeeded"), ") I"),
        (set(pending, "nonsense"), ") I"),
        (set(denied, "pending"), ") I"),
        (set(denied, "approved"), ") I"),
        (set(approved, "executing"), ") I"),
        (set(executing, "approved"), ") I"),
        (format!("UPDATE requests SET state = 'expired' WHERE id = '{}'", pending.0), "versions"),
        ("DELETE FROM requests".to_owned(), "deleted"),
        ("DELETE FROM entries".to_owned(), "I8"),
        ("UPDATE entries SET at = 0".to_owned(), "I8"),
        (entry.to_owned(), "I8"),
        ("UPDATE tree_nodes SET hash = zeroblob(32)".to_owned(), "I8"),
        ("DELETE FROM tree_nodes".to_owned(), "I8"),
        ("UPDATE revisions SET body = x'00'".to_owned(), "I4"),
        ("DELETE FROM revisions".to_owned(), "I4"),
        ("DELETE FROM releases".to_owned(), "I3"),
        (format!("INSERT INTO releases VALUES ('{}', 'again', 0)", executing.0), "I3"),
        (format!("INSERT OR REPLACE INTO releases VALUES ('{}', 'again', 0)", executing.0), "I3"),
        ("INSERT OR REPLACE INTO revisions SELECT request_id, number, digest, x'00' FROM revisions".to_owned(), "I4"),
        ("INSERT OR REPLACE INTO tree_nodes SELECT level, idx, zeroblob(32) FROM tree_nodes".to_owned(), "I8"),
        ("INSERT OR REPLACE INTO entries SELECT idx, 0, fact, request_id, body, leaf FROM entries".to_owned(), "I8"),
        ("INSERT OR REPLACE INTO kinds SELECT name, version, x'00', put_at FROM kinds".to_owned(), "never changes"),
        (format!("INSERT OR REPLACE INTO requests SELECT * FROM requests WHERE id = '{}'", pending.0), "never replaced"),
        ("UPDATE kinds SET body = x'00'".to_owned(), "never changes"),
        ("DELETE FROM kinds".to_owned(), "never deleted"),
        ("UPDATE policies SET text = ''".to_owned(), "never changes"),
        ("DELETE FROM policies".to_owned(), "never deleted"),
        ("INSERT INTO policies VALUES (9, '', 0)".to_owned(), "no gaps"),
        ("DELETE FROM freezes".to_owned(), "never deleted"),
        (format!("UPDATE requests SET revision = 2, version = version + 1 WHERE id = '{}'", pending.0), "I4"),
        ("UPDATE instance SET changes_gated = FALSE".to_owned(), "second person"),
        ("UPDATE checkpoints SET note = 'x'".to_owned(), "I8"),
        ("DELETE FROM checkpoints".to_owned(), "I8"),
        ("INSERT OR REPLACE INTO checkpoints VALUES (5, 0, 'x')".to_owned(), "I8"),
        ("INSERT INTO checkpoints VALUES (4, 0, 'x')".to_owned(), "I8"),
        ("INSERT INTO checkpoints VALUES (99999, 0, 'x')".to_owned(), "I8"),
    ];
    for (sql, rule) in attempts {
        let refused = sqlx::query(AssertSqlSafe(sql.clone())).execute(&mut raw).await;
        let error = refused.expect_err(&sql).to_string();
        assert!(error.contains(rule), "{sql}: {error}");
    }
}
