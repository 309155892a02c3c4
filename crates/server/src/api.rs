//! The agents' and auditors' API: bearer keys, JSON, no cookies.

mod authn;
mod evidence;
mod input;
mod kinds;
mod ledger;
mod pace;
mod redeem;
mod report;
mod requests;
mod well_known;
mod withdraw;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use service::evidence::MAX_EVIDENCE_BYTES;

use crate::AppState;
use crate::problem::Problem;
pub use pace::Pace;

/// The largest JSON body: 1 MiB.
pub const MAX_JSON_BYTES: usize = 1024 * 1024;

/// Every route of the API, and what monitors and token verifiers read.
pub fn router(state: AppState) -> Router<AppState> {
    let evidence = Router::new()
        .route("/api/v1/evidence", post(evidence::upload))
        .layer(DefaultBodyLimit::max(MAX_EVIDENCE_BYTES));
    Router::new()
        .route("/api/v1/requests", post(requests::stage).get(requests::list))
        .route("/api/v1/requests/{id}", get(requests::read))
        .route("/api/v1/requests/{id}/withdraw", post(withdraw::withdraw))
        .route("/api/v1/requests/{id}/redeem", post(redeem::redeem))
        .route("/api/v1/requests/{id}/revisions", post(requests::amend))
        .route("/api/v1/requests/{id}/heartbeat", post(report::heartbeat))
        .route("/api/v1/requests/{id}/outcome", post(report::outcome))
        .route("/api/v1/requests/{id}/rollback", post(report::rollback))
        .route("/api/v1/kinds", get(kinds::list))
        .route("/api/v1/kinds/{name}", get(kinds::read))
        .route("/api/v1/ledger/entries", get(ledger::entries))
        .route("/api/v1/ledger/checkpoint", get(ledger::checkpoint))
        .route("/api/v1/ledger/proof/{index}", get(ledger::proof))
        .route("/api/v1/ledger/consistency", get(ledger::consistency))
        .route("/api/{*rest}", axum::routing::any(|| async { Problem::not_found() }))
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .merge(evidence)
        .layer(axum::middleware::from_fn(pace::tell))
        .route("/.well-known/jwks.json", get(well_known::jwks))
        .route("/healthz", get(well_known::healthz))
        .route("/readyz", get(well_known::readyz))
        .method_not_allowed_fallback(|| async {
            let detail = "This address takes another method; the `allow` header names it.";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .with_state(state)
}
