//! A sentence for each risk fact, and what a reviewer can check about it.

use domain::RiskLevel;
use domain::risk::RiskCode;

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

/// What the fact says.
pub fn fact(code: RiskCode, level: RiskLevel) -> String {
    match code {
        RiskCode::BaseRisk => format!("This kind of action is {} risk in itself", level.as_str()),
        RiskCode::Production => "It changes or reads production".to_owned(),
        RiskCode::Irreversible => "It cannot be undone".to_owned(),
        RiskCode::SelfExecuted => "The agent that staged it will also carry it out".to_owned(),
        RiskCode::NoRollbackPlan => "There is no rollback plan".to_owned(),
        RiskCode::RollbackUntested => "The rollback plan was never tested".to_owned(),
        RiskCode::ClaimedHigher => {
            format!("The agent itself calls it {} risk, more than we compute", level.as_str())
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
        RiskCode::ClaimedHigher => "Read the agent’s reasons below before you decide.",
    }
}
