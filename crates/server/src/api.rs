//! The agents' and auditors' API: bearer keys, JSON, no cookies.

#![expect(unused_qualifications, reason = "what describes a route names types by their full paths")]

mod authn;
mod events;
mod evidence;
mod input;
mod introspect;
mod kinds;
mod ledger;
mod mcp;
pub mod openapi;
mod pace;
mod redeem;
mod report;
mod requests;
mod well_known;
mod withdraw;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::any;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::problem::Problem;
pub use pace::Pace;

/// The largest JSON body: 1 MiB.
pub const MAX_JSON_BYTES: usize = 1024 * 1024;

/// Every route of the API with its description: router and document are made from this one list.
fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::Base::openapi())
        .routes(routes!(requests::stage, requests::list))
        .routes(routes!(requests::read))
        .routes(routes!(requests::amend))
        .routes(routes!(withdraw::withdraw))
        .routes(routes!(redeem::redeem))
        .routes(routes!(report::heartbeat))
        .routes(routes!(report::outcome))
        .routes(routes!(report::rollback))
        .routes(routes!(events::stream))
        .routes(routes!(introspect::introspect))
        .routes(routes!(kinds::list))
        .routes(routes!(kinds::read))
        .routes(routes!(ledger::entries))
        .routes(routes!(ledger::checkpoint))
        .routes(routes!(ledger::proof))
        .routes(routes!(ledger::consistency))
        .routes(routes!(evidence::upload))
        .routes(routes!(evidence::download))
        .routes(routes!(openapi::read))
        .routes(routes!(mcp::message))
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .layer(axum::middleware::from_fn(pace::tell))
        .routes(routes!(well_known::jwks))
        .routes(routes!(well_known::healthz))
        .routes(routes!(well_known::readyz))
        .routes(routes!(well_known::metrics))
}

/// The API, and what monitors and token verifiers read.
pub fn router(state: AppState) -> Router<AppState> {
    let (described, _) = routes().split_for_parts();
    described
        .route("/api/{*rest}", any(|| async { Problem::not_found() }))
        .method_not_allowed_fallback(|| async {
            let detail = "This address takes another method; the `allow` header names it.";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .with_state(state)
}
