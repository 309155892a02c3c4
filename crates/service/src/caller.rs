//! Callers: who is asking, as types that only authentication makes.
//!
//! SECURITY: I10. There is no way from [`AgentCaller`] or [`AuditorCaller`] to [`PersonCaller`],
//! and only the latter becomes a domain `Reviewer`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::{Actor, AgentId, PersonId, Request, Reviewer, Scope, Timestamp, TrustId};
use store::House;
use store::read::{ApiKey, Person, Trust};
use uuid::Uuid;

use crate::credential::{KeyClass, PlainKey};
use crate::{Failure, Service};

/// The group whose members review.
pub const APPROVERS: &str = "approvers";
/// The group whose members read everything.
pub const AUDITORS: &str = "auditors";
/// The group whose members keep people, agents and kinds.
pub const ADMINISTRATORS: &str = "administrators";

/// How often a key's last use is written down: once a minute.
const TOUCH_S: i64 = 60;

/// An agent that showed a living key of its own, or a token that speaks as it.
#[derive(Clone, Debug)]
pub struct AgentCaller {
    pub(crate) agent: AgentId,
    /// Looked at again whenever something is committed.
    pub(crate) credential: Credential,
}

/// By what an agent showed who it is.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// A key, by the hash that finds it.
    Key([u8; 32]),
    /// A token that was verified on the terms of this trust, and how long it is good.
    Workload { trust: TrustId, until: Timestamp },
}

/// An auditor's program.
#[derive(Clone, Debug)]
pub struct AuditorCaller(());

/// A person in a browser session.
#[derive(Clone, Debug)]
pub struct PersonCaller {
    pub(crate) person: Person,
    /// When the person last proved who they are.
    pub(crate) authenticated_at: Timestamp,
}

/// Who may keep the house: an administrator, or the operator at the machine itself.
#[derive(Clone, Debug)]
pub enum Steward {
    Administrator(PersonCaller),
    Operator,
}

/// Whoever a key belongs to.
#[derive(Clone, Debug)]
pub enum KeyCaller {
    Agent(AgentCaller),
    Auditor(AuditorCaller),
}

impl AgentCaller {
    /// The agent's id.
    pub fn id(&self) -> AgentId {
        self.agent
    }

    /// Whether the agent staged or executes a request; any other does not exist for it.
    pub(crate) fn has_part_in(&self, request: &Request) -> bool {
        request.agent == self.agent || request.executor == self.agent
    }
}

impl PersonCaller {
    /// The person's id.
    pub fn id(&self) -> PersonId {
        self.person.id
    }

    /// The person's name.
    pub fn name(&self) -> &str {
        &self.person.name
    }

    /// How often the person has set a password: a session of another count is over.
    pub fn passwords(&self) -> u32 {
        self.person.passwords
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor::Person(self.person.id)
    }

    pub(crate) fn reviewer(&self) -> Reviewer {
        Reviewer::from_session(self.person.id)
    }

    /// Whether the person may have a say: is in any group but that of the auditors.
    pub fn is_approver(&self) -> bool {
        self.person.active && self.person.groups.iter().any(|group| group != AUDITORS)
    }

    /// Whether the person may read the ledger.
    pub fn is_auditor(&self) -> bool {
        self.person.is_in(AUDITORS) || self.is_administrator()
    }

    /// Whether the person keeps the house.
    pub fn is_administrator(&self) -> bool {
        self.person.is_in(ADMINISTRATORS)
    }

    /// Whether the person sees every request, or only those of agents they own.
    pub(crate) fn sees_all(&self) -> bool {
        self.is_approver() || self.is_auditor()
    }

    /// Whether the person may freeze: stopping asks for less than deciding.
    pub fn may_freeze(&self) -> bool {
        self.is_approver() || self.is_administrator()
    }

    /// This person as a steward of the house, if they are one.
    pub fn steward(&self) -> Option<Steward> {
        self.is_administrator().then(|| Steward::Administrator(self.clone()))
    }
}

impl Steward {
    pub(crate) fn actor(&self) -> Actor {
        match self {
            Self::Administrator(person) => person.actor(),
            Self::Operator => Actor::System,
        }
    }
}

/// When the keys and trusts that were used lately were last noted as used.
#[derive(Default)]
pub(crate) struct Touched(Mutex<HashMap<Uuid, Timestamp>>);

impl Touched {
    /// Whether a use at `now` of what was `last_used_at` is to be written down; the first to ask is
    /// told so.
    fn is_due(&self, id: Uuid, last_used_at: Option<Timestamp>, now: Timestamp) -> bool {
        let mut touched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = touched.get(&id).copied().max(last_used_at);
        let due = last.is_none_or(|last| now.seconds_since(last) >= TOUCH_S);
        if due {
            touched.retain(|_, last| now.seconds_since(*last) < TOUCH_S);
            touched.insert(id, now);
        }
        due
    }
}

impl Service {
    /// Whose bearer credential this is, a key or a token of an issuer that is trusted; `None` for a
    /// wrong, revoked or expired one, without telling which.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn caller_of_bearer(&self, credential: &str) -> Result<Option<KeyCaller>, Failure> {
        // No key has a dot in it, and no token is without two.
        if credential.contains('.') {
            return Ok(self.caller_of_token(credential).await?.map(KeyCaller::Agent));
        }
        self.caller_of_key(credential).await
    }

    /// Who showed this key; `None` for a wrong, revoked or expired one, without telling which.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn caller_of_key(&self, key: &str) -> Result<Option<KeyCaller>, Failure> {
        let Some(plain) = PlainKey::parse(key) else { return Ok(None) };
        let key_hash = plain.hash(&self.keys);
        let house = self.house().await?;
        let now = self.now();
        let Some(key) = house.key(&key_hash).filter(|key| key.lives(now)) else { return Ok(None) };
        let caller = match (key.holder, plain.class()) {
            (Actor::Agent(agent), KeyClass::Agent) => {
                let agent = house.agent(agent).filter(|agent| !agent.suspended);
                let credential = Credential::Key(key_hash);
                agent.map(|agent| KeyCaller::Agent(AgentCaller { agent: agent.id, credential }))
            }
            (Actor::Person(person), KeyClass::Auditor) => {
                let person = house.person(person).filter(|person| person.is_in(AUDITORS));
                person.map(|_| KeyCaller::Auditor(AuditorCaller(())))
            }
            _ => None,
        };
        if caller.is_some()
            && let Err(error) = self.touch(key).await
        {
            // Not knowing when a key was last used is no reason to refuse a read.
            tracing::warn!(error = &error as &dyn std::error::Error, "last use not recorded");
        }
        Ok(caller)
    }

    /// What the credential that was shown is limited to; `None` once it no longer lives.
    ///
    /// INVARIANT: I9. Asked of the house that a change is decided under, so that a revocation in
    /// between makes the change stale.
    pub(crate) fn scope_of<'h>(&self, house: &'h House, caller: &AgentCaller) -> Option<&'h Scope> {
        let now = self.now();
        match &caller.credential {
            Credential::Key(hash) => {
                house.key(hash).filter(|key| key.lives(now)).map(|key| &key.scope)
            }
            Credential::Workload { trust, until } => {
                let standing = house.trust(*trust).filter(|_| now < *until);
                standing.map(|trust| &trust.terms.scope)
            }
        }
    }

    /// What the caller may act on now; `None` once it may do nothing: its credential no longer lives, or
    /// it is suspended.
    pub(crate) async fn scope_now(&self, caller: &AgentCaller) -> Result<Option<Scope>, Failure> {
        let house = self.house().await?;
        let active = house.agent(caller.agent).is_some_and(|agent| !agent.suspended);
        Ok(self.scope_of(&house, caller).filter(|_| active).cloned())
    }

    async fn touch(&self, key: &ApiKey) -> Result<(), Failure> {
        let now = self.now();
        if self.touched.is_due(key.id.0, key.last_used_at, now) {
            self.store.side(store::Side::TouchKey { key: key.id, at: now }).await?;
        }
        Ok(())
    }

    pub(crate) async fn touch_trust(&self, trust: &Trust) -> Result<(), Failure> {
        let now = self.now();
        if self.touched.is_due(trust.id.0, trust.last_used_at, now) {
            self.store.side(store::Side::TouchTrust { trust: trust.id, at: now }).await?;
        }
        Ok(())
    }

    /// The person of a session, as they are now; `None` when they are disabled or gone.
    /// `authenticated_at` is when they last proved who they are.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn person_caller(
        &self,
        person: PersonId,
        authenticated_at: Timestamp,
    ) -> Result<Option<PersonCaller>, Failure> {
        let person = self.active_person(person).await?;
        Ok(person.map(|person| PersonCaller { person, authenticated_at }))
    }

    /// The name of a person who is active.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn person_name(&self, id: PersonId) -> Result<Option<String>, Failure> {
        Ok(self.active_person(id).await?.map(|person| person.name))
    }

    pub(crate) async fn active_person(&self, id: PersonId) -> Result<Option<Person>, Failure> {
        let house = self.house().await?;
        let found = house.person(id);
        #[cfg(not(planted = "a_disabled_person_acts"))]
        let found = found.filter(|person| person.active);
        Ok(found.cloned())
    }
}
