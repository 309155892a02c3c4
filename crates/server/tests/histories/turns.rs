//! What can happen next: one turn of a history.

use proptest::bool::weighted;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;

/// People who approve, and the agent's owner, who is in their group and must never count.
pub const REVIEWERS: [&str; 4] = ["Bob Approver", "Cat Approver", "Dan Approver", "Olga Owner"];

/// Verdicts, yes more often than the others.
const VERDICTS: [&str; 8] =
    ["approve", "approve", "approve", "approve", "approve", "deny", "request_changes", "pass"];
const OUTCOMES: [&str; 3] = ["succeeded", "failed", "halted"];
const ROLLBACKS: [&str; 2] = ["rolled_back", "rollback_failed"];
/// Past a sign-in that is fresh, a lease, a session, a release, a deadline; and back.
const SECONDS: [i64; 10] = [1, 60, 400, 1000, 1000, 4000, 90_000, 200_000, -600, -40_000];

/// Somebody does something at one of the servers.
#[derive(Clone, Debug)]
pub struct Turn {
    pub deed: Deed,
    pub node: usize,
    /// The caller vanishes when their call has waited so many times.
    pub cut: Option<u8>,
}

/// Requests are counted back from the newest, reviewers as in [`REVIEWERS`].
#[derive(Clone, Debug)]
pub enum Deed {
    Stage {
        production: bool,
    },
    Amend {
        request: usize,
        production: bool,
    },
    /// Opens the page: the next review of this person and request is of what they saw here.
    Look {
        person: usize,
        request: usize,
    },
    Review {
        person: usize,
        request: usize,
        verdict: &'static str,
    },
    Redeem {
        request: usize,
        key: u8,
        digest: Which,
        stranger: bool,
    },
    Heartbeat {
        request: usize,
    },
    Report {
        request: usize,
        path: &'static str,
        status: &'static str,
    },
    Withdraw {
        request: usize,
    },
    Revoke {
        person: usize,
        request: usize,
    },
    Halt {
        person: usize,
        request: usize,
    },
    Freeze {
        person: usize,
    },
    Thaw,
    /// Whoever approved it leaves the group.
    Leave {
        request: usize,
    },
    Join {
        person: usize,
    },
    Pass {
        seconds: i64,
    },
    Sweep,
    Restart,
}

/// Which revision an executor means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    First,
    Newest,
}

/// Any turn.
pub fn turn() -> impl Strategy<Value = Turn> {
    let cut = prop_oneof![9 => Just(None), 1 => (1..12u8).prop_map(Some)];
    (deed(), 0..2usize, cut).prop_map(|(deed, node, cut)| Turn { deed, node, cut })
}

fn deed() -> impl Strategy<Value = Deed> {
    // The owner less often than who counts.
    let person = || select(&[0, 0, 0, 1, 1, 1, 2, 2, 2, 3][..]);
    let request = || 0..3usize;
    let digest = prop_oneof![1 => Just(Which::First), 6 => Just(Which::Newest)];
    let redeem = (request(), 0..3u8, digest, weighted(0.05));
    let report = |path, statuses: &'static [&'static str]| {
        let fields = (request(), select(statuses));
        fields.prop_map(move |(request, status)| Deed::Report { request, path, status })
    };
    let stage = weighted(0.25).prop_map(|production| Deed::Stage { production });
    let amend = (request(), weighted(0.25));
    let review = (person(), request(), select(&VERDICTS[..]));
    prop_oneof![
        4 => stage,
        2 => amend.prop_map(|(request, production)| Deed::Amend { request, production }),
        3 => (person(), request()).prop_map(|(person, request)| Deed::Look { person, request }),
        20 => review.prop_map(|(person, request, verdict)| {
            Deed::Review { person, request, verdict }
        }),
        10 => redeem.prop_map(|(request, key, digest, stranger)| {
            Deed::Redeem { request, key, digest, stranger }
        }),
        2 => request().prop_map(|request| Deed::Heartbeat { request }),
        6 => report("outcome", &OUTCOMES),
        4 => report("rollback", &ROLLBACKS),
        1 => request().prop_map(|request| Deed::Withdraw { request }),
        2 => (person(), request()).prop_map(|(person, request)| Deed::Revoke { person, request }),
        1 => (person(), request()).prop_map(|(person, request)| Deed::Halt { person, request }),
        2 => person().prop_map(|person| Deed::Freeze { person }),
        5 => Just(Deed::Thaw),
        4 => request().prop_map(|request| Deed::Leave { request }),
        6 => person().prop_map(|person| Deed::Join { person }),
        6 => select(&SECONDS[..]).prop_map(|seconds| Deed::Pass { seconds }),
        1 => Just(Deed::Sweep),
        1 => Just(Deed::Restart),
    ]
}
