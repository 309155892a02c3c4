//! Checkpoints as they are kept: grown, never replaced, never taken back; and what they rest on.

use std::sync::Arc;

use domain::entry::HouseFact;
use domain::{Actor, InstanceId, PersonId};
use store::read::StoredCheckpoint;
use store::{Change, NewFact, Side, Store, StoreError, Write};
use uuid::Uuid;

use crate::fixture::at;
use crate::rules::Database;

fn fact(fact: HouseFact) -> NewFact {
    NewFact { at: at(0), actor: Actor::System, request: None, fact: fact.into(), texts: vec![] }
}

/// A store with as many entries, of which index 1 and 3 name keys.
async fn of_size(database: &impl Database, size: u128) -> Arc<dyn Store> {
    let store = database.open().await;
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

pub async fn keep(store: &dyn Store, size: u64, note: &str) -> Result<(), StoreError> {
    store.side(Side::Checkpoint(checkpoint(size, note))).await
}

pub async fn i8_the_first_checkpoint_of_a_size_stays_and_older_sizes_come_too_late(
    database: impl Database,
) {
    let store = of_size(&database, 9).await;
    assert_eq!(store.newest_checkpoint().await.unwrap(), None);
    for (size, note) in [(4, "four"), (4, "another four"), (7, "seven"), (5, "five"), (9, "nine")] {
        keep(&*store, size, note).await.unwrap();
    }
    let all = store.checkpoints(0, 10).await.unwrap();
    assert_eq!(all, [checkpoint(4, "four"), checkpoint(7, "seven"), checkpoint(9, "nine")]);
    assert_eq!(store.checkpoints(5, 1).await.unwrap(), [checkpoint(7, "seven")]);
    assert_eq!(store.newest_checkpoint().await.unwrap(), Some(checkpoint(9, "nine")));
    assert!(keep(&*store, 10, "of what is not there").await.is_err());
    assert_eq!(store.newest_checkpoint().await.unwrap(), Some(checkpoint(9, "nine")));
}

pub async fn i8_nodes_are_read_as_far_as_they_go_without_a_gap_and_key_entries_in_order(
    database: impl Database,
) {
    let store = of_size(&database, 7).await;
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
