//! The executor's side after redemption: heartbeats, the outcome, the rollback.

use domain::state::Release;
use domain::{
    Command, LeaseId, Outcome, Refusal, Request, RequestId, RollbackOutcome, Signal, StateName,
    Timestamp, apply,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::act::{Act, ActError};
use crate::caller::AgentCaller;
use crate::policy::People;
use crate::{Service, describe};

/// The longest summary of an outcome or a rollback, in characters.
pub const MAX_SUMMARY_CHARS: usize = 4000;

/// What an executor learns from a heartbeat.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Heartbeat {
    #[schema(value_type = describe::Beat)]
    pub signal: Signal,
    #[schema(value_type = describe::Time)]
    pub lease_until: Timestamp,
    #[schema(value_type = describe::Time)]
    pub report_by: Timestamp,
}

impl Service {
    /// A sign of life: moves the end of the lease, and tells whether to go on or to halt.
    ///
    /// # Errors
    /// `Refused(NotExecuting)` once the lease is over: report what happened then.
    pub async fn heartbeat(
        &self,
        caller: &AgentCaller,
        id: RequestId,
        lease_id: LeaseId,
    ) -> Result<Heartbeat, ActError> {
        self.of_agent(caller, id).await?;
        let command = Command::Renew { executor: caller.agent, lease_id };
        let request = self.act(Act::by_agent(id, caller, command)).await?;
        let not_executing = || Refusal::NotExecuting { state: request.state.name() };
        let release: &Release = request.state.release().ok_or_else(not_executing)?;
        let house = self.house().await?;
        let now = self.now();
        let authority = self.authority(&house, &request, now, People::Everybody).await?;
        Ok(Heartbeat {
            signal: apply::signal(&request, &authority),
            lease_until: release.lease_until,
            report_by: release.report_by,
        })
    }

    /// Reports how the execution ended. The same report again is answered as the first time.
    ///
    /// # Errors
    /// [`ActError`] says why it was not recorded.
    pub async fn report(
        &self,
        caller: &AgentCaller,
        id: RequestId,
        lease_id: LeaseId,
        outcome: Outcome,
        summary: &str,
    ) -> Result<(), ActError> {
        self.of_agent(caller, id).await?;
        let (summary, text) = self.committed_text("summary", summary)?;
        let executor = caller.agent;
        let command = Command::Report { executor, lease_id, outcome, summary };
        let answer = self.act(Act::by_agent(id, caller, command).with_text(text)).await;
        self.same_report(answer, id, lease_id, outcome.state()).await
    }

    /// Reports how undoing it ended. The same report again is answered as the first time.
    ///
    /// # Errors
    /// [`ActError`] says why it was not recorded.
    pub async fn report_rollback(
        &self,
        caller: &AgentCaller,
        id: RequestId,
        lease_id: LeaseId,
        outcome: RollbackOutcome,
        summary: &str,
    ) -> Result<(), ActError> {
        self.of_agent(caller, id).await?;
        let (summary, text) = self.committed_text("summary", summary)?;
        let executor = caller.agent;
        let command = Command::ReportRollback { executor, lease_id, outcome, summary };
        let answer = self.act(Act::by_agent(id, caller, command).with_text(text)).await;
        self.same_report(answer, id, lease_id, outcome.state()).await
    }

    /// A refused report is no error where the same one of the same lease stands already.
    async fn same_report(
        &self,
        answer: Result<Request, ActError>,
        id: RequestId,
        lease_id: LeaseId,
        reported: StateName,
    ) -> Result<(), ActError> {
        let refusal = match answer {
            Ok(_) => return Ok(()),
            Err(ActError::Refused(
                refusal @ (Refusal::NotExecuting { .. } | Refusal::NothingToRollBack { .. }),
            )) => refusal,
            Err(error) => return Err(error),
        };
        let state = self.store.load(id).await?.ok_or(ActError::NotFound)?.request.state;
        let same_lease = state.release().is_some_and(|release| release.lease_id == lease_id);
        if same_lease && state.name() == reported { Ok(()) } else { Err(refusal.into()) }
    }
}
