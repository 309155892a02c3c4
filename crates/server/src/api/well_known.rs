//! What verifiers of release tokens and monitors read, without a key.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;
use service::describe::JwkSet;

use crate::AppState;
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
