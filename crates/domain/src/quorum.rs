//! Quorum as an assignment of people to seats.
//!
//! Each requirement has seats; each person fills at most one seat over all requirements; the
//! quorum is met when every seat is filled by an eligible approval. Solved as a bipartite
//! matching (augmenting paths), so overlapping groups neither deadlock nor count anyone twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::fact::Seat;
use crate::{Authority, PersonId, Request};

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

/// The complete assignment of standing approvals to seats, if there is one.
///
/// INVARIANT: I1, I5. No requirement, or one without seats, is never met.
pub fn complete(request: &Request, authority: &Authority) -> Option<Vec<Seat>> {
    let matching = assign(request, authority);
    let wanted = request.requirements.iter().any(|requirement| requirement.seats > 0);
    let seated = request.requirements.iter().all(|requirement| requirement.seats > 0);
    if !wanted || !seated {
        return None;
    }
    matching
        .into_iter()
        .map(|(requirement, person)| {
            person.map(|person| Seat { requirement: requirement.id.clone(), person })
        })
        .collect()
}

/// What is met, what is missing, and who could still fill it.
pub fn explain(request: &Request, authority: &Authority) -> Explanation {
    let matching = assign(request, authority);
    let approvers: BTreeSet<_> = request.approvers().into_iter().collect();
    let status = |requirement: &Requirement| {
        let filled_by = matching
            .iter()
            .filter(|(of, _)| of.id == requirement.id)
            .filter_map(|(_, person)| *person)
            .collect();
        let members = authority.groups.get(&requirement.group).into_iter().flatten();
        let could_fill = members
            .filter(|person| !approvers.contains(person))
            .filter(|person| authority.may_fill(request, requirement, **person))
            .copied()
            .collect();
        RequirementStatus { requirement: requirement.clone(), filled_by, could_fill }
    };
    Explanation {
        met: complete(request, authority).is_some(),
        requirements: request.requirements.iter().map(status).collect(),
    }
}

/// Whether `people` could fill every seat, one each: what a rule asks of a house before anybody
/// has decided anything.
///
/// INVARIANT: I5. Nothing asked, or a requirement without seats, is never filled.
pub fn fillable(
    requirements: &[Requirement],
    people: &BTreeSet<PersonId>,
    fits: impl Fn(&Requirement, PersonId) -> bool,
) -> bool {
    let seated = requirements.iter().all(|requirement| requirement.seats > 0);
    let filled = matching(requirements, people, &fits).iter().all(|(_, person)| person.is_some());
    !requirements.is_empty() && seated && filled
}

/// Every seat with the person who fills it, by the approvals that stand.
fn assign<'a>(
    request: &'a Request,
    authority: &Authority,
) -> Vec<(&'a Requirement, Option<PersonId>)> {
    let people = request.approvers().into_iter().collect();
    let fits = |need: &Requirement, who| authority.may_fill(request, need, who);
    matching(&request.requirements, &people, &fits)
}

/// A maximum matching of people to seats.
fn matching<'a>(
    requirements: &'a [Requirement],
    people: &BTreeSet<PersonId>,
    fits: &impl Fn(&Requirement, PersonId) -> bool,
) -> Vec<(&'a Requirement, Option<PersonId>)> {
    let mut seats: Vec<(&Requirement, Option<PersonId>)> = requirements
        .iter()
        .flat_map(|need| std::iter::repeat_n((need, None), need.seats as usize))
        .collect();
    for person in people {
        seat(*person, &mut seats, &mut BTreeSet::new(), fits);
    }
    seats
}

/// Seats `person`, moving others along an augmenting path where that frees a seat.
fn seat(
    person: PersonId,
    seats: &mut Vec<(&Requirement, Option<PersonId>)>,
    tried: &mut BTreeSet<usize>,
    fits: &impl Fn(&Requirement, PersonId) -> bool,
) -> bool {
    for index in 0..seats.len() {
        let Some((need, holder)) = seats.get(index).copied() else { continue };
        if !fits(need, person) || !tried.insert(index) {
            continue;
        }
        if holder.is_none_or(|holder| seat(holder, seats, tried, fits))
            && let Some(slot) = seats.get_mut(index)
        {
            slot.1 = Some(person);
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
