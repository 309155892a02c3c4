//! A change, checked against what is there, and what it comes to: facts and writes.

use domain::authority::BREAK_GLASS;
use domain::entry::HouseFact;
use domain::kind::is_change;
use domain::stage::FieldError;
use domain::{Digest, KindRef, PersonId, canonical};
use policy::Policy;
use serde_json::Value;
use store::Write;

use super::{HouseChange, Membership};
use crate::caller::{ADMINISTRATORS, APPROVERS};
use crate::house::HouseError;
use crate::{Failure, Service, kind};

/// What a change comes to.
pub(crate) struct Prepared {
    pub facts: Vec<HouseFact>,
    pub writes: Vec<Write>,
}

impl Prepared {
    /// The mark of a change that nobody else decided on.
    pub fn marked(&self, kind: &str) -> HouseFact {
        HouseFact::ChangedDirectly { kind: kind.to_owned() }
    }
}

impl Service {
    /// Checks a change as it would apply now.
    pub(super) async fn prepare(&self, change: &HouseChange) -> Result<Prepared, HouseError> {
        match change {
            HouseChange::Policy { text, replaces } => self.prepare_policy(text, *replaces).await,
            HouseChange::Kind { name, version, definition } => {
                self.prepare_kind(name, *version, definition).await
            }
            HouseChange::Group { change, name, person, group } => {
                self.prepare_group(*change, name, *person, group).await
            }
        }
    }

    async fn prepare_policy(&self, text: &str, replaces: u32) -> Result<Prepared, HouseError> {
        let current = self.house().await?.policy().map_or(0, |policy| policy.version);
        if current != replaces {
            return Err(HouseError::Overtaken { current });
        }
        let policy = Policy::parse(text).map_err(HouseError::Policy)?;
        self.could_hold(&policy).await?;
        let (version, digest) = (current + 1, policy.digest());
        Ok(Prepared {
            facts: vec![HouseFact::PolicyPut { version, digest }],
            writes: vec![Write::Policy { version, text: text.to_owned() }],
        })
    }

    async fn prepare_kind(
        &self,
        name: &str,
        version: u32,
        definition: &Value,
    ) -> Result<Prepared, HouseError> {
        let wrong = |pointer: &str, detail: String| {
            HouseError::Kind(vec![FieldError::new(pointer, detail)])
        };
        let kind = kind::read(&self.schemas, definition, self.now()).map_err(HouseError::Kind)?;
        if is_change(&kind.name) {
            let detail = "kinds that change the house itself come with the product".to_owned();
            return Err(wrong("/name", detail));
        }
        if kind.name != name {
            return Err(wrong("/name", format!("is not `{name}`")));
        }
        let current = self.house().await?.kind(name).map_or(0, |(_, version)| *version);
        if version != current + 1 {
            return Err(HouseError::Overtaken { current });
        }
        let digest = Digest::of(&canonical::to_bytes(&kind).map_err(Failure::defect)?);
        let put = KindRef { name: name.to_owned(), version };
        Ok(Prepared {
            facts: vec![HouseFact::KindPut { kind: put, digest }],
            writes: vec![Write::Kind { kind: Box::new(kind), version }],
        })
    }

    async fn prepare_group(
        &self,
        change: Membership,
        name: &str,
        person: PersonId,
        group: &str,
    ) -> Result<Prepared, HouseError> {
        if !is_group(group) {
            return Err(HouseError::BadGroup(group.to_owned()));
        }
        let found = self.active_person(person).await?.ok_or(HouseError::NoSuchPerson)?;
        if found.name != name {
            return Err(HouseError::NoSuchPerson);
        }
        let group = group.to_owned();
        let fact = match (change, found.groups.contains(&group)) {
            (Membership::Add, false) => HouseFact::GroupMemberAdded { group, person },
            (Membership::Remove, true) => HouseFact::GroupMemberRemoved { group, person },
            (Membership::Add, true) | (Membership::Remove, false) => {
                return Err(HouseError::AlreadySo);
            }
        };
        Ok(Prepared { facts: vec![fact], writes: Vec::new() })
    }
}

/// Whether a name could be that of a group: 1 to 40 of `a-z`, `0-9` and `-`, first a letter.
pub(crate) fn is_group(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 40 && name.chars().all(fits) && name.starts_with(|c: char| c.is_ascii_lowercase())
}

/// The groups that every installation has, beside those that its policy and its kinds name.
pub(crate) const STANDING_GROUPS: [&str; 4] =
    [APPROVERS, ADMINISTRATORS, crate::caller::AUDITORS, BREAK_GLASS];
