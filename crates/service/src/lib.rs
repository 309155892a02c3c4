//! The use cases.
//!
//! The only place where rules and store meet: authorise the caller, load, apply the domain's
//! rules, commit, answer. Every public function that acts takes its caller first, as a type that
//! only authentication makes; an agent's caller cannot become a person's (I10).

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod act;
pub mod admission;
pub mod caller;
pub mod change;
pub mod credential;
mod current;
pub mod describe;
pub mod entropy;
pub mod events;
pub mod evidence;
pub mod execution;
pub mod freeze;
pub mod guard;
pub mod house;
pub mod introspect;
pub mod keys;
pub mod kind;
pub mod ledger;
pub mod measures;
pub mod places;
pub(crate) mod policy;
pub mod query;
pub(crate) mod recorded;
pub mod redeem;
pub mod restore;
pub mod review;
pub mod schema;
pub mod secret;
pub mod session;
pub mod sign_in;
pub mod stage;
pub mod stop;
pub mod sweep;
pub mod upload;
pub mod view;
pub mod wait;
pub mod webhook;
pub mod workload;

use std::sync::Arc;

use domain::commitment::{Commitment, SALT_BYTES};
use domain::{Actor, InstanceId, Timestamp};
use store::{Change, Changed, Clock, Committed, NewFact, Store, StoreError, Text};
use tokio::sync::OnceCell;

pub use admission::Limits;
pub use caller::{AgentCaller, AuditorCaller, PersonCaller, Steward};
pub use entropy::{Entropy, OsEntropy};
pub use keys::KeyRing;

use guard::Guard;
use places::Places;
use sign_in::Passwords;
use wait::Wakers;

/// What the use cases stand on.
pub struct Service {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) keys: KeyRing,
    pub(crate) schemas: schema::Schemas,
    pub(crate) wakers: Wakers,
    pub(crate) passwords: Passwords,
    pub(crate) refusals: act::RefusalLimiter,
    pub(crate) policies: policy::Policies,
    pub(crate) current: current::Current,
    pub(crate) touched: caller::Touched,
    limits: Limits,
    pub(crate) streams: Places,
    pub(crate) uploads: Places,
    pub(crate) webhook_guard: Guard,
    pub(crate) issuers: workload::Issuers,
    public_url: String,
    instance: OnceCell<InstanceId>,
}

/// Something is wrong on our side; nothing was done, or a read will tell.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The store is away: try again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key file cannot be read now.
    #[error(transparent)]
    Keys(#[from] keys::KeyError),
    /// A defect of ours.
    #[error("{0}")]
    Defect(String),
}

impl Failure {
    /// Whether trying again may help: the store is away, and not at odds with us, or a file of keys is.
    pub fn is_temporary(&self) -> bool {
        let at_odds = |error: &StoreError| {
            matches!(error, StoreError::Refused(_) | StoreError::Corrupt { .. })
        };
        match self {
            Self::Store(error) => !at_odds(error),
            Self::Keys(error) => matches!(error, keys::KeyError::File { .. }),
            Self::Defect(_) => false,
        }
    }

    /// Whether something else was changed at the same moment, which this would have rested on.
    pub fn is_overtaken(&self) -> bool {
        matches!(self, Self::Store(StoreError::Stale))
    }

    /// The database takes too long.
    pub fn no_answer() -> Self {
        Self::Store(StoreError::Unavailable("it does not answer".into()))
    }

    pub(crate) fn defect(error: impl ToString) -> Self {
        Self::Defect(error.to_string())
    }
}

impl Service {
    /// Puts the use cases on their ports. `public_url` is the address that people and agents use.
    ///
    /// # Errors
    /// When the built-in schema of the stage body does not compile.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        keys: KeyRing,
        public_url: String,
    ) -> Result<Self, Failure> {
        Ok(Self {
            store,
            clock,
            entropy,
            keys,
            schemas: schema::Schemas::new()?,
            wakers: Wakers::default(),
            passwords: Passwords::new()?,
            refusals: act::RefusalLimiter::new(),
            policies: policy::Policies::default(),
            current: current::Current::default(),
            touched: caller::Touched::default(),
            limits: Limits::default(),
            streams: Places::new(events::MAX_STREAMS),
            uploads: Places::new(upload::MAX_UPLOADS),
            webhook_guard: Guard::default(),
            issuers: workload::Issuers::default(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            instance: OnceCell::new(),
        })
    }

    /// Lets webhooks go where `guard` permits, instead of to public addresses only.
    #[must_use]
    pub fn with_webhooks_to(self, guard: Guard) -> Self {
        Self { webhook_guard: guard, ..self }
    }

    /// Where webhooks may go.
    pub fn webhook_guard(&self) -> &Guard {
        &self.webhook_guard
    }

    /// The address that people and agents use, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Now, by the clock that decides.
    ///
    /// INVARIANT: I12. Never before the newest entry: a clock that is set back revives nothing.
    pub fn now(&self) -> Timestamp {
        self.clock.now().max(self.store.newest_entry_at())
    }

    /// The public keys of release tokens as a JWK Set (RFC 7517, RFC 8037).
    ///
    /// # Errors
    /// When the directory of keys is away.
    pub fn jwks(&self) -> Result<serde_json::Value, Failure> {
        Ok(self.keys.release()?.jwks(self.now()))
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<(), Failure> {
        self.store.ping().await.map_err(Failure::from)
    }

    /// Whether `job` is for this process to do now: one of those that share a database does it.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn leads(&self, job: &str) -> Result<bool, Failure> {
        Ok(self.store.try_lead(job).await?)
    }

    /// Lets everything that waits be written, then closes the store.
    pub async fn close(&self) {
        self.store.close().await;
    }

    pub(crate) async fn instance(&self) -> Result<InstanceId, Failure> {
        let load = || async {
            let instance = self.store.instance().await?;
            instance.map(|found| found.id).ok_or_else(|| {
                Failure::defect("the database is not initialised: run `countersign admin init`")
            })
        };
        self.instance.get_or_try_init(load).await.copied()
    }

    /// Commits, then wakes whoever waits for the request, or for anything of its agents.
    pub(crate) async fn commit(&self, change: Change) -> Result<Committed, StoreError> {
        let changed = change.request.as_ref().map(|request| Changed::of(&request.after));
        let committed = self.store.commit(change).await?;
        if let Some(changed) = changed {
            self.wakers.wake(changed);
        }
        Ok(committed)
    }

    /// A text for the ledger: its commitment, and the clear text beside it.
    pub(crate) fn committed_text(
        &self,
        field: &'static str,
        text: &str,
    ) -> Result<(Commitment, Text), Failure> {
        let mut salt = [0; SALT_BYTES];
        self.entropy.fill(&mut salt)?;
        let text = Text { field, salt, text: text.to_owned() };
        Ok((Commitment::new(&salt, &text.text), text))
    }

    /// A fact of the house by `actor`, now.
    pub(crate) fn fact(&self, actor: Actor, fact: impl Into<domain::Fact>) -> NewFact {
        let fact = fact.into();
        NewFact { at: self.now(), actor, request: None, fact, texts: Vec::new() }
    }
}
