//! Bearer keys and tokens. SECURITY: only the `Authorization: Bearer` form, once; never a cookie or a query.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use service::caller::KeyCaller;
use service::{AgentCaller, AuditorCaller};

use crate::AppState;
use crate::problem::Problem;

/// An agent with a living key, or a token that speaks as it, within its pace.
pub(super) struct Agent(pub AgentCaller);

/// An auditor's program with a living key.
pub(super) struct Auditor(pub AuditorCaller);

async fn caller(parts: &Parts, state: &AppState) -> Result<KeyCaller, Problem> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (value, more) = (values.next(), values.next());
    if more.is_some() {
        let detail = "Send one Authorization header.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "duplicate_authorization", detail));
    }
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, key) = text.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::unauthenticated());
    }
    state.service.caller_of_bearer(key).await?.ok_or_else(Problem::unauthenticated)
}

impl FromRequestParts<AppState> for Agent {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        match caller(parts, state).await? {
            KeyCaller::Agent(agent) => {
                state.pace.count(agent.id(), &parts.extensions)?;
                Ok(Self(agent))
            }
            KeyCaller::Auditor(_) => Err(Problem::unauthenticated()),
        }
    }
}

impl FromRequestParts<AppState> for Auditor {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        match caller(parts, state).await? {
            KeyCaller::Auditor(auditor) => Ok(Self(auditor)),
            KeyCaller::Agent(_) => Err(Problem::unauthenticated()),
        }
    }
}
