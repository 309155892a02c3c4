//! `GET /api/v1/kinds`, `GET /api/v1/kinds/{name}`: what can be staged, with an example that works.

use axum::Json;
use axum::extract::State;
use domain::Kind;
use serde::Serialize;

use super::authn::Agent;
use super::input::Id;
use crate::AppState;
use crate::problem::Problem;

/// A kind with its version.
#[derive(Serialize)]
pub(super) struct Versioned {
    version: u32,
    #[serde(flatten)]
    kind: Kind,
}

/// The catalogue.
#[derive(Serialize)]
pub(super) struct Catalogue {
    kinds: Vec<Versioned>,
}

/// Every kind.
pub(super) async fn list(
    State(state): State<AppState>,
    Agent(_): Agent,
) -> Result<Json<Catalogue>, Problem> {
    let kinds = state.service.kinds_view().await?.kinds.into_iter();
    let kinds = kinds.map(|view| Versioned { version: view.version, kind: view.kind }).collect();
    Ok(Json(Catalogue { kinds }))
}

/// One kind by name.
pub(super) async fn read(
    State(state): State<AppState>,
    Agent(_): Agent,
    Id(name): Id<String>,
) -> Result<Json<Versioned>, Problem> {
    let kinds = state.service.kinds_view().await?.kinds.into_iter();
    let found = kinds.into_iter().find(|view| view.kind.name == name);
    let view = found.ok_or_else(Problem::not_found)?;
    Ok(Json(Versioned { version: view.version, kind: view.kind }))
}
