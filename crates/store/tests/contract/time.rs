//! Time goes on from the newest entry, whatever a clock shows (I12).

use std::sync::Arc;

use domain::entry::HouseFact;
use domain::{Actor, Entry, Fact, Request, Timestamp};
use store::{Change, NewFact, Store, StoreError, Write};

use crate::fixture::{BOB, Standing, approval, at, fact, following, furnish, named, staging};
use crate::rules::Database;

/// A change that says only that it was later.
fn later(second: i64) -> Change {
    let signed_out = HouseFact::SignedOut { person: BOB };
    let facts = vec![NewFact { at: at(second), ..fact(Actor::System, signed_out) }];
    Change { facts, ..Change::default() }
}

async fn entries(store: &dyn Store) -> Vec<Entry> {
    let entries = store.entries(0, 1000).await.unwrap();
    entries.iter().map(|entry| serde_json::from_slice(&entry.body).unwrap()).collect()
}

async fn times(store: &dyn Store) -> Vec<Timestamp> {
    entries(store).await.iter().map(|entry| entry.at).collect()
}

pub async fn i12_a_clock_set_back_revives_nothing_and_records_nothing_before_the_newest_entry(
    database: impl Database,
) {
    let clock = Arc::<Standing>::default();
    let store = database.open_by(Arc::clone(&clock)).await.unwrap();
    furnish(&*store).await;
    let link = |hash| Write::SignInLink { hash, person: BOB, expires_at: at(4000) };
    let writes = vec![link([1; 32]), link([2; 32])];
    store.commit(Change { writes, ..Change::default() }).await.unwrap();
    clock.put(5000);
    store.commit(later(5000)).await.unwrap();

    clock.put(1400);
    assert_eq!(store.newest_entry_at(), at(5000));
    let lapsed = Change { valid_until: Some(at(4000)), ..later(1400) };
    assert!(matches!(store.commit(lapsed).await, Err(StoreError::TooLate)));
    let spend = |hash| Change { writes: vec![Write::SpendSignInLink { hash }], ..later(1400) };
    assert!(matches!(store.commit(spend([1; 32])).await, Err(StoreError::LinkSpent)));
    // What is decided all the same has the time of the newest entry, in the row as in the entry.
    let change = staging(1);
    let (id, digest) = named(&change);
    store.commit(change).await.unwrap();
    store.commit(following(&*store, id, approval(digest)).await).await.unwrap();
    assert!(times(&*store).await.is_sorted());
    let stored = store.load(id).await.unwrap().unwrap();
    assert_eq!((stored.request.staged_at, stored.changed_at), (at(5000), at(5000)));
    let mut recorded = None;
    for entry in entries(&*store).await {
        if let Fact::Request(fact) = &entry.fact {
            recorded = Some(Request::evolve(recorded, fact, entry.at).unwrap());
        }
    }
    assert_eq!(recorded, Some(stored.request));

    // And so after a restart.
    store.close().await;
    drop(store);
    let store = database.open_by(clock).await.unwrap();
    assert_eq!(store.newest_entry_at(), at(5000));
    let lapsed = Change { valid_until: Some(at(4000)), ..later(1400) };
    assert!(matches!(store.commit(lapsed).await, Err(StoreError::TooLate)));
    assert!(matches!(store.commit(spend([2; 32])).await, Err(StoreError::LinkSpent)));
}

pub async fn i12_k13_a_clock_that_is_a_day_behind_records_nothing(database: impl Database) {
    let clock = Arc::<Standing>::default();
    let store = database.open_by(Arc::clone(&clock)).await.unwrap();
    furnish(&*store).await;
    let ten_years = 10 * 365 * 86_400;
    clock.put(ten_years);
    store.commit(later(ten_years)).await.unwrap();
    clock.put(ten_years - 86_400);
    store.commit(later(ten_years)).await.unwrap();
    // Mended, after it was wrong by ten years.
    clock.put(100);
    let size = store.ledger_size().await.unwrap();
    assert!(matches!(store.commit(later(100)).await, Err(StoreError::ClockBehind { .. })));
    assert_eq!(store.ledger_size().await.unwrap(), size);
    store.close().await;
    drop(store);
    let opened = database.open_by(clock).await.err();
    let newest = at(ten_years);
    assert!(
        matches!(opened, Some(StoreError::ClockBehind { newest: found, .. }) if found == newest),
        "{opened:?}"
    );
}

pub async fn i12_a_change_decided_in_a_future_that_has_not_come_is_decided_anew(
    database: impl Database,
) {
    let store = database.furnished().await;
    assert!(matches!(store.commit(later(106)).await, Err(StoreError::Stale)));
    assert_eq!(store.newest_entry_at(), at(0));
    store.commit(later(105)).await.unwrap();
    assert_eq!(store.newest_entry_at(), at(105));
}

pub async fn i12_times_of_entries_never_go_back_however_many_commit_at_once(
    database: impl Database,
) {
    let store = database.furnished().await;
    let commits = (0..200).map(|number: i64| store.commit(later(number * 37 % 100)));
    let answers = futures::future::join_all(commits).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let times = times(&*store).await;
    assert_eq!(times.len(), 205);
    assert!(times.is_sorted(), "{times:?}");
}
