//! The house around the request: who is where, what the policy says, what is frozen.

use std::collections::{BTreeMap, BTreeSet};

use domain::apply::SECOND_REVIEW_S;
use domain::request::SecondReview;
use domain::{Authority, FreezeScope, Ineligible, PersonId, Request, Requirement, Ruling};

use super::which::Which;
use crate::scene::{BOB, CAT, EVE, OWNER, at, freeze, fresh, need};

/// When the second review of a glass that was broken at 60 falls due.
pub const LATE: i64 = 60 + SECOND_REVIEW_S;

/// One way in which the house may stand when a command arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum House {
    AsItWas,
    BobLeft,
    CatLeft,
    EveLeft,
    BobHoldsKey,
    BobForbidden,
    EveLateElsewhere,
    Frozen,
    /// The stager of the first request is.
    Suspended,
    PolicyAsksFresh,
    BobMovedAndPolicyAsksLess,
    PolicyAsksThree,
    PolicyAsksNothing,
    PolicyForbids,
    PolicyFails,
    /// What the stager of the first request stages is.
    AgentFrozen,
    /// What is of the first request's kind is.
    KindFrozen,
    /// What is meant for the second request's environment is.
    EnvironmentFrozen,
}

impl House {
    /// Every house that makes a difference to one request alone.
    pub const ALL: [Self; 15] = [
        Self::AsItWas,
        Self::BobLeft,
        Self::CatLeft,
        Self::EveLeft,
        Self::BobHoldsKey,
        Self::BobForbidden,
        Self::EveLateElsewhere,
        Self::Frozen,
        Self::Suspended,
        Self::PolicyAsksFresh,
        Self::BobMovedAndPolicyAsksLess,
        Self::PolicyAsksThree,
        Self::PolicyAsksNothing,
        Self::PolicyForbids,
        Self::PolicyFails,
    ];

    /// What a freeze is on, and of which request that is.
    pub fn freeze(self) -> Option<(FreezeScope, &'static [Which])> {
        Some(match self {
            Self::Frozen => (FreezeScope::All, &Which::BOTH),
            Self::AgentFrozen => (FreezeScope::Agent(Which::First.stager()), &[Which::First]),
            Self::KindFrozen => (FreezeScope::Kind(Which::First.kind().name), &[Which::First]),
            Self::EnvironmentFrozen => {
                let name = Which::Second.environment().into();
                (FreezeScope::Environment(name), &[Which::Second])
            }
            _ => return None,
        })
    }

    /// Whether nothing of `request` is released, whoever approved it.
    pub fn stops(self, request: &Request) -> bool {
        let which = Which::of(request);
        let frozen = self.freeze().is_some_and(|(_, of)| of.contains(&which));
        frozen || self.suspends(which)
    }

    fn suspends(self, which: Which) -> bool {
        self == Self::Suspended && which == Which::First
    }

    /// The active members of `group`. BOB may fill either seat, CAT and EVE only the lax one.
    pub fn members(self, group: &str) -> &'static [PersonId] {
        match (group, self) {
            ("approvers", Self::BobLeft) => &[OWNER, CAT, EVE],
            ("approvers", Self::CatLeft) => &[OWNER, BOB, EVE],
            ("approvers", Self::EveLeft) => &[OWNER, BOB, CAT],
            ("approvers", _) => &[OWNER, BOB, CAT, EVE],
            ("security", Self::BobLeft | Self::BobMovedAndPolicyAsksLess) => &[OWNER],
            ("security", _) => &[OWNER, BOB],
            ("break-glass", Self::EveLeft) => &[OWNER],
            ("break-glass", _) => &[OWNER, EVE],
            _ => &[],
        }
    }

    /// Who is too near to be counted, whatever group they are in.
    pub fn excludes(self, request: &Request, person: PersonId) -> bool {
        person == OWNER
            || person == BOB && matches!(self, Self::BobHoldsKey | Self::BobForbidden)
            || person == CAT && request.revision > 1
    }

    /// What the policy in force asks for; `None` where it cannot be asked.
    pub fn asks(self) -> Option<Vec<Requirement>> {
        match self {
            Self::PolicyFails => None,
            Self::PolicyAsksNothing => Some(vec![]),
            Self::PolicyAsksFresh => {
                Some(vec![fresh("lax", "approvers", 1), need("strict", "security", 1)])
            }
            Self::BobMovedAndPolicyAsksLess => Some(vec![need("lax", "approvers", 1)]),
            Self::PolicyAsksThree => {
                Some(vec![need("lax", "approvers", 2), need("strict", "security", 1)])
            }
            _ => Some(at_staging()),
        }
    }

    /// When EVE's right to break the glass is lost, if she owes a second review on any of `requests`.
    pub fn debt<'a>(self, requests: impl IntoIterator<Item = &'a Request>) -> Option<i64> {
        let broken = requests.into_iter().filter_map(|request| request.break_glass.as_ref());
        let owed = broken.filter(|broken| {
            matches!(broken.second_review, SecondReview::Owed | SecondReview::Missed { .. })
        });
        let elsewhere = (self == Self::EveLateElsewhere).then_some(-1000);
        owed.map(|broken| broken.review_by.seconds_since(at(0))).chain(elsewhere).min()
    }

    /// What the code under test is told of all this, where `other` is the request beside it.
    pub fn authority(self, request: &Request, other: Option<&Request>) -> Authority {
        let group =
            |name: &str| (name.to_owned(), BTreeSet::from_iter(self.members(name).to_vec()));
        let mut excluded = BTreeMap::from([(OWNER, Ineligible::OwnsAgent)]);
        if self == Self::BobHoldsKey {
            excluded.insert(BOB, Ineligible::HoldsKey);
        }
        let permits_release = self != Self::PolicyForbids;
        let ruling = self.asks().map(|requirements| Ruling { requirements, permits_release });
        Authority {
            groups: BTreeMap::from(["approvers", "security", "break-glass"].map(group)),
            excluded,
            forbidden: (self == Self::BobForbidden).then_some(BOB).into_iter().collect(),
            agent_active: !self.suspends(Which::of(request)),
            executor_active: true,
            frozen: self
                .freeze()
                .map(|(scope, _)| freeze(scope, true))
                .filter(|freeze| freeze.scope.covers(request))
                .into_iter()
                .collect(),
            owes_review_by: self
                .debt(other.into_iter().chain([request]))
                .map(|due| (EVE, at(due)))
                .into_iter()
                .collect(),
            ruling,
        }
    }
}

/// What the request was staged under.
pub fn at_staging() -> Vec<Requirement> {
    vec![need("lax", "approvers", 1), need("strict", "security", 1)]
}
