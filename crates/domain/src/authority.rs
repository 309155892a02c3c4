//! Who may do what right now: the facts about people and agents that a decision rests on.
//!
//! Loaded inside the transaction's epoch and passed in; never cached across a decision (I9).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{PersonId, Request, Requirement};

/// The authority of this moment, as far as one request needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authority {
    /// Active people only, by group name.
    pub groups: BTreeMap<String, BTreeSet<PersonId>>,
    /// People who may not review this request now, beside those excluded at staging.
    pub excluded: BTreeMap<PersonId, Ineligible>,
    /// The staging agent is not suspended.
    pub agent_active: bool,
    /// The executor is not suspended.
    pub executor_active: bool,
}

/// Why a person's approval cannot count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ineligible {
    /// Owns the agent, or owned it when it staged.
    OwnsAgent,
    /// The agent acts on this person's behalf.
    ActsOnBehalf,
    /// Was shown a key of the agent that still lives.
    HoldsKey,
    /// Is in no group that a requirement names, or is not active.
    NotInGroup,
}

impl Authority {
    /// Why `person` cannot review `request`, if so. Exclusions come before groups.
    pub fn ineligible(&self, request: &Request, person: PersonId) -> Option<Ineligible> {
        let at_staging =
            request.excluded.iter().find(|(excluded, _)| *excluded == person).map(|(_, why)| *why);
        at_staging.or_else(|| self.excluded.get(&person).copied()).or_else(|| {
            let in_any = request.requirements.iter().any(|need| self.in_group(need, person));
            if in_any { None } else { Some(Ineligible::NotInGroup) }
        })
    }

    /// Whether `person` may take a seat of `requirement` for `request`.
    pub fn may_fill(&self, request: &Request, requirement: &Requirement, person: PersonId) -> bool {
        self.ineligible(request, person).is_none() && self.in_group(requirement, person)
    }

    fn in_group(&self, requirement: &Requirement, person: PersonId) -> bool {
        self.groups.get(&requirement.group).is_some_and(|members| members.contains(&person))
    }
}
