//! Stopping: the stager withdraws, people revoke an approval or halt an execution.

use domain::{Command, Refusal, RequestId, StateName};

use crate::Service;
use crate::act::{Act, ActError};
use crate::caller::{AgentCaller, PersonCaller};
use crate::review::{ReviewError, checked_reason};

impl Service {
    /// Withdraws a request that the agent staged. Withdrawing again is answered as the first time.
    ///
    /// # Errors
    /// [`ActError`] says why it stays.
    pub async fn withdraw(&self, caller: &AgentCaller, id: RequestId) -> Result<(), ActError> {
        self.of_agent(caller, id).await?;
        let command = Command::Withdraw { by: domain::Actor::Agent(caller.agent) };
        once(self.act(Act::by_agent(id, caller, command)).await, StateName::Withdrawn)
    }

    /// Withdraws a change to the house that this person staged.
    ///
    /// # Errors
    /// [`ActError`] says why it stays.
    pub async fn withdraw_change(
        &self,
        caller: &PersonCaller,
        id: RequestId,
    ) -> Result<(), ActError> {
        self.visible_revision(caller, id).await?;
        let command = Command::Withdraw { by: caller.actor() };
        once(self.act(Act::new(id, caller.actor(), command)).await, StateName::Withdrawn)
    }

    /// Revokes an approved, unused release.
    ///
    /// # Errors
    /// [`ReviewError`] when there is no reason, nothing to revoke, or the person has no say.
    pub async fn revoke(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        reason: &str,
    ) -> Result<(), ReviewError> {
        self.visible_revision(caller, id).await?;
        let (reason, text) = self.committed_text("reason", checked_reason(reason)?)?;
        let command = Command::Revoke { by: caller.id(), reason };
        let act = Act::new(id, caller.actor(), command).with_text(text);
        Ok(once(self.act(act).await, StateName::Revoked)?)
    }

    /// Asks a running executor to stop and follow the rollback plan. It hears it at its next
    /// heartbeat.
    ///
    /// # Errors
    /// [`ReviewError`] when there is no reason, nothing runs, or the person has no say.
    pub async fn halt(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        reason: &str,
    ) -> Result<(), ReviewError> {
        self.visible_revision(caller, id).await?;
        let (reason, text) = self.committed_text("reason", checked_reason(reason)?)?;
        let command = Command::Halt { by: caller.id(), reason };
        match self.act(Act::new(id, caller.actor(), command).with_text(text)).await {
            Err(ActError::Refused(Refusal::AlreadyHalting { .. })) => Ok(()),
            answer => Ok(answer.map(|_| ())?),
        }
    }
}

/// What is so already is no error.
fn once<T>(answer: Result<T, ActError>, wanted: StateName) -> Result<(), ActError> {
    match answer {
        Err(ActError::Refused(Refusal::NotPending { state } | Refusal::NotApproved { state }))
            if state == wanted =>
        {
            Ok(())
        }
        answer => answer.map(|_| ()),
    }
}
