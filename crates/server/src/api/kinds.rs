//! `GET /api/v1/kinds`, `GET /api/v1/kinds/{name}`: what can be staged, with an example that works.

use axum::Json;
use axum::extract::State;
use domain::kind::is_change;
use serde::Serialize;
use service::describe;
use service::view::KindView;
use utoipa::ToSchema;

use super::authn::Agent;
use super::input::Id;
use crate::AppState;
use crate::problem::Problem;

/// The catalogue.
#[derive(Serialize, ToSchema)]
pub(super) struct Catalogue {
    #[schema(value_type = Vec<describe::Kind>)]
    kinds: Vec<KindView>,
}

/// The catalogue: every kind that an agent can stage, in its newest version.
#[utoipa::path(get, path = "/api/v1/kinds", operation_id = "list_kinds", tag = "Kinds",
    security(("agent_key" = [])),
    responses((status = 200, description = "The catalogue.", body = Catalogue)))]
pub(super) async fn list(
    State(state): State<AppState>,
    Agent(_): Agent,
) -> Result<Json<Catalogue>, Problem> {
    Ok(Json(Catalogue { kinds: catalogue(&state).await? }))
}

/// One kind in its newest version.
///
/// With the JSON Schema of its parameters and an example, a complete stage body that works as it is.
#[utoipa::path(get, path = "/api/v1/kinds/{name}", operation_id = "read_kind", tag = "Kinds",
    security(("agent_key" = [])),
    params(("name" = String, Path, description = "The name of a kind.", example = "vendor.key_extend")),
    responses((status = 200, description = "The kind.", body = describe::Kind)))]
pub(super) async fn read(
    State(state): State<AppState>,
    Agent(_): Agent,
    Id(name): Id<String>,
) -> Result<Json<KindView>, Problem> {
    of_name(&state, &name).await.map(Json)
}

/// What an agent can stage: what the house is made of is changed by people.
pub(super) async fn catalogue(state: &AppState) -> Result<Vec<KindView>, Problem> {
    let mut kinds = state.service.kinds_view().await?.kinds;
    kinds.retain(|view| !is_change(&view.kind.name));
    Ok(kinds)
}

/// The kind of this name.
pub(super) async fn of_name(state: &AppState, name: &str) -> Result<KindView, Problem> {
    let mut kinds = catalogue(state).await?.into_iter();
    kinds.find(|view| view.kind.name == name).ok_or_else(Problem::not_found)
}
