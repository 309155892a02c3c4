//! Ledger entries: one fact each, in canonical bytes.
//!
//! The leaf of an entry is `SHA-256(0x00 ‖ JCS(entry))` (RFC 6962 §2.1). Free text and names of
//! people appear only as [`Commitment`]s.

use serde::{Deserialize, Serialize};

use crate::canonical::{self, NotCanonical};
use crate::fact::RequestFact;
use crate::freeze::Freeze;
use crate::merkle::{self, Hash};
use crate::scope::Scope;
use crate::trust::Terms;
use crate::{
    AgentId, Commitment, Digest, FreezeId, InstanceId, KeyId, KindRef, PersonId, RequestId,
    Timestamp, TrustId, WebhookId,
};

/// The version of the entry form.
pub const FORMAT: &str = "countersign/entry/v1";

/// One fact with its place in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub format: String,
    pub instance: InstanceId,
    pub index: u64,
    pub at: Timestamp,
    pub actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    pub fact: Fact,
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Actor {
    Person(PersonId),
    Agent(AgentId),
    /// The gate itself: timers, and what an operator does on the command line.
    System,
}

/// Any fact of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact {
    Request(RequestFact),
    House(HouseFact),
}

/// Facts about the house: people, agents, keys, kinds, sign-in, and attempts that were refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "body")]
pub enum HouseFact {
    InstanceCreated {
        product_version: String,
    },
    /// From this entry on, checkpoints are signed by this key.
    CheckpointKeyNamed {
        /// In the form `NAME+KEYID+BASE64`.
        key: String,
        /// The previous key's, over [`crate::checkpoint::rotation_text`]; the first key has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    PersonAdded {
        person: PersonId,
        name: Commitment,
    },
    PasswordSet {
        person: PersonId,
    },
    PersonDisabled {
        person: PersonId,
    },
    GroupMemberAdded {
        group: String,
        person: PersonId,
    },
    GroupMemberRemoved {
        group: String,
        person: PersonId,
    },
    AgentAdded {
        agent: AgentId,
        name: String,
        /// Nobody owns the gate itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<PersonId>,
    },
    AgentSuspended {
        agent: AgentId,
    },
    KeyIssued {
        key: KeyId,
        holder: Actor,
        expires_at: Timestamp,
        shown_to: PersonId,
        /// Absent where the key opens whatever its holder may do.
        #[serde(default, skip_serializing_if = "Scope::is_all")]
        scope: Scope,
    },
    /// Another key takes its place: it lives until then, if not shorter.
    KeyRetired {
        key: KeyId,
        expires_at: Timestamp,
    },
    KeyRevoked {
        key: KeyId,
    },
    /// From now on tokens on these terms speak as the agent.
    TrustAdded {
        trust: TrustId,
        agent: AgentId,
        terms: Terms,
    },
    TrustRemoved {
        trust: TrustId,
    },
    KindPut {
        kind: KindRef,
        digest: Digest,
    },
    PolicyPut {
        version: u32,
        digest: Digest,
    },
    /// The house was changed without a request, because not two people could decide on one yet.
    ChangedDirectly {
        kind: String,
    },
    /// From now on changes to the house need a second person.
    ChangesGated,
    /// The operator made this person an administrator past everybody else.
    Recovered {
        person: PersonId,
    },
    /// The gate goes on from a backup: what came after it is lost here, every session and sign-in
    /// link has ended, and every unused release is void.
    Restored {
        /// How many entries the backup has.
        entries: u64,
        /// How many entries the newest checkpoint beside the keys was of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpointed: Option<u64>,
    },
    Frozen {
        freeze: Freeze,
        reason: Commitment,
    },
    Thawed {
        freeze: FreezeId,
        reason: Commitment,
    },
    /// From entry `from` on, an endpoint is told of what happens.
    WebhookAdded {
        webhook: WebhookId,
        name: String,
        /// Addresses of some receivers are secrets.
        url: Commitment,
        /// The types of event it is told of; none stands for all.
        events: Vec<String>,
        from: u64,
    },
    WebhookSecretRotated {
        webhook: WebhookId,
        version: u32,
    },
    /// The endpoint said that it is gone (410): it is told nothing any more.
    WebhookDisabled {
        webhook: WebhookId,
    },
    WebhookRemoved {
        webhook: WebhookId,
    },
    SignInLinkIssued {
        person: PersonId,
        expires_at: Timestamp,
    },
    SignedIn {
        person: PersonId,
        method: SignInMethod,
    },
    /// Somebody gave a wrong password for this person. What was typed is kept nowhere.
    SignInRefused {
        person: PersonId,
    },
    SignedOut {
        person: PersonId,
    },
    EvidenceOpened {
        revision: u32,
        evidence: Digest,
        /// What is masked in it was shown as well.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unmasked: bool,
    },
    AttemptRefused {
        attempt: Attempt,
        code: String,
    },
}

/// How a person proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    Password,
    Link,
}

/// What was attempted and refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    Review,
    Redeem,
}

impl Fact {
    /// The name under which the fact stands in the ledger.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Request(fact) => fact.name(),
            Self::House(fact) => fact.name(),
        }
    }
}

impl HouseFact {
    fn name(&self) -> &'static str {
        match self {
            Self::InstanceCreated { .. } => "InstanceCreated",
            Self::CheckpointKeyNamed { .. } => "CheckpointKeyNamed",
            Self::PersonAdded { .. } => "PersonAdded",
            Self::PasswordSet { .. } => "PasswordSet",
            Self::PersonDisabled { .. } => "PersonDisabled",
            Self::GroupMemberAdded { .. } => "GroupMemberAdded",
            Self::GroupMemberRemoved { .. } => "GroupMemberRemoved",
            Self::AgentAdded { .. } => "AgentAdded",
            Self::AgentSuspended { .. } => "AgentSuspended",
            Self::KeyIssued { .. } => "KeyIssued",
            Self::KeyRetired { .. } => "KeyRetired",
            Self::KeyRevoked { .. } => "KeyRevoked",
            Self::TrustAdded { .. } => "TrustAdded",
            Self::TrustRemoved { .. } => "TrustRemoved",
            Self::KindPut { .. } => "KindPut",
            Self::PolicyPut { .. } => "PolicyPut",
            Self::ChangedDirectly { .. } => "ChangedDirectly",
            Self::ChangesGated => "ChangesGated",
            Self::Recovered { .. } => "Recovered",
            Self::Restored { .. } => "Restored",
            Self::Frozen { .. } => "Frozen",
            Self::Thawed { .. } => "Thawed",
            Self::WebhookAdded { .. } => "WebhookAdded",
            Self::WebhookSecretRotated { .. } => "WebhookSecretRotated",
            Self::WebhookDisabled { .. } => "WebhookDisabled",
            Self::WebhookRemoved { .. } => "WebhookRemoved",
            Self::SignInLinkIssued { .. } => "SignInLinkIssued",
            Self::SignedIn { .. } => "SignedIn",
            Self::SignInRefused { .. } => "SignInRefused",
            Self::SignedOut { .. } => "SignedOut",
            Self::EvidenceOpened { .. } => "EvidenceOpened",
            Self::AttemptRefused { .. } => "AttemptRefused",
        }
    }
}

impl From<RequestFact> for Fact {
    fn from(fact: RequestFact) -> Self {
        Self::Request(fact)
    }
}

impl From<HouseFact> for Fact {
    fn from(fact: HouseFact) -> Self {
        Self::House(fact)
    }
}

impl Entry {
    /// The canonical bytes and the leaf over them.
    ///
    /// # Errors
    /// When a value has no canonical form.
    pub fn seal(&self) -> Result<(Vec<u8>, Hash), NotCanonical> {
        let bytes = canonical::to_bytes(self)?;
        let leaf = merkle::leaf_hash(&bytes);
        Ok((bytes, leaf))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_entry_of_version_1_does_not_drift_and_reads_back() {
        let entry = Entry {
            format: FORMAT.into(),
            instance: InstanceId(Uuid::from_u128(1)),
            index: 7,
            at: Timestamp::from_micros(1_800_000_000_123_456).unwrap(),
            actor: Actor::Person(PersonId(Uuid::from_u128(2))),
            request: Some(RequestId(Uuid::from_u128(3))),
            fact: RequestFact::RequestDenied { by: PersonId(Uuid::from_u128(2)) }.into(),
        };
        let (bytes, leaf) = entry.seal().unwrap();
        insta::assert_snapshot!(format!(
            "{}\n{}",
            String::from_utf8(bytes.clone()).unwrap(),
            Digest(leaf).hex()
        ));
        assert_eq!(serde_json::from_slice::<Entry>(&bytes).unwrap(), entry);
    }
}
