//! A server that is killed while it has a lot to do (threats K05).

use crate::caller::{APPROVER, Caller};
use crate::house::{Facts, House};
use crate::journal::Load;
use crate::server::Server;

/// How many clients act at once.
const CLIENTS: usize = 6;
/// The most requests that come to their end before a kill.
const BUSY: u64 = 12;

/// How often something is killed or cut, in the short form.
const ROUNDS: usize = 10;

/// The number of rounds: that of the short form, unless the environment says otherwise.
pub fn rounds(short: usize) -> usize {
    std::env::var("COUNTERSIGN_ROUNDS").ok().map_or(short, |text| text.parse().unwrap())
}

/// A row of numbers that looks like chance and is the same in every run (SplitMix64).
pub struct Chance(pub u64);

impl Chance {
    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i3_i6_i7_k05_a_server_killed_under_load_loses_nothing_acknowledged() {
    let house = House::new().await;
    let (mut facts, mut chance) = (Facts::default(), Chance(5));
    let (mut entries, mut requests, mut unanswered) = (0, 0, 0);
    for entry in house.entries(0).await {
        entries = entry.index + 1;
    }
    for round in 0..rounds(ROUNDS) {
        let (server, caller) = house.serve().await;
        // So many requests within an hour are a high risk: for that one signs in anew.
        let caller = caller.sign_in(APPROVER).await;
        let load = Load::start(std::slice::from_ref(&caller), &format!("k{round}"), CLIENTS);
        load.reach(usize::try_from(chance.below(BUSY)).unwrap()).await;
        // Not always between two answers.
        for _ in 0..chance.below(2000) {
            std::hint::spin_loop();
        }
        server.kill();
        let mut journeys = load.end().await;
        house.assert_whole(&format!("after kill {round}"));
        let server = Server::start(&house.place).await;
        let caller = Caller::new(&caller.desk, &server.url);
        let found = house.entries(entries).await;
        facts.take(&found);
        entries += found.len() as u64;
        journeys.iter().for_each(|journey| journey.assert_recorded(&facts));
        for journey in &mut journeys {
            unanswered += usize::from(!journey.is_at_its_end());
            assert!(journey.go_on(&caller).await, "{journey:?}");
            journey.assert_settled(&caller).await;
        }
        requests += journeys.len();
        let found = house.entries(entries).await;
        facts.take(&found);
        entries += found.len() as u64;
        journeys.iter().for_each(|journey| journey.assert_recorded(&facts));
        // None was staged twice, and none that nobody knows of.
        assert_eq!(facts.total("RequestStaged"), requests, "after kill {round}");
        assert_eq!(facts.total("ReleaseRedeemed"), requests, "after kill {round}");
        server.kill();
    }
    house.assert_whole("at the end");
    println!(
        "proved: {} kills, {requests} requests, {unanswered} of them with a call that was cut off, \
         {entries} entries",
        rounds(ROUNDS)
    );
}
