//! `POST /api/v1/evidence`: a raw body, kept under its digest while it is received, and read back by
//! whoever sent it.

use axum::Json;
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::Digest;
use service::describe;
use service::upload::{MAX_EVIDENCE_BYTES, MAX_UPLOADS, UploadError, Uploaded};

use super::authn::Agent;
use super::input::{Id, incomplete, too_large};
use crate::AppState;
use crate::download::attachment;
use crate::problem::Problem;

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
/// The body is the evidence itself, of any media type, 1 byte to 10 MiB, with or without a
/// `Content-Length`. Only the agent that uploaded can refer to it; what no request refers to within
/// 24 hours is removed.
#[utoipa::path(post, path = "/api/v1/evidence", operation_id = "upload_evidence", tag = "Evidence",
    security(("agent_key" = [])),
    request_body(content = inline(describe::Bytes), content_type = "application/octet-stream",
        description = "The evidence; the media type is not looked at."),
    responses((status = 201, description = "It is kept under its digest.", body = Uploaded)),
    extensions(("x-problems" = json!(["empty_evidence", "evidence_quota", "body_too_large", "body_incomplete", "too_many_uploads"]))))]
pub(super) async fn upload(
    State(state): State<AppState>,
    Agent(agent): Agent,
    body: Body,
) -> Result<(StatusCode, Json<Uploaded>), Problem> {
    if body.size_hint().lower() > MAX_EVIDENCE_BYTES {
        return Err(UploadError::TooLarge.into());
    }
    let pieces = body.into_data_stream();
    // A task of its own goes on to clear away what was received, should the agent hang up.
    let kept = tokio::spawn(async move { state.service.upload_evidence(&agent, pieces).await });
    let kept = kept.await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "an upload ended badly");
        Problem::internal()
    })?;
    Ok((StatusCode::CREATED, Json(kept?)))
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Empty => {
                let detail = "The evidence is empty; send what people should see.";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "empty_evidence", detail)
            }
            UploadError::TooLarge => too_large(10),
            UploadError::Incomplete => incomplete(),
            UploadError::TooMany => {
                let detail = format!("Nothing was stored: {error}. Let one of them end first.");
                let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_uploads", detail);
                Self { limit: Some(MAX_UPLOADS.into()), ..problem }
            }
            UploadError::NotAdmitted(reason) => reason.into(),
            UploadError::Failed(failure) => failure.into(),
        }
    }
}
