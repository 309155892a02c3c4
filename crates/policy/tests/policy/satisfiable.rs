//! Policies that this house could never meet, or never change again.

use std::collections::BTreeSet;

use domain::PersonId;
use policy::{DEFAULT, House, Subject, Unsatisfiable, could_ever_be_met};

use crate::scene::{parsed, person, scene, when};

fn people(numbers: &[u8]) -> BTreeSet<PersonId> {
    numbers.iter().copied().map(person).collect()
}

/// Two approvers and these administrators, who stage changes.
fn house(administrators: &[u8]) -> House {
    let administrators = people(administrators);
    House {
        groups: [
            ("approvers".to_owned(), people(&[1, 2])),
            ("administrators".to_owned(), administrators.clone()),
        ]
        .into(),
        owning_groups: BTreeSet::new(),
        stagers: administrators,
    }
}

fn changes() -> Vec<Subject> {
    let kinds = ["countersign.policy", "countersign.kind", "countersign.group"];
    kinds.iter().map(|name| scene().kind(name).subject()).collect()
}

fn told(policy: &str, house: &House) -> String {
    let found = could_ever_be_met(&parsed(policy), house, &changes()).unwrap_err();
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_default_policy_holds_with_two_approvers_and_two_administrators() {
    assert_eq!(could_ever_be_met(&parsed(DEFAULT), &house(&[3, 4]), &changes()), Ok(()));
}

#[test]
fn b08_b09_a_requirement_beyond_its_group_is_refused() {
    let mut small = house(&[3, 4]);
    small.groups.insert("approvers".to_owned(), people(&[1]));
    small.owning_groups.insert("gone".to_owned());
    insta::assert_snapshot!(told(DEFAULT, &small));
}

#[test]
fn b09_the_only_administrator_could_never_change_the_policy_again() {
    insta::assert_snapshot!(told(DEFAULT, &house(&[3])));
}

#[test]
fn somebody_else_who_stages_makes_one_administrator_enough() {
    let mut house = house(&[3]);
    house.stagers.insert(person(1));
    assert_eq!(could_ever_be_met(&parsed(DEFAULT), &house, &changes()), Ok(()));
}

#[test]
fn b14_one_person_in_two_groups_does_not_change_the_policy_alone() {
    let more = "@id(\"need.approver\") @group(\"approvers\") @quorum(\"1\") @why(\"w\") forbid \
                (principal, action == Action::\"Release\", resource) when { resource.kind.name like \
                \"countersign.*\" } unless { context.met.contains(\"need.approver\") };";
    let mut house = house(&[1, 3]);
    house.groups.insert("approvers".to_owned(), people(&[1, 2]));
    let policy = format!("{DEFAULT}{more}").replace(
        "permit (principal in Group::\"administrators\", action",
        "permit (principal, action",
    );
    assert_eq!(could_ever_be_met(&parsed(&policy), &house, &changes()), Ok(()));
    house.groups.insert("approvers".to_owned(), people(&[1]));
    let found = could_ever_be_met(&parsed(&policy), &house, &changes()).unwrap_err();
    assert!(found.iter().any(|one| matches!(one, Unsatisfiable::NeverChanged { .. })));
}

#[test]
fn a_policy_under_which_the_right_people_may_not_review_is_refused() {
    let lock = DEFAULT.replace(
        "permit (principal in Group::\"administrators\"",
        "permit (principal in Group::\"auditors\"",
    );
    let found = could_ever_be_met(&parsed(&lock), &house(&[3, 4]), &changes()).unwrap_err();
    assert!(matches!(found[0], Unsatisfiable::NeverChanged { .. }));
}

#[test]
fn i5_a_policy_that_asks_nothing_of_its_own_change_is_refused() {
    let narrow = when("resource.kind.name == \"db.export\"");
    let found = could_ever_be_met(&parsed(&narrow), &house(&[3, 4]), &changes()).unwrap_err();
    assert_eq!(found.len(), 3);
    assert!(matches!(found[0], Unsatisfiable::NoAnswer { .. }));
}
