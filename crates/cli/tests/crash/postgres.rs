//! A PostgreSQL that goes away: cut off while it has a lot to do, its sessions ended, and lines that
//! break around a COMMIT (threats K08, K09).

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use testing::postgres::OwnServer;

use crate::caller::{APPROVER, Caller};
use crate::house::{Facts, House};
use crate::journal::{Journey, Load};
use crate::kills::{Chance, rounds};
use crate::proxy::{Cut, Proxy};

/// How often PostgreSQL goes away in the short form, and how often lines are cut at each place.
const ROUNDS: usize = 5;
const CLIENTS: usize = 6;
const BUSY: u64 = 12;
/// How often a client asks again before it takes a server for dead: it has ten seconds to recover.
const TRIES: usize = 200;

/// A house on a PostgreSQL of its own, and what its ledger said so far.
struct Away {
    postgres: OwnServer,
    house: House,
    facts: Facts,
    entries: u64,
    requests: usize,
}

impl Away {
    async fn new() -> Self {
        let postgres = OwnServer::start();
        let house = House::on(tempfile::tempdir().unwrap(), postgres.url()).await;
        let entries = house.entries(0).await.len() as u64;
        Self { postgres, house, facts: Facts::default(), entries, requests: 0 }
    }

    async fn read_on(&mut self) {
        let found = self.house.entries(self.entries).await;
        self.facts.take(&found);
        self.entries += found.len() as u64;
    }

    /// What was acknowledged is there; every request then goes on to its end, once.
    async fn settle(&mut self, journeys: &mut [Journey], caller: &Caller, when: &str) {
        self.house.assert_whole(when);
        self.read_on().await;
        journeys.iter().for_each(|journey| journey.assert_recorded(&self.facts));
        for journey in &mut *journeys {
            go_on(journey, caller).await;
            journey.assert_settled(caller).await;
        }
        self.requests += journeys.len();
        self.read_on().await;
        journeys.iter().for_each(|journey| journey.assert_recorded(&self.facts));
        assert_eq!(self.facts.total("RequestStaged"), self.requests, "{when}");
        assert_eq!(self.facts.total("ReleaseRedeemed"), self.requests, "{when}");
    }

    /// Ends every session that the product has.
    async fn end_sessions(&self) {
        let mut admin = PgConnection::connect(&self.postgres.url()).await.unwrap();
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        sqlx::query(end).execute(&mut admin).await.unwrap();
    }
}

/// Brings a request to its end, however often its server has to be asked while it recovers.
async fn go_on(journey: &mut Journey, caller: &Caller) {
    for _ in 0..TRIES {
        if journey.go_on(caller).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server does not recover: {journey:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i3_i6_i7_k08_a_postgresql_that_is_cut_off_under_load_loses_nothing_acknowledged() {
    let mut away = Away::new().await;
    let (mut chance, mut unanswered) = (Chance(8), 0);
    let (mut server, mut caller) = away.house.serve().await;
    for round in 0..rounds(ROUNDS) {
        if round % 5 == 0 {
            // So many requests within an hour are a high risk: for that one signs in anew.
            caller = caller.sign_in(APPROVER).await;
        }
        let load = Load::start(std::slice::from_ref(&caller), &format!("k08-{round}"), CLIENTS);
        load.reach(usize::try_from(chance.below(BUSY)).unwrap()).await;
        if round % 2 == 0 {
            away.postgres.cut_off();
            away.postgres.start_again();
        } else {
            away.end_sessions().await;
        }
        let mut journeys = load.end().await;
        unanswered += journeys.iter().filter(|journey| !journey.is_at_its_end()).count();
        away.settle(&mut journeys, &caller, &format!("round {round}")).await;
        assert!(server.lives(), "the server outlives its database");
    }
    println!(
        "proved: PostgreSQL cut off or its sessions ended {} times, {} requests, {unanswered} of \
         them with a call that was cut off, {} entries",
        rounds(ROUNDS),
        away.requests,
        away.entries
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i3_i6_i7_k09_a_line_cut_around_a_commit_makes_nothing_twice_and_loses_nothing() {
    let mut away = Away::new().await;
    let proxy = Proxy::start(away.postgres.socket()).await;
    let direct = away.house.place.database.clone();
    away.house.place.database =
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", proxy.port);
    let (mut server, mut caller) = away.house.serve().await;
    away.house.place.database = direct;
    let mut unanswered = 0;
    for round in 0..rounds(ROUNDS) {
        if round % 5 == 0 {
            // So many requests within an hour are a high risk: for that one signs in anew.
            caller = caller.sign_in(APPROVER).await;
        }
        for cut in [Cut::Before, Cut::After] {
            // At each of the three calls in turn: the ones before it go through.
            for calls in 0..3 {
                let mut journey = Journey::new(format!("k09-{round}-{cut:?}-{calls}"));
                for _ in 0..calls {
                    assert!(journey.step(&caller).await, "{journey:?}");
                }
                proxy.cut(cut);
                unanswered += usize::from(!journey.step(&caller).await);
                proxy.cut(Cut::Not);
                let when = format!("round {round}, {cut:?} the commit of call {calls}");
                away.settle(&mut [journey], &caller, &when).await;
            }
        }
    }
    assert!(server.lives(), "the server outlives its lines");
    assert!(proxy.cuts() >= rounds(ROUNDS) * 5, "{} cuts", proxy.cuts());
    println!(
        "proved: {} lines cut before or after a COMMIT of staging, a review or a redemption, \
         {unanswered} of them not made good at once; {} requests",
        proxy.cuts(),
        away.requests
    );
}
