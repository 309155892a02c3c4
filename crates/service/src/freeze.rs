//! Freezing: stops redemption at once, for everything or for a part; thawing ends it.

use domain::entry::HouseFact;
use domain::{Freeze, FreezeId, FreezeScope, StateName};
use store::StoreError;
use store::read::{Order, RequestQuery, StandingFreeze};

use crate::act::{ActError, TRIES};
use crate::caller::PersonCaller;
use crate::house::HouseError;
use crate::review::{ReviewError, checked_reason};
use crate::{Failure, Service};

/// Executions that one freeze halts in its first round; the rest hear it at their heartbeat.
const HALTED_AT_ONCE: u32 = 500;

/// Why nothing was frozen or thawed.
#[derive(Debug, thiserror::Error)]
pub enum FreezeError {
    #[error(transparent)]
    House(#[from] HouseError),
    #[error(transparent)]
    Reason(#[from] ReviewError),
    #[error("only reviewers and administrators freeze, and only administrators thaw")]
    NotAllowed,
    #[error("there is no such agent, kind or environment")]
    NoSuchScope,
    #[error("this freeze is not on any more")]
    NotFrozen,
}

impl From<Failure> for FreezeError {
    fn from(failure: Failure) -> Self {
        Self::House(failure.into())
    }
}

impl From<StoreError> for FreezeError {
    fn from(error: StoreError) -> Self {
        Self::House(error.into())
    }
}

impl Service {
    /// Freezes redemption within `scope`; with `halts`, what runs already is told to halt too.
    ///
    /// # Errors
    /// [`FreezeError`] says why it is not on.
    pub async fn freeze(
        &self,
        caller: &PersonCaller,
        scope: FreezeScope,
        halts: bool,
        reason: &str,
    ) -> Result<FreezeId, FreezeError> {
        if !caller.may_freeze() {
            return Err(FreezeError::NotAllowed);
        }
        self.check_scope(&scope).await?;
        let reason = checked_reason(reason)?;
        let (commitment, text) = self.committed_text("reason", reason)?;
        let id = FreezeId(self.entropy.id(self.now())?);
        let freeze = Freeze { id, scope, halts };
        let frozen = HouseFact::Frozen { freeze: freeze.clone(), reason: commitment };
        let mut fact = self.fact(caller.actor(), frozen);
        fact.texts.push(text);
        self.authority_change_by(caller, PersonCaller::may_freeze, vec![fact]).await?;
        if halts && let Err(error) = self.halt_running(caller, &freeze, reason).await {
            // It is frozen, and every heartbeat tells to halt: only the pages do not say it yet.
            tracing::error!(error = &error as &dyn std::error::Error, "not all were told to halt");
        }
        Ok(id)
    }

    /// Ends a freeze.
    ///
    /// # Errors
    /// [`FreezeError`] says why it stays on.
    pub async fn thaw(
        &self,
        caller: &PersonCaller,
        freeze: FreezeId,
        reason: &str,
    ) -> Result<(), FreezeError> {
        if caller.steward().is_none() {
            return Err(FreezeError::NotAllowed);
        }
        if !self.freezes().await?.iter().any(|standing| standing.freeze.id == freeze) {
            return Err(FreezeError::NotFrozen);
        }
        let (commitment, text) = self.committed_text("reason", checked_reason(reason)?)?;
        let mut fact = self.fact(caller.actor(), HouseFact::Thawed { freeze, reason: commitment });
        fact.texts.push(text);
        self.authority_change_by(caller, PersonCaller::is_administrator, vec![fact]).await
    }

    /// The freezes that are on, the oldest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn freezes(&self) -> Result<Vec<StandingFreeze>, Failure> {
        Ok(self.house().await?.freezes().to_vec())
    }

    async fn check_scope(&self, scope: &FreezeScope) -> Result<(), FreezeError> {
        let known = match scope {
            FreezeScope::All => true,
            FreezeScope::Agent(agent) => self.house().await?.agent(*agent).is_some(),
            FreezeScope::Kind(name) => self.house().await?.kind(name).is_some(),
            FreezeScope::Environment(name) => domain::stage::is_environment(name),
        };
        if known { Ok(()) } else { Err(FreezeError::NoSuchScope) }
    }

    /// Tells what runs within the freeze to halt; each is recorded on its own request.
    ///
    /// The signal of a heartbeat follows from the freeze itself: this only says it on the pages.
    async fn halt_running(
        &self,
        caller: &PersonCaller,
        freeze: &Freeze,
        reason: &str,
    ) -> Result<(), FreezeError> {
        let running = RequestQuery {
            states: vec![StateName::Executing],
            order: Order::LastChangedFirst,
            limit: HALTED_AT_ONCE,
            ..RequestQuery::default()
        };
        for stored in self.store.list(running).await? {
            if !freeze.scope.covers(&stored.request) {
                continue;
            }
            match self.halt(caller, stored.request.id, reason).await {
                // It ended meanwhile: nothing to halt.
                Ok(()) | Err(ReviewError::Act(ActError::Refused(_))) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Commits facts that move the authority, while the person still may, whatever else moves it.
    async fn authority_change_by(
        &self,
        caller: &PersonCaller,
        may: fn(&PersonCaller) -> bool,
        facts: Vec<store::NewFact>,
    ) -> Result<(), FreezeError> {
        let tries = TRIES;
        #[cfg(planted = "a_freeze_is_tried_once")]
        let tries = 1;
        for _ in 0..tries {
            let epoch = self.epoch().await?;
            // INVARIANT: I9. Whoever lost the right while the call was under way changes nothing.
            let now = self.person_caller(caller.id(), caller.authenticated_at).await?;
            if !now.as_ref().is_some_and(may) {
                return Err(FreezeError::NotAllowed);
            }
            match self.commit_authority(epoch, facts.clone(), Vec::new()).await {
                Err(HouseError::Failed(Failure::Store(StoreError::Stale))) => {}
                done => return Ok(done?),
            }
        }
        Err(StoreError::Unavailable("the house changes too fast".into()).into())
    }
}
