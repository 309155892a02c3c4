//! Quorum as an assignment of people to seats.
//!
//! Each requirement has seats; each person fills at most one seat over all requirements; the
//! quorum is met when every seat is filled by an eligible approval. Solved as a bipartite
//! matching (augmenting paths), so overlapping groups neither deadlock nor count anyone twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::fact::Seat;
use crate::{Authority, PersonId, Request, Review};

/// "`seats` distinct people of `group`", with the reason why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    pub id: String,
    pub group: String,
    pub seats: u32,
    /// An approval counts here only if the person authenticated at most this long before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reauth_s: Option<u32>,
    pub why: String,
}

/// How far the quorum is, and what is still missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    pub met: bool,
    /// Whether the people who may still review could fill every seat.
    pub attainable: bool,
    pub requirements: Vec<RequirementStatus>,
}

/// One requirement's seats: who fills them, who could.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequirementStatus {
    pub requirement: Requirement,
    pub filled_by: Vec<PersonId>,
    pub could_fill: Vec<PersonId>,
}

impl RequirementStatus {
    /// Seats that nobody fills yet.
    pub fn missing(&self) -> usize {
        (self.requirement.seats as usize).saturating_sub(self.filled_by.len())
    }
}

/// The complete assignment of standing approvals to the seats of `needs`, if there is one.
///
/// INVARIANT: I1, I5. No requirement, or one without seats, is never met.
pub fn complete(
    needs: &[Requirement],
    request: &Request,
    authority: &Authority,
) -> Option<Vec<Seat>> {
    #[cfg(not(planted = "nothing_asked_is_met"))]
    if needs.is_empty() || needs.iter().any(|requirement| requirement.seats == 0) {
        return None;
    }
    let approvals: Vec<&Review> = request.approvals().collect();
    assign(needs, &approvals, &|need, review| authority.counts(request, need, review))
        .into_iter()
        .map(|(need, review)| {
            let seat =
                |review: &Review| Seat { requirement: need.id.clone(), person: review.reviewer };
            review.map(seat)
        })
        .collect()
}

/// What is met, what is missing, who could still fill it, and whether it can be met at all.
///
/// The requirements of staging come first, then those that the policy in force adds to them.
pub fn explain(request: &Request, authority: &Authority) -> Explanation {
    let staged = request.requirements.as_slice();
    let now = authority.ruling.as_ref().map_or(&[][..], |ruling| ruling.requirements.as_slice());
    let mut requirements = explain_each(staged, request, authority);
    let added = explain_each(now, request, authority);
    requirements.extend(added.into_iter().filter(|status| !staged.contains(&status.requirement)));
    let all_met = |needs| complete(needs, request, authority).is_some();
    Explanation {
        met: all_met(staged) && all_met(now),
        attainable: attainable(staged, request, authority) && attainable(now, request, authority),
        requirements,
    }
}

fn explain_each(
    needs: &[Requirement],
    request: &Request,
    authority: &Authority,
) -> Vec<RequirementStatus> {
    let approvals: Vec<&Review> = request.approvals().collect();
    let matching =
        assign(needs, &approvals, &|need, review| authority.counts(request, need, review));
    let status = |requirement: &Requirement| {
        let of_this = matching.iter().filter(|(need, _)| need.id == requirement.id);
        let filled_by = of_this.filter_map(|(_, review)| *review).map(|review| review.reviewer);
        RequirementStatus {
            requirement: requirement.clone(),
            filled_by: filled_by.collect(),
            could_fill: could_fill(requirement, request, authority),
        }
    };
    needs.iter().map(status).collect()
}

/// Who may take a seat of `need` and does not hold one by an approval that counts.
fn could_fill(need: &Requirement, request: &Request, authority: &Authority) -> Vec<PersonId> {
    let holds = |person: &PersonId| {
        request
            .approvals()
            .any(|review| review.reviewer == *person && authority.counts(request, need, review))
    };
    let members = authority.groups.get(&need.group).into_iter().flatten();
    members
        .filter(|person| !holds(person) && authority.may_fill(request, need, **person))
        .copied()
        .collect()
}

/// Whether everybody who may fill a seat could together fill all of them.
fn attainable(needs: &[Requirement], request: &Request, authority: &Authority) -> bool {
    let groups = needs.iter().filter_map(|need| authority.groups.get(&need.group));
    let people = groups.flatten().copied().collect();
    fillable(needs, &people, |need, person| authority.may_fill(request, need, person))
}

/// Whether `people` could fill every seat, one each.
///
/// INVARIANT: I5. Nothing asked, or a requirement without seats, is never filled.
pub fn fillable(
    needs: &[Requirement],
    people: &BTreeSet<PersonId>,
    fits: impl Fn(&Requirement, PersonId) -> bool,
) -> bool {
    let seated = needs.iter().all(|need| need.seats > 0);
    let people: Vec<PersonId> = people.iter().copied().collect();
    let filled = assign(needs, &people, &|need, person| fits(need, *person));
    !needs.is_empty() && seated && filled.iter().all(|(_, person)| person.is_some())
}

/// Every seat with what fills it: a maximum matching.
///
/// Of a requirement with more seats than there are candidates only one seat too many is laid out:
/// it stays empty, and nobody's number of seats decides how much memory this takes.
fn assign<'a, T: Copy>(
    needs: &'a [Requirement],
    candidates: &[T],
    fits: &impl Fn(&Requirement, &T) -> bool,
) -> Vec<(&'a Requirement, Option<T>)> {
    let most = candidates.len().saturating_add(1);
    let mut seats: Vec<(&Requirement, Option<T>)> = needs
        .iter()
        .flat_map(|need| std::iter::repeat_n((need, None), most.min(need.seats as usize)))
        .collect();
    for candidate in candidates {
        seat(*candidate, &mut seats, &mut BTreeSet::new(), fits);
        #[cfg(planted = "one_person_fills_two_seats")]
        seat(*candidate, &mut seats, &mut BTreeSet::new(), fits);
    }
    seats
}

/// Seats `candidate`, moving others along an augmenting path where that frees a seat.
fn seat<T: Copy>(
    candidate: T,
    seats: &mut Vec<(&Requirement, Option<T>)>,
    tried: &mut BTreeSet<usize>,
    fits: &impl Fn(&Requirement, &T) -> bool,
) -> bool {
    for index in 0..seats.len() {
        let Some((need, holder)) = seats.get(index).copied() else { continue };
        if !fits(need, &candidate) || !tried.insert(index) {
            continue;
        }
        if holder.is_none_or(|holder| seat(holder, seats, tried, fits))
            && let Some(slot) = seats.get_mut(index)
        {
            slot.1 = Some(candidate);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn requirement(group: &str, seats: u32) -> Requirement {
        let why = "two pairs of eyes".to_owned();
        Requirement { id: group.to_owned(), group: group.to_owned(), seats, reauth_s: None, why }
    }

    /// People 1 and 2 are of group `a`, person 2 alone is of group `b`.
    fn fillable_by_two(requirements: &[Requirement]) -> bool {
        let person = |number| PersonId(Uuid::from_u128(number));
        let people = [person(1), person(2)].into();
        fillable(requirements, &people, |need, who| need.group == "a" || who == person(2))
    }

    #[test]
    fn b08_b09_seats_are_fillable_only_by_as_many_distinct_people() {
        assert!(fillable_by_two(&[requirement("a", 1), requirement("b", 1)]));
        assert!(fillable_by_two(&[requirement("b", 1), requirement("a", 1)]));
        assert!(fillable_by_two(&[requirement("a", 2)]));
        assert!(!fillable_by_two(&[requirement("b", 2)]));
        assert!(!fillable_by_two(&[requirement("a", 2), requirement("b", 1)]));
    }

    #[test]
    fn i5_nothing_asked_is_never_filled() {
        assert!(!fillable_by_two(&[]));
        assert!(!fillable_by_two(&[requirement("a", 0)]));
    }
}
