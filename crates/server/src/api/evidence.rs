//! `POST /api/v1/evidence`: a raw body, kept under its digest.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use domain::Digest;
use serde::Serialize;

use super::authn::Agent;
use super::input::too_large;
use crate::AppState;
use crate::problem::Problem;

/// What an upload answers.
#[derive(Serialize)]
pub(super) struct Uploaded {
    /// To be named in `evidence[].digest` of a stage body.
    digest: Digest,
    size_bytes: usize,
}

/// Keeps the body. Unused after 24 hours, it is removed.
pub(super) async fn upload(
    State(state): State<AppState>,
    Agent(agent): Agent,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Uploaded>), Problem> {
    let body = body.map_err(|error| too_large(&error, 10))?;
    if body.is_empty() {
        let detail = "The body is empty; send the evidence itself as the body.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "empty_evidence", detail));
    }
    let size_bytes = body.len();
    let digest = state.service.upload_evidence(&agent, body.to_vec()).await?;
    Ok((StatusCode::CREATED, Json(Uploaded { digest, size_bytes })))
}
