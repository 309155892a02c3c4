//! What its times say: how long people have, how long an approval stands, who is awake then.

use super::{RiskCode, RiskFact, RiskInput, RiskLevel};

/// Less time than this to decide, asked for by the agent, is little: half an hour.
pub const LITTLE_TIME_S: i64 = 30 * 60;
/// A window shorter than this is short: a quarter of an hour.
pub const SHORT_WINDOW_S: i64 = 15 * 60;
/// A window longer than this is long: a week.
pub const LONG_WINDOW_S: i64 = 7 * 24 * 3600;

pub(super) fn facts(input: &RiskInput<'_>) -> Vec<RiskFact> {
    little_time(input).into_iter().chain(window(input)).chain(off_hours(input)).collect()
}

/// What the agent asks for, not what the kind gives: a deadline of the kind is no hurry of the agent.
fn little_time(input: &RiskInput<'_>) -> Option<RiskFact> {
    let window_end = input.body.window.map(|window| window.not_after);
    let decide_by = [input.body.review_deadline, window_end].into_iter().flatten().min()?;
    let left_s = decide_by.seconds_since(input.now);
    let level = input.kind.base_risk.max(RiskLevel::Medium);
    let fact = RiskFact::new(RiskCode::LittleTime, level).counted(left_s, LITTLE_TIME_S);
    (left_s < LITTLE_TIME_S).then_some(fact.at(decide_by))
}

fn window(input: &RiskInput<'_>) -> Option<RiskFact> {
    let window = input.body.window?;
    let length_s = window.not_after.seconds_since(window.not_before.max(input.now));
    let base = input.kind.base_risk;
    if length_s < SHORT_WINDOW_S {
        let fact = RiskFact::new(RiskCode::ShortWindow, base);
        Some(fact.counted(length_s, SHORT_WINDOW_S).at(window.not_after))
    } else if length_s > LONG_WINDOW_S {
        let fact = RiskFact::new(RiskCode::LongWindow, base.max(RiskLevel::Medium));
        Some(fact.counted(length_s, LONG_WINDOW_S).at(window.not_after))
    } else {
        None
    }
}

/// Who stages at night may be a schedule; what is carried out at night nobody watches.
fn off_hours(input: &RiskInput<'_>) -> Vec<RiskFact> {
    let Some(hours) = input.kind.working_hours_utc else { return Vec::new() };
    let base = input.kind.base_risk;
    let opens = input.body.window.map(|window| window.not_before.max(input.now));
    let staged = RiskFact::new(RiskCode::StagedOffHours, base).at(input.now);
    let window = opens.map(|opens| {
        RiskFact::new(RiskCode::WindowOffHours, base.max(RiskLevel::Medium)).at(opens)
    });
    let outside = |fact: &RiskFact| fact.at.is_some_and(|at| !hours.include(at));
    std::iter::once(staged).chain(window).filter(outside).collect()
}
