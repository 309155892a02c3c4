//! Whether a house could ever satisfy a policy, and could still change it.
//!
//! A policy that asks more than the house has people for would hold every request for ever; one
//! that nobody could replace would hold for ever itself.

use std::collections::{BTreeMap, BTreeSet};

use domain::{PersonId, Requirement, quorum};

use crate::rule::GroupName;
use crate::{Policy, PolicyFailure, Reviewer, Subject};

/// The people of a house, as far as this question needs them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct House {
    /// Active members only, by group.
    pub groups: BTreeMap<String, BTreeSet<PersonId>>,
    /// The groups that kinds name as their owners.
    pub owning_groups: BTreeSet<String>,
    /// Who may stage a change to the house.
    pub stagers: BTreeSet<PersonId>,
}

/// Why a policy can never be met, or never be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsatisfiable {
    #[error("rule `{rule}` asks for {seats} of the group `{group}`, which has {members} active")]
    TooFew { rule: String, group: String, seats: u32, members: usize },
    #[error(
        "nobody could change anything under this policy: whoever stages a change of the kind \
         `{kind}`, the other people who may review it do not fill its requirements"
    )]
    NeverChanged { kind: String },
    #[error("a change of the kind `{kind}` could not be decided on: {why}")]
    NoAnswer { kind: String, why: PolicyFailure },
}

/// Everything that makes this policy impossible for this house.
///
/// `changes` has one subject for each built-in kind that changes the house. At least one person
/// who may stage it must leave enough others who may review it.
///
/// # Errors
/// When there is anything: the policy must not be published.
pub fn could_ever_be_met(
    policy: &Policy,
    house: &House,
    changes: &[Subject],
) -> Result<(), Vec<Unsatisfiable>> {
    let changes = changes.iter().filter_map(|change| changeable(policy, house, change).err());
    let found: Vec<_> = too_few(policy, house).chain(changes).collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// B08, B09: rules whose group has fewer active members than the rule has seats.
fn too_few<'a>(policy: &'a Policy, house: &'a House) -> impl Iterator<Item = Unsatisfiable> + 'a {
    let groups = policy.requirement_rules().flat_map(|(id, rule)| {
        let names: Vec<&String> = match &rule.group {
            GroupName::Fixed(name) => vec![name],
            GroupName::Owning => house.owning_groups.iter().collect(),
        };
        names.into_iter().map(move |name| (id, rule.seats, name))
    });
    groups.filter_map(|(id, seats, group)| {
        let members = house.groups.get(group).map_or(0, BTreeSet::len);
        (members < seats as usize).then(|| Unsatisfiable::TooFew {
            rule: id.to_owned(),
            group: group.clone(),
            seats,
            members,
        })
    })
}

fn changeable(policy: &Policy, house: &House, change: &Subject) -> Result<(), Unsatisfiable> {
    let kind = || change.kind.clone();
    let no_answer = |why| Unsatisfiable::NoAnswer { kind: kind(), why };
    let requirements = policy.requirements(change).map_err(no_answer)?;
    let people = reviewers(policy, house, change).map_err(no_answer)?;
    let fits = |need: &Requirement, person: PersonId| {
        house.groups.get(&need.group).is_some_and(|members| members.contains(&person))
    };
    let possible = house.stagers.iter().any(|stager| {
        let others = people.iter().copied().filter(|person| person != stager).collect();
        quorum::fillable(&requirements, &others, fits)
    });
    if possible { Ok(()) } else { Err(Unsatisfiable::NeverChanged { kind: kind() }) }
}

/// Everybody whom the policy lets decide on this change.
fn reviewers(
    policy: &Policy,
    house: &House,
    change: &Subject,
) -> Result<BTreeSet<PersonId>, PolicyFailure> {
    let everybody: BTreeSet<PersonId> = house.groups.values().flatten().copied().collect();
    let mut found = BTreeSet::new();
    for person in everybody {
        let of = house.groups.iter().filter(|(_, members)| members.contains(&person));
        let groups = of.map(|(name, _)| name.clone()).collect();
        if policy.may_review(change, &Reviewer { person, groups })?.allowed {
            found.insert(person);
        }
    }
    Ok(found)
}
