//! Checkpoints as they are kept: grown, never replaced, never taken back.

use std::path::Path;
use std::sync::Arc;

use domain::entry::HouseFact;
use domain::{Actor, InstanceId, PersonId, Timestamp};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use store::read::StoredCheckpoint;
use store::{Change, NewFact, Side, SqliteStore, Store, StoreError, SystemClock, Write};
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).unwrap().plus_seconds(second)
}

fn fact(fact: HouseFact) -> NewFact {
    NewFact { at: at(0), actor: Actor::System, request: None, fact: fact.into(), texts: vec![] }
}

/// A store with as many entries, of which index 1 and 3 name keys.
async fn of_size(path: &Path, size: u128) -> SqliteStore {
    let store = SqliteStore::open(path, Arc::new(SystemClock)).await.unwrap();
    let facts = (0..size).map(|index| match index {
        1 | 3 => {
            fact(HouseFact::CheckpointKeyNamed { key: format!("key {index}"), signature: None })
        }
        _ => fact(HouseFact::SignedOut { person: PersonId(Uuid::from_u128(index)) }),
    });
    let writes = vec![Write::Instance { id: InstanceId(Uuid::from_u128(1)) }];
    let change = Change { facts: facts.collect(), writes, ..Change::default() };
    store.commit(change).await.unwrap();
    store
}

fn checkpoint(size: u64, note: &str) -> StoredCheckpoint {
    StoredCheckpoint { size, issued_at: at(1), note: note.into() }
}

async fn keep(store: &SqliteStore, size: u64, note: &str) -> Result<(), StoreError> {
    store.side(Side::Checkpoint(checkpoint(size, note))).await
}

#[tokio::test]
async fn i8_the_first_checkpoint_of_a_size_stays_and_older_sizes_come_too_late() {
    let dir = tempfile::tempdir().unwrap();
    let store = of_size(&dir.path().join("a.db"), 9).await;
    assert_eq!(store.newest_checkpoint().await.unwrap(), None);
    for (size, note) in [(4, "four"), (4, "another four"), (7, "seven"), (5, "five"), (9, "nine")] {
        keep(&store, size, note).await.unwrap();
    }
    let all = store.checkpoints(0, 10).await.unwrap();
    assert_eq!(all, [checkpoint(4, "four"), checkpoint(7, "seven"), checkpoint(9, "nine")]);
    assert_eq!(store.checkpoints(5, 1).await.unwrap(), [checkpoint(7, "seven")]);
    assert_eq!(store.newest_checkpoint().await.unwrap(), Some(checkpoint(9, "nine")));
    assert!(keep(&store, 10, "of what is not there").await.is_err());
    assert_eq!(store.newest_checkpoint().await.unwrap(), Some(checkpoint(9, "nine")));
}

#[tokio::test]
async fn i8_nodes_are_read_as_far_as_they_go_without_a_gap_and_key_entries_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = of_size(&dir.path().join("a.db"), 7).await;
    let leaves = store.tree_nodes(0, 2, 100).await.unwrap();
    let entries = store.entries(2, 100).await.unwrap();
    assert_eq!(leaves, entries.iter().map(|entry| entry.leaf.0).collect::<Vec<_>>());
    let pairs = store.tree_nodes(1, 0, 3).await.unwrap();
    assert_eq!(pairs.len(), 3);
    assert_eq!(pairs[1], domain::merkle::node_hash(&leaves[0], &leaves[1]));
    assert_eq!(store.tree_nodes(1, 3, 4).await.unwrap(), Vec::<[u8; 32]>::new());
    let named = store.key_entries().await.unwrap();
    assert_eq!(named.iter().map(|entry| entry.index).collect::<Vec<_>>(), [1, 3]);
}

#[tokio::test]
async fn l14_the_schema_lets_no_checkpoint_be_changed_removed_or_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let store = of_size(&path, 6).await;
    keep(&store, 5, "five").await.unwrap();
    store.close().await;
    let mut raw =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
    for sql in [
        "UPDATE checkpoints SET note = 'x'",
        "DELETE FROM checkpoints",
        "INSERT OR REPLACE INTO checkpoints VALUES (5, 0, 'x')",
        "INSERT INTO checkpoints VALUES (4, 0, 'x')",
        "INSERT INTO checkpoints VALUES (7, 0, 'x')",
    ] {
        let error = sqlx::query(sql).execute(&mut raw).await.expect_err(sql).to_string();
        assert!(error.contains("I8"), "{sql}: {error}");
    }
}
