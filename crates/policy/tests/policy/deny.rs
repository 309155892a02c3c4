//! I5: whatever goes wrong, the answer is no.

use std::collections::BTreeSet;

use domain::{Risk, RiskLevel};
use policy::{DEFAULT, Decision, PolicyFailure, Reviewer, Subject, SubjectInput};
use serde_json::json;

use crate::scene::{ANYBODY_REVIEWS, parsed, person, scene, when};

fn met(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// Overflows for a risk of 2 and more.
const PLANTED: &str = "resource.risk * 9223372036854775807 > 5";

#[test]
fn i5_an_error_in_a_requirement_denies_instead_of_dropping_it() {
    let two = format!("{}{}", when("true").replace("need.it", "need.other"), when(PLANTED));
    let policy = parsed(&two.replacen(ANYBODY_REVIEWS, "", 1));
    let subject = scene().risk(RiskLevel::High).subject();
    let failure = policy.requirements(&subject).unwrap_err();
    assert!(matches!(&failure, PolicyFailure::Evaluation { rule, .. } if rule == "need.it"));
    insta::assert_snapshot!(failure);
    let all = met(&["need.it", "need.other"]);
    assert!(policy.may_release(&subject, &all).is_err());
    assert!(policy.may_release(&scene().subject(), &all).is_ok());
}

#[test]
fn i5_an_error_in_a_rule_on_review_denies_although_another_permits() {
    for effect in ["permit", "forbid"] {
        let rule = format!(
            "{}@id(\"x\") {effect} (principal, action == Action::\"Review\", resource) when {{ {PLANTED} }};",
            when("true")
        );
        let reviewer = Reviewer { person: person(2), groups: BTreeSet::new() };
        let subject = scene().risk(RiskLevel::High).subject();
        let answer = parsed(&rule).may_review(&subject, &reviewer);
        assert!(matches!(answer, Err(PolicyFailure::Evaluation { .. })), "{effect}");
    }
}

#[test]
fn i5_a_revision_without_requirement_is_neither_staged_nor_released() {
    let policy = parsed(&when("resource.production"));
    let subject = scene().subject();
    assert_eq!(policy.requirements(&subject), Err(PolicyFailure::NoRequirement));
    for ids in [&[][..], &["need.it"]] {
        assert_eq!(policy.may_release(&subject, &met(ids)), Err(PolicyFailure::NoRequirement));
    }
}

#[test]
fn i5_b08_the_owning_group_of_a_kind_that_names_none_is_nobody() {
    let policy = parsed(&when("true").replace("\"approvers\"", "\"@owning_group\""));
    let failure = policy.requirements(&scene().subject()).unwrap_err();
    insta::assert_snapshot!(failure);
    assert!(policy.requirements(&scene().owned_by("").subject()).is_err());
    let owned = policy.requirements(&scene().owned_by("data").subject()).unwrap();
    assert_eq!(owned[0].group, "data");
}

#[test]
fn i1_a_release_needs_every_requirement_and_says_which_are_missing() {
    let policy = parsed(DEFAULT);
    let subject = scene().owned_by("data").environment("production").subject();
    let answer = |ids| policy.may_release(&subject, &met(ids)).unwrap();
    let rules = |decision: Decision| -> Vec<_> {
        decision.reasons.into_iter().map(|reason| reason.rule).collect()
    };
    assert_eq!(rules(answer(&[])), ["need.owner", "need.second"]);
    assert_eq!(rules(answer(&["need.owner"])), ["need.second"]);
    assert!(!answer(&["need.owner", "need.owner.fresh", "need.two", "NEED.SECOND"]).allowed);
    let complete = answer(&["need.owner", "need.second"]);
    assert_eq!(complete, Decision { allowed: true, reasons: vec![] });
}

#[test]
fn i5_nobody_reviews_where_nothing_permits_it() {
    let policy = parsed(DEFAULT);
    let reviewer = Reviewer { person: person(2), groups: ["auditors".to_owned()].into() };
    let answer = policy.may_review(&scene().subject(), &reviewer).unwrap();
    assert_eq!(answer, Decision { allowed: false, reasons: vec![] });
}

#[test]
fn a_forbid_on_review_beats_every_permit_and_gives_its_reason() {
    let rule = "@id(\"not.there\") @why(\"not on this target\") forbid (principal, action == \
                Action::\"Review\", resource) when { resource.targets.contains(\"orders\") };";
    let policy = parsed(&format!("{}{rule}", when("true")));
    let reviewer = Reviewer { person: person(2), groups: ["approvers".to_owned()].into() };
    let answer = policy.may_review(&scene().subject(), &reviewer).unwrap();
    assert!(!answer.allowed);
    assert_eq!(answer.reasons[0].why.as_deref(), Some("not on this target"));
}

#[test]
fn i5_parts_that_do_not_belong_together_are_no_subject() {
    let base = scene();
    let revision = base.revision();
    let refused = |change: fn(&mut crate::scene::Scene)| {
        let mut other = base.clone();
        change(&mut other);
        let crate::scene::Scene { kind, risk, agent, executor, .. } = &other;
        let input = SubjectInput { revision: &revision, kind, risk, agent, executor };
        Subject::new(input).unwrap_err()
    };
    let field = |failure| match failure {
        PolicyFailure::Subject { field, .. } => field,
        other => panic!("{other}"),
    };
    assert_eq!(field(refused(|scene| "db.drop".clone_into(&mut scene.kind.name))), "kind");
    let other = |scene: &mut crate::scene::Scene| {
        scene.agent.id = "00000000-0000-0000-0000-0000000000a2".parse().unwrap();
    };
    assert_eq!(field(refused(other)), "agent");
    assert_eq!(field(refused(|scene| scene.executor.owner = person(9))), "executor");
}

#[test]
fn i5_a_number_that_is_no_long_is_no_subject() {
    for number in [json!(1.5), json!(u64::MAX)] {
        let scene = scene().parameters(json!({"deep": {"rows": number}}));
        let (revision, risk) = (scene.revision(), Risk { level: RiskLevel::Low, facts: vec![] });
        let (kind, agent) = (&scene.kind, &scene.agent);
        let input = SubjectInput { revision: &revision, kind, risk: &risk, agent, executor: agent };
        let failure = Subject::new(input).unwrap_err();
        assert!(matches!(failure, PolicyFailure::Subject { field: "parameters", .. }));
    }
}
