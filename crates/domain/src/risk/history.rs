//! What was staged before: first times, bursts, repeats.
//!
//! Advice to people, not a right of anybody: it is read before the transaction that stages, and of
//! two requests that race for it both may say "first time". Nothing that decides rests on it.

use super::{RiskCode, RiskFact, RiskLevel};
use crate::Timestamp;

/// Requests on one target are counted over this long: an hour.
pub const BURST_S: i64 = 3600;
/// From this many requests on one target on, at least medium; the one that is staged counts.
pub const BURST: u32 = 4;
/// From this many requests on one target on, high.
pub const BURST_HIGH: u32 = 12;
/// No more earlier requests than this are counted.
pub const BURST_COUNTED: u32 = 99;
/// The same content is a repeat for this long after it was denied or expired: a day.
pub const REPEAT_S: i64 = 24 * 3600;

/// What was staged before this revision, other revisions of the same request apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The agent staged this kind before.
    pub agent_knows_kind: bool,
    /// One for each target of the revision, in its order.
    pub targets: Vec<TargetHistory>,
    /// How the last request of the same content that was denied or expired ended.
    pub ended: Option<Ended>,
}

/// What was staged before on one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetHistory {
    /// The agent named it before, under whatever kind.
    pub agent_knows_it: bool,
    /// Somebody staged this kind on it before.
    pub kind_knows_it: bool,
    /// Other requests on it within [`BURST_S`], up to [`BURST_COUNTED`] of them.
    pub lately: u32,
}

/// How a request of the same content ended, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub how: Ending,
    pub at: Timestamp,
}

/// Not carried out, because people said no or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Denied,
    Expired,
}

pub(super) fn facts(history: &History, base: RiskLevel) -> Vec<RiskFact> {
    let mut facts = Vec::new();
    if !history.agent_knows_kind {
        facts.push(RiskFact::new(RiskCode::FirstOfKind, base.max(RiskLevel::Medium)));
    }
    let mut new = |code, unknown: Vec<u32>| {
        if !unknown.is_empty() {
            facts.push(RiskFact::new(code, base).on(unknown));
        }
    };
    new(RiskCode::FirstOnTarget, places(history, |target| !target.agent_knows_it));
    new(RiskCode::NewTarget, places(history, |target| !target.kind_knows_it));
    facts.extend(burst(history, base));
    facts.extend(history.ended.map(|ended| repeat(ended, base)));
    facts
}

/// The places of the targets of which something holds.
fn places(history: &History, holds: impl Fn(&TargetHistory) -> bool) -> Vec<u32> {
    let places = (0_u32..).zip(&history.targets);
    places.filter(|(_, target)| holds(target)).map(|(place, _)| place).collect()
}

/// The targets with the most requests, if those are many.
fn burst(history: &History, base: RiskLevel) -> Option<RiskFact> {
    let most = history.targets.iter().map(|target| target.lately).max()?;
    let count = most.saturating_add(1);
    let (level, limit) = match count {
        BURST_HIGH.. => (RiskLevel::High, BURST_HIGH),
        BURST.. => (RiskLevel::Medium, BURST),
        _ => return None,
    };
    let fact = RiskFact::new(RiskCode::Burst, base.max(level));
    let busiest = places(history, |target| target.lately == most);
    Some(fact.counted(count.into(), limit.into()).on(busiest))
}

fn repeat(ended: Ended, base: RiskLevel) -> RiskFact {
    let fact = match ended.how {
        Ending::Denied => RiskFact::new(RiskCode::RepeatOfDenied, base.raised()),
        Ending::Expired => RiskFact::new(RiskCode::RepeatOfExpired, base),
    };
    fact.at(ended.at)
}
