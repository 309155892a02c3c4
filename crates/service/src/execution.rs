//! The executor's side after redemption: heartbeats, the outcome, the rollback.

use domain::commitment::Commitment;
use domain::revision::EvidenceDescriptor;
use domain::stage::{EvidenceItem, FieldError, check_evidence};
use domain::state::Release;
use domain::{
    AgentId, Command, LeaseId, Outcome, Refusal, Request, RequestId, RollbackOutcome, Signal,
    StateName, Timestamp, apply,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Write;
use utoipa::ToSchema;

use crate::act::{Act, ActError};
use crate::caller::AgentCaller;
use crate::evidence::stored;
use crate::policy::People;
use crate::stage::StageError;
use crate::{Service, describe};

/// The longest summary of an outcome or a rollback, in characters.
pub const MAX_SUMMARY_CHARS: usize = 4000;

/// What an executor reports.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report<Status> {
    pub lease_id: LeaseId,
    #[serde(rename = "status")]
    pub outcome: Status,
    pub summary: String,
    /// What it shows for it: as the evidence of a stage body.
    #[serde(default)]
    pub evidence: Option<Value>,
}

/// What an executor learns from a heartbeat.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Heartbeat {
    #[schema(value_type = describe::Signal)]
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
    /// [`StageError`] says why it was not recorded.
    pub async fn report(
        &self,
        caller: &AgentCaller,
        id: RequestId,
        report: Report<Outcome>,
    ) -> Result<(), StageError> {
        let (state, lease_id, outcome) = (report.outcome.state(), report.lease_id, report.outcome);
        let command = |executor, summary, evidence| Command::Report {
            executor,
            lease_id,
            outcome,
            summary,
            evidence,
        };
        self.reported(caller, id, report, state, command).await
    }

    /// Reports how undoing it ended. The same report again is answered as the first time.
    ///
    /// # Errors
    /// [`StageError`] says why it was not recorded.
    pub async fn report_rollback(
        &self,
        caller: &AgentCaller,
        id: RequestId,
        report: Report<RollbackOutcome>,
    ) -> Result<(), StageError> {
        let (state, lease_id, outcome) = (report.outcome.state(), report.lease_id, report.outcome);
        let command = |executor, summary, evidence| Command::ReportRollback {
            executor,
            lease_id,
            outcome,
            summary,
            evidence,
        };
        self.reported(caller, id, report, state, command).await
    }

    /// Records a report by the command that it makes; it leads to `state`.
    async fn reported<Status>(
        &self,
        caller: &AgentCaller,
        id: RequestId,
        report: Report<Status>,
        state: StateName,
        command: impl FnOnce(AgentId, Commitment, Vec<EvidenceDescriptor>) -> Command,
    ) -> Result<(), StageError> {
        let Report { lease_id, summary, evidence, .. } = report;
        check_summary(&summary)?;
        self.of_agent(caller, id).await?;
        let (evidence, writes) = self.shown_for(caller, evidence).await?;
        let (summary, text) = self.committed_text("summary", &summary)?;
        let command = command(caller.agent, summary, evidence);
        let mut act = Act::by_agent(id, caller, command).with_text(text);
        act.writes = writes;
        let answer = self.act(act).await;
        Ok(self.same_report(answer, id, lease_id, state).await?)
    }

    /// What a report shows for itself, under the rules of a stage body's evidence, and what has to be
    /// stored for it.
    async fn shown_for(
        &self,
        caller: &AgentCaller,
        evidence: Option<Value>,
    ) -> Result<(Vec<EvidenceDescriptor>, Vec<Write>), StageError> {
        let Some(evidence) = evidence else { return Ok((Vec::new(), Vec::new())) };
        let errors = self.schemas.check_reported_evidence(&evidence);
        if !errors.is_empty() {
            return Err(StageError::Invalid(errors));
        }
        let items = Vec::<EvidenceItem>::deserialize(evidence).map_err(|error| {
            StageError::Invalid(vec![FieldError::new("/evidence", error.to_string())])
        })?;
        let mut errors = check_evidence(&items, self.now());
        let (mut descriptors, mut inline) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            match self.resolve_evidence(caller, item, &mut inline).await? {
                Some(descriptor) => descriptors.push(descriptor),
                None if item.digest.is_some() => errors.push(FieldError::new(
                    format!("/evidence/{index}/digest"),
                    "is not the digest of anything that this agent uploaded",
                )),
                None => {}
            }
        }
        if !errors.is_empty() {
            return Err(StageError::Invalid(errors));
        }
        Ok((descriptors, stored(caller.agent, inline)))
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

/// Whether people can be expected to read it.
fn check_summary(summary: &str) -> Result<(), StageError> {
    if (1..=MAX_SUMMARY_CHARS).contains(&summary.chars().count()) {
        return Ok(());
    }
    let limit = format!("1 to {MAX_SUMMARY_CHARS} characters");
    let error = FieldError::new("/summary", "has the wrong length").limit(limit);
    Err(StageError::Invalid(vec![error]))
}
