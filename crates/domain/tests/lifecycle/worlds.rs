//! Every world that a small house can get into: a search of all orders of all commands.
//!
//! Three people and an owner, a quorum of two over overlapping groups, two revisions. Before each
//! command anything outside the request may have changed: people leave and come back, the policy is
//! tightened, fails, forbids or asks nothing, freezes go on and off, the clock goes forward and
//! back. So the search asks of every request that can exist, under every house and at every
//! instant, what follows from every command, until no new request appears. `rules` then holds each
//! step against what must be true, without asking the code that is tested.
//!
//! Another request matters to this one only by the second review that a person owes on it.

mod commands;
mod house;
mod rules;

use std::collections::{BTreeMap, HashSet, VecDeque};

use domain::request::{SecondReview, SecondVerdict};
use domain::state::Halt;
use domain::{Authority, Command, Context, Refusal, Request, RequestFact, State, apply};

use self::house::{House, LATE};
use super::scene::{OWNER, at};

/// How much of the small world is searched.
struct Size {
    /// When a command may arrive, in seconds after staging.
    instants: &'static [i64],
    houses: &'static [House],
    revisions: u32,
    /// Some approve or break the glass long after they signed in.
    signed_in_long_ago: bool,
    /// Searches on from each request as it is beside what the search keeps of it.
    compares: bool,
    /// Fewer requests or steps than this mean that the search no longer searches.
    floor: (usize, usize),
}

const SHORT: Size = Size {
    instants: &[10, 60, 110, LATE],
    houses: &House::SOME,
    revisions: 2,
    signed_in_long_ago: false,
    compares: false,
    floor: (500, 60_000),
};

const LONG: Size = Size {
    instants: &[-10, 10, 30, 60, 110, LATE],
    houses: &House::ALL,
    revisions: 2,
    signed_in_long_ago: true,
    compares: true,
    floor: (3000, 1_000_000),
};

#[test]
fn c15_i1_i2_i3_i9_i12_hold_in_every_small_world() {
    search(&SHORT);
}

#[test]
#[ignore = "the same search of a larger world: minutes, not seconds"]
fn c15_i1_i2_i3_i9_i12_hold_in_every_larger_world() {
    search(&LONG);
}

/// What was found, by the name of the state.
#[derive(Default)]
struct Found {
    requests: usize,
    asked: usize,
    steps: usize,
    by_state: BTreeMap<&'static str, usize>,
}

fn search(size: &Size) {
    let mut found = Found::default();
    let mut seen = HashSet::new();
    let mut open = VecDeque::from([commands::staged()]);
    seen.insert(key(&commands::staged()));
    while let Some(request) = open.pop_front() {
        found.requests += 1;
        *found.by_state.entry(request.state.name().as_str()).or_default() += 1;
        let commands = commands::all(&request, size);
        for (house, second) in contexts(size) {
            let authority = house.authority(&request);
            rules::no_deadlock(&request, house, &authority, second);
            for command in commands.iter().map(|make| make(&request, second)) {
                found.asked += 1;
                let Ok(facts) = ask(&request, &command, &authority, second) else { continue };
                if facts.is_empty() {
                    continue;
                }
                found.steps += 1;
                let after = evolve(&request, &facts, second);
                rules::hold(&rules::Step {
                    request: &request,
                    house,
                    second,
                    command: &command,
                    facts: &facts,
                    after: &after,
                });
                let kept = kept(&after);
                if seen.insert(key(&kept)) {
                    if size.compares {
                        compare(&after, &kept, size);
                    }
                    open.push_back(kept);
                }
            }
        }
    }
    println!(
        "{} requests, {} commands, {} steps: {:?}",
        found.requests, found.asked, found.steps, found.by_state
    );
    assert_eq!(found.by_state.len(), 15, "every state is reached");
    let (requests, steps) = size.floor;
    assert!(found.requests >= requests && found.steps >= steps, "the search is too small");
}

fn contexts(size: &Size) -> impl Iterator<Item = (House, i64)> {
    size.houses.iter().flat_map(|house| size.instants.iter().map(|second| (*house, *second)))
}

fn ask(
    request: &Request,
    command: &Command,
    authority: &Authority,
    second: i64,
) -> Result<Vec<RequestFact>, Refusal> {
    apply(Some(request), command.clone(), &Context { authority }, at(second))
}

fn evolve(request: &Request, facts: &[RequestFact], second: i64) -> Request {
    facts.iter().fold(request.clone(), |request, fact| {
        Request::evolve(Some(request), fact, at(second)).unwrap()
    })
}

fn key(request: &Request) -> String {
    serde_json::to_string(request).unwrap()
}

/// The request without what no rule reads: who said or did something and when, in which order the
/// reviews came, what was said of older revisions and, where no approval can count any more, at
/// all. [`compare`] proves that no rule reads it.
fn kept(request: &Request) -> Request {
    let mut kept = request.clone();
    let revision = kept.revision;
    let counts = matches!(kept.state, State::Pending | State::Approved { .. });
    kept.reviews.retain(|review| counts && review.revision == revision);
    kept.reviews.sort_by_key(|review| review.reviewer);
    for review in &mut kept.reviews {
        let age_s = review.at.seconds_since(review.authenticated_at);
        (review.at, review.authenticated_at) = (at(0), at(-age_s));
    }
    if let Some(broken) = &mut kept.break_glass {
        broken.at = at(0);
        match &mut broken.second_review {
            SecondReview::Owed => {}
            SecondReview::Missed { at: when } => *when = at(0),
            SecondReview::Done { by, at: when, verdict } => {
                (*by, *when, *verdict) = (OWNER, at(0), SecondVerdict::Justified);
                broken.review_by = at(0);
            }
        }
    }
    forget(&mut kept.state);
    kept
}

fn forget(state: &mut State) {
    match state {
        State::Pending | State::Executing { halt: None, .. } => {}
        State::Executing { halt: Some(Halt { at: when, by }), .. }
        | State::ChangesRequested { at: when, by }
        | State::Denied { at: when, by }
        | State::Revoked { at: when, by } => (*when, *by) = (at(0), OWNER),
        State::Approved { approved_at: when, .. }
        | State::Expired { at: when }
        | State::Withdrawn { at: when, .. }
        | State::Lapsed { at: when }
        | State::Succeeded { at: when, .. }
        | State::Failed { at: when, .. }
        | State::Halted { at: when, .. }
        | State::OutcomeUnknown { at: when, .. }
        | State::RolledBack { at: when, .. }
        | State::RollbackFailed { at: when, .. } => *when = at(0),
    }
}

/// Whether every command has the same answer and the same end for `kept` as for `request`.
fn compare(request: &Request, kept: &Request, size: &Size) {
    let commands = commands::all(request, size);
    for (house, second) in contexts(size) {
        let authority = house.authority(request);
        for command in commands.iter().map(|make| make(request, second)) {
            let answers = [request, kept].map(|of| {
                let facts = ask(of, &command, &authority, second).map_err(|no| no.code())?;
                Ok::<_, &str>(key(&self::kept(&evolve(of, &facts, second))))
            });
            assert_eq!(answers[0], answers[1], "{command:?}");
        }
    }
}
