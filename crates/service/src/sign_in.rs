//! Signing in: a password, or a one-time link that an administrator handed over.

use std::num::NonZeroU32;
use std::sync::Arc;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use domain::entry::{HouseFact, SignInMethod};
use domain::{Actor, PersonId, Timestamp, name};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use store::{Change, StoreError, Write};
use tokio::sync::Semaphore;

use crate::act::TRIES;
use crate::caller::{PersonCaller, Steward};
use crate::house::HouseError;
use crate::{Failure, Service, credential};

/// How long a one-time link may be used: 60 minutes.
pub const LINK_LIFE_S: i64 = 3600;
/// How long after signing in by a link a first password may be set: 15 minutes.
pub const FIRST_PASSWORD_S: i64 = 900;
/// The shortest password, in characters.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// The longest password, in bytes: more is refused before it is hashed.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// Passwords of strangers, and of people who are signed in, that are hashed at the same time;
/// argon2id takes 19 MiB each.
const HASHES_AT_ONCE: usize = 2;
/// Strangers who wait for their password to be looked at; more are told to come back.
const STRANGERS_WAITING: usize = 64;
/// Attempts a minute for one name from one address.
const ATTEMPTS_A_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// The seconds after which another attempt is free.
pub const RETRY_AFTER_S: &str = "6";

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Wrong name, wrong password, no password, or disabled: not told which.
    #[error("the name or the password is wrong")]
    Wrong,
    #[error("too many attempts; wait a minute")]
    TooMany,
    #[error("the link was used or has expired; ask an administrator for a new one")]
    LinkSpent,
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

/// Why a password was not set.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error(
        "a password has at least {MIN_PASSWORD_CHARS} characters and at most {MAX_PASSWORD_BYTES} bytes"
    )]
    Length,
    #[error("the current password is wrong")]
    Current,
    #[error("too many attempts; wait a minute")]
    TooMany,
    #[error("a first password is set within 15 minutes of signing in by a link")]
    TooLate,
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<SignInError> for PasswordError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong | SignInError::LinkSpent => Self::Current,
            SignInError::TooMany => Self::TooMany,
            SignInError::Failed(failure) => Self::Failed(failure),
        }
    }
}

/// Hashing and checking of passwords: bounded, off the async threads, alike for unknown names.
pub(crate) struct Passwords {
    /// Who is signed in never waits behind strangers (threats J04).
    turns: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    waiting: Semaphore,
    attempts: DefaultKeyedRateLimiter<String>,
    /// Checked for names that do not exist, so that the answer takes as long (threats P01).
    nobody: String,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {
            turns: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            strangers: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            waiting: Semaphore::new(STRANGERS_WAITING),
            attempts: RateLimiter::keyed(Quota::per_minute(ATTEMPTS_A_MINUTE)),
            nobody: hash("nobody has this password")?,
        })
    }

    /// Whether a stranger knows the password; one of nobody takes as long to refuse.
    async fn admits(&self, password: &str, hash: Option<String>) -> Result<bool, SignInError> {
        #[cfg(not(planted = "strangers_wait_without_end"))]
        let _place = self.waiting.try_acquire().map_err(|_| SignInError::TooMany)?;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let password = password.to_owned();
        let matches = in_turn(&self.strangers, move || matches(&password, &hash)).await?;
        Ok(known && matches)
    }
}

/// Does the work off the async threads, once it has its turn.
async fn in_turn<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let turn = Arc::clone(turns).acquire_owned().await.map_err(Failure::defect)?;
    let done = tokio::task::spawn_blocking(move || {
        let answer = work();
        drop(turn);
        answer
    });
    done.await.map_err(Failure::defect)
}

fn hash(password: &str) -> Result<String, Failure> {
    let hash: PasswordHash =
        Argon2::default().hash_password(password.as_bytes()).map_err(Failure::defect)?;
    Ok(hash.to_string())
}

fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

impl Service {
    /// Signs a person in by name and password. `from` is where the attempt comes from.
    ///
    /// # Errors
    /// [`SignInError`]; a wrong name and a wrong password are the same answer.
    pub async fn sign_in(
        &self,
        person_name: &str,
        password: &str,
        from: &str,
    ) -> Result<PersonCaller, SignInError> {
        if password.len() > MAX_PASSWORD_BYTES || person_name.len() > MAX_PASSWORD_BYTES {
            return Err(SignInError::Wrong);
        }
        let lookalike = name::lookalike(person_name);
        self.passwords.attempts.retain_recent();
        let attempt = format!("{from} {lookalike}");
        if self.passwords.attempts.check_key(&attempt).is_err() {
            return Err(SignInError::TooMany);
        }
        let house = self.house().await?;
        let person = house.person_named(person_name).filter(|person| person.active).cloned();
        let stored = match &person {
            Some(person) => self.store.password_hash(person.id).await?,
            None => None,
        };
        let right = self.passwords.admits(password, stored).await?;
        let Some(person) = person else { return Err(SignInError::Wrong) };
        if !right {
            // SECURITY: P01. The answer comes first, as soon as it would for a name of nobody.
            if let Some(refused) = self.wrong_password(person.id) {
                let store = Arc::clone(&self.store);
                tokio::spawn(async move {
                    if let Err(error) = store.commit(refused).await {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "a refused sign-in was not recorded"
                        );
                    }
                });
            }
            return Err(SignInError::Wrong);
        }
        let caller = PersonCaller { person, authenticated_at: self.now() };
        let signed_in = HouseFact::SignedIn { person: caller.id(), method: SignInMethod::Password };
        let fact = self.fact(caller.actor(), signed_in);
        self.store.commit(Change { facts: vec![fact], ..Change::default() }).await?;
        Ok(caller)
    }

    /// Whether this is the person's own password, within the limits of signing in.
    pub(crate) async fn check_own_password(
        &self,
        caller: &PersonCaller,
        password: &str,
    ) -> Result<(), SignInError> {
        let hash = self.store.password_hash(caller.id()).await?.ok_or(SignInError::Wrong)?;
        self.check_password(caller, password, hash).await
    }

    async fn check_password(
        &self,
        caller: &PersonCaller,
        password: &str,
        hash: String,
    ) -> Result<(), SignInError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(SignInError::Wrong);
        }
        #[cfg(not(planted = "a_session_guesses_freely"))]
        if self.passwords.attempts.check_key(&format!("own {}", caller.id())).is_err() {
            return Err(SignInError::TooMany);
        }
        let password = password.to_owned();
        if in_turn(&self.passwords.turns, move || matches(&password, &hash)).await? {
            return Ok(());
        }
        if let Some(refused) = self.wrong_password(caller.id()) {
            self.store.commit(refused).await?;
        }
        Err(SignInError::Wrong)
    }

    /// Only for people there are, and within limits: strangers cannot fill the ledger.
    fn wrong_password(&self, person: PersonId) -> Option<Change> {
        self.refusals.allows(&Actor::Person(person)).then(|| {
            let fact = self.fact(Actor::System, HouseFact::SignInRefused { person });
            Change { facts: vec![fact], ..Change::default() }
        })
    }

    /// Records that a person signed out.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn sign_out(&self, caller: &PersonCaller) -> Result<(), Failure> {
        let fact = self.fact(caller.actor(), HouseFact::SignedOut { person: caller.id() });
        self.store.commit(Change { facts: vec![fact], ..Change::default() }).await?;
        Ok(())
    }

    /// Makes a one-time sign-in link for a person; answers with its address.
    ///
    /// # Errors
    /// `HasPassword` when an administrator asks for somebody who signs in by themselves.
    pub async fn sign_in_link(&self, by: &Steward, person: PersonId) -> Result<String, HouseError> {
        for _ in 0..TRIES {
            // SECURITY: a link is a way to be somebody else; it ends with that person's own password,
            // which moves the epoch.
            let house = self.house().await?;
            let own = house.person(person).is_some_and(|found| found.passwords > 0);
            if own && matches!(by, Steward::Administrator(_)) {
                return Err(HouseError::HasPassword);
            }
            let token = credential::one_time_token(&*self.entropy)?;
            let expires_at = self.now().plus_seconds(LINK_LIFE_S);
            let fact = self.fact(by.actor(), HouseFact::SignInLinkIssued { person, expires_at });
            let write = Write::SignInLink { hash: self.link_hash(&token), person, expires_at };
            let (facts, writes, expected_epoch) = (vec![fact], vec![write], house.epoch());
            let change = Change { facts, writes, expected_epoch, ..Change::default() };
            match self.store.commit(change).await {
                Ok(_) if self.now() < expires_at => {
                    return Ok(format!("{}/sign-in/link/{token}", self.public_url()));
                }
                // I12: entries of other servers are heard of with one's own. Where their clock was far
                // ahead, the link is over by now.
                Ok(_) | Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    /// Whose link this is, while it can be used. Reading changes nothing (threats W01).
    ///
    /// # Errors
    /// `LinkSpent` when it cannot be used.
    pub async fn read_link(&self, token: &str) -> Result<(PersonCaller, Timestamp), SignInError> {
        let link = self.store.sign_in_link(self.link_hash(token), self.now()).await?;
        let link = link.ok_or(SignInError::LinkSpent)?;
        let person =
            self.person_caller(link.person, self.now()).await?.ok_or(SignInError::LinkSpent)?;
        Ok((person, link.expires_at))
    }

    /// Signs in by a link, which is spent by it.
    ///
    /// # Errors
    /// `LinkSpent` when it was used before, by whomever.
    pub async fn spend_link(&self, token: &str) -> Result<PersonCaller, SignInError> {
        let (person, _) = self.read_link(token).await?;
        let signed_in = HouseFact::SignedIn { person: person.id(), method: SignInMethod::Link };
        let change = Change {
            facts: vec![self.fact(person.actor(), signed_in)],
            writes: vec![Write::SpendSignInLink { hash: self.link_hash(token) }],
            ..Change::default()
        };
        match self.store.commit(change).await {
            Ok(_) => Ok(person),
            Err(StoreError::LinkSpent) => Err(SignInError::LinkSpent),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets the person's own password; `current` is needed once there is one. Links and sessions of
    /// before are over; the answer is for a new one.
    ///
    /// # Errors
    /// [`PasswordError`] says what is wrong.
    pub async fn set_password(
        &self,
        caller: &PersonCaller,
        current: &str,
        new: &str,
    ) -> Result<PersonCaller, PasswordError> {
        if new.chars().count() < MIN_PASSWORD_CHARS || new.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordError::Length);
        }
        let stored = self.store.password_hash(caller.id()).await.map_err(Failure::from)?;
        if let Some(hash) = stored.clone() {
            self.check_password(caller, current, hash).await?;
        } else if self.now().seconds_since(caller.authenticated_at) > FIRST_PASSWORD_S {
            // SECURITY: else whoever finds an open session could make themselves a password,
            // and with it the fresh authentication that risky approvals ask for.
            return Err(PasswordError::TooLate);
        }
        let password = new.to_owned();
        let hash = in_turn(&self.passwords.turns, move || hash(&password)).await??;
        let person = caller.id();
        let change = Change {
            facts: vec![self.fact(caller.actor(), HouseFact::PasswordSet { person })],
            writes: vec![Write::PasswordHash { person, hash, replaces: stored }],
            ..Change::default()
        };
        self.store.commit(change).await.map_err(Failure::from)?;
        let caller = self.person_caller(person, self.now()).await?;
        caller.ok_or_else(|| Failure::defect("who set a password was disabled").into())
    }

    fn link_hash(&self, token: &str) -> [u8; 32] {
        self.keys.pepper(b"sign-in-link", token.as_bytes())
    }
}
