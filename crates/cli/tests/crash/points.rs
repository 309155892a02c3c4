//! A fault at each system call by which a call is written down (threats K01, K02, K03, K07).
//!
//! Each point starts on a copy of one house, with one request that waits for its approver and one
//! that is approved. `strace` is on the server only while the one call is under way.

use serde_json::Value;

use crate::caller::{Answer, Caller};
use crate::house::{Facts, House};
use crate::server::Server;
use crate::strace::{Seen, Strace};

/// The system calls that change files, and the one that sends answers.
const SYSCALLS: [&str; 8] =
    ["pwrite64", "fsync", "fdatasync", "ftruncate", "openat", "unlink", "rename", "writev"];

/// What happens at a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The process is killed before the call is made.
    Kill,
    /// The call fails, once.
    Error(&'static str),
    /// The call fails from now on, until the disk is well again.
    Errors(&'static str),
}

const FAULTS: [Fault; 5] = [
    Fault::Kill,
    Fault::Error("EIO"),
    Fault::Error("ENOSPC"),
    Fault::Errors("EIO"),
    Fault::Errors("ENOSPC"),
];

/// What the server is asked for at the moment of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Stage,
    Review,
    Redeem,
    /// To end: the last checkpoint is issued, and the log of the database taken in.
    Stop,
}

/// The house that every point starts from.
struct Ground {
    house: House,
    pending: Value,
    approved: Value,
    /// What shows that the approver saw the pending one.
    shown: String,
    /// How many entries there are.
    entries: u64,
}

impl Fault {
    /// As strace understands it, from the `n`th call of its sort in a thread.
    fn expression(self, syscall: &str, n: usize) -> String {
        match self {
            Self::Kill => format!("inject={syscall}:signal=KILL:when={n}"),
            Self::Error(error) => format!("inject={syscall}:error={error}:when={n}"),
            Self::Errors(error) => format!("inject={syscall}:error={error}:when={n}+"),
        }
    }

    /// An answer that cannot be sent, or a socket that cannot be had, is no fault of a disk.
    fn concerns(self, syscall: &str) -> bool {
        self == Self::Kill || syscall != "writev"
    }
}

impl Call {
    const KEY: &str = "the-call";

    async fn make(self, ground: &Ground, caller: &Caller) -> Option<Answer> {
        match self {
            Self::Stage => caller.stage(Self::KEY).await,
            Self::Review => caller.approve(&ground.pending, &ground.shown).await,
            Self::Redeem => caller.redeem(&ground.approved, Self::KEY).await,
            Self::Stop => None,
        }
    }

    /// Ends the trace after the call; a server from which no answer came is dead, and one that
    /// stops is so now.
    async fn detach(self, server: &mut Server, strace: Strace, answer: &Option<Answer>) -> Seen {
        if self == Self::Stop {
            server.stop().await;
        }
        if answer.is_some() { strace.detach() } else { strace.ended() }
    }

    /// Whether the answer says that it is done.
    fn is_done(self, answer: &Answer) -> bool {
        answer.status
            == if self == Self::Review { 303 } else { 200 + u16::from(self == Self::Stage) }
    }

    /// Nothing is promised by such an answer; what happened shows later.
    fn is_failed(answer: &Answer) -> bool {
        answer.status == 503
    }

    /// The facts that it leaves, once each or not at all.
    fn facts(self) -> &'static [&'static str] {
        match self {
            Self::Stage => &["RequestStaged"],
            Self::Review => &["ReviewRecorded", "RequestApproved"],
            Self::Redeem => &["ReleaseRedeemed"],
            Self::Stop => &[],
        }
    }
}

impl Ground {
    /// Everything is in the database's log, and a server has nothing to do but what it is asked for.
    async fn new() -> Self {
        let house = House::new().await;
        let (server, caller) = house.serve().await;
        let pending = caller.stage("pending").await.unwrap().granted().unwrap();
        let approved = caller.stage("approved").await.unwrap().granted().unwrap();
        let shown = caller.shown(&approved).await.unwrap();
        assert_eq!(caller.approve(&approved, &shown).await.unwrap().status, 303);
        let shown = caller.shown(&pending).await.unwrap();
        house.vouched().await;
        server.kill();
        let entries = house.entries(0).await.len() as u64;
        Self { house, pending, approved, shown, entries }
    }

    /// As [`Ground::new`], with so much in the database's log that the next commit takes it in.
    async fn brimming() -> Self {
        let mut ground = Self::new().await;
        let (server, caller) = ground.house.serve().await;
        let log = ground.house.directory.path().join("gate.db-wal");
        // A reader that goes on keeps the log from being taken in.
        let reader = ground.house.reading().await;
        let brim = 1100 * (4096 + 24);
        for number in 0.. {
            if log.metadata().unwrap().len() > brim {
                break;
            }
            assert!(caller.stage(&format!("brim-{number}")).await.unwrap().granted().is_some());
        }
        ground.house.vouched().await;
        server.kill();
        drop(reader);
        ground.entries = ground.house.entries(0).await.len() as u64;
        ground
    }

    /// One fault at one system call of one call; whether there was such a call.
    async fn point(&self, call: Call, syscall: &str, fault: Fault, n: usize) -> bool {
        let when = format!("{call:?}, {fault:?} at {syscall} {n}");
        let house = self.house.copy();
        let (mut server, caller) = house.serve().await;
        let log = house.directory.path().join("strace.log");
        let expressions = [format!("trace={syscall}"), fault.expression(syscall, n)];
        let strace = Strace::attach(server.id(), log, &expressions);
        let first = call.make(self, &caller).await;
        let hit = call.detach(&mut server, strace, &first).await.fault();
        let done = first.as_ref().filter(|answer| call.is_done(answer));
        let told =
            first.as_ref().is_none_or(|answer| call.is_done(answer) || Call::is_failed(answer));
        assert!(told, "{when}: {first:?}");
        if !hit {
            // This time there were fewer of them.
            assert!(done.is_some() || call == Call::Stop, "{when}: {first:?}");
            return false;
        }
        self.assert_all_or_nothing(&house, call, done.is_some(), &when).await;
        if call != Call::Stop && fault != Fault::Kill {
            assert!(server.lives(), "{when}: it ended");
            // The disk is well again: so is the server.
            self.again(call, &caller, done, &when).await;
        }
        server.kill();
        house.assert_whole(&when);
        self.after_restart(&house, call, done, &when).await;
        true
    }

    /// Acknowledged is recorded, and all that belongs together is there together.
    async fn assert_all_or_nothing(&self, house: &House, call: Call, done: bool, when: &str) {
        let facts = Facts::of(&house.entries(self.entries).await);
        let counts: Vec<usize> = call.facts().iter().map(|fact| facts.total(fact)).collect();
        let whole = |times: usize| counts.iter().all(|count| *count == times);
        assert!(whole(1) || (whole(0) && !done), "{when}: {:?} {counts:?}", call.facts());
    }

    /// The same call under the same key has the outcome that was acknowledged, or the only one.
    async fn again(&self, call: Call, caller: &Caller, first: Option<&Answer>, when: &str) {
        let again = call.make(self, caller).await.unwrap();
        assert!(call.is_done(&again), "{when}, again: {again:?}");
        let same = |body: &Answer| {
            body.granted().map(|mut body| {
                // How long to wait before asking again is no part of the outcome.
                body.as_object_mut().unwrap().remove("retry_after_s");
                body
            })
        };
        assert!(
            first.is_none_or(|first| same(first) == same(&again)),
            "{when}: {first:?}, {again:?}"
        );
    }

    async fn after_restart(&self, house: &House, call: Call, done: Option<&Answer>, when: &str) {
        let (server, caller) = house.serve().await;
        self.assert_all_or_nothing(house, call, done.is_some(), when).await;
        if call != Call::Stop {
            self.again(call, &caller, done, when).await;
            self.again(call, &caller, done, when).await;
        }
        if call == Call::Redeem {
            let other = caller.redeem(&self.approved, "another-key").await.unwrap();
            assert_eq!(other.status, 409, "{when}: {other:?}");
        }
        self.assert_all_or_nothing(house, call, true, when).await;
        server.kill();
        house.assert_whole(when);
    }

    /// How often each sort of system call is made, at most, in one thread.
    async fn counted(&self, call: Call) -> Vec<(&'static str, usize)> {
        let house = self.house.copy();
        let (mut server, caller) = house.serve().await;
        let log = house.directory.path().join("strace.log");
        let strace = Strace::attach(server.id(), log, &[format!("trace={}", SYSCALLS.join(","))]);
        let answer = call.make(self, &caller).await;
        let seen = call.detach(&mut server, strace, &answer).await;
        SYSCALLS.iter().map(|syscall| (*syscall, seen.most(syscall))).collect()
    }

    /// Every `stride`th system call of each sort; how many faults there were.
    async fn points(&self, call: Call, faults: &[Fault], stride: usize) -> usize {
        let mut hits = 0;
        for (syscall, count) in self.counted(call).await {
            for fault in faults.iter().filter(|fault| fault.concerns(syscall)) {
                for n in (1..=count).step_by(stride) {
                    hits += usize::from(self.point(call, syscall, *fault, n).await);
                }
            }
        }
        hits
    }
}

/// All that can happen to one call, and how much of it was looked at.
async fn prove(ground: &Ground, call: Call, (faults, stride): (&[Fault], usize), beside: &str) {
    let hits = ground.points(call, faults, stride).await;
    assert!(hits > faults.len(), "{hits} faults are no proof");
    let calls = if stride == 1 { "each" } else { &format!("one in {stride}") };
    println!(
        "proved: {call:?}{beside}: {hits} faults of {} sorts, at {calls} of its system calls",
        faults.len()
    );
}

/// The short form: three sorts of fault at a sample of the system calls.
const SAMPLE: (&[Fault], usize) =
    (&[Fault::Kill, Fault::Error("EIO"), Fault::Errors("ENOSPC")], 31);
const EVERY: (&[Fault], usize) = (&FAULTS, 1);

#[tokio::test]
async fn i6_i7_k01_k02_k03_a_fault_at_a_sample_of_system_calls_leaves_all_or_nothing() {
    let ground = Ground::new().await;
    for call in [Call::Stage, Call::Review, Call::Redeem, Call::Stop] {
        prove(&ground, call, SAMPLE, "").await;
    }
}

#[tokio::test]
#[ignore = "the long form: cargo xtask prove --only crash"]
async fn i6_i7_k01_k02_k03_a_fault_at_every_system_call_of_staging_leaves_all_or_nothing() {
    prove(&Ground::new().await, Call::Stage, EVERY, "").await;
}

#[tokio::test]
#[ignore = "the long form: cargo xtask prove --only crash"]
async fn i6_i7_k01_k02_k03_a_fault_at_every_system_call_of_a_review_leaves_all_or_nothing() {
    prove(&Ground::new().await, Call::Review, EVERY, "").await;
}

#[tokio::test]
#[ignore = "the long form: cargo xtask prove --only crash"]
async fn i6_i7_k01_k02_k03_a_fault_at_every_system_call_of_a_redemption_leaves_all_or_nothing() {
    prove(&Ground::new().await, Call::Redeem, EVERY, "").await;
}

#[tokio::test]
#[ignore = "the long form: cargo xtask prove --only crash"]
async fn i6_i7_k01_k02_k03_a_fault_at_every_system_call_of_a_stop_leaves_all_or_nothing() {
    prove(&Ground::new().await, Call::Stop, EVERY, "").await;
}

#[tokio::test]
#[ignore = "the long form: cargo xtask prove --only crash"]
async fn i6_i7_k01_k02_k03_a_fault_while_the_log_is_taken_in_leaves_all_or_nothing() {
    let faults = (&[Fault::Kill, Fault::Error("EIO")][..], 1);
    prove(&Ground::brimming().await, Call::Stage, faults, " with the log taken in").await;
}

#[tokio::test]
async fn i6_k07_an_answer_leaves_after_the_database_is_synced() {
    let ground = Ground::new().await;
    for call in [Call::Stage, Call::Review, Call::Redeem] {
        let house = ground.house.copy();
        let (server, caller) = house.serve().await;
        let log = house.directory.path().join("strace.log");
        let trace = ["trace=pwrite64,fsync,fdatasync,writev,sendto".to_owned()];
        let strace = Strace::attach(server.id(), log, &trace);
        assert!(call.is_done(&call.make(&ground, &caller).await.unwrap()));
        let seen = strace.detach();
        let written = seen.last(&["pwrite64(", "gate.db-wal>"]);
        let synced = seen.last(&["sync(", "gate.db-wal>"]);
        let answered = seen.last(&["HTTP/1.1 "]);
        let order = [written, synced, answered];
        assert!(order[0].is_some() && order.is_sorted(), "{call:?}, {order:?}: {seen:#?}");
        drop::<Server>(server);
    }
    println!("proved: the answers to staging, a review and a redemption leave after the sync");
}
