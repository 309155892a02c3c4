//! `POST /api/v1/requests/{id}/redeem`: spends the release, once.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{Digest, RequestId};
use serde::Deserialize;
use service::describe;
use service::redeem::Redeemed;
use utoipa::ToSchema;

use super::authn::Agent;
use super::input::{Id, IdempotencyKey, JsonBytes, idempotency_key, typed};
use crate::AppState;
use crate::problem::Problem;

/// What is redeemed: exactly this digest.
#[derive(Deserialize, ToSchema)]
#[schema(as = Redemption)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// The digest that was approved.
    #[schema(value_type = describe::Digest)]
    digest: Digest,
}

/// Redeems an approved request: the release token and the lease.
///
/// By the executor, inside the window if there is one, once. Everything is checked again: approvers,
/// suspensions, freezes, and the policy of this moment. The same Idempotency-Key and digest again
/// get the same token, with `Idempotency-Replayed`.
#[utoipa::path(post, path = "/api/v1/requests/{id}/redeem", operation_id = "redeem",
    tag = "Execution", security(("agent_key" = [])), params(Id<RequestId>, IdempotencyKey<true>),
    request_body(content = Body, description = "What is redeemed: exactly this digest."),
    responses((status = 200, description = "The release. Carry the action out, then report.",
        body = Redeemed,
        headers(("Idempotency-Replayed" = Option<bool>, description = "`true` on a repeated answer.")))),
    extensions(("x-problems" = json!(["outside_scope", "not_executor", "suspended", "policy_forbids", "not_approved",
        "already_redeemed", "digest_mismatch", "outside_window", "frozen", "policy_failed"]))))]
pub(super) async fn redeem(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?.ok_or_else(|| {
        let detail =
            "Redeeming needs an Idempotency-Key header: a retry with it gets the same token.";
        Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_missing", detail)
    })?;
    let body: Body = typed(&body)?;
    let redeemed = state.service.redeem(&agent, id, body.digest, &key).await?;
    let replayed = redeemed.replayed;
    let mut response = Json(redeemed).into_response();
    if replayed {
        let value = HeaderValue::from_static("true");
        response.headers_mut().insert("idempotency-replayed", value);
    }
    Ok(response)
}
