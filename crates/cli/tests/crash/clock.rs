//! A clock that is set while the server runs, forwards and back (threats K13), by libfaketime.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::caller::{APPROVER, Caller, text};
use crate::house::{Facts, House};
use crate::server::{Server, refused};

/// What the clock shows beside the machine's, in hours: what is pending ends after 48, an approval
/// after 24, an execution within one; a clock may be a day behind the ledger. Ten years is the last.
const JUMPS: [i64; 11] = [0, 2, 60, 48, 61, 62, 180, 179, -90, 181, 87_600];
/// An agent's key lives for three months.
const KEYS_LIVE: i64 = 90 * 24;

/// A clock that a test sets.
struct Dial {
    directory: PathBuf,
}

impl Dial {
    /// Sets it so many hours off the machine's.
    fn set(&self, hours: i64) {
        // A reader finds the one or the other.
        let next = self.directory.join("clock.next");
        std::fs::write(&next, format!("{hours:+}h\n")).unwrap();
        std::fs::rename(next, self.file()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.directory.join("clock")
    }

    /// A server that goes by it.
    async fn serve(&self, house: &House) -> Server {
        let (file, yes) = (self.file(), Path::new("1"));
        let environment = [
            ("LD_PRELOAD", library().as_path()),
            ("FAKETIME_TIMESTAMP_FILE", file.as_path()),
            ("FAKETIME_NO_CACHE", yes),
            // Timeouts go by a clock that nobody can set.
            ("FAKETIME_DONT_FAKE_MONOTONIC", yes),
            ("DONT_FAKE_MONOTONIC", yes),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        let environment: Vec<_> = environment.iter().map(|(n, v)| (*n, v.as_path())).collect();
        Server::start_with(&house.place, &environment).await
    }
}

/// Where Debian has libfaketime for programs with threads.
fn library() -> PathBuf {
    let found = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path());
    let mut found = found.map(|directory| directory.join("faketime/libfaketimeMT.so.1"));
    found
        .find(|file| file.exists())
        .unwrap_or_else(|| panic!("no libfaketime: `cargo xtask test` installs it on Debian"))
}

/// Every request, and what was last said of it.
struct Watch {
    requests: Vec<Request>,
    /// How many of them people have approved, and were redeemed.
    approved: usize,
    redeemed: usize,
}

struct Request {
    staged: Value,
    shown: String,
    state: String,
}

impl Watch {
    /// One more request of each sort: pending, approved, executing.
    async fn add(&mut self, caller: &Caller, name: &str) {
        for state in ["pending", "approved", "executing"] {
            let staged = caller.stage(&format!("{name}-{state}")).await.unwrap().granted().unwrap();
            let shown = caller.shown(&staged).await.unwrap();
            if state != "pending" {
                assert_eq!(caller.approve(&staged, &shown).await.unwrap().status, 303);
                self.approved += 1;
            }
            if state == "executing" {
                let redeemed = caller.redeem(&staged, text(&staged["id"])).await.unwrap();
                assert!(redeemed.granted().is_some());
                self.redeemed += 1;
            }
            self.requests.push(Request { staged, shown, state: state.to_owned() });
        }
    }

    /// Every state is as it was, or where time alone leads.
    async fn look(&mut self, caller: &Caller, may_end: bool, when: &str) {
        for request in &mut self.requests {
            let read = caller.read(text(&request.staged["id"])).await.unwrap();
            let state = text(&read.granted().unwrap()["state"]).to_owned();
            let end = ended(&request.state);
            let holds = state == request.state || (may_end && Some(state.as_str()) == end);
            assert!(holds, "{when}: {} became {state}", request.state);
            request.state = state;
        }
    }

    /// What is over stays so, whoever asks.
    async fn assert_over(&mut self, caller: &Caller, when: &str) {
        for request in &self.requests {
            match request.state.as_str() {
                "expired" => drop(caller.approve(&request.staged, &request.shown).await.unwrap()),
                "lapsed" => {
                    let answer = caller.redeem(&request.staged, "too-late").await.unwrap();
                    assert_ne!(answer.status, 200, "{when}: {answer:?}");
                }
                _ => {}
            }
        }
        self.look(caller, false, when).await;
    }

    /// Returns once the sweeper has written down that nothing is open any more.
    async fn swept(&self, house: &House) {
        let over = ["RequestExpired", "ReleaseLapsed", "OutcomeMissed"];
        loop {
            let facts = Facts::of(&house.entries(0).await);
            let is_over =
                |request: &Request| over.iter().any(|fact| facts.count(&request.staged, fact) == 1);
            if self.requests.iter().all(is_over) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Where time alone leads.
fn ended(state: &str) -> Option<&'static str> {
    match state {
        "pending" => Some("expired"),
        "approved" => Some("lapsed"),
        "executing" => Some("outcome_unknown"),
        _ => None,
    }
}

#[tokio::test]
async fn i2_i12_k13_a_clock_that_is_set_approves_nothing_and_revives_nothing() {
    let house = House::new().await;
    let dial = Dial { directory: house.directory.path().to_owned() };
    dial.set(0);
    let before = Facts::of(&house.entries(0).await);
    let mut server = dial.serve(&house).await;
    let mut watch = Watch { requests: Vec::new(), approved: 0, redeemed: 0 };
    // The hour of the newest entry, and how often each sort of hour came.
    let (mut newest, mut seen) = (0, BTreeMap::<&str, usize>::new());
    for hours in JUMPS {
        let when = format!("at {hours} hours");
        dial.set(hours);
        let mut caller = Caller::new(&house.desk, &server.url);
        let ahead = hours - newest;
        let sort = match ahead {
            i64::MIN..=-25 => "far back",
            -24..=-1 => "back",
            0..=47 => "a little forwards",
            48.. => "far forwards",
        };
        *seen.entry(sort).or_default() += 1;
        if sort == "far forwards" {
            watch.swept(&house).await;
        }
        if hours > KEYS_LIVE {
            assert_eq!(caller.stage(&format!("{hours}")).await.unwrap().status, 401, "{when}");
            newest = hours;
            continue;
        }
        watch.look(&caller, ahead > 0, &when).await;
        if sort != "far back" {
            // Sessions end after an hour.
            caller = caller.sign_in(APPROVER).await;
        }
        watch.assert_over(&caller, &when).await;
        if sort == "far back" {
            // Time would stand still for too long: nothing is decided until somebody looks.
            assert_eq!(caller.stage(&format!("{hours}")).await.unwrap().status, 503, "{when}");
            continue;
        }
        newest = newest.max(hours);
        watch.add(&caller, &format!("t{hours}")).await;
        assert!(server.lives());
    }
    let entries = house.entries(0).await;
    assert!(entries.is_sorted_by_key(|entry| entry.at), "time goes back in the ledger");
    let facts = Facts::of(&entries);
    let came = |fact: &str| facts.total(fact) - before.total(fact);
    assert_eq!(
        (came("RequestApproved"), came("ReleaseRedeemed")),
        (watch.approved, watch.redeemed)
    );
    server.kill();
    house.assert_whole("after the jumps");
    // A machine whose clock is right again is far behind such a ledger, and it is said so.
    let error = refused(&house.place);
    assert!(error.contains("clock"), "{error}");
    println!(
        "proved: a running server's clock set {} times ({seen:?}), {} requests watched",
        JUMPS.len(),
        watch.requests.len()
    );
}
