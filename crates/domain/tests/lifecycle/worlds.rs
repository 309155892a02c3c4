//! Every world that a small house can get into: a search of all orders of all commands.
//!
//! Three people and an owner, a quorum of two over overlapping groups, two revisions. Before each
//! command anything outside the request may have changed: people leave and come back, the policy is
//! tightened, fails, forbids or asks nothing, freezes go on and off, the clock goes forward and
//! back. So the search asks of every request that can exist, under every house and at every
//! instant, what follows from every command, until no new request appears. `rules` then holds each
//! step against what must be true, without asking the code that is tested.
//!
//! Another request matters to this one only by the second review that a person owes on it: `pair`
//! searches with two.

mod commands;
mod cross;
mod house;
mod pair;
mod rules;
mod which;

use std::collections::{BTreeMap, HashSet, VecDeque};

use domain::request::{SecondReview, SecondVerdict};
use domain::state::Halt;
use domain::{Authority, Command, Context, Refusal, Request, RequestFact, State, apply};

use self::house::{House, LATE};
use self::which::Which;
use super::scene::{OWNER, at};

/// How much of the small world is searched.
struct Size {
    /// When a command may arrive, in seconds after staging.
    instants: &'static [i64],
    /// Searches on from each request as it is beside what the search keeps of it.
    compares: bool,
    /// Fewer requests or steps than this mean that the search no longer searches.
    floor: (usize, usize),
}

const SHORT: Size =
    Size { instants: &[10, 60, 110, LATE], compares: false, floor: (1000, 300_000) };

const LONG: Size =
    Size { instants: &[-10, 10, 30, 60, 110, LATE], compares: true, floor: (5000, 2_000_000) };

#[test]
fn c15_i1_i2_i3_i9_i12_hold_in_every_small_world() {
    search(&SHORT);
}

#[test]
#[ignore = "the same search of a larger world: minutes, not seconds"]
fn c15_i1_i2_i3_i9_i12_hold_in_every_larger_world() {
    search(&LONG);
}

/// What has been found so far, and what has to be looked at still.
struct Search<'a> {
    size: &'a Size,
    seen: HashSet<String>,
    open: VecDeque<Request>,
    by_state: BTreeMap<&'static str, usize>,
    requests: usize,
    asked: usize,
    steps: usize,
}

fn search(size: &Size) {
    let (seen, open) = (HashSet::new(), VecDeque::new());
    let (by_state, requests, asked, steps) = (BTreeMap::new(), 0, 0, 0);
    let mut search = Search { size, seen, open, by_state, requests, asked, steps };
    search.found(&Request::evolve(None, &commands::staged(Which::First), at(0)).unwrap());
    while let Some(request) = search.open.pop_front() {
        search.requests += 1;
        *search.by_state.entry(request.state.name().as_str()).or_default() += 1;
        search.ask_everything(&request);
    }
    let Search { by_state, requests, asked, steps, .. } = search;
    println!("proved: {requests} requests, {asked} commands, {steps} steps: {by_state:?}");
    assert_eq!(by_state.len(), 15, "every state is reached");
    assert!(requests >= size.floor.0 && steps >= size.floor.1, "the search is too small");
}

impl Search<'_> {
    fn found(&mut self, request: &Request) {
        let kept = kept(request);
        if self.seen.insert(key(&kept)) {
            if self.size.compares {
                compare(request, &kept, self.size);
            }
            self.open.push_back(kept);
        }
    }

    fn ask_everything(&mut self, request: &Request) {
        let houses = House::ALL.iter().map(|house| (*house, house.authority(request, None)));
        let houses: Vec<(House, Authority)> = houses.collect();
        for second in self.size.instants {
            for (house, authority) in &houses {
                rules::no_deadlock(request, *house, authority, *second);
            }
            for command in commands::all(request, *second) {
                self.asked += houses.len();
                self.ask_in_every_house(request, &houses, *second, &command);
            }
        }
    }

    fn ask_in_every_house(
        &mut self,
        request: &Request,
        houses: &[(House, Authority)],
        second: i64,
        command: &Command,
    ) {
        // The same facts lead to the same request, whichever house they come from.
        let mut led_to: Vec<(Vec<RequestFact>, Request)> = Vec::new();
        for (house, authority) in houses {
            let Ok(facts) = ask(request, command, authority, second) else { continue };
            if facts.is_empty() {
                continue;
            }
            self.steps += 1;
            if !led_to.iter().any(|(known, _)| *known == facts) {
                let after = evolve(request, &facts, second);
                self.found(&after);
                led_to.push((facts.clone(), after));
            }
            let (facts, after) = led_to.iter().find(|(known, _)| *known == facts).unwrap();
            let (house, other) = (*house, None);
            rules::hold(&rules::Step { request, other, house, second, command, facts, after });
        }
    }
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
    for second in size.instants {
        for command in commands::all(request, *second) {
            for house in &House::ALL {
                let authority = house.authority(request, None);
                let answers = [request, kept].map(|of| {
                    let facts = ask(of, &command, &authority, *second).map_err(|no| no.code())?;
                    Ok::<_, &str>(key(&self::kept(&evolve(of, &facts, *second))))
                });
                assert_eq!(answers[0], answers[1], "{command:?}");
            }
        }
    }
}
