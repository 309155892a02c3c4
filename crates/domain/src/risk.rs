//! Risk computed by us, beside what the agent claims.
//!
//! No model and no score: a level, and the facts that lead to it, each of which a reviewer can
//! check. The highest fact decides.

mod action;
mod code;
mod history;
mod time;

use serde::{Deserialize, Serialize};

pub use action::{MANY_TARGETS, MANY_TARGETS_HIGH, is_production};
pub use code::RiskCode;
pub use history::{
    BURST, BURST_COUNTED, BURST_HIGH, BURST_S, Ended, Ending, History, REPEAT_S, TargetHistory,
};
pub use time::{LITTLE_TIME_S, LONG_WINDOW_S, SHORT_WINDOW_S};

use crate::{Kind, StageBody, Timestamp};

/// How much could go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    Low,
    Medium,
    High,
}

impl RiskLevel {
    /// All levels, lowest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The word used in the API, in SQL and, capitalised, on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    fn raised(self) -> Self {
        match self {
            Self::Low => Self::Medium,
            Self::Medium | Self::High => Self::High,
        }
    }
}

/// The computed risk of one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    pub level: RiskLevel,
    /// Those that lead to the highest level first.
    pub facts: Vec<RiskFact>,
}

/// One fact that counts, with the level it leads to and what it rests on.
///
/// It stands in the ledger, where nothing personal may stand in clear: a target is named by its
/// place in the revision, never by its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskFact {
    pub code: RiskCode,
    pub level: RiskLevel,
    /// Which of the revision's targets it is about, counted from 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<u32>,
    /// How much there is of what the code speaks of: requests, targets, seconds, or units of size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// From (or below) which value on it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Since when, or at what time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The level that the agent claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<RiskLevel>,
}

impl RiskFact {
    /// A fact that needs no more than its name.
    pub fn new(code: RiskCode, level: RiskLevel) -> Self {
        let targets = Vec::new();
        Self { code, level, targets, value: None, limit: None, at: None, claimed: None }
    }

    /// Names what was counted, and what it is held against.
    #[must_use]
    pub fn counted(self, value: i64, limit: i64) -> Self {
        Self { value: Some(value), limit: Some(limit), ..self }
    }

    /// Names an instant.
    #[must_use]
    pub fn at(self, at: Timestamp) -> Self {
        Self { at: Some(at), ..self }
    }

    /// Names targets by their places in the revision.
    #[must_use]
    pub fn on(self, targets: Vec<u32>) -> Self {
        Self { targets, ..self }
    }

    fn claimed(self, level: RiskLevel) -> Self {
        Self { claimed: Some(level), ..self }
    }
}

/// What the rules look at.
#[derive(Clone, Copy, Debug)]
pub struct RiskInput<'a> {
    pub kind: &'a Kind,
    pub body: &'a StageBody,
    /// The agent that stages it is the one that may redeem it.
    pub self_executed: bool,
    /// What was staged before; `None` where that says nothing: the house's own changes.
    pub history: Option<&'a History>,
    pub now: Timestamp,
}

/// Applies the rules; the highest fact is the level.
pub fn assess(input: RiskInput<'_>) -> Risk {
    let base = input.kind.base_risk;
    let mut facts = vec![RiskFact::new(RiskCode::BaseRisk, base)];
    facts.extend(action::facts(&input));
    facts.extend(time::facts(&input));
    facts.extend(input.history.into_iter().flat_map(|history| history::facts(history, base)));
    let computed = highest(&facts);
    match input.body.risk.level {
        // SECURITY: a claim adds to what we compute and takes nothing from it.
        Some(claimed) if claimed > computed => {
            facts.push(RiskFact::new(RiskCode::ClaimedHigher, claimed).claimed(claimed));
        }
        Some(claimed) if claimed < computed => {
            facts.push(RiskFact::new(RiskCode::ClaimedLower, base).claimed(claimed));
        }
        _ => {}
    }
    let level = highest(&facts);
    facts.sort_by_key(|fact| std::cmp::Reverse(fact.level));
    Risk { level, facts }
}

fn highest(facts: &[RiskFact]) -> RiskLevel {
    facts.iter().map(|fact| fact.level).max().unwrap_or(RiskLevel::High)
}
