//! `POST /api/v1/requests/{id}/withdraw`: the stager no longer wants it.

use axum::Json;
use axum::extract::State;
use domain::RequestId;
use service::query::AgentRequest;

use super::authn::Agent;
use super::input::Id;
use crate::AppState;
use crate::problem::Problem;

/// Withdraws a pending request.
///
/// By the agent that staged it, also while changes are asked for. The history keeps it; a second
/// time gets the same answer. A body is ignored.
#[utoipa::path(post, path = "/api/v1/requests/{id}/withdraw", operation_id = "withdraw",
    tag = "Requests", security(("agent_key" = [])), params(Id<RequestId>),
    responses((status = 200, description = "The request, withdrawn.", body = AgentRequest)),
    extensions(("x-problems" = json!(["outside_scope", "not_stager", "not_pending"]))))]
pub(super) async fn withdraw(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
) -> Result<Json<AgentRequest>, Problem> {
    state.service.withdraw(&agent, id).await?;
    Ok(Json(state.service.agent_request(&agent, id).await?))
}
