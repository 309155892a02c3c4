//! API keys: of agents, kept by administrators, and of auditors, kept by themselves.

use domain::entry::HouseFact;
use domain::{Actor, AgentId, KeyId, PersonId, Timestamp};
use store::Write;
use store::read::ApiKey;

use super::HouseError;
use crate::caller::{AUDITORS, PersonCaller, Steward};
use crate::credential::{KeyClass, PlainKey};
use crate::view::{KeyRow, SettingsView};
use crate::{Failure, Service};

/// The longest life of an API key: 90 days.
pub const MAX_KEY_LIFE_S: i64 = 90 * 24 * 3600;

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
    ) -> Result<PlainKey, HouseError> {
        self.active_agent(agent).await?;
        let epoch = self.epoch().await?;
        let new = self.new_key(KeyClass::Agent, Actor::Agent(agent), shown_to, expires_at)?;
        let fact = self.fact(by.actor(), new.fact);
        self.authority_change(by, epoch, vec![fact], vec![new.write]).await?;
        Ok(new.plain)
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
        let new = self.new_key(KeyClass::Auditor, caller.actor(), caller.id(), expires_at)?;
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
    ) -> Result<NewKey, HouseError> {
        if expires_at > self.now().plus_seconds(MAX_KEY_LIFE_S) {
            return Err(HouseError::KeyLife);
        }
        let plain = PlainKey::new(class, &*self.entropy)?;
        let key = KeyId(self.entropy.id(self.now())?);
        let fact = HouseFact::KeyIssued { key, holder, expires_at, shown_to };
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
    }
}
