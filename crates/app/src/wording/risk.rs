//! A sentence for each risk fact, and what a reviewer can check about it.

use domain::risk::{BURST_COUNTED, RiskCode, RiskFact};
use domain::{RiskLevel, Timestamp};

use super::elapsed::duration;
use super::number::{count, grouped};

/// How many targets a sentence names; the list of all is on the same page.
const NAMED: usize = 3;

/// The level as the word on its badge.
pub fn word(level: RiskLevel) -> &'static str {
    match level {
        RiskLevel::Low => "Low",
        RiskLevel::Medium => "Medium",
        RiskLevel::High => "High",
    }
}

/// The class that colours a badge or a mark.
pub fn class(level: RiskLevel) -> &'static str {
    level.as_str()
}

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Our own words.
    Words(String),
    /// A target, as the agent wrote it.
    Target(String),
    At(Timestamp),
}

fn words(text: impl Into<String>) -> Vec<Part> {
    vec![Part::Words(text.into())]
}

/// What the fact says of a request with these targets, whose kind counts its size in `unit`.
pub fn fact(fact: &RiskFact, targets: &[String], unit: Option<&str>) -> Vec<Part> {
    let level = fact.level.as_str();
    let span = || duration(fact.value.unwrap_or_default().unsigned_abs());
    let claimed = fact.claimed.unwrap_or(fact.level).as_str();
    match fact.code {
        RiskCode::BaseRisk => words(format!("This kind of action is {level} risk in itself")),
        RiskCode::Production => words("It changes or reads production"),
        RiskCode::Irreversible => words("It cannot be undone"),
        RiskCode::SelfExecuted => words("The agent that staged it will also carry it out"),
        RiskCode::NoRollbackPlan => words("There is no rollback plan"),
        RiskCode::RollbackUntested => words("The rollback plan was never tested"),
        RiskCode::Size => words(size(fact, unit)),
        RiskCode::ManyTargets => words(format!("It acts on {} targets", number(fact.value))),
        RiskCode::LittleTime => words(format!("The agent leaves people {} to decide", span())),
        RiskCode::ShortWindow => words(format!("Its window lasts only {}", span())),
        RiskCode::LongWindow => words(format!("Its window stays open for {}", span())),
        RiskCode::StagedOffHours => dated("It was staged outside working hours, ", fact),
        RiskCode::WindowOffHours => dated("Its window opens outside working hours, ", fact),
        RiskCode::FirstOfKind => words("This agent has never staged this kind of action before"),
        RiskCode::FirstOnTarget => on("This agent has never named ", fact, targets, " before"),
        RiskCode::NewTarget => {
            on("Nobody has ever staged this kind of action on ", fact, targets, "")
        }
        RiskCode::Burst => {
            let most = i64::from(BURST_COUNTED) + 1;
            let or_more = if fact.value >= Some(most) { " or more" } else { "" };
            let start = format!("{}{or_more} requests within an hour on ", number(fact.value));
            on(&start, fact, targets, "")
        }
        RiskCode::RepeatOfDenied => dated("The very same was denied ", fact),
        RiskCode::RepeatOfExpired => dated("The very same expired undecided ", fact),
        RiskCode::ClaimedHigher => {
            words(format!("The agent itself calls it {claimed} risk, more than we compute"))
        }
        RiskCode::ClaimedLower => {
            words(format!("The agent itself calls it {claimed} risk, less than we compute"))
        }
    }
}

/// What to look at because of it.
pub fn check(code: RiskCode) -> &'static str {
    match code {
        RiskCode::BaseRisk => "Set by the catalogue, not by the agent.",
        RiskCode::Production => "Check that every target below is one you expect.",
        RiskCode::Irreversible => "Check the values digit by digit: there is no second look.",
        RiskCode::SelfExecuted => "Nobody else stands between the release and the action.",
        RiskCode::NoRollbackPlan => "Ask what happens if it goes wrong half way.",
        RiskCode::RollbackUntested => "Read its steps as a claim.",
        RiskCode::Size => "Compare it with what the purpose needs.",
        RiskCode::ManyTargets => "Look for one that does not belong.",
        RiskCode::LittleTime => "Nothing happens if nobody decides: hurry is no reason.",
        RiskCode::ShortWindow => "Ask who will watch it then.",
        RiskCode::LongWindow => "What you read now may no longer be true when it runs.",
        RiskCode::StagedOffHours => "Ask whether the agent was meant to run then.",
        RiskCode::WindowOffHours => "Ask who is there to stop it.",
        RiskCode::FirstOfKind => "Check that this agent is meant to do this at all.",
        RiskCode::FirstOnTarget => "Check that this agent is meant to act there.",
        RiskCode::NewTarget => "Check the spelling: a typing error is a new target too.",
        RiskCode::Burst => "Look at the others too: together they may be more than each alone.",
        RiskCode::RepeatOfDenied => "Find it in the history, and ask what has changed since.",
        RiskCode::RepeatOfExpired => "Nobody decided then: ask whether it is still needed.",
        RiskCode::ClaimedHigher => "Read the agent’s reasons below before you decide.",
        RiskCode::ClaimedLower => "Read the agent’s reasons below as a claim.",
    }
}

fn number(value: Option<i64>) -> String {
    let value = value.unwrap_or_default();
    let sign = if value < 0 { "−" } else { "" };
    format!("{sign}{}", grouped(value.unsigned_abs()))
}

fn size(fact: &RiskFact, unit: Option<&str>) -> String {
    let Some(value) = fact.value else { return "Its size is not known".to_owned() };
    let (value, limit) = (number(Some(value)), number(fact.limit));
    let unit = unit.unwrap_or("units");
    format!("Its size is {value} {unit}; {limit} or more is {} risk", fact.level.as_str())
}

fn dated(start: &str, fact: &RiskFact) -> Vec<Part> {
    words(start).into_iter().chain(fact.at.map(Part::At)).collect()
}

/// A sentence about some of the targets: by name, and how many more.
fn on(start: &str, fact: &RiskFact, targets: &[String], end: &str) -> Vec<Part> {
    let named = |place: &u32| usize::try_from(*place).ok().and_then(|place| targets.get(place));
    let named: Vec<&String> = fact.targets.iter().filter_map(named).collect();
    let mut parts = words(start);
    for (position, target) in named.iter().take(NAMED).enumerate() {
        if position > 0 {
            parts.extend(words(", "));
        }
        parts.push(Part::Target((*target).clone()));
    }
    let more = named.len().saturating_sub(NAMED);
    if more > 0 {
        parts.extend(words(format!(" and {}", count(more, "other target", "other targets"))));
    }
    if !end.is_empty() {
        parts.extend(words(end));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(of: &RiskFact, targets: usize) -> String {
        let targets: Vec<String> = (0..targets).map(|n| format!("t{n}")).collect();
        let text = |part: &Part| match part {
            Part::Words(text) => text.clone(),
            Part::Target(target) => format!("`{target}`"),
            Part::At(at) => at.to_string(),
        };
        fact(of, &targets, Some("rows")).iter().map(text).collect()
    }

    fn of(code: RiskCode) -> RiskFact {
        RiskFact::new(code, RiskLevel::High)
    }

    #[test]
    fn a_sentence_has_the_numbers_and_names_that_it_rests_on() {
        let at = Timestamp::parse("2027-01-15T03:00:00Z").unwrap();
        for (fact, sentence) in [
            (
                of(RiskCode::Size).counted(1_240_318, 1_000_000),
                "Its size is 1,240,318 rows; 1,000,000 or more is high risk",
            ),
            (of(RiskCode::Size), "Its size is not known"),
            (of(RiskCode::ManyTargets).counted(31, 30), "It acts on 31 targets"),
            (
                of(RiskCode::LittleTime).counted(1740, 1800),
                "The agent leaves people 29 min to decide",
            ),
            (of(RiskCode::FirstOnTarget).on(vec![1]), "This agent has never named `t1` before"),
            (
                of(RiskCode::NewTarget).on(vec![0, 1, 2, 3, 4]),
                "Nobody has ever staged this kind of action on `t0`, `t1`, `t2` and 2 other targets",
            ),
            (of(RiskCode::Burst).counted(4, 4).on(vec![0]), "4 requests within an hour on `t0`"),
            (
                of(RiskCode::Burst).counted(100, 12).on(vec![0]),
                "100 or more requests within an hour on `t0`",
            ),
            (
                of(RiskCode::WindowOffHours).at(at),
                "Its window opens outside working hours, 2027-01-15T03:00:00.000000Z",
            ),
        ] {
            assert_eq!(said(&fact, 5), sentence);
        }
    }

    #[test]
    fn every_fact_has_a_sentence_and_something_to_check() {
        for code in RiskCode::ALL {
            let sentence = said(&of(code).on(vec![0]), 1);
            assert!(sentence.len() > 15 && check(code).ends_with('.'), "{code:?}: {sentence}");
        }
    }
}
