//! `POST /api/v1/requests/{id}/outcome`: how the execution ended.

use axum::Json;
use axum::extract::State;
use domain::stage::FieldError;
use domain::{LeaseId, Outcome, RequestId};
use serde::Deserialize;
use service::query::AgentRequest;
use service::redeem::MAX_SUMMARY_CHARS;

use super::authn::Agent;
use super::input::{Id, JsonBytes, typed};
use crate::AppState;
use crate::problem::Problem;

/// What the executor reports.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    lease_id: LeaseId,
    status: Outcome,
    summary: String,
}

/// Records the outcome; the same report again is answered as the first time.
pub(super) async fn outcome(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
    JsonBytes(body): JsonBytes,
) -> Result<Json<AgentRequest>, Problem> {
    let body: Body = typed(&body)?;
    let length = body.summary.chars().count();
    if length == 0 || length > MAX_SUMMARY_CHARS {
        let limit = format!("1 to {MAX_SUMMARY_CHARS} characters");
        let error = FieldError::new("/summary", "has the wrong length").limit(limit);
        return Err(Problem::invalid(vec![error]));
    }
    state.service.report(&agent, id, body.lease_id, body.status, &body.summary).await?;
    Ok(Json(state.service.agent_request(&agent, id).await?))
}
