//! `POST /api/v1/evidence`: a raw body, kept under its digest, and read back by whoever sent it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::Response;
use domain::Digest;
use serde::Serialize;

use super::authn::Agent;
use super::input::{Id, too_large};
use crate::AppState;
use crate::download::attachment;
use crate::problem::Problem;

/// What an upload answers.
#[derive(Serialize)]
pub(super) struct Uploaded {
    /// To be named in `evidence[].digest` of a stage body.
    digest: Digest,
    size_bytes: usize,
}

/// What the agent uploaded, as it came; anything else is not there.
pub(super) async fn download(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(digest): Id<Digest>,
) -> Result<Response, Problem> {
    let bytes = state.service.uploaded_evidence(&agent, digest).await?;
    let name: String = digest.hex().chars().take(12).collect();
    Ok(attachment(&format!("evidence-{name}"), bytes.ok_or_else(Problem::not_found)?))
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
