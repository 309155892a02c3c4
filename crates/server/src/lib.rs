//! axum as a library: the agents' API, the people's pages and posts, authentication, and the jobs
//! that run beside them.
//!
//! A handler extracts, calls one use case of `service`, and maps the answer. No SQL, no policy and
//! no lifecycle here. The two halves never share a credential: `/api` takes bearer keys and no
//! cookies, everything else takes cookies and no keys.

pub mod api;
pub mod assets;
mod download;
pub mod headers;
pub mod issuers;
pub mod jobs;
pub mod metrics;
pub mod outbound;
pub mod problem;
pub mod sessions;
pub mod state;
pub mod web;
pub mod webhooks;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use service::ledger::LedgerError;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::RequestBodyDeadlineLayer;
use tower_http::trace::TraceLayer;

pub use state::AppState;

/// A body has to arrive within this time: whoever is slow holds nothing for long.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// How long answers that are under way may take after the server was told to stop.
const GRACE: Duration = Duration::from_secs(4);
/// How long it may take then to end the jobs, and to write what waits to be written.
const REST: Duration = Duration::from_secs(6);

/// Why a server ended that nobody told to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("no connection can be taken")]
    Listener(#[from] std::io::Error),
    /// SECURITY: L10. It would not start on this database either.
    #[error("the database does not go with the keys any more")]
    AtOdds(#[source] LedgerError),
}

/// Every route of the product.
pub fn router(state: AppState) -> Router {
    let trace = TraceLayer::new_for_http().make_span_with(|request: &axum::extract::Request| {
        // SECURITY: the path only; a query can carry what no log should.
        let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
        let path = redacted(request.uri().path());
        tracing::info_span!("http", id, method = %request.method(), path)
    });
    Router::new()
        .merge(api::router(state.clone()))
        .merge(web::router(state.clone()))
        .layer(RequestBodyDeadlineLayer::new(BODY_DEADLINE))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(axum::middleware::from_fn_with_state(state.clone(), metrics::count))
        .layer(axum::middleware::from_fn(headers::secure))
        .layer(axum::middleware::from_fn_with_state(state.clone(), headers::date))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(trace)
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .with_state(state)
}

/// A path without the one-time token that a sign-in link carries.
fn redacted(path: &str) -> &str {
    if path.starts_with("/sign-in/link/") { "/sign-in/link/[redacted]" } else { path }
}

/// Serves until `stop`, then lets what is under way finish, and closes the store.
///
/// # Errors
/// [`ServeError`] when it ends for another reason.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (at_odds, mut odds) = oneshot::channel();
    let jobs = tokio::spawn(jobs::run(state.clone(), at_odds));
    let service = Arc::clone(&state.service);
    let follower = tokio::spawn(async move { service.follow_changes().await });
    let stopping = state.stopping.clone();
    let stopped = state.stopping.clone();
    let router = router(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        tokio::select! {
            () = stop => tracing::info!("stopping"),
            () = stopping.cancelled() => {}
        }
        stopping.cancel();
    });
    let mut serving = pin!(serving.into_future());
    let deadline = async move {
        stopped.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let outcome = tokio::select! {
        outcome = &mut serving => outcome.map_err(ServeError::from),
        () = deadline => Ok(()),
        Ok(error) = &mut odds => {
            // Nobody is let in any more, and connections that are open are closed.
            state.stopping.cancel();
            let _late = tokio::time::timeout(Duration::from_secs(1), serving).await;
            Err(ServeError::AtOdds(error))
        }
    };
    state.stopping.cancel();
    let rest = async {
        if let Err(error) = jobs.await {
            tracing::error!(error = &error as &dyn std::error::Error, "a job ended badly");
        }
        follower.abort();
        state.service.close().await;
    };
    if tokio::time::timeout(REST, rest).await.is_err() {
        tracing::error!("stopped without the database, which does not answer");
    }
    // The last checkpoint may have found it.
    odds.try_recv().map_or(outcome, |error| Err(ServeError::AtOdds(error)))
}
