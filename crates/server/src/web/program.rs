//! The same desk for a program that a person runs, `countersign admin`: JSON in place of pages.
//!
//! The administration of the house has its data as JSON, and every refusal is a problem of RFC 9457.
//! What people decide on has a page only: a verdict is given by somebody who sees it.

use app::Page;
use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::problem::Problem;

/// Whether a program asks: what it names first in `Accept` is JSON.
pub(super) fn asks(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.trim_start().starts_with("application/json"))
}

/// What a page shows, as JSON.
pub(super) fn document(page: Page) -> Response {
    match page {
        Page::Agents(view) => Json(view).into_response(),
        Page::People(page) => Json(page.view).into_response(),
        Page::Kinds(page) => Json(page.view).into_response(),
        Page::Policy(page) => {
            Json(json!({"policy": page.view, "replay": page.replay})).into_response()
        }
        Page::Freezes(page) => Json(page.view).into_response(),
        Page::Webhooks(page) => Json(page.view).into_response(),
        Page::Secret { title, explanation, value, .. } => {
            Json(json!({"title": title, "explanation": explanation, "value": value}))
                .into_response()
        }
        Page::SignIn(_)
        | Page::SignInLink { .. }
        | Page::Inbox(_)
        | Page::Request(_)
        | Page::History(_)
        | Page::Ledger(_)
        | Page::Settings(_)
        | Page::Problem(_) => browser_only().into_response(),
    }
}

/// A page that says no, as a problem.
pub(super) fn refused(status: StatusCode, page: &Page) -> Response {
    Problem::new(status, code(status), page.problems().join("\n")).into_response()
}

/// Nobody is signed in.
pub(super) fn signed_out() -> Response {
    let detail = "Sign in first: POST /sign-in with `name` and `password`, then send the cookie.";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail).into_response()
}

fn browser_only() -> Problem {
    let detail = "This is a page for people and has no JSON. Open it in a browser.";
    Problem::new(StatusCode::NOT_ACCEPTABLE, "browser_only", detail)
}

fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "unauthenticated",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::TOO_MANY_REQUESTS => "too_many_attempts",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        StatusCode::INTERNAL_SERVER_ERROR => "internal",
        _ => "not_changed",
    }
}
