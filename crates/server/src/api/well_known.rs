//! What verifiers of release tokens and monitors read, without a key.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use service::describe::JwkSet;

use crate::AppState;
use crate::metrics::MEDIA_TYPE;
use crate::problem::Problem;

/// The public keys of release tokens (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "jwks", tag = "Server",
    responses((status = 200, description = "The keys.", body = JwkSet)))]
pub(super) async fn jwks(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    Ok(Json(state.service.jwks()?))
}

/// The process runs.
#[utoipa::path(get, path = "/healthz", operation_id = "healthz", tag = "Server",
    responses((status = 200, description = "`ok`.", body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The store answers and the installation is initialised.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "Server",
    responses((status = 200, description = "`ready`.", body = String, content_type = "text/plain")),
    extensions(("x-problems" = json!(["not_initialised"]))))]
pub(super) async fn readyz(State(state): State<AppState>) -> Result<&'static str, Problem> {
    state.service.ready().await?;
    if !state.service.is_initialised().await? {
        let detail = "Run `countersign admin init`.";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_initialised", detail));
    }
    Ok("ready\n")
}

/// What the server has answered and how much there is of what, for monitors (OpenMetrics 1.0).
///
/// Numbers only: no id, no name, no path that somebody sent.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "Server",
    responses((status = 200, description = "Metrics.", body = String, content_type = "application/openmetrics-text")))]
pub(super) async fn metrics(State(state): State<AppState>) -> Result<Response, Problem> {
    let measures = state.service.measures().await?;
    let text = state.metrics.text(&measures).map_err(|_| Problem::internal())?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}
