//! The quorum: an assignment of people to seats, and what is said about it.

use std::collections::BTreeSet;

use domain::quorum::{RequirementStatus, complete, explain};
use domain::{Authority, PersonId, Request, Requirement, Review, StateName, Verdict};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::{array, collection};
use uuid::Uuid;

use super::scene::{BOB, CAT, DAN, OWNER, Story, at, digest, fresh, groups, need, one, two};

#[test]
fn i1_overlapping_groups_neither_deadlock_nor_relax() {
    // BOB could fill either seat, CAT only the lax one: whoever comes first, both together do.
    let needs = || vec![need("lax", "approvers", 1), need("strict", "security", 1)];
    for order in [[BOB, CAT], [CAT, BOB]] {
        let mut story = Story::staged(needs());
        story.house.groups = groups(&[("security", &[BOB]), ("approvers", &[BOB, CAT])]);
        assert_eq!(story.approved_by(&order).state(), StateName::Approved, "{order:?}");
    }
    let mut story = Story::staged(needs());
    story.house.groups = groups(&[("security", &[DAN]), ("approvers", &[BOB, CAT])]);
    let story = story.approved_by(&[BOB, CAT]);
    assert_eq!(story.state(), StateName::Pending, "two lax approvals fill no strict seat");
    let explanation = explain(story.request(), &story.house);
    assert!(!explanation.met && explanation.attainable);
    assert_eq!(explanation.requirements[1].could_fill, [DAN]);
    assert_eq!(explanation.requirements[1].missing(), 1);
}

#[test]
fn i1_a_chain_of_three_groups_is_untangled() {
    let needs = vec![need("a", "a", 1), need("b", "b", 1), need("c", "c", 1)];
    for order in [[BOB, CAT, DAN], [DAN, CAT, BOB], [CAT, DAN, BOB], [BOB, DAN, CAT]] {
        let mut story = Story::staged(needs.clone());
        story.house.groups =
            groups(&[("a", &[BOB, CAT]), ("b", &[CAT, BOB, DAN]), ("c", &[BOB, CAT])]);
        assert_eq!(story.approved_by(&order).state(), StateName::Approved, "{order:?}");
    }
}

#[test]
fn b09_a_quorum_nobody_could_fill_is_said_to_be_so_and_never_met() {
    for seats in [4, 1000, u32::MAX] {
        let story = Story::staged(vec![need("many", "approvers", seats)]);
        assert!(!explain(story.request(), &story.house).attainable, "{seats}");
        let story = story.approved_by(&[BOB, CAT]);
        assert_eq!(story.state(), StateName::Pending);
        let status = &explain(story.request(), &story.house).requirements[0];
        assert_eq!(status.missing(), seats as usize - 2);
    }
}

#[test]
fn i5_where_nothing_is_asked_nothing_is_met() {
    let story = Story::staged(one()).under(Vec::new()).approved_by(&[BOB]);
    assert_eq!(story.state(), StateName::Pending, "the policy in force asks nobody");
    let story = Story::staged(one()).approved_by(&[BOB]);
    for nothing in [Vec::new(), vec![need("none", "approvers", 0)]] {
        assert_eq!(complete(&nothing, story.request(), &story.house), None, "{nothing:?}");
    }
}

#[test]
fn explain_leaves_out_whoever_can_never_count() {
    let story = Story::staged(two());
    let explanation = explain(story.request(), &story.house);
    assert_eq!(explanation.requirements[0].could_fill, [BOB, CAT]);
    assert!(explanation.attainable);
    let story = story.without(CAT);
    let explanation = explain(story.request(), &story.house);
    assert!(!explanation.attainable, "one person is left for two seats");
    assert!(story.house.groups["approvers"].contains(&OWNER));
}

#[test]
fn explain_names_the_requirements_of_today_beside_those_of_staging() {
    let story = Story::staged(one()).under(vec![need("need.security", "security", 1)]);
    let story = story.approved_by(&[BOB]);
    let explanation = explain(story.request(), &story.house);
    let ids: Vec<_> = explanation.requirements.iter().map(|s| s.requirement.id.as_str()).collect();
    assert_eq!(ids, ["need.one", "need.security"]);
    assert_eq!(explanation.requirements[0].filled_by, [BOB]);
    assert!(!explanation.met);
    let same = story.under(one());
    let explanation = explain(same.request(), &same.house);
    assert_eq!(explanation.requirements.len(), 1, "the same requirement is named once");
    assert!(explanation.met);
}

#[test]
fn i5_explain_says_not_met_where_the_policy_cannot_be_asked() {
    let mut story = Story::staged(two()).approved_by(&[BOB]);
    story.house.ruling = None;
    let explanation = explain(story.request(), &story.house);
    assert!(!explanation.met && !explanation.attainable);
}

#[test]
fn a10_explain_asks_again_for_an_approval_that_is_too_stale() {
    let story = Story::staged(two()).at(1000);
    let mut story = story;
    let old = domain::ReviewInput { authenticated_at: at(0), ..story.input(BOB) };
    story.does(domain::Command::Approve(old));
    let story = story.under(vec![fresh("need.fresh", "approvers", 1)]);
    let explanation = explain(story.request(), &story.house);
    assert_eq!(explanation.requirements[1].could_fill, [BOB, CAT]);
    assert!(explanation.requirements[1].filled_by.is_empty());
}

const PEOPLE: usize = 6;
const GROUPS: [&str; 3] = ["a", "b", "c"];

fn person(index: usize) -> PersonId {
    PersonId(Uuid::from_u128(100 + index as u128))
}

/// Requirements, group members, who approved, and which of these approvals are fresh.
#[derive(Clone, Debug)]
struct Case {
    needs: Vec<Requirement>,
    members: [[bool; PEOPLE]; 3],
    approved: [bool; PEOPLE],
    fresh: [bool; PEOPLE],
}

fn cases() -> impl Strategy<Value = Case> {
    let requirement = (0..3_usize, 1..3_u32, any::<bool>());
    let needs = collection::vec(requirement, 1..4);
    let members = array::uniform3(any::<[bool; PEOPLE]>());
    (needs, members, any::<[bool; PEOPLE]>(), any::<[bool; PEOPLE]>()).prop_map(
        |(needs, members, approved, fresh)| {
            let requirement = |(index, (group, seats, strict)): (usize, (usize, u32, bool))| {
                let id = format!("need.{index}");
                let reauth_s = strict.then_some(300);
                Requirement { reauth_s, ..need(&id, GROUPS[group], seats) }
            };
            let needs = needs.into_iter().enumerate().map(requirement).collect();
            Case { needs, members, approved, fresh }
        },
    )
}

impl Case {
    fn authority(&self) -> Authority {
        let members = |group: usize| {
            (0..PEOPLE).filter(|i| self.members[group][*i]).map(person).collect::<BTreeSet<_>>()
        };
        let groups = GROUPS.iter().enumerate().map(|(i, name)| ((*name).into(), members(i)));
        let mut authority = super::scene::house(self.needs.clone());
        authority.groups = groups.collect();
        authority
    }

    fn request(&self) -> Request {
        let mut request = Story::staged(self.needs.clone()).request.unwrap();
        let review = |index: usize| Review {
            reviewer: person(index),
            revision: 1,
            digest: digest(1),
            verdict: Verdict::Approve,
            at: at(1000),
            authenticated_at: if self.fresh[index] { at(900) } else { at(0) },
        };
        request.reviews = (0..PEOPLE).filter(|i| self.approved[*i]).map(review).collect();
        request
    }

    /// Tries every person in every seat.
    fn fills(&self, seats: &[&Requirement], taken: &mut [bool; PEOPLE], all: bool) -> bool {
        let Some((seat, rest)) = seats.split_first() else { return true };
        let group = GROUPS.iter().position(|name| *name == seat.group).unwrap();
        (0..PEOPLE).any(|i| {
            let said = all || self.approved[i] && (seat.reauth_s.is_none() || self.fresh[i]);
            if taken[i] || !said || !self.members[group][i] {
                return false;
            }
            taken[i] = true;
            let filled = self.fills(rest, taken, all);
            taken[i] = false;
            filled
        })
    }

    fn seats(&self) -> Vec<&Requirement> {
        self.needs.iter().flat_map(|need| std::iter::repeat_n(need, need.seats as usize)).collect()
    }
}

proptest! {
    #[test]
    fn i1_the_quorum_is_met_exactly_where_brute_force_finds_an_assignment(case in cases()) {
        let (request, authority) = (case.request(), case.authority());
        let found = complete(&case.needs, &request, &authority);
        let exists = case.fills(&case.seats(), &mut [false; PEOPLE], false);
        prop_assert_eq!(found.is_some(), exists);
        if let Some(seats) = found {
            let people: BTreeSet<_> = seats.iter().map(|seat| seat.person).collect();
            prop_assert_eq!(people.len(), case.seats().len(), "each person in one seat");
            for seat in &seats {
                let need = case.needs.iter().find(|need| need.id == seat.requirement).unwrap();
                prop_assert!(authority.groups[&need.group].contains(&seat.person));
            }
        }
    }

    #[test]
    fn explain_says_attainable_exactly_where_all_together_could(case in cases()) {
        let explanation = explain(&case.request(), &case.authority());
        let could = case.fills(&case.seats(), &mut [false; PEOPLE], true);
        prop_assert_eq!(explanation.attainable, could);
        let met = case.fills(&case.seats(), &mut [false; PEOPLE], false);
        prop_assert_eq!(explanation.met, met);
        let missing: usize = explanation.requirements.iter().map(RequirementStatus::missing).sum();
        prop_assert_eq!(missing == 0, met);
    }
}
