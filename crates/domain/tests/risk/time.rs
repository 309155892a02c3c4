//! How long people have, how long an approval stands, who is awake then.

use domain::RiskLevel::{Low, Medium};
use domain::risk::{LITTLE_TIME_S, LONG_WINDOW_S, RiskCode, RiskFact, SHORT_WINDOW_S};
use serde_json::json;

use crate::scene::{Scene, harmless, now};

const HOUR_S: i64 = 3600;

/// Harmless, with a window from and to so many seconds from now.
fn window(from: i64, to: i64) -> Scene {
    let window =
        json!({"not_before": now().plus_seconds(from), "not_after": now().plus_seconds(to)});
    harmless().body("window", window)
}

#[test]
fn an_ordinary_window_and_deadline_are_no_facts() {
    assert_eq!(window(HOUR_S, 3 * HOUR_S).facts(), []);
    assert_eq!(window(-HOUR_S, HOUR_S).facts(), []);
    let deadline = json!(now().plus_seconds(LITTLE_TIME_S));
    assert_eq!(harmless().body("review_deadline", deadline).facts(), []);
}

#[test]
fn little_time_to_decide_is_the_agents_doing() {
    let left = LITTLE_TIME_S - 1;
    let wanted = RiskFact::new(RiskCode::LittleTime, Medium)
        .counted(left, LITTLE_TIME_S)
        .at(now().plus_seconds(left));
    assert_eq!(window(-HOUR_S, left).facts(), std::slice::from_ref(&wanted));
    let hurried = harmless().body("review_deadline", json!(now().plus_seconds(left)));
    assert_eq!(hurried.only(), wanted);
    let both = window(-HOUR_S, HOUR_S).body("review_deadline", json!(now().plus_seconds(left)));
    assert_eq!(both.only(), wanted, "whichever comes first");
    let by_kind = harmless().kind("review_deadline_s", json!(300));
    assert_eq!(by_kind.facts(), [], "what the kind gives is no hurry of the agent");
}

#[test]
fn a_window_is_short_or_long_by_what_is_left_of_it() {
    let short = window(HOUR_S, HOUR_S + SHORT_WINDOW_S - 1).only();
    assert_eq!((short.code, short.level), (RiskCode::ShortWindow, Low));
    assert_eq!(short.value, Some(SHORT_WINDOW_S - 1));
    assert_eq!(window(HOUR_S, HOUR_S + SHORT_WINDOW_S).facts(), []);
    let long = window(HOUR_S, HOUR_S + LONG_WINDOW_S + 1).only();
    assert_eq!((long.code, long.level), (RiskCode::LongWindow, Medium));
    assert_eq!(window(HOUR_S, HOUR_S + LONG_WINDOW_S).facts(), []);
    let begun: Vec<RiskCode> =
        window(-LONG_WINDOW_S, 60).facts().iter().map(|fact| fact.code).collect();
    assert_eq!(begun, [RiskCode::LittleTime, RiskCode::ShortWindow]);
}

#[test]
fn off_hours_are_the_kinds_own() {
    assert_eq!(harmless().facts(), [], "a kind that names no hours has no off hours");
    let day = json!({"from": 6, "to": 18});
    assert_eq!(harmless().kind("working_hours_utc", day.clone()).facts(), []);
    let later = json!({"from": 9, "to": 18});
    let staged = harmless().kind("working_hours_utc", later.clone()).only();
    assert_eq!(staged, RiskFact::new(RiskCode::StagedOffHours, Low).at(now()));
    let night = window(12 * HOUR_S, 14 * HOUR_S).kind("working_hours_utc", day).only();
    let opens = now().plus_seconds(12 * HOUR_S);
    assert_eq!(night, RiskFact::new(RiskCode::WindowOffHours, Medium).at(opens));
    let open = window(-HOUR_S, 2 * HOUR_S).kind("working_hours_utc", later).facts();
    assert_eq!(open.first().map(|fact| fact.at), Some(Some(now())), "an open window begins now");
}
