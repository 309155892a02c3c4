//! What a new installation asks for, as a table that a reviewer can read.

use std::fmt::Write as _;

use domain::RiskLevel;
use policy::{DEFAULT, Policy, Reviewer};

use crate::scene::{Scene, parsed, person, scene, short};

const CHANGE: &str = "countersign.policy";

fn every_case() -> Vec<(String, Scene)> {
    let mut cases = Vec::new();
    for (what, base) in [
        ("no owning group", scene()),
        ("owned by data", scene().owned_by("data")),
        (CHANGE, scene().kind(CHANGE)),
    ] {
        for environment in ["staging", "production"] {
            for reversible in [true, false] {
                for risk in RiskLevel::ALL {
                    let undo = if reversible { "reversible" } else { "irreversible" };
                    let risk_word = risk.as_str();
                    let case = format!("{what:18} {environment:10} {undo:12} {risk_word:6}");
                    let scene = base.clone().environment(environment);
                    cases.push((case, scene.reversible(reversible).risk(risk)));
                }
            }
        }
    }
    cases
}

#[test]
fn the_requirements_of_the_default_policy() {
    let policy = parsed(DEFAULT);
    let mut table = String::new();
    for (case, scene) in every_case() {
        let asked = policy.requirements(&scene.subject()).unwrap();
        let asked: Vec<_> = asked.iter().map(short).collect();
        writeln!(table, "{case} → {}", asked.join(" + ")).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn i5_the_default_policy_asks_exactly_as_many_people_as_it_says() {
    let policy = parsed(DEFAULT);
    for (case, scene) in every_case() {
        let asked = policy.requirements(&scene.subject()).unwrap();
        let production = scene.body["environment"] == "production";
        let change = scene.kind.name == CHANGE;
        let two = !change && (production || !scene.kind.reversible);
        let seats: u32 = asked.iter().map(|one| one.seats).sum();
        assert_eq!(seats, if two { 2 } else { 1 }, "{case}");
        let high = change || scene.risk.level == RiskLevel::High;
        let fresh =
            |reauth_s: Option<u32>| if high { reauth_s == Some(300) } else { reauth_s.is_none() };
        assert!(asked.iter().all(|one| fresh(one.reauth_s)), "{case}");
        if two && let Some(owner) = &scene.kind.owning_group {
            assert!(asked.iter().any(|one| one.group == *owner && one.seats == 1), "{case}");
        }
    }
}

fn reviews(policy: &Policy, scene: &Scene, groups: &[&str]) -> bool {
    let groups = groups.iter().map(|name| (*name).to_owned()).collect();
    policy.may_review(&scene.subject(), &Reviewer { person: person(7), groups }).unwrap().allowed
}

#[test]
fn the_default_policy_lets_each_group_decide_on_its_own() {
    let policy = parsed(DEFAULT);
    let mut table = String::new();
    let owned = scene().owned_by("data");
    for (what, scene) in [("request", scene()), ("owned", owned), ("change", scene().kind(CHANGE))]
    {
        for groups in [&["approvers"][..], &["administrators"], &["data"], &["auditors"], &[]] {
            let may = if reviews(&policy, &scene, groups) { "may review" } else { "may not" };
            let group = groups.first().unwrap_or(&"(no group)");
            writeln!(table, "{what:8} {group:15} {may}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn b07_groups_are_compared_whole_and_by_case() {
    let policy = parsed(DEFAULT);
    for near in ["Approvers", "approvers ", "approver", "approvers\"", ""] {
        assert!(!reviews(&policy, &scene(), &[near]), "{near:?}");
    }
}
