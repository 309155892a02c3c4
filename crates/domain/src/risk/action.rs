//! What the action itself says: where, how much, how it is undone, by whom.

use serde_json::Value;

use super::{RiskCode, RiskFact, RiskInput, RiskLevel};
use crate::kind::is_change;

/// From this many targets on, at least medium.
pub const MANY_TARGETS: i64 = 10;
/// From this many targets on, high.
pub const MANY_TARGETS_HIGH: i64 = 30;

pub(super) fn facts(input: &RiskInput<'_>) -> Vec<RiskFact> {
    let RiskInput { kind, body, .. } = input;
    let base = kind.base_risk;
    let mut facts = Vec::new();
    let mut add = |holds: bool, code, level| {
        if holds {
            facts.push(RiskFact::new(code, level));
        }
    };
    let production = is_production(&body.environment);
    add(production, RiskCode::Production, base.max(RiskLevel::Medium));
    let irreversible = if production { RiskLevel::High } else { base.raised() };
    add(!kind.reversible, RiskCode::Irreversible, irreversible);
    // A change to the house is carried out by the server, whole or not at all, and undone by another.
    let by_an_executor = !is_change(&kind.name);
    add(by_an_executor && input.self_executed, RiskCode::SelfExecuted, base);
    let plan = body.rollback_plan.as_ref();
    add(by_an_executor && plan.is_none(), RiskCode::NoRollbackPlan, base.raised());
    let untested = plan.is_some_and(|plan| plan.tested_at.is_none());
    add(untested, RiskCode::RollbackUntested, base);
    facts.extend(size(input));
    facts.extend(many_targets(input));
    facts
}

/// How large the kind calls it. A size that is no number is not taken for a small one.
fn size(input: &RiskInput<'_>) -> Option<RiskFact> {
    let size = input.kind.size.as_ref()?;
    let base = input.kind.base_risk;
    let fact = |level| RiskFact::new(RiskCode::Size, base.max(level));
    match input.body.parameters.get(&size.parameter).and_then(Value::as_i64) {
        None => Some(fact(RiskLevel::High)),
        Some(value) if value >= size.high => Some(fact(RiskLevel::High).counted(value, size.high)),
        Some(value) if value >= size.medium => {
            Some(fact(RiskLevel::Medium).counted(value, size.medium))
        }
        Some(_) => None,
    }
}

fn many_targets(input: &RiskInput<'_>) -> Option<RiskFact> {
    let count = i64::try_from(input.body.targets.len()).unwrap_or(i64::MAX);
    let (level, limit) = match count {
        MANY_TARGETS_HIGH.. => (RiskLevel::High, MANY_TARGETS_HIGH),
        MANY_TARGETS.. => (RiskLevel::Medium, MANY_TARGETS),
        _ => return None,
    };
    let fact = RiskFact::new(RiskCode::ManyTargets, input.kind.base_risk.max(level));
    Some(fact.counted(count, limit))
}

/// Whether an environment's name could mean production; rather once too often.
pub fn is_production(environment: &str) -> bool {
    environment.split('-').any(|part| part.starts_with("prod") || matches!(part, "prd" | "live"))
}
