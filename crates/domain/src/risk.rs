//! Risk computed by us, beside what the agent claims.
//!
//! No model and no score: a level, and the facts that lead to it, each of which a reviewer can
//! check. The highest fact decides.

use serde::{Deserialize, Serialize};

use crate::Kind;

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
    pub facts: Vec<RiskFact>,
}

/// One fact that counts, with the level it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskFact {
    pub code: RiskCode,
    pub level: RiskLevel,
}

/// Which fact it is. Closed: pages have a sentence for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskCode {
    /// The kind's own base risk.
    BaseRisk,
    /// The environment is production.
    Production,
    /// The kind says that the action cannot be undone.
    Irreversible,
    /// The agent that staged it will also execute it.
    SelfExecuted,
    /// There is no rollback plan.
    NoRollbackPlan,
    /// The rollback plan was never tested, as far as the agent says.
    RollbackUntested,
    /// The agent claims a higher risk than we compute.
    ClaimedHigher,
}

/// What the rules look at.
#[derive(Clone, Copy, Debug)]
pub struct RiskInput<'a> {
    pub kind: &'a Kind,
    pub environment: &'a str,
    pub self_executed: bool,
    pub rollback_plan: bool,
    pub rollback_tested: bool,
    pub claimed: Option<RiskLevel>,
}

/// Applies the rules; the highest fact is the level.
pub fn assess(input: RiskInput<'_>) -> Risk {
    let base = input.kind.base_risk;
    let mut facts = vec![RiskFact { code: RiskCode::BaseRisk, level: base }];
    let mut add = |holds: bool, code, level| {
        if holds {
            facts.push(RiskFact { code, level });
        }
    };
    let production = is_production(input.environment);
    add(production, RiskCode::Production, base.max(RiskLevel::Medium));
    let irreversible = if production { RiskLevel::High } else { base.raised() };
    add(!input.kind.reversible, RiskCode::Irreversible, irreversible);
    add(!input.rollback_plan, RiskCode::NoRollbackPlan, base.raised());
    add(input.rollback_plan && !input.rollback_tested, RiskCode::RollbackUntested, base);
    add(input.self_executed, RiskCode::SelfExecuted, base);
    let computed = facts.iter().map(|fact| fact.level).max().unwrap_or(RiskLevel::High);
    if let Some(claimed) = input.claimed.filter(|claimed| *claimed > computed) {
        facts.push(RiskFact { code: RiskCode::ClaimedHigher, level: claimed });
    }
    let level = facts.iter().map(|fact| fact.level).max().unwrap_or(RiskLevel::High);
    facts.sort_by_key(|fact| std::cmp::Reverse(fact.level));
    Risk { level, facts }
}

/// Whether an environment's name could mean production; rather once too often.
pub fn is_production(environment: &str) -> bool {
    environment.split('-').any(|part| part.starts_with("prod") || matches!(part, "prd" | "live"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assessed(base: RiskLevel, environment: &str, reversible: bool) -> Risk {
        let kind = Kind {
            name: "k".into(),
            title: String::new(),
            description: String::new(),
            effect: String::new(),
            parameters_schema: serde_json::Value::Null,
            required_evidence: vec![],
            rollback_plan_required: true,
            reversible,
            reversal_note: String::new(),
            base_risk: base,
            review_deadline_s: 300,
            release_ttl_s: 60,
            lease_ttl_s: 900,
            report_deadline_s: 60,
            executor: None,
            owning_group: None,
            example: serde_json::Value::Null,
        };
        assess(RiskInput {
            kind: &kind,
            environment,
            self_executed: true,
            rollback_plan: true,
            rollback_tested: true,
            claimed: None,
        })
    }

    #[test]
    fn irreversible_in_production_is_high_whatever_the_kind_says() {
        assert_eq!(assessed(RiskLevel::Low, "production", false).level, RiskLevel::High);
        for production in ["prod-eu", "eu-prod1", "prd", "production"] {
            assert_eq!(assessed(RiskLevel::Low, production, true).level, RiskLevel::Medium);
        }
        assert_eq!(assessed(RiskLevel::Low, "staging", true).level, RiskLevel::Low);
        assert_eq!(assessed(RiskLevel::Low, "reproduction", true).level, RiskLevel::Low);
    }

    #[test]
    fn an_agent_cannot_lower_the_level_by_its_claim() {
        let risk = assessed(RiskLevel::High, "staging", true);
        assert_eq!(risk.level, RiskLevel::High);
        assert!(risk.facts.iter().any(|fact| fact.code == RiskCode::SelfExecuted));
    }
}
