//! What conditions can say about a revision.

use domain::RiskLevel;
use domain::risk::{RiskCode, RiskFact};
use serde_json::json;

use crate::scene::{Scene, parsed, scene, when};

fn holds(scene: &Scene, condition: &str) -> bool {
    parsed(&when(condition)).requirements(&scene.subject()).is_ok()
}

#[test]
fn conditions_look_at_every_attribute() {
    let mut busy = scene().environment("prod-eu").reversible(false).risk(RiskLevel::High);
    busy.risk.facts = vec![RiskFact::new(RiskCode::SelfExecuted, RiskLevel::Low)];
    let busy = busy
        .owned_by("data")
        .with("rollback_plan", json!({"steps": ["undo"], "tested_at": "2027-01-15T08:00:00Z"}))
        .with("command", json!({"argv": ["pg_dump"]}));
    for (condition, plain, rich) in [
        ("resource.kind == Kind::\"db.export\"", true, true),
        ("resource.kind.name like \"db.*\" && resource.kind.version == 2", true, true),
        ("resource.kind.base_risk == 1", true, true),
        ("resource.kind has owning_group", false, true),
        ("resource.production", false, true),
        ("resource.environment == \"prod-eu\"", false, true),
        ("resource.reversible", true, false),
        ("resource.risk == 3", false, true),
        ("resource.risk_facts.contains(\"self_executed\")", false, true),
        ("resource.targets.containsAny([\"orders\", \"people\"])", true, true),
        ("resource.evidence.isEmpty()", true, true),
        ("resource.has_command", false, true),
        ("resource.has_rollback_plan && resource.rollback_tested", false, true),
        ("resource.self_executed && resource.agent == resource.executor", true, true),
        ("resource.agent.name == \"ledger-close\"", true, true),
        ("principal == resource.executor && resource.revision == 1", true, true),
        ("principal.owner == resource.agent.owner", true, true),
    ] {
        assert_eq!(holds(&scene(), condition), plain, "{condition}");
        assert_eq!(holds(&busy, condition), rich, "{condition}, with more in the request");
    }
}

#[test]
fn conditions_look_at_parameters_by_sort_and_name() {
    let mut scene = scene().parameters(json!({
        "row_limit": 10_001, "count": "9007199254740993", "columns": ["id", "email", 7],
        "destination": "s3://bucket", "dry": true, "nothing": null,
        "limits": {"rows": 5, "a/b": {"c": "d"}}
    }));
    scene.kind.parameters_schema =
        json!({"properties": {"count": {"type": "string", "format": "int64"}}});
    for (map, name, then) in [
        ("numbers", "row_limit", " > 10000"),
        ("numbers", "count", " == 9007199254740993"),
        ("texts", "count", " == \"9007199254740993\""),
        ("lists", "columns", ".containsAll([\"email\", \"7\"])"),
        ("texts", "destination", " like \"s3://*\""),
        ("flags", "dry", " == true"),
        ("numbers", "limits/rows", " == 5"),
        ("texts", "limits/a~1b/c", " == \"d\""),
    ] {
        let guarded =
            format!("resource.{map}.hasTag(\"{name}\") && resource.{map}.getTag(\"{name}\"){then}");
        assert!(holds(&scene, &guarded), "{guarded}");
    }
    for absent in ["nothing", "limits", "limits/a", "destination"] {
        assert!(!holds(&scene, &format!("resource.numbers.hasTag(\"{absent}\")")), "{absent}");
    }
}

#[test]
fn a_condition_written_on_the_strict_side_holds_for_what_is_absent() {
    let strict = "!(resource.numbers.hasTag(\"rows\") && resource.numbers.getTag(\"rows\") <= 9)";
    assert!(!holds(&scene().parameters(json!({"rows": 9})), strict));
    assert!(holds(&scene().parameters(json!({"rows": 10})), strict));
    assert!(holds(&scene().parameters(json!({})), strict));
    assert!(holds(&scene().parameters(json!({"rows": "9"})), strict));
}

#[test]
fn g01_text_of_an_agent_is_a_value_and_never_a_part_of_the_policy() {
    let nasty = "x\" || true }; permit (principal, action, resource); //";
    let scene =
        scene().environment(nasty).kind(nasty).owned_by(nasty).with("targets", json!([nasty]));
    assert!(!holds(&scene, "resource.environment == \"x\""));
    assert!(holds(&scene, "resource.environment like \"x*permit*\""));
}

/// B07: whether somebody may review depends on each group that a condition names.
#[test]
fn the_groups_of_requirements_and_of_conditions_are_known() {
    let text = r#"
        @id("need.one") @group("approvers") @quorum("1") @why("one")
        forbid (principal, action == Action::"Release", resource)
        unless { context.met.contains("need.one") };
        @id("review.some")
        permit (principal in Group::"seniors", action == Action::"Review", resource)
        unless { principal in Group::"trainees" };
    "#;
    let groups = policy::Policy::parse(text).unwrap().groups();
    let expected = ["approvers", "seniors", "trainees"].map(str::to_owned);
    assert_eq!(groups, expected.into());
}
