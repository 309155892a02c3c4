//! `GET /api/v1/kinds`, `GET /api/v1/kinds/{name}`: what can be staged, with an example that works.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use service::view::KindView;

use super::authn::Agent;
use super::input::Id;
use crate::AppState;
use crate::problem::Problem;

/// The catalogue.
#[derive(Serialize)]
pub(super) struct Catalogue {
    kinds: Vec<KindView>,
}

/// Every kind.
pub(super) async fn list(
    State(state): State<AppState>,
    Agent(_): Agent,
) -> Result<Json<Catalogue>, Problem> {
    Ok(Json(Catalogue { kinds: state.service.kinds_view().await?.kinds }))
}

/// One kind by name.
pub(super) async fn read(
    State(state): State<AppState>,
    Agent(_): Agent,
    Id(name): Id<String>,
) -> Result<Json<KindView>, Problem> {
    of_name(&state, &name).await.map(Json)
}

/// The kind of this name.
pub(super) async fn of_name(state: &AppState, name: &str) -> Result<KindView, Problem> {
    let mut kinds = state.service.kinds_view().await?.kinds.into_iter();
    kinds.find(|view| view.kind.name == name).ok_or_else(Problem::not_found)
}
