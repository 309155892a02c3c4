//! Random histories of a whole server, held against a model of what must never happen.
//!
//! A history is a row of turns: people, agents, the clock and an operator act in any order, calls
//! are cut off, the server restarts. Every entry that the ledger gains is held against [`model`],
//! which knows the rules in another form and reads no table of ours. A call that was cut off may
//! have happened or not; one that was refused must not have. At the end the ledger is verified and
//! the tables are built anew from it.
//!
//! The histories are the same in every run. `COUNTERSIGN_ROUNDS` sets how many there are; on
//! PostgreSQL (`COUNTERSIGN_TEST_DATABASE=postgres`) the turns go to two servers.

mod model;
mod turns;
mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;

use domain::StateName;
use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use turns::{Deed, Turn, turn};
use world::World;

/// How many histories there are.
const HISTORIES: &str = "COUNTERSIGN_ROUNDS";
const SHORT: u32 = 32;
/// Fewer states than this mean that the histories go nowhere. (There are 15; where calls are cut
/// off differs from run to run, so a rare one may be missing.)
const STATES: usize = 12;

/// What was looked at.
#[derive(Debug, Default)]
struct Seen {
    histories: usize,
    turns: usize,
    cut: usize,
    entries: u64,
    quorums_lost: usize,
    /// How many requests came to each state.
    reached: BTreeMap<StateName, usize>,
}

#[test]
fn i1_i2_i3_i4_i6_i7_i9_i10_i12_hold_in_every_history() {
    let histories = std::env::var(HISTORIES).map_or(SHORT, |text| text.parse().unwrap());
    let config = Config {
        cases: histories,
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let seen = RefCell::new(Seen::default());
    let run = TestRunner::new_with_rng(config, rng).run(&vec(turn(), 40..=80), |turns| {
        runtime.block_on(live(&turns, &mut seen.borrow_mut()));
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
    let Seen { histories, turns, cut, entries, quorums_lost, reached } = seen.into_inner();
    println!(
        "proved: {histories} histories, {turns} turns, {cut} calls cut off, {entries} entries, {quorums_lost} quorums lost, \
         requests that came to a state: {reached:?}"
    );
    assert!(reached.len() >= STATES, "the histories go nowhere: {reached:?}");
}

async fn live(turns: &[Turn], seen: &mut Seen) {
    let mut world = World::new().await;
    for turn in turns {
        match turn.deed {
            Deed::Restart => world = world.restarted().await,
            _ => world.take(turn).await,
        }
    }
    // What was cut off is written by now, or never.
    world = world.restarted().await;
    world.settle().await;
    seen.histories += 1;
    seen.turns += turns.len();
    seen.cut += world.cut;
    seen.entries += world.entries;
    seen.quorums_lost += world.model.quorums_lost;
    for state in world.model.states_reached() {
        *seen.reached.entry(state).or_default() += 1;
    }
    world.end().await;
}
