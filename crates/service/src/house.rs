//! Keeping the house: the installation itself, people, groups, agents, keys and kinds.
//!
//! Every change here moves the authority epoch, so that no decision rests on what was true before.

use domain::entry::HouseFact;
use domain::stage::FieldError;
use domain::{
    Actor, AgentId, Digest, InstanceId, KeyId, Kind, KindRef, PersonId, Timestamp, canonical, name,
};
use serde_json::Value;
use store::{Change, NewFact, StoreError, Write};

use crate::caller::{AUDITORS, GROUPS, Steward};
use crate::credential::{KeyClass, PlainKey};
use crate::{Failure, Service, schema};

/// The longest life of an API key: 90 days.
pub const MAX_KEY_LIFE_S: i64 = 90 * 24 * 3600;

/// The kinds that ship with the product.
pub const BUILT_IN_KINDS: [&str; 5] = [
    include_str!("../kinds/db.export.json"),
    include_str!("../kinds/deploy.release.json"),
    include_str!("../kinds/network.firewall_change.json"),
    include_str!("../kinds/secrets.distribute.json"),
    include_str!("../kinds/vendor.key_extend.json"),
];

/// Why the house stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum HouseError {
    #[error("the database is initialised already")]
    Initialised,
    #[error(transparent)]
    Name(#[from] name::BadName),
    #[error("somebody or something here has a name that looks the same")]
    NameTaken,
    #[error("`{0}` is no group; there are: approvers, auditors, administrators")]
    NoSuchGroup(String),
    #[error("there is no such person, or they are disabled")]
    NoSuchPerson,
    #[error("there is no such agent, or it is suspended")]
    NoSuchAgent,
    #[error("the agent has no such living key")]
    NoSuchKey,
    #[error("you cannot disable yourself; another administrator can")]
    Oneself,
    #[error("a key lives at most 90 days")]
    KeyLife,
    #[error("this person has a password, so nobody else can make a way in for them")]
    HasPassword,
    #[error("you are no longer an administrator")]
    NotAdministrator,
    #[error("the person is not in the group auditors")]
    NotAuditor,
    #[error("the kind breaks {} rules", .0.len())]
    Kind(Vec<FieldError>),
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for HouseError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NameTaken => Self::NameTaken,
            error => Self::Failed(Failure::Store(error)),
        }
    }
}

impl Service {
    /// Whether `admin init` was done.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn is_initialised(&self) -> Result<bool, Failure> {
        Ok(self.store.instance().await?.is_some())
    }

    /// Makes an installation out of an empty database: its id, and the built-in kinds.
    ///
    /// # Errors
    /// `Initialised` when it is one already.
    pub async fn initialise(&self) -> Result<(), HouseError> {
        if self.is_initialised().await? {
            return Err(HouseError::Initialised);
        }
        let id = InstanceId(self.entropy.id(self.now())?);
        let product_version = env!("CARGO_PKG_VERSION").to_owned();
        let first_key = self.first_key(id).map_err(Failure::defect)?;
        let change = Change {
            facts: vec![
                self.fact(Actor::System, HouseFact::InstanceCreated { product_version }),
                self.fact(Actor::System, first_key),
            ],
            writes: vec![Write::Instance { id }],
            ..Change::default()
        };
        self.store.commit(change).await?;
        for text in BUILT_IN_KINDS {
            self.put_kind(&Steward::Operator, text.as_bytes()).await?;
        }
        Ok(())
    }

    /// Adds a person to groups.
    ///
    /// # Errors
    /// [`HouseError`] when the name is taken or bad, or a group unknown.
    pub async fn add_person(
        &self,
        by: &Steward,
        person_name: &str,
        groups: &[&str],
    ) -> Result<PersonId, HouseError> {
        name::check(person_name)?;
        if let Some(unknown) = groups.iter().find(|group| !GROUPS.contains(group)) {
            return Err(HouseError::NoSuchGroup((*unknown).to_owned()));
        }
        let person = PersonId(self.entropy.id(self.now())?);
        let (commitment, text) = self.committed_text("name", person_name)?;
        let mut added = self.fact(by.actor(), HouseFact::PersonAdded { person, name: commitment });
        added.texts.push(text);
        let member = |group: &&str| {
            let group = (*group).to_owned();
            self.fact(by.actor(), HouseFact::GroupMemberAdded { group, person })
        };
        let facts = std::iter::once(added).chain(groups.iter().map(member)).collect();
        self.authority_change(by, facts, Vec::new()).await?;
        Ok(person)
    }

    /// Takes a person out of a group.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn remove_member(
        &self,
        by: &Steward,
        group: &str,
        person: PersonId,
    ) -> Result<(), HouseError> {
        let group = group.to_owned();
        let fact = self.fact(by.actor(), HouseFact::GroupMemberRemoved { group, person });
        self.authority_change(by, vec![fact], Vec::new()).await
    }

    /// Disables a person: their sessions and keys open nothing from now on.
    ///
    /// # Errors
    /// [`HouseError`] when there is no such person, or it is the administrator's own self.
    pub async fn disable_person(&self, by: &Steward, person: PersonId) -> Result<(), HouseError> {
        self.person_caller(person).await?.ok_or(HouseError::NoSuchPerson)?;
        if by.actor() == Actor::Person(person) {
            return Err(HouseError::Oneself);
        }
        let fact = self.fact(by.actor(), HouseFact::PersonDisabled { person });
        self.authority_change(by, vec![fact], Vec::new()).await
    }

    /// Adds an agent with its owner.
    ///
    /// # Errors
    /// [`HouseError`] when the name is taken or bad, or the owner is nobody.
    pub async fn add_agent(
        &self,
        by: &Steward,
        agent_name: &str,
        owner: PersonId,
    ) -> Result<AgentId, HouseError> {
        name::check(agent_name)?;
        self.person_caller(owner).await?.ok_or(HouseError::NoSuchPerson)?;
        let agent = AgentId(self.entropy.id(self.now())?);
        let name = agent_name.to_owned();
        let fact = self.fact(by.actor(), HouseFact::AgentAdded { agent, name, owner });
        self.authority_change(by, vec![fact], Vec::new()).await?;
        Ok(agent)
    }

    /// Suspends an agent: it stages and redeems nothing from now on.
    ///
    /// # Errors
    /// [`HouseError`] when there is no such agent.
    pub async fn suspend_agent(&self, by: &Steward, agent: AgentId) -> Result<(), HouseError> {
        self.active_agent(agent).await?;
        let fact = self.fact(by.actor(), HouseFact::AgentSuspended { agent });
        self.authority_change(by, vec![fact], Vec::new()).await
    }

    /// Issues an agent's key, to be shown once, to `shown_to`; they never review its requests
    /// while the key lives (I1).
    ///
    /// # Errors
    /// [`HouseError`] when there is no such agent or the life is too long.
    pub async fn issue_agent_key(
        &self,
        by: &Steward,
        agent: AgentId,
        shown_to: PersonId,
        expires_at: Timestamp,
    ) -> Result<PlainKey, HouseError> {
        self.active_agent(agent).await?;
        self.issue_key(by, KeyClass::Agent, Actor::Agent(agent), shown_to, expires_at).await
    }

    /// Issues an auditor's key.
    ///
    /// # Errors
    /// [`HouseError`] when the person is no auditor or the life is too long.
    pub async fn issue_auditor_key(
        &self,
        by: &Steward,
        person: PersonId,
        expires_at: Timestamp,
    ) -> Result<PlainKey, HouseError> {
        let found = self.store.person(person).await?.ok_or(HouseError::NoSuchPerson)?;
        if !found.is_in(AUDITORS) {
            return Err(HouseError::NotAuditor);
        }
        self.issue_key(by, KeyClass::Auditor, Actor::Person(person), person, expires_at).await
    }

    async fn issue_key(
        &self,
        by: &Steward,
        class: KeyClass,
        holder: Actor,
        shown_to: PersonId,
        expires_at: Timestamp,
    ) -> Result<PlainKey, HouseError> {
        if expires_at > self.now().plus_seconds(MAX_KEY_LIFE_S) {
            return Err(HouseError::KeyLife);
        }
        let plain = PlainKey::new(class, &*self.entropy)?;
        let key = KeyId(self.entropy.id(self.now())?);
        let fact =
            self.fact(by.actor(), HouseFact::KeyIssued { key, holder, expires_at, shown_to });
        let write = Write::KeyHash { key, hash: plain.hash(&self.keys), hint: plain.hint() };
        self.authority_change(by, vec![fact], vec![write]).await?;
        Ok(plain)
    }

    async fn active_agent(&self, agent: AgentId) -> Result<(), HouseError> {
        let found = self.store.agent(agent).await?.filter(|agent| !agent.suspended);
        found.map(|_| ()).ok_or(HouseError::NoSuchAgent)
    }

    /// Revokes an agent's key: it opens nothing from now on.
    ///
    /// # Errors
    /// [`HouseError`] when the agent has no such living key.
    pub async fn revoke_key(
        &self,
        by: &Steward,
        agent: AgentId,
        key: KeyId,
    ) -> Result<(), HouseError> {
        let now = self.now();
        let keys = self.store.keys_of(agent).await?;
        if !keys.iter().any(|known| known.id == key && known.lives(now)) {
            return Err(HouseError::NoSuchKey);
        }
        let fact = self.fact(by.actor(), HouseFact::KeyRevoked { key });
        self.authority_change(by, vec![fact], Vec::new()).await
    }

    /// Puts a kind into the catalogue, as version 1 or the next one.
    ///
    /// # Errors
    /// `Kind` names what is wrong with it; its own example must work under it.
    pub async fn put_kind(&self, by: &Steward, text: &[u8]) -> Result<KindRef, HouseError> {
        let value = canonical::parse(text).map_err(|malformed| {
            let detail = malformed.problem.to_string();
            HouseError::Kind(vec![FieldError::new(malformed.pointer, detail)])
        })?;
        let kind: Kind = serde_json::from_value(value)
            .map_err(|error| HouseError::Kind(vec![FieldError::new("", error.to_string())]))?;
        let errors = self.kind_errors(&kind);
        if !errors.is_empty() {
            return Err(HouseError::Kind(errors));
        }
        let version = self.store.kind(&kind.name, None).await?.map_or(1, |(_, last)| last + 1);
        let kind_ref = KindRef { name: kind.name.clone(), version };
        let digest = Digest::of(&canonical::to_bytes(&kind).map_err(Failure::defect)?);
        let fact = self.fact(by.actor(), HouseFact::KindPut { kind: kind_ref.clone(), digest });
        let write = Write::Kind { kind: Box::new(kind), version };
        self.authority_change(by, vec![fact], vec![write]).await?;
        Ok(kind_ref)
    }

    fn kind_errors(&self, kind: &Kind) -> Vec<FieldError> {
        let mut errors = self.schemas.check_stage_body(&kind.example);
        for error in &mut errors {
            error.pointer.insert_str(0, "/example");
        }
        match schema::compile(&kind.parameters_schema) {
            Err(error) => errors.push(FieldError::new("/parameters_schema", error)),
            Ok(validator) => {
                let parameters = kind.example.get("parameters").unwrap_or(&Value::Null);
                if !validator.is_valid(parameters) {
                    let detail = "does not hold under the kind's own parameters_schema";
                    errors.push(FieldError::new("/example/parameters", detail));
                }
            }
        }
        if kind.example.get("kind").and_then(Value::as_str) != Some(&kind.name) {
            errors.push(FieldError::new("/example/kind", "must be the kind's own name"));
        }
        let bounds = [
            ("/review_deadline_s", kind.review_deadline_s, 300, 604_800),
            ("/release_ttl_s", kind.release_ttl_s, 60, 86_400),
            ("/report_deadline_s", kind.report_deadline_s, 60, 604_800),
        ];
        for (pointer, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                let limit = format!("{least} to {most} seconds");
                errors.push(FieldError::new(pointer, "is out of bounds").limit(limit));
            }
        }
        errors
    }

    async fn authority_change(
        &self,
        by: &Steward,
        facts: Vec<NewFact>,
        writes: Vec<Write>,
    ) -> Result<(), HouseError> {
        let epoch = self.store.instance().await?.map(|instance| instance.epoch);
        if let Steward::Administrator(person) = by {
            // INVARIANT: I9. Whoever lost the right while the call was under way changes nothing.
            let now = self.person_caller(person.id()).await?;
            if !now.is_some_and(|person| person.is_administrator()) {
                return Err(HouseError::NotAdministrator);
            }
        }
        let expected_epoch = epoch;
        let change =
            Change { expected_epoch, moves_epoch: true, facts, writes, ..Change::default() };
        self.commit(change).await?;
        Ok(())
    }
}
