//! First times, bursts, repeats.

use domain::RiskLevel::{High, Low, Medium};
use domain::risk::{BURST, BURST_HIGH, Ended, Ending, History, RiskCode, RiskFact, TargetHistory};
use serde_json::json;

use crate::scene::{familiar, harmless, now};

#[test]
fn what_is_familiar_is_no_fact_and_neither_is_no_history() {
    assert_eq!(harmless().after(familiar()).facts(), []);
    assert_eq!(harmless().facts(), []);
}

#[test]
fn a_first_time_of_each_sort_is_a_fact_of_its_own() {
    let mut history = familiar();
    history.agent_knows_kind = false;
    let fact = harmless().after(history).only();
    assert_eq!(fact, RiskFact::new(RiskCode::FirstOfKind, Medium));
    let mut history = familiar();
    history.targets[1].agent_knows_it = false;
    let fact = harmless().after(history).only();
    assert_eq!(fact, RiskFact::new(RiskCode::FirstOnTarget, Low).on(vec![1]));
    let mut history = familiar();
    history.targets.iter_mut().for_each(|target| target.kind_knows_it = false);
    let fact = harmless().after(history).only();
    assert_eq!(fact, RiskFact::new(RiskCode::NewTarget, Low).on(vec![0, 1]));
}

#[test]
fn a_burst_counts_the_request_itself_and_names_the_busiest_target() {
    let lately = |lately: u32| {
        let mut history = familiar();
        history.targets[1].lately = lately;
        harmless().after(history)
    };
    assert_eq!(lately(BURST - 2).facts(), []);
    let fact = |level| RiskFact::new(RiskCode::Burst, level).on(vec![1]);
    let medium = fact(Medium).counted(BURST.into(), BURST.into());
    assert_eq!(lately(BURST - 1).only(), medium);
    let high = fact(High).counted(BURST_HIGH.into(), BURST_HIGH.into());
    assert_eq!(lately(BURST_HIGH - 1).only(), high);
}

#[test]
fn what_was_just_denied_is_a_level_higher_when_it_comes_back() {
    let ended = |how| {
        let ended = Some(Ended { how, at: now().plus_seconds(-60) });
        harmless().after(History { ended, ..familiar() })
    };
    let at = now().plus_seconds(-60);
    let denied = RiskFact::new(RiskCode::RepeatOfDenied, Medium).at(at);
    assert_eq!(ended(Ending::Denied).only(), denied);
    assert_eq!(ended(Ending::Denied).kind("base_risk", json!("medium")).level(), High);
    let expired = RiskFact::new(RiskCode::RepeatOfExpired, Low).at(at);
    assert_eq!(ended(Ending::Expired).only(), expired);
}

#[test]
fn a_history_of_nothing_is_all_first_times() {
    let history = History { targets: vec![TargetHistory::default(); 2], ..History::default() };
    let facts = harmless().after(history).facts();
    let codes: Vec<RiskCode> = facts.iter().map(|fact| fact.code).collect();
    assert_eq!(codes, [RiskCode::FirstOfKind, RiskCode::FirstOnTarget, RiskCode::NewTarget]);
}
