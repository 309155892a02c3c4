//! Changes to the house itself: its policy, its kinds, its groups.
//!
//! Once two people can decide on one, each is a request of a built-in kind: a person stages it, a
//! second one approves it, and the gate carries it out in the transaction that completes the
//! quorum. Before that it applies directly, and the ledger says so.
//!
//! SECURITY: there is no other way to change them; a house that has come so far never goes back.

mod apply;
mod gate;
mod prepare;

use domain::{PersonId, RequestId, Revision};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Service;
use crate::caller::Steward;
use crate::house::HouseError;
use crate::review::checked_reason;

pub(crate) use apply::CarriedOut;
pub(crate) use prepare::{STANDING_GROUPS, is_group};

/// The kinds by which the house is changed. They ship with the product and nobody replaces them.
pub(crate) const CHANGE_KINDS: [&str; 3] = [
    include_str!("../kinds/countersign.policy.json"),
    include_str!("../kinds/countersign.kind.json"),
    include_str!("../kinds/countersign.group.json"),
];

/// The environment that changes to the house name.
const ENVIRONMENT: &str = "countersign";

/// Something to be changed, in the parameters of its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum HouseChange {
    Policy { text: String, replaces: u32 },
    Kind { name: String, version: u32, definition: Value },
    Group { change: Membership, name: String, person: PersonId, group: String },
}

/// Into a group, or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Membership {
    Add,
    Remove,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// It waits for a second person.
    Staged(RequestId),
    /// It holds already: nobody else could decide on it yet.
    Applied,
}

impl HouseChange {
    /// The name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Policy { .. } => "countersign.policy",
            Self::Kind { .. } => "countersign.kind",
            Self::Group { .. } => "countersign.group",
        }
    }

    /// What a revision of such a kind asks for.
    pub(crate) fn read(revision: &Revision) -> Option<Self> {
        let parameters = Value::Object(revision.parameters.clone());
        let change: Option<Self> = serde_json::from_value(parameters).ok();
        change.filter(|change| change.kind() == revision.kind.name)
    }

    fn target(&self) -> String {
        match self {
            Self::Policy { .. } => "policy".to_owned(),
            Self::Kind { name, .. } => format!("kind {name}"),
            Self::Group { group, .. } => format!("group {group}"),
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Policy { replaces, .. } => format!("Replace version {replaces} of the policy"),
            Self::Kind { name, version, .. } => format!("Put version {version} of {name}"),
            Self::Group { change: Membership::Add, name, group, .. } => {
                format!("Add {name} to {group}")
            }
            Self::Group { change: Membership::Remove, name, group, .. } => {
                format!("Remove {name} from {group}")
            }
        }
    }

    /// The stage body that puts the change before people.
    fn stage_body(&self, justification: &str) -> Value {
        json!({
            "kind": self.kind(),
            "parameters": self,
            "targets": [self.target()],
            "environment": ENVIRONMENT,
            "summary": self.summary(),
            "justification": justification,
            "risk": {"factors": []},
        })
    }
}

impl Service {
    /// Puts a change before a second person, or carries it out where there is none yet.
    ///
    /// # Errors
    /// [`HouseError`] names what is wrong with it; nothing changed then.
    pub async fn propose(
        &self,
        by: &Steward,
        change: HouseChange,
        justification: &str,
    ) -> Result<Proposed, HouseError> {
        let justification = checked_reason(justification)?.to_owned();
        // INVARIANT: I9. What is checked here is true under this epoch.
        let epoch = self.epoch().await?;
        let prepared = self.prepare(&change).await?;
        if self.changes_need_requests().await? {
            let Steward::Administrator(person) = by else { return Err(HouseError::NeedsRequest) };
            return self.stage_change(person, &change, &justification).await.map(Proposed::Staged);
        }
        let direct = self.fact(by.actor(), prepared.marked(change.kind()));
        let facts = std::iter::once(direct)
            .chain(prepared.facts.into_iter().map(|fact| self.fact(by.actor(), fact)))
            .collect();
        self.authority_change(by, epoch, facts, prepared.writes).await?;
        // From the moment that two people can decide, they have to.
        self.changes_need_requests().await?;
        Ok(Proposed::Applied)
    }
}
