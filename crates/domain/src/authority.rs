//! Who may do what right now: the facts about people, agents, freezes and the policy in force
//! that a decision rests on.
//!
//! Loaded inside the transaction's epoch and passed in; never cached across a decision (I9).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::entry::Actor;
use crate::freeze::Freeze;
use crate::{PersonId, Request, Requirement, Review, Timestamp};

/// The group whose members may break the glass.
pub const BREAK_GLASS: &str = "break-glass";

/// The authority of this moment, as far as one request needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authority {
    /// Active people only, by group name.
    pub groups: BTreeMap<String, BTreeSet<PersonId>>,
    /// People who may not review this request now, beside those excluded at staging.
    pub excluded: BTreeMap<PersonId, Ineligible>,
    /// People whom the policy in force does not let review it.
    pub forbidden: BTreeSet<PersonId>,
    /// The staging agent is not suspended.
    pub agent_active: bool,
    /// The executor is not suspended.
    pub executor_active: bool,
    /// The freezes that cover this request.
    pub frozen: Vec<Freeze>,
    /// When each person whose break-glass still owes a second review is late with it.
    pub owes_review_by: BTreeMap<PersonId, Timestamp>,
    /// What the policy in force says; `None` when it could not be asked, which is a no (I5).
    pub ruling: Option<Ruling>,
}

/// What the policy in force asks of a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    pub requirements: Vec<Requirement>,
    /// Whether it lets the executor complete the revision once all of them are met.
    pub permits_release: bool,
}

/// Why a person's approval cannot count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ineligible {
    /// Staged or amended it.
    Staged,
    /// Owns the agent, or owned it when it staged.
    OwnsAgent,
    /// The agent acts on this person's behalf.
    ActsOnBehalf,
    /// Was shown a key of the agent that still lives.
    HoldsKey,
    /// Made a trust that still stands: chose whose tokens speak as the agent.
    MadeTrust,
    /// The policy in force does not let this person review it.
    PolicyForbids,
    /// Is in no group that a requirement names, or is not active.
    NotInGroup,
}

impl Authority {
    /// Why `person` may never be counted for `request`, whatever group they are in (I1).
    pub fn exclusion(&self, request: &Request, person: PersonId) -> Option<Ineligible> {
        if request.staged_by == Actor::Person(person) {
            return Some(Ineligible::Staged);
        }
        let at_staging =
            request.excluded.iter().find(|(excluded, _)| *excluded == person).map(|(_, why)| *why);
        let why = at_staging.or_else(|| self.excluded.get(&person).copied());
        #[cfg(planted = "an_owner_may_approve")]
        let why = why.filter(|why| *why != Ineligible::OwnsAgent);
        why
    }

    /// Why `person` cannot review `request`, if so. Exclusions come before groups.
    pub fn ineligible(&self, request: &Request, person: PersonId) -> Option<Ineligible> {
        self.exclusion(request, person).or_else(|| {
            if self.forbidden.contains(&person) {
                return Some(Ineligible::PolicyForbids);
            }
            let mut needs = self.requirements_of(request);
            let in_any = needs.any(|need| self.is_in(&need.group, person));
            if in_any { None } else { Some(Ineligible::NotInGroup) }
        })
    }

    /// The requirements of staging, then those of the policy in force.
    pub fn requirements_of<'a>(
        &'a self,
        request: &'a Request,
    ) -> impl Iterator<Item = &'a Requirement> {
        request.requirements.iter().chain(self.ruling.iter().flat_map(|now| &now.requirements))
    }

    /// Whether `person` may take a seat of `requirement` for `request`.
    pub fn may_fill(&self, request: &Request, requirement: &Requirement, person: PersonId) -> bool {
        self.ineligible(request, person).is_none() && self.is_in(&requirement.group, person)
    }

    /// Whether `review` counts for a seat of `requirement`: by whom, and how fresh.
    pub fn counts(&self, request: &Request, requirement: &Requirement, review: &Review) -> bool {
        let within = |most| review.at.is_within(i64::from(most), review.authenticated_at);
        let fresh = requirement.reauth_s.is_none_or(within);
        fresh && self.may_fill(request, requirement, review.reviewer)
    }

    /// Why `person` may not approve `request` in place of all requirements at `now`.
    pub fn may_break_glass(&self, person: PersonId, now: Timestamp) -> bool {
        let in_debt = self.owes_review_by.get(&person).is_some_and(|due| now >= *due);
        #[cfg(planted = "a_debt_is_forgiven")]
        let in_debt = false;
        self.is_in(BREAK_GLASS, person) && !in_debt
    }

    /// Whether `person` may stop `request`: revoke its release, halt its execution.
    ///
    /// Stopping asks for less than starting: every member of a group that has a say in it, and
    /// whoever owns the agent.
    pub fn may_stop(&self, person: PersonId) -> bool {
        let owns = self.excluded.get(&person) == Some(&Ineligible::OwnsAgent);
        owns || self.groups.values().any(|members| members.contains(&person))
    }

    /// Whether `person` is an active member of `group`.
    pub fn is_in(&self, group: &str, person: PersonId) -> bool {
        self.groups.get(group).is_some_and(|members| members.contains(&person))
    }
}
