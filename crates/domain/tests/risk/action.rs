//! Where, how much, how it is undone, by whom, and what the agent says about it.

use domain::RiskLevel::{High, Low, Medium};
use domain::risk::{MANY_TARGETS, MANY_TARGETS_HIGH, RiskCode, RiskFact};
use serde_json::{Value, json};

use crate::scene::harmless;

#[test]
fn nothing_counts_but_the_kinds_own_risk() {
    assert_eq!(harmless().risk().facts, [RiskFact::new(RiskCode::BaseRisk, Low)]);
    assert_eq!(harmless().kind("base_risk", json!("high")).level(), High);
}

#[test]
fn production_is_medium_by_whatever_name() {
    for name in ["production", "prod-eu", "eu-prod1", "prd", "live"] {
        let fact = harmless().body("environment", json!(name)).only();
        assert_eq!((fact.code, fact.level), (RiskCode::Production, Medium), "{name}");
    }
    assert_eq!(harmless().body("environment", json!("reproduction")).facts(), []);
}

#[test]
fn what_cannot_be_undone_is_a_level_higher_and_high_in_production() {
    let scene = harmless().kind("reversible", json!(false));
    assert_eq!(scene.only(), RiskFact::new(RiskCode::Irreversible, Medium));
    assert_eq!(scene.body("environment", json!("production")).level(), High);
}

#[test]
fn the_rollback_plan_and_who_executes_are_facts() {
    let none = harmless().body("rollback_plan", Value::Null);
    assert_eq!(none.only(), RiskFact::new(RiskCode::NoRollbackPlan, Medium));
    let untested = harmless().body("rollback_plan", json!({"steps": ["undo"]}));
    assert_eq!(untested.only(), RiskFact::new(RiskCode::RollbackUntested, Low));
    let mut own = harmless();
    own.self_executed = true;
    assert_eq!(own.only(), RiskFact::new(RiskCode::SelfExecuted, Low));
}

#[test]
fn size_counts_from_the_kinds_own_thresholds_on() {
    let size = json!({"parameter": "rows", "unit": "rows", "medium": 100, "high": 1000});
    let of = |rows: Value| {
        harmless().kind("size", size.clone()).body("parameters", json!({"rows": rows}))
    };
    assert_eq!(of(json!(99)).facts(), []);
    let fact = |level| RiskFact::new(RiskCode::Size, level);
    assert_eq!(of(json!(100)).only(), fact(Medium).counted(100, 100));
    assert_eq!(of(json!(999)).only(), fact(Medium).counted(999, 100));
    assert_eq!(of(json!(1000)).only(), fact(High).counted(1000, 1000));
    assert_eq!(of(json!(1000)).kind("base_risk", json!("high")).level(), High);
}

#[test]
fn i5_a_size_that_is_no_number_is_not_taken_for_a_small_one() {
    let size = json!({"parameter": "rows", "unit": "rows", "medium": 100, "high": 1000});
    for odd in [json!({}), json!({"rows": "5"}), json!({"rows": 1.5}), json!({"rows": null})] {
        let fact = harmless().kind("size", size.clone()).body("parameters", odd).only();
        assert_eq!(fact, RiskFact::new(RiskCode::Size, High));
    }
}

#[test]
fn many_targets_count() {
    let of = |count: i64| {
        let targets: Vec<String> = (0..count).map(|n| format!("t{n}")).collect();
        harmless().body("targets", json!(targets))
    };
    let fact = |level| RiskFact::new(RiskCode::ManyTargets, level);
    assert_eq!(of(MANY_TARGETS - 1).facts(), []);
    assert_eq!(of(MANY_TARGETS).only(), fact(Medium).counted(MANY_TARGETS, MANY_TARGETS));
    let high = fact(High).counted(MANY_TARGETS_HIGH, MANY_TARGETS_HIGH);
    assert_eq!(of(MANY_TARGETS_HIGH).only(), high);
}

#[test]
fn an_agents_claim_raises_the_level_and_never_lowers_it() {
    let claims = |level: &str| json!({"level": level, "factors": []});
    let higher = harmless().body("risk", claims("high"));
    assert_eq!((higher.only().code, higher.level()), (RiskCode::ClaimedHigher, High));
    let lower = harmless().kind("base_risk", json!("high")).body("risk", claims("low"));
    assert_eq!((lower.only().code, lower.level()), (RiskCode::ClaimedLower, High));
    assert_eq!(lower.only().claimed, Some(Low));
    assert_eq!(harmless().body("risk", claims("low")).facts(), [], "the same level is no news");
}

#[test]
fn the_facts_that_lead_to_the_level_come_first() {
    let scene = harmless().body("environment", json!("production"));
    let codes: Vec<RiskCode> = scene.risk().facts.iter().map(|fact| fact.code).collect();
    assert_eq!(codes, [RiskCode::Production, RiskCode::BaseRisk]);
}

#[test]
fn a_fact_of_version_1_is_read_and_written_as_before() {
    let text = r#"{"code":"self_executed","level":"low"}"#;
    let fact: RiskFact = serde_json::from_str(text).unwrap();
    assert_eq!(fact, RiskFact::new(RiskCode::SelfExecuted, Low));
    assert_eq!(serde_json::to_string(&fact).unwrap(), text);
}
