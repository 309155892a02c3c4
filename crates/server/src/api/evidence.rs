//! `POST /api/v1/evidence`: a raw body, kept under its digest, and read back by whoever sent it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::Response;
use domain::Digest;
use serde::Serialize;
use service::{AgentCaller, describe};
use utoipa::ToSchema;

use super::authn::Agent;
use super::input::{Id, too_large};
use crate::AppState;
use crate::download::attachment;
use crate::problem::Problem;

/// What an upload answers.
#[derive(Serialize, ToSchema)]
pub(super) struct Uploaded {
    /// To be named in `evidence[].digest` of a stage body.
    #[schema(value_type = describe::Digest)]
    digest: Digest,
    size_bytes: usize,
}

/// Reads an upload back.
///
/// The bytes that this agent uploaded or sent inline, as an attachment. What another agent uploaded
/// is not there.
#[utoipa::path(get, path = "/api/v1/evidence/{digest}", operation_id = "read_evidence", tag = "Evidence",
    security(("agent_key" = [])),
    params(("digest" = inline(describe::Digest), Path, description = "As the upload was answered.")),
    responses((status = 200, description = "The evidence as it came.",
        body = inline(describe::Bytes), content_type = "application/octet-stream")),
    extensions(("x-problems" = json!(["not_found"]))))]
pub(super) async fn download(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(digest): Id<Digest>,
) -> Result<Response, Problem> {
    let bytes = state.service.uploaded_evidence(&agent, digest).await?;
    let name: String = digest.hex().chars().take(12).collect();
    Ok(attachment(&format!("evidence-{name}"), bytes.ok_or_else(Problem::not_found)?))
}

/// Uploads evidence.
///
/// The body is the evidence itself, of any media type, 1 byte to 10 MiB. Only the agent that
/// uploaded can refer to it; what no request refers to within 24 hours is removed.
#[utoipa::path(post, path = "/api/v1/evidence", operation_id = "upload_evidence", tag = "Evidence",
    security(("agent_key" = [])),
    request_body(content = inline(describe::Bytes), content_type = "application/octet-stream",
        description = "The evidence; the media type is not looked at."),
    responses((status = 201, description = "It is kept under its digest.", body = Uploaded)),
    extensions(("x-problems" = json!(["empty_evidence", "evidence_quota", "body_too_large", "body_incomplete"]))))]
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
