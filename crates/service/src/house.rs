//! Keeping the house: the installation itself, people, groups, agents, keys and kinds.
//!
//! Every change here moves the authority epoch, so that no decision rests on what was true before.

mod api_key;
mod trust;

use domain::entry::HouseFact;
use domain::scope::BadScope;
use domain::stage::FieldError;
use domain::trust::BadTerms;
use domain::{Actor, AgentId, Digest, InstanceId, Kind, KindRef, PersonId, canonical, name};
use policy::{PolicyError, Unsatisfiable};
use serde_json::Value;
use store::{Change, NewFact, StoreError, Write};

use crate::caller::{ADMINISTRATORS, Steward};
use crate::change::{CHANGE_KINDS, HouseChange, Membership, Proposed, is_group};
use crate::review::ReviewError;
use crate::{Failure, Service, kind};

pub(crate) use api_key::row as key_row;
pub use api_key::{MAX_AGENT_KEYS, MAX_KEY_LIFE_S, OldKey, ROTATION_S};
pub use trust::MAX_AGENT_TRUSTS;

/// The name under which the gate itself stages and applies changes to the house.
const HOUSE_NAME: &str = "countersign";

/// The kinds that ship with the product.
pub const BUILT_IN_KINDS: [&str; 6] = [
    include_str!("../kinds/command.run.json"),
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
    #[error("`{0}` is no name of a group: 1 to 40 of a-z, 0-9 and `-`, first a letter")]
    BadGroup(String),
    #[error("that is so already")]
    AlreadySo,
    #[error("somebody was faster: version {current} is in force now; start again from it")]
    Overtaken { current: u32 },
    #[error("the policy has {} errors", .0.len())]
    Policy(Vec<PolicyError>),
    #[error("the people there are could never satisfy it: {}", listed(.0))]
    Impossible(Vec<Unsatisfiable>),
    #[error("two people can decide on this: it is staged on the dashboard, not here")]
    NeedsRequest,
    #[error("say why, in 3 to 4,000 characters")]
    Justification,
    #[error("there is no such person, or they are disabled")]
    NoSuchPerson,
    #[error("there is no such agent, or it is suspended")]
    NoSuchAgent,
    #[error("there is no such living key")]
    NoSuchKey,
    #[error("you cannot disable yourself; another administrator can")]
    Oneself,
    #[error("a key lives at most 90 days")]
    KeyLife,
    #[error(
        "the agent has two living keys, which is the most: revoke one, or end the old one at once"
    )]
    TwoKeys,
    #[error("there is no kind `{0}` in the catalogue")]
    NoSuchKind(String),
    #[error(transparent)]
    Scope(#[from] BadScope),
    #[error(transparent)]
    Terms(#[from] BadTerms),
    #[error(
        "a token could be accepted on these terms and on those of {0}: name a claim in both that differs"
    )]
    TrustOverlaps(String),
    #[error("an agent has at most {MAX_AGENT_TRUSTS} trusts; remove one first")]
    TooManyTrusts,
    #[error("there is no such trust")]
    NoSuchTrust,
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

fn listed(reasons: &[Unsatisfiable]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl From<ReviewError> for HouseError {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::Justification => Self::Justification,
            other => Self::Failed(Failure::Defect(other.to_string())),
        }
    }
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
        Ok(self.house().await?.instance().is_some())
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
        let created = HouseFact::InstanceCreated { product_version };
        let first_key = self.first_key(id).map_err(Failure::defect)?;
        let gate = HouseFact::AgentAdded {
            agent: AgentId::HOUSE,
            name: HOUSE_NAME.to_owned(),
            owner: None,
        };
        let digest = Digest::of(policy::DEFAULT.as_bytes());
        let policy_put = HouseFact::PolicyPut { version: 1, digest };
        let mut facts = vec![created, first_key, gate, policy_put];
        let text = policy::DEFAULT.to_owned();
        let mut writes = vec![Write::Instance { id }, Write::Policy { version: 1, text }];
        for text in CHANGE_KINDS.into_iter().chain(BUILT_IN_KINDS) {
            let kind: Kind = serde_json::from_str(text).map_err(Failure::defect)?;
            let digest = Digest::of(&canonical::to_bytes(&kind).map_err(Failure::defect)?);
            let put = KindRef { name: kind.name.clone(), version: 1 };
            facts.push(HouseFact::KindPut { kind: put, digest });
            writes.push(Write::Kind { kind: Box::new(kind), version: 1 });
        }
        let facts = facts.into_iter().map(|fact| self.fact(Actor::System, fact)).collect();
        self.store.commit(Change { facts, writes, ..Change::default() }).await?;
        Ok(())
    }

    /// Adds a person, and proposes them for groups. In no group they see nothing and decide nothing.
    ///
    /// # Errors
    /// [`HouseError`] when the name is taken or bad, or a group has no name of one.
    pub async fn add_person(
        &self,
        by: &Steward,
        person_name: &str,
        groups: &[&str],
    ) -> Result<(PersonId, Vec<Proposed>), HouseError> {
        name::check(person_name)?;
        if let Some(bad) = groups.iter().find(|group| !is_group(group)) {
            return Err(HouseError::BadGroup((*bad).to_owned()));
        }
        let epoch = self.epoch().await?;
        let person = PersonId(self.entropy.id(self.now())?);
        let (commitment, text) = self.committed_text("name", person_name)?;
        let mut added = self.fact(by.actor(), HouseFact::PersonAdded { person, name: commitment });
        added.texts.push(text);
        self.authority_change(by, epoch, vec![added], Vec::new()).await?;
        let mut proposed = Vec::new();
        for group in groups {
            let justification = format!("{person_name} was added for the group {group}");
            let change =
                self.change_group(by, Membership::Add, person, group, &justification).await?;
            proposed.push(change);
        }
        Ok((person, proposed))
    }

    /// Adds an administrator past everybody else, for a house that cannot change itself any more.
    /// Marked for ever. Only the operator can, at the machine itself, while no server runs.
    ///
    /// # Errors
    /// [`HouseError`] when the name is taken or bad.
    pub async fn recover(&self, person_name: &str) -> Result<PersonId, HouseError> {
        name::check(person_name)?;
        let epoch = self.epoch().await?;
        let person = PersonId(self.entropy.id(self.now())?);
        let (name, text) = self.committed_text("name", person_name)?;
        let group = ADMINISTRATORS.to_owned();
        let by_system = |fact| self.fact(Actor::System, fact);
        let added = by_system(HouseFact::PersonAdded { person, name });
        let facts = vec![
            by_system(HouseFact::Recovered { person }),
            NewFact { texts: vec![text], ..added },
            by_system(HouseFact::GroupMemberAdded { group, person }),
        ];
        self.commit_authority(epoch, facts, Vec::new()).await?;
        Ok(person)
    }

    /// Disables a person: their sessions and keys open nothing from now on.
    ///
    /// # Errors
    /// [`HouseError`] when there is no such person, or it is the administrator's own self.
    pub async fn disable_person(&self, by: &Steward, person: PersonId) -> Result<(), HouseError> {
        let epoch = self.epoch().await?;
        self.active_person(person).await?.ok_or(HouseError::NoSuchPerson)?;
        if by.actor() == Actor::Person(person) {
            return Err(HouseError::Oneself);
        }
        let fact = self.fact(by.actor(), HouseFact::PersonDisabled { person });
        self.authority_change(by, epoch, vec![fact], Vec::new()).await
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
        let epoch = self.epoch().await?;
        name::check(agent_name)?;
        self.active_person(owner).await?.ok_or(HouseError::NoSuchPerson)?;
        let agent = AgentId(self.entropy.id(self.now())?);
        let name = agent_name.to_owned();
        let fact = self.fact(by.actor(), HouseFact::AgentAdded { agent, name, owner: Some(owner) });
        self.authority_change(by, epoch, vec![fact], Vec::new()).await?;
        Ok(agent)
    }

    /// Suspends an agent: it stages and redeems nothing from now on.
    ///
    /// # Errors
    /// [`HouseError`] when there is no such agent.
    pub async fn suspend_agent(&self, by: &Steward, agent: AgentId) -> Result<(), HouseError> {
        let epoch = self.epoch().await?;
        self.active_agent(agent).await?;
        let fact = self.fact(by.actor(), HouseFact::AgentSuspended { agent });
        self.authority_change(by, epoch, vec![fact], Vec::new()).await
    }

    pub(crate) async fn active_agent(&self, agent: AgentId) -> Result<(), HouseError> {
        let house = self.house().await?;
        let found = house.agent(agent);
        // Nobody holds a key of the gate itself, and nobody switches it off by its name.
        let found = found.filter(|found| !found.suspended && agent != AgentId::HOUSE);
        found.map(|_| ()).ok_or(HouseError::NoSuchAgent)
    }

    /// Puts a kind into the catalogue, as version 1 or the next one: a change to the house.
    ///
    /// # Errors
    /// `Kind` names what is wrong with it; its own example must work under it.
    pub async fn put_kind(
        &self,
        by: &Steward,
        text: &[u8],
        justification: &str,
    ) -> Result<Proposed, HouseError> {
        let definition = kind::parse(text).map_err(HouseError::Kind)?;
        let name = definition.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let version = self.house().await?.kind(&name).map_or(1, |(_, last)| last + 1);
        self.propose(by, HouseChange::Kind { name, version, definition }, justification).await
    }

    /// Replaces the policy: a change to the house. `replaces` is the version that its author had
    /// before them.
    ///
    /// # Errors
    /// `Policy` names line and column of what is wrong; `Impossible` what nobody could satisfy.
    pub async fn put_policy(
        &self,
        by: &Steward,
        text: &str,
        replaces: u32,
        justification: &str,
    ) -> Result<Proposed, HouseError> {
        let text = text.to_owned();
        self.propose(by, HouseChange::Policy { text, replaces }, justification).await
    }

    /// Puts a person into a group or takes them out: a change to the house.
    ///
    /// # Errors
    /// [`HouseError`] when there is no such person, or it is so already.
    pub async fn change_group(
        &self,
        by: &Steward,
        change: Membership,
        person: PersonId,
        group: &str,
        justification: &str,
    ) -> Result<Proposed, HouseError> {
        let found = self.active_person(person).await?.ok_or(HouseError::NoSuchPerson)?;
        let (name, group) = (found.name, group.to_owned());
        self.propose(by, HouseChange::Group { change, name, person, group }, justification).await
    }

    /// Commits what was checked under `epoch`, while the steward still is one, and moves it.
    pub(crate) async fn authority_change(
        &self,
        by: &Steward,
        epoch: Option<u64>,
        facts: Vec<NewFact>,
        writes: Vec<Write>,
    ) -> Result<(), HouseError> {
        self.expect_steward(by).await?;
        self.commit_authority(epoch, facts, writes).await
    }

    /// INVARIANT: I9. Whoever lost the right while the call was under way changes nothing.
    pub(crate) async fn expect_steward(&self, by: &Steward) -> Result<(), HouseError> {
        if let Steward::Administrator(person) = by {
            let now = self.active_person(person.id()).await?;
            if !now.is_some_and(|person| person.is_in(ADMINISTRATORS)) {
                return Err(HouseError::NotAdministrator);
            }
        }
        Ok(())
    }

    /// The authority epoch: read it before what a change rests on.
    pub(crate) async fn epoch(&self) -> Result<Option<u64>, Failure> {
        Ok(self.store.epoch().await?)
    }

    /// Commits what was decided under `epoch`.
    pub(crate) async fn commit_authority(
        &self,
        epoch: Option<u64>,
        facts: Vec<NewFact>,
        writes: Vec<Write>,
    ) -> Result<(), HouseError> {
        let change = Change { expected_epoch: epoch, facts, writes, ..Change::default() };
        self.commit(change).await?;
        Ok(())
    }
}
