//! Several nodes on one database: one ledger, one leader, nobody stopped by somebody who stopped.

use std::sync::Arc;
use std::time::Duration;

use domain::entry::HouseFact;
use domain::{Actor, PersonId, Timestamp};
use sqlx::PgConnection;
use store::{
    Change, Changed, Clock, NewFact, PostgresStore, Store, StoreError, SystemClock, Write,
};
use tokio::sync::broadcast::Receiver;
use uuid::Uuid;

use super::Postgres;
use crate::fixture::{INSTANCE, Standing, at, fact, furnish, person, staging};
use crate::rules::Database;

/// Waits for one change; the test runner bounds how long.
async fn wait_for(changes: &mut Receiver<Changed>, wanted: Changed) {
    while changes.recv().await.unwrap() != wanted {}
}

#[tokio::test]
async fn two_nodes_share_one_gapless_ledger() {
    let database = Postgres::new().await;
    let one = database.furnished().await;
    let two = database.open().await;
    let commits = (0..200).map(|number| {
        let node = if number % 2 == 0 { &one } else { &two };
        node.commit(staging(number))
    });
    let answers = futures::future::join_all(commits).await;
    let mut indices: Vec<u64> = answers.into_iter().map(|a| a.unwrap().first_index).collect();
    indices.sort_unstable();
    assert_eq!(indices, (5..205).collect::<Vec<u64>>());
    let entries = one.entries(0, 1000).await.unwrap();
    let mut tree = domain::merkle::Frontier::default();
    for entry in &entries {
        for node in tree.append(domain::merkle::leaf_hash(&entry.body)) {
            let (level, index) = (node.level, node.index);
            let stored = two.tree_nodes(level, index, index + 1).await.unwrap();
            assert_eq!(stored, [node.hash], "level {level} index {index}");
        }
    }
}

#[tokio::test]
async fn c12_a_node_hears_what_another_commits() {
    let database = Postgres::new().await;
    let one = database.furnished().await;
    let two = database.open().await;
    let mut changes = two.changes();
    // The listener is there: what follows is heard.
    wait_for(&mut changes, Changed::Anything).await;
    let change = staging(1);
    let told = Changed::of(&change.request.as_ref().unwrap().after);
    one.commit(change).await.unwrap();
    wait_for(&mut changes, told).await;
}

#[tokio::test]
async fn k08_a_node_whose_connections_are_ended_goes_on_and_hears_again() {
    let database = Postgres::new().await;
    database.furnished().await;
    let one = database.open().await;
    let mut changes = one.changes();
    // The listener is there.
    wait_for(&mut changes, Changed::Anything).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(end).execute(&mut database.raw().await).await.unwrap();
    one.commit(staging(1)).await.unwrap();
    assert_eq!(one.ledger_size().await.unwrap(), 6);
    // Once for the loss, once when it listens anew.
    wait_for(&mut changes, Changed::Anything).await;
    wait_for(&mut changes, Changed::Anything).await;
    let change = staging(2);
    let told = Changed::of(&change.request.as_ref().unwrap().after);
    one.commit(change).await.unwrap();
    wait_for(&mut changes, told).await;
}

/// A node that is paused in the midst of a batch, as its connection looks to the database.
async fn paused_with_the_lock(database: &Postgres) -> PgConnection {
    let mut raw = database.raw().await;
    let begin = "SET idle_in_transaction_session_timeout = '2s'; BEGIN; \
                 SELECT 1 FROM ledger_head FOR UPDATE";
    sqlx::raw_sql(begin).execute(&mut raw).await.unwrap();
    raw
}

#[tokio::test]
async fn k16_a_paused_node_that_has_the_lock_stops_nobody_and_commits_nothing() {
    let database = Postgres::new().await;
    let store = database.furnished().await;
    let mut paused = paused_with_the_lock(&database).await;
    store.commit(staging(1)).await.unwrap();
    assert!(sqlx::query("COMMIT").execute(&mut paused).await.is_err(), "it woke up too late");
}

#[tokio::test]
async fn c13_one_node_leads_until_it_stops_asking() {
    let database = Postgres::new().await;
    let clocks = [Arc::<Standing>::default(), Arc::<Standing>::default()];
    let open = |clock: &Arc<Standing>| PostgresStore::open(&database.0, Arc::clone(clock) as _);
    let (one, two) = (open(&clocks[0]).await.unwrap(), open(&clocks[1]).await.unwrap());
    assert!(one.try_lead("sweep").await.unwrap());
    assert!(!two.try_lead("sweep").await.unwrap());
    assert!(two.try_lead("another job").await.unwrap());
    clocks[1].put(102);
    assert!(!two.try_lead("sweep").await.unwrap(), "its lease still runs");
    clocks[1].put(103);
    assert!(two.try_lead("sweep").await.unwrap(), "nobody heard of the first for 3 s");
    assert!(!one.try_lead("sweep").await.unwrap());
    two.close().await;
    assert!(one.try_lead("sweep").await.unwrap(), "who closes steps down");
    clocks[0].put(-80_000);
    let back = PostgresStore::open(&database.0, Arc::clone(&clocks[0]) as _).await.unwrap();
    assert!(back.try_lead("sweep").await.unwrap(), "a clock set back stops nobody for long");
}

#[tokio::test]
async fn i12_a_node_goes_on_from_what_another_recorded_before_the_clock_was_set_back() {
    let database = Postgres::new().await;
    let clocks = [Arc::<Standing>::default(), Arc::<Standing>::default()];
    let open = |clock: &Arc<Standing>| PostgresStore::open(&database.0, Arc::clone(clock) as _);
    let (one, two) = (open(&clocks[0]).await.unwrap(), open(&clocks[1]).await.unwrap());
    furnish(&one).await;
    clocks[0].put(5000);
    let added = |number, name| person(PersonId(Uuid::from_u128(number)), name);
    let recorded_at = |second, new| {
        let facts = vec![NewFact { at: at(second), ..new }];
        one.commit(Change { facts, ..Change::default() })
    };
    recorded_at(5000, added(98, "Ann")).await.unwrap();
    let late = Change { valid_until: Some(at(4000)), ..staging(2) };
    assert!(matches!(two.commit(late).await, Err(StoreError::TooLate)), "its clock shows 100");
    let three = open(&clocks[1]).await.unwrap();
    clocks[0].put(6000);
    recorded_at(6000, added(99, "Cat")).await.unwrap();
    assert_eq!(three.newest_entry_at(), at(5000));
    three.try_lead("sweep").await.unwrap();
    assert_eq!(three.newest_entry_at(), at(6000), "who only reads hears of it soon");
}

/// A machine whose clock is five minutes slow.
struct Slow(SystemClock);

impl Clock for Slow {
    fn now(&self) -> Timestamp {
        self.0.now().plus_seconds(-300)
    }

    fn by_database(&self, waited: Duration, database: Timestamp) -> Timestamp {
        self.0.by_database(waited, database)
    }
}

#[tokio::test]
async fn k14_a_deadline_is_kept_by_the_clock_of_the_database() {
    let database = Postgres::new().await;
    let clock = Arc::new(Slow(SystemClock::default()));
    let node = PostgresStore::open(&database.0, Arc::clone(&clock) as _).await.unwrap();
    let created = |seconds| {
        let created = HouseFact::InstanceCreated { product_version: "test".into() };
        let facts = vec![NewFact { at: clock.now(), ..fact(Actor::System, created) }];
        let valid_until = Some(clock.now().plus_seconds(seconds));
        let writes = vec![Write::Instance { id: INSTANCE }];
        Change { valid_until, facts, writes, ..Change::default() }
    };
    assert!(matches!(node.commit(created(60)).await, Err(StoreError::TooLate)));
    assert!(node.commit(created(3600)).await.is_ok());
}
