//! Two requests in one house: a search of all orders of commands on either of them.
//!
//! They have their people, groups, policy and executor in common, and each has a stager, a kind, an
//! environment, digests and a lease of its own. Beside what is asked of either, it is asked of each
//! what would be right for the other. `rules` holds each step as for one request, `cross` what may
//! and what must not reach from one to the other.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use domain::entry::{FORMAT, Fact};
use domain::{Actor, Authority, Command, Entry, InstanceId, Request, RequestFact};
use uuid::Uuid;

use super::house::{House, LATE};
use super::which::Which;
use super::{ask, commands, cross, evolve, kept, key, rules};
use crate::scene::at;

/// How much of the world of two is searched.
struct Size {
    instants: &'static [i64],
    /// The first is the house as it was.
    houses: &'static [House],
    /// Whether a request is asked for more than the few things that matter most.
    more: bool,
    /// How many of the 15 states each request gets into.
    states: usize,
    /// Fewer pairs or steps than this mean that the search no longer searches.
    floor: (usize, usize),
}

/// At 60 both are pending; a glass broken then falls due at `LATE`, where the second still is, and at
/// the last instant no more.
const SHORT: Size = Size {
    instants: &[60, LATE, LATE + 10],
    houses: &[House::AsItWas, House::EveLeft, House::KindFrozen, House::EnvironmentFrozen],
    more: false,
    states: 10,
    floor: (1000, 100_000),
};

/// A glass that is broken for the second request just before `LATE` is one that a debt from the
/// first takes back.
const LONG: Size = Size {
    instants: &[60, LATE - 10, LATE, LATE + 10],
    houses: &[
        House::AsItWas,
        House::BobLeft,
        House::EveLeft,
        House::AgentFrozen,
        House::KindFrozen,
        House::EnvironmentFrozen,
    ],
    more: true,
    states: 13,
    floor: (10_000, 1_000_000),
};

#[test]
fn c15_i1_i3_i4_i9_hold_in_every_small_world_of_two() {
    search(&SHORT);
}

#[test]
#[ignore = "the same search of a larger world: minutes, not seconds"]
fn c15_i1_i3_i4_i9_hold_in_every_larger_world_of_two() {
    search(&LONG);
}

/// Two requests, and the ledger that has both.
struct Pair {
    requests: [Request; 2],
    /// The numbers under which the search knows each.
    known_as: [usize; 2],
    newest: Option<Rc<Link>>,
}

/// An entry as it reads from its bytes, after all before it.
struct Link {
    entry: Entry,
    before: Option<Rc<Link>>,
}

struct Search<'a> {
    size: &'a Size,
    numbers: HashMap<String, usize>,
    seen: HashSet<[usize; 2]>,
    open: VecDeque<Pair>,
    asked: usize,
    steps: usize,
}

fn search(size: &Size) {
    let (numbers, seen, open) = (HashMap::new(), HashSet::new(), VecDeque::new());
    let mut search = Search { size, numbers, seen, open, asked: 0, steps: 0 };
    let staged = Pair::staged(&mut search.numbers);
    search.found(staged);
    let mut states = BTreeSet::new();
    while let Some(pair) = search.open.pop_front() {
        states.insert(pair.requests.each_ref().map(|request| request.state.name().as_str()));
        for side in [0, 1] {
            search.ask_everything(&pair, side);
        }
    }
    let Search { numbers, seen, asked, steps, .. } = search;
    println!(
        "proved: {} pairs of {} requests, {asked} commands, {steps} steps, \
         {} pairs of states; every pair rebuilt from one ledger",
        seen.len(),
        numbers.len(),
        states.len(),
    );
    assert_eq!(states.len(), size.states * size.states, "every pair of states is reached");
    assert!(seen.len() >= size.floor.0 && steps >= size.floor.1, "the search is too small");
}

impl Search<'_> {
    /// Takes in the pair where these facts of the request on this side led: the other one stays
    /// what it was.
    fn led_to(
        &mut self,
        pair: &Pair,
        side: usize,
        after: &Request,
        (second, facts): (i64, &[RequestFact]),
    ) {
        let mut known_as = pair.known_as;
        known_as[side] = number(&mut self.numbers, after);
        if self.seen.contains(&known_as) {
            return;
        }
        let newest = facts.iter().fold(pair.newest.clone(), |newest, fact| {
            Some(Rc::new(Link::after(newest, Which::of(after), fact, second)))
        });
        let mut requests = pair.requests.clone();
        requests[side] = after.clone();
        self.found(Pair { requests, known_as, newest });
    }

    fn found(&mut self, pair: Pair) {
        assert_eq!(rebuilt(pair.newest.as_deref()), pair.requests, "I7, I8");
        self.seen.insert(pair.known_as);
        self.open.push_back(pair);
    }

    /// Asks everything of the request on this side.
    fn ask_everything(&mut self, pair: &Pair, side: usize) {
        let [request, other] = [&pair.requests[side], &pair.requests[1 - side]];
        let houses = self.size.houses.iter();
        let houses = houses.map(|house| (*house, house.authority(request, Some(other))));
        let houses: Vec<(House, Authority)> = houses.collect();
        for second in self.size.instants {
            for (house, authority) in &houses {
                cross::only_ones_own_freeze_halts(request, *house, authority);
                cross::only_who_is_late_may_not_break_the_glass(
                    [request, other],
                    *house,
                    authority,
                    *second,
                );
            }
            for command in commands::meant_for(other, *second) {
                self.asked += houses.len();
                cross::leads_nowhere(request, &houses, &command, *second);
            }
            let more = self.size.more.then(|| commands::more(request, *second));
            let few = commands::few(request, *second);
            for command in more.into_iter().flatten().chain(few) {
                self.asked += houses.len();
                self.ask_in_every_house(pair, side, &houses, (*second, &command));
            }
        }
    }

    fn ask_in_every_house(
        &mut self,
        pair: &Pair,
        side: usize,
        houses: &[(House, Authority)],
        (second, command): (i64, &Command),
    ) {
        let [request, other] = [&pair.requests[side], &pair.requests[1 - side]];
        let mut as_it_was = None;
        let mut led_to: Vec<(Vec<RequestFact>, Request)> = Vec::new();
        for (house, authority) in houses {
            let answer = ask(request, command, authority, second);
            let as_it_was = as_it_was.get_or_insert_with(|| answer.clone());
            cross::a_freeze_stops_the_redemption_of_its_own(
                request, *house, command, as_it_was, &answer,
            );
            let Ok(facts) = answer else { continue };
            if facts.is_empty() {
                continue;
            }
            self.steps += 1;
            if !led_to.iter().any(|(known, _)| *known == facts) {
                cross::are_about_one(other, &facts, second);
                let after = evolve(request, &facts, second);
                self.led_to(pair, side, &after, (second, &facts));
                led_to.push((facts.clone(), after));
            }
            let (facts, after) = led_to.iter().find(|(known, _)| *known == facts).unwrap();
            let (house, other) = (*house, Some(other));
            rules::hold(&rules::Step { request, other, house, second, command, facts, after });
        }
    }
}

impl Pair {
    fn staged(numbers: &mut HashMap<String, usize>) -> Self {
        let facts = Which::BOTH.map(commands::staged);
        let newest = Which::BOTH.iter().zip(&facts).fold(None, |newest, (which, fact)| {
            Some(Rc::new(Link::after(newest, *which, fact, 0)))
        });
        let requests = facts.map(|fact| Request::evolve(None, &fact, at(0)).unwrap());
        let known_as = requests.each_ref().map(|request| number(numbers, request));
        Self { requests, known_as, newest }
    }
}

fn number(numbers: &mut HashMap<String, usize>, request: &Request) -> usize {
    let next = numbers.len();
    *numbers.entry(key(&kept(request))).or_insert(next)
}

impl Link {
    fn after(before: Option<Rc<Self>>, which: Which, fact: &RequestFact, second: i64) -> Self {
        let entry = Entry {
            format: FORMAT.into(),
            instance: InstanceId(Uuid::from_u128(50)),
            index: before.as_ref().map_or(0, |link| link.entry.index + 1),
            at: at(second),
            actor: Actor::System,
            request: Some(which.id()),
            fact: fact.clone().into(),
        };
        let (bytes, _) = entry.seal().unwrap();
        Self { entry: serde_json::from_slice(&bytes).unwrap(), before }
    }
}

/// What a gate has that starts anew: both requests, folded from the entries of one ledger.
fn rebuilt(newest: Option<&Link>) -> [Request; 2] {
    let links = std::iter::successors(newest, |link| link.before.as_deref());
    let mut entries: Vec<&Entry> = links.map(|link| &link.entry).collect();
    entries.reverse();
    Which::BOTH.map(|which| {
        let own = entries.iter().filter(|entry| entry.request == Some(which.id()));
        let folded = own.fold(None, |request, entry| match &entry.fact {
            Fact::Request(fact) => Some(Request::evolve(request, fact, entry.at).unwrap()),
            Fact::House(_) => request,
        });
        folded.unwrap()
    })
}
