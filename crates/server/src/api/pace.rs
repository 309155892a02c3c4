//! How fast one agent may call, and how many of its calls may wait at once: on this server.
//!
//! Counted after authentication, so that nobody uses up what is another's. What a call without a living
//! key costs is a hash and a look-up in memory; a proxy limits connections.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{Extensions, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use domain::AgentId;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use service::Limits;
use service::places::{Place, Places};

use crate::problem::Problem;

type Limiter =
    RateLimiter<AgentId, DefaultKeyedStateStore<AgentId>, DefaultClock, StateInformationMiddleware>;

const MINUTE_S: u32 = 60;
/// When a waiting call of the same agent may have ended.
const WAIT_AGAIN_S: u64 = 5;

/// What agents have taken of this server lately.
pub struct Pace {
    calls: Option<(NonZeroU32, Limiter)>,
    waits: Places,
}

/// What is left to the caller of an answer: `r` calls, and `t` seconds until it is more.
#[derive(Clone, Copy)]
struct Left {
    quota: NonZeroU32,
    calls: u32,
    seconds: u64,
}

/// Where an answer finds what is left, once its caller is known.
#[derive(Clone, Default)]
struct Told(Arc<OnceLock<Left>>);

impl Pace {
    pub(crate) fn new(limits: Limits) -> Self {
        let calls = NonZeroU32::new(limits.calls_a_minute).map(|quota| {
            let limiter = RateLimiter::keyed(Quota::per_minute(quota));
            (quota, limiter.with_middleware::<StateInformationMiddleware>())
        });
        Self { calls, waits: Places::new(limits.waits) }
    }

    /// Counts a call of the agent (threats J03).
    pub(super) fn count(&self, agent: AgentId, extensions: &Extensions) -> Result<(), Problem> {
        let Some((quota, limiter)) = &self.calls else { return Ok(()) };
        let checked = limiter.check_key(&agent);
        let left = match &checked {
            Ok(snapshot) => {
                let calls = snapshot.remaining_burst_capacity();
                let used = u64::from(quota.get().saturating_sub(calls));
                let seconds = (used * u64::from(MINUTE_S)).div_ceil(quota.get().into());
                Left { quota: *quota, calls, seconds }
            }
            Err(until) => {
                let wait = until.wait_time_from(limiter.clock().now());
                Left { quota: *quota, calls: 0, seconds: whole_seconds(wait) }
            }
        };
        if let Some(Told(told)) = extensions.get() {
            // A call is counted once.
            let _ = told.set(left);
        }
        checked.map(|_| ()).map_err(|_| too_fast(left))
    }

    /// Takes a place among the waiting calls of the agent, for as long as it is held.
    pub(super) fn wait(&self, agent: AgentId) -> Result<Place, Problem> {
        self.waits.enter(agent).ok_or_else(|| {
            let detail = format!(
                "{} calls of this agent wait already, which is the limit. Wait for several requests in turn, or read the list: GET /api/v1/requests.",
                self.waits.limit()
            );
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_waits", detail);
            Problem { limit: Some(self.waits.limit().into()), ..problem }.again_in(WAIT_AGAIN_S)
        })
    }
}

fn too_fast(left: Left) -> Problem {
    let Left { quota, seconds, .. } = left;
    let detail = format!(
        "This agent may call {quota} times a minute, and has. Nothing was done. Call again in {seconds} s; to hear of a decision, wait with `Prefer: wait=25` instead of asking often."
    );
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
    Problem { limit: Some(quota.get().into()), ..problem }.again_in(seconds)
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Tells an agent what is left to it (draft-ietf-httpapi-ratelimit-headers-10).
pub(super) async fn tell(mut request: Request, next: Next) -> Response {
    let told = Told::default();
    request.extensions_mut().insert(told.clone());
    let mut response = next.run(request).await;
    if let Some(Left { quota, calls, seconds }) = told.0.get() {
        let policy = format!("\"agent\";q={quota};w={MINUTE_S}");
        let left = format!("\"agent\";r={calls};t={seconds}");
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
    }
    response
}
