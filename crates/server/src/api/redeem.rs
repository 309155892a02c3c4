//! `POST /api/v1/requests/{id}/redeem`: spends the release, once.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{Digest, RequestId};
use serde::Deserialize;

use super::authn::Agent;
use super::input::{Id, JsonBytes, idempotency_key, typed};
use crate::AppState;
use crate::problem::Problem;

/// What is redeemed: exactly this digest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    digest: Digest,
}

/// The token and the lease; the same key and digest again: the same token.
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
