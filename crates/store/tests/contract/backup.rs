//! Backups: what is in the file, what going on from one ends, and how another database is filled.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use domain::entry::HouseFact;
use domain::{Actor, Digest};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use store::{Change, PostgresStore, Side, SqliteStore, Store, StoreError, Write};

use crate::fixture::{BOB, Standing, at, fact, four_states, furnish, issued, staging, upload};
use crate::rules::Database;

/// A store with something in every table that could be copied wrongly.
async fn filled(store: &dyn Store) -> Digest {
    four_states(store).await;
    let key = domain::KeyId(uuid::Uuid::from_u128(3));
    let writes = vec![Write::KeyHash { key, hash: [9; 32], hint: "abcd".into() }];
    let facts = vec![issued(key)];
    store.commit(Change { facts, writes, ..Change::default() }).await.unwrap();
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    upload(store, &bytes, at(1)).await
}

/// Every entry and node of `copy` is that of `store`, and so is what stands beside them.
async fn assert_same_beginning(copy: &dyn Store, store: &dyn Store) -> u64 {
    let size = copy.ledger_size().await.unwrap();
    let (copied, entries) = (copy.entries(0, 1000).await, store.entries(0, 1000).await);
    for (copied, entry) in copied.unwrap().iter().zip(entries.unwrap()) {
        assert_eq!(
            (copied.index, &copied.body, copied.leaf),
            (entry.index, &entry.body, entry.leaf)
        );
        assert_eq!(copied.texts, entry.texts);
    }
    let (copied, nodes) = (copy.tree_nodes(0, 0, size).await, store.tree_nodes(0, 0, size).await);
    assert_eq!(copied.unwrap(), nodes.unwrap());
    assert_eq!(copy.instance().await.unwrap(), store.instance().await.unwrap());
    size
}

async fn raw(file: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

pub async fn m01_a_backup_is_everything_at_one_instant_in_a_file_of_its_own(
    database: impl Database,
) {
    let (store, directory) = (database.furnished().await, tempfile::tempdir().unwrap());
    let evidence = filled(&*store).await;
    let before = store.ledger_size().await.unwrap();
    let file = directory.path().join("backup.db");
    // Many changes are committed while it is written.
    let load = (10..200).map(|number| store.commit(staging(number)));
    let (written, committed) = tokio::join!(store.backup(&file), futures::future::join_all(load));
    written.unwrap();
    assert!(committed.iter().all(Result::is_ok));

    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds password hashes");
    SqliteStore::expect_whole(&file).unwrap();
    let names: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let copy = SqliteStore::open_to_read(&file).await.unwrap();
    copy.examine().await.unwrap();
    let size = assert_same_beginning(&copy, &*store).await;
    assert!((before..=before + 190).contains(&size), "{size}");
    let requests: u64 = copy.counts().await.unwrap().iter().map(|(_, count)| count).sum();
    assert_eq!(requests, 4 + size - before, "rows and entries are of one instant");
    assert!(copy.evidence_bytes(evidence).await.unwrap().is_some());
    copy.close().await;

    assert!(store.backup(&file).await.is_err(), "nothing is written over");
    // Bytes that are not what they are called by are found.
    raw(&file, "UPDATE evidence_chunks SET bytes = x'00' WHERE seq = 1").await;
    let copy = SqliteStore::open_to_read(&file).await.unwrap();
    let found = copy.examine().await;
    assert!(
        matches!(found, Err(StoreError::Corrupt { table: "evidence_chunks", .. })),
        "{found:?}"
    );
}

pub async fn m03_going_on_from_a_backup_ends_sessions_and_links(database: impl Database) {
    let store = database.furnished().await;
    let (id_hash, hash) = ([1; 32], [2; 32]);
    let (data, expires_at) = ("{}".into(), at(500));
    store.side(Side::SaveSession { id_hash, data, expires_at, create: true }).await.unwrap();
    let writes = vec![Write::SignInLink { hash, person: BOB, expires_at }];
    store.commit(Change { writes, ..Change::default() }).await.unwrap();
    assert!(store.session(id_hash).await.unwrap().is_some());
    let restored = HouseFact::Restored { entries: 5, checkpointed: Some(9) };
    let facts = vec![fact(Actor::System, restored)];
    store.commit(Change { facts, ..Change::default() }).await.unwrap();
    assert_eq!(store.session(id_hash).await.unwrap(), None);
    assert!(store.sign_in_link(hash, at(1)).await.unwrap().is_none());
}

#[tokio::test]
async fn m02_the_file_of_a_server_and_what_is_no_database_are_no_backups() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    let store = SqliteStore::open(&file, Arc::<Standing>::default()).await.unwrap();
    let refusal = SqliteStore::expect_whole(&file).unwrap_err().to_string();
    assert!(refusal.contains("-wal") && refusal.contains("countersign backup"), "{refusal}");
    store.close().await;
    assert!(SqliteStore::expect_whole(&file).is_err(), "whether it was closed cannot be told");
    for content in ["", "SQLite", "no database, but a text that is longer than one hundred bytes"] {
        std::fs::write(&file, content).unwrap();
        let refusal = SqliteStore::expect_whole(&file).unwrap_err().to_string();
        assert!(refusal.contains("no backup"), "{refusal}");
    }
}

#[tokio::test]
async fn a_postgresql_is_filled_from_a_file_once_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    let source = SqliteStore::open(&file, Arc::<Standing>::default()).await.unwrap();
    furnish(&source).await;
    let evidence = filled(&source).await;
    let whole = directory.path().join("whole.db");
    source.backup(&whole).await.unwrap();

    let url = testing::postgres::database().await;
    PostgresStore::fill(&url, &whole).await.unwrap();
    let target = PostgresStore::open(&url, Arc::<Standing>::default()).await.unwrap();
    assert_eq!(assert_same_beginning(&target, &source).await, source.ledger_size().await.unwrap());
    assert_eq!(target.counts().await.unwrap().len(), source.counts().await.unwrap().len());
    assert!(target.evidence_bytes(evidence).await.unwrap().is_some());
    // It goes on where the file ended, and its schema guards it as before.
    target.commit(staging(20)).await.unwrap();
    let again = PostgresStore::fill(&url, &whole).await;
    assert!(matches!(again, Err(StoreError::NotEmpty)), "{again:?}");
    let mut raw = sqlx::PgConnection::connect(&url).await.unwrap();
    let changed = sqlx::query("UPDATE entries SET at = 0").execute(&mut raw).await.unwrap_err();
    assert!(changed.to_string().contains("I8"), "{changed}");

    // A file that does not fit leaves nothing.
    let url = testing::postgres::database().await;
    self::raw(&whole, "DELETE FROM agents").await;
    assert!(PostgresStore::fill(&url, &whole).await.is_err());
    let target = PostgresStore::open_to_read(&url).await.unwrap();
    assert_eq!(target.ledger_size().await.unwrap(), 0);
    assert_eq!(target.instance().await.unwrap(), None);
    let back = directory.path().join("back.db");
    target.backup(&back).await.unwrap();
    assert!(SqliteStore::open_to_read(&back).await.unwrap().instance().await.unwrap().is_none());
}

/// Holds a PostgreSQL where its last table is to be written: the work before it is done by then.
async fn held_at_the_end(url: &str) -> sqlx::PgConnection {
    let mut raw = sqlx::PgConnection::connect(url).await.unwrap();
    let hold = "BEGIN; LOCK TABLE sign_in_links IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(hold).execute(&mut raw).await.unwrap();
    raw
}

/// Returns when somebody waits for that table.
async fn somebody_waits(url: &str) {
    let mut raw = sqlx::PgConnection::connect(url).await.unwrap();
    let waits = "SELECT EXISTS (SELECT 1 FROM pg_locks \
                 WHERE relation = 'sign_in_links'::regclass AND NOT granted)";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut raw).await.unwrap() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn m05_filling_a_postgresql_that_is_cut_midway_leaves_it_empty() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    let source = SqliteStore::open(&file, Arc::<Standing>::default()).await.unwrap();
    furnish(&source).await;
    filled(&source).await;
    let whole = directory.path().join("whole.db");
    source.backup(&whole).await.unwrap();

    let url = testing::postgres::database().await;
    let held = held_at_the_end(&url).await;
    let filling = tokio::spawn({
        let (url, whole) = (url.clone(), whole.clone());
        async move { PostgresStore::fill(&url, &whole).await }
    });
    somebody_waits(&url).await;
    filling.abort();
    assert!(filling.await.unwrap_err().is_cancelled());
    held.close().await.unwrap();
    let target = PostgresStore::open_to_read(&url).await.unwrap();
    assert_eq!(target.instance().await.unwrap(), None, "nothing that a server would start on");
    assert_eq!(target.ledger_size().await.unwrap(), 0);
    PostgresStore::fill(&url, &whole).await.unwrap();
    let filled = PostgresStore::open(&url, Arc::<Standing>::default()).await.unwrap();
    assert_same_beginning(&filled, &source).await;
}

#[tokio::test]
async fn m05_a_copy_of_a_postgresql_that_is_not_finished_is_no_database_of_ours() {
    let directory = tempfile::tempdir().unwrap();
    let url = testing::postgres::database().await;
    let source = PostgresStore::open(&url, Arc::<Standing>::default()).await.unwrap();
    furnish(&source).await;
    let held = held_at_the_end(&url).await;
    let file = directory.path().join("half.db");
    let (ended, ()) = tokio::join!(source.backup(&file), async {
        somebody_waits(&url).await;
        // What a machine that stops now leaves behind.
        std::fs::copy(&file, directory.path().join("left.db")).unwrap();
        held.close().await.unwrap();
    });
    ended.unwrap();
    let left = directory.path().join("left.db");
    let read = SqliteStore::open_to_read(&left).await.unwrap();
    assert_eq!(read.instance().await.unwrap(), None, "there is no ledger in it");
    read.close().await;
    let opened = SqliteStore::open(&left, Arc::<Standing>::default()).await.err();
    assert!(matches!(opened, Some(StoreError::SchemaAltered(_))), "{opened:?}");
}
