//! `POST /api/v1/requests/{id}/heartbeat`, `/outcome`, `/rollback`: from redemption to the end.

use axum::Json;
use axum::extract::State;
use domain::stage::FieldError;
use domain::{LeaseId, Outcome, RequestId, RollbackOutcome};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use service::execution::{Heartbeat, MAX_SUMMARY_CHARS, Report};
use service::query::AgentRequest;

use super::authn::Agent;
use super::input::{Id, JsonBytes, typed};
use crate::AppState;
use crate::problem::Problem;

/// Whose heartbeat it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Beat {
    lease_id: LeaseId,
}

/// Moves the end of the lease; answers whether to go on or to halt.
pub(super) async fn heartbeat(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
    JsonBytes(body): JsonBytes,
) -> Result<Json<Heartbeat>, Problem> {
    let Beat { lease_id } = typed(&body)?;
    Ok(Json(state.service.heartbeat(&agent, id, lease_id).await?))
}

/// Records the outcome; the same report again is answered as the first time.
pub(super) async fn outcome(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
    JsonBytes(body): JsonBytes,
) -> Result<Json<AgentRequest>, Problem> {
    let report: Report<Outcome> = reported(&body)?;
    state.service.report(&agent, id, report).await?;
    Ok(Json(state.service.agent_request(&agent, id).await?))
}

/// Records how undoing it ended; the same report again is answered as the first time.
pub(super) async fn rollback(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
    JsonBytes(body): JsonBytes,
) -> Result<Json<AgentRequest>, Problem> {
    let report: Report<RollbackOutcome> = reported(&body)?;
    state.service.report_rollback(&agent, id, report).await?;
    Ok(Json(state.service.agent_request(&agent, id).await?))
}

fn reported<Status: DeserializeOwned>(body: &[u8]) -> Result<Report<Status>, Problem> {
    let report: Report<Status> = typed(body)?;
    let length = report.summary.chars().count();
    if length == 0 || length > MAX_SUMMARY_CHARS {
        let limit = format!("1 to {MAX_SUMMARY_CHARS} characters");
        let error = FieldError::new("/summary", "has the wrong length").limit(limit);
        return Err(Problem::invalid(vec![error]));
    }
    Ok(report)
}
