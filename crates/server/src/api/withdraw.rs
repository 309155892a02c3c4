//! `POST /api/v1/requests/{id}/withdraw`: the stager no longer wants it.

use axum::Json;
use axum::extract::State;
use domain::RequestId;
use service::query::AgentRequest;

use super::authn::Agent;
use super::input::Id;
use crate::AppState;
use crate::problem::Problem;

/// Withdraws a pending request; the history keeps it.
pub(super) async fn withdraw(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
) -> Result<Json<AgentRequest>, Problem> {
    state.service.withdraw(&agent, id).await?;
    Ok(Json(state.service.agent_request(&agent, id).await?))
}
