//! `POST /api/v1/evidence`: a raw body, kept under its digest.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use domain::Digest;
use serde::Serialize;
use service::AgentCaller;

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
    Ok((StatusCode::CREATED, Json(keep(&state, &agent, body.to_vec()).await?)))
}

/// Keeps what is evidence: anything but nothing.
pub(super) async fn keep(
    state: &AppState,
    agent: &AgentCaller,
    bytes: Vec<u8>,
) -> Result<Uploaded, Problem> {
    if bytes.is_empty() {
        let detail = "The evidence is empty; send what people should see.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "empty_evidence", detail));
    }
    let size_bytes = bytes.len();
    let digest = state.service.upload_evidence(agent, bytes).await?;
    Ok(Uploaded { digest, size_bytes })
}
