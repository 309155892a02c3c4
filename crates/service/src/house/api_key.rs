//! API keys: of agents, kept by administrators, and of auditors, kept by themselves.

use domain::entry::HouseFact;
use domain::{Actor, AgentId, KeyId, PersonId, Scope, Timestamp};
use store::read::ApiKey;
use store::{House, Write};

use super::HouseError;
use crate::caller::{AUDITORS, PersonCaller, Steward};
use crate::credential::{KeyClass, PlainKey};
use crate::view::{KeyRow, SettingsView};
use crate::{Failure, Service};

/// The longest life of an API key: 90 days.
pub const MAX_KEY_LIFE_S: i64 = 90 * 24 * 3600;
/// Living keys of one agent: the one in use, and the one that takes its place.
pub const MAX_AGENT_KEYS: usize = 2;
/// How long a key that is rotated lives on, where it does: 24 hours.
pub const ROTATION_S: i64 = 24 * 3600;

/// What becomes of the key that another takes the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKey {
    /// It opens nothing from now on.
    EndsNow,
    /// It lives for another 24 hours, if not shorter.
    EndsInADay,
}

impl Service {
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
        scope: Scope,
    ) -> Result<PlainKey, HouseError> {
        let house = self.house().await?;
        self.active_agent(agent).await?;
        self.expect_scope(&house, &scope)?;
        let holder = Actor::Agent(agent);
        if self.living(&house, &holder).count() >= MAX_AGENT_KEYS {
            return Err(HouseError::TwoKeys);
        }
        let new = self.new_key(KeyClass::Agent, holder, shown_to, expires_at, scope)?;
        let fact = self.fact(by.actor(), new.fact);
        self.authority_change(by, house.epoch(), vec![fact], vec![new.write]).await?;
        Ok(new.plain)
    }

    /// Issues the key that takes another's place, with the same scope, and gives the old one an end:
    /// both or neither.
    ///
    /// # Errors
    /// [`HouseError`] when the agent has no such living key, or it would have three.
    pub async fn rotate_agent_key(
        &self,
        by: &Steward,
        agent: AgentId,
        key: KeyId,
        shown_to: PersonId,
        old: OldKey,
    ) -> Result<PlainKey, HouseError> {
        let house = self.house().await?;
        self.active_agent(agent).await?;
        let holder = Actor::Agent(agent);
        let replaced = self.living(&house, &holder).find(|living| living.id == key);
        let scope = replaced.ok_or(HouseError::NoSuchKey)?.scope.clone();
        let now = self.now();
        let end = match old {
            OldKey::EndsNow => HouseFact::KeyRevoked { key },
            OldKey::EndsInADay if self.living(&house, &holder).count() >= MAX_AGENT_KEYS => {
                return Err(HouseError::TwoKeys);
            }
            OldKey::EndsInADay => {
                HouseFact::KeyRetired { key, expires_at: now.plus_seconds(ROTATION_S) }
            }
        };
        let expires_at = now.plus_seconds(MAX_KEY_LIFE_S);
        let new = self.new_key(KeyClass::Agent, holder, shown_to, expires_at, scope)?;
        let facts = [new.fact, end].map(|fact| self.fact(by.actor(), fact)).into();
        self.authority_change(by, house.epoch(), facts, vec![new.write]).await?;
        Ok(new.plain)
    }

    /// The keys of `holder` that open something now.
    fn living<'h>(&self, house: &'h House, holder: &Actor) -> impl Iterator<Item = &'h ApiKey> {
        let (holder, now) = (*holder, self.now());
        house.keys().filter(move |key| key.holder == holder && key.lives(now))
    }

    /// Refuses a scope that names what does not exist: whoever was given it could do nothing.
    pub(super) fn expect_scope(&self, house: &House, scope: &Scope) -> Result<(), HouseError> {
        scope.check()?;
        match scope.kinds.iter().find(|kind| house.kind(kind).is_none()) {
            Some(unknown) => Err(HouseError::NoSuchKind(unknown.clone())),
            None => Ok(()),
        }
    }

    /// Issues an auditor a key of their own, to be shown once: nobody else ever holds it.
    ///
    /// # Errors
    /// [`HouseError`] when the person is no auditor or the life is too long.
    pub async fn issue_auditor_key(
        &self,
        caller: &PersonCaller,
        expires_at: Timestamp,
    ) -> Result<PlainKey, HouseError> {
        let epoch = self.epoch().await?;
        // INVARIANT: I9. Whoever left the group while the call was under way gets no key.
        let person = self.active_person(caller.id()).await?;
        if !person.is_some_and(|person| person.is_in(AUDITORS)) {
            return Err(HouseError::NotAuditor);
        }
        let (holder, scope) = (caller.actor(), Scope::default());
        let new = self.new_key(KeyClass::Auditor, holder, caller.id(), expires_at, scope)?;
        let fact = self.fact(caller.actor(), new.fact);
        self.commit_authority(epoch, vec![fact], vec![new.write]).await?;
        Ok(new.plain)
    }

    fn new_key(
        &self,
        class: KeyClass,
        holder: Actor,
        shown_to: PersonId,
        expires_at: Timestamp,
        scope: Scope,
    ) -> Result<NewKey, HouseError> {
        if expires_at > self.now().plus_seconds(MAX_KEY_LIFE_S) {
            return Err(HouseError::KeyLife);
        }
        let plain = PlainKey::new(class, &*self.entropy)?;
        let key = KeyId(self.entropy.id(self.now())?);
        let fact = HouseFact::KeyIssued { key, holder, expires_at, shown_to, scope };
        let write = Write::KeyHash { key, hash: plain.hash(&self.keys), hint: plain.hint() };
        Ok(NewKey { plain, fact, write })
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
        let epoch = self.epoch().await?;
        self.expect_living(&Actor::Agent(agent), key).await?;
        let fact = self.fact(by.actor(), HouseFact::KeyRevoked { key });
        self.authority_change(by, epoch, vec![fact], Vec::new()).await
    }

    /// Revokes a key of one's own.
    ///
    /// # Errors
    /// [`HouseError`] when the person has no such living key.
    pub async fn revoke_own_key(
        &self,
        caller: &PersonCaller,
        key: KeyId,
    ) -> Result<(), HouseError> {
        let epoch = self.epoch().await?;
        self.expect_living(&caller.actor(), key).await?;
        let fact = self.fact(caller.actor(), HouseFact::KeyRevoked { key });
        self.commit_authority(epoch, vec![fact], Vec::new()).await
    }

    async fn expect_living(&self, holder: &Actor, key: KeyId) -> Result<(), HouseError> {
        let now = self.now();
        let keys = self.store.keys_of(holder).await?;
        let living = keys.iter().any(|known| known.id == key && known.lives(now));
        if living { Ok(()) } else { Err(HouseError::NoSuchKey) }
    }

    /// What a person sets for themselves.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn settings_view(&self, caller: &PersonCaller) -> Result<SettingsView, Failure> {
        let now = self.now();
        let keys = self.store.keys_of(&caller.actor()).await?;
        let keys = keys.into_iter().map(|key| row(key, now)).collect();
        Ok(SettingsView { now, may_have_keys: caller.person.is_in(AUDITORS), keys })
    }
}

/// A key that is not there yet.
struct NewKey {
    plain: PlainKey,
    fact: HouseFact,
    write: Write,
}

/// A key in a list, never the key itself.
pub(crate) fn row(key: ApiKey, now: Timestamp) -> KeyRow {
    KeyRow {
        id: key.id,
        live: key.lives(now),
        hint: key.hint,
        issued_at: key.issued_at,
        expires_at: key.expires_at,
        last_used_at: key.last_used_at,
        scope: key.scope,
    }
}
