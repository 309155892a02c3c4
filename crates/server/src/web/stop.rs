//! What a person does to a request beside deciding: revoke, halt, withdraw, and the second review
//! of a broken glass. Each answers 303, or the page again with the typed text and why.

use app::Act;
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{RequestId, SecondVerdict};
use serde::Deserialize;
use service::review::ReviewError;

use super::desk::{Answer, Desk, read, see_other};
use super::refusals::told;
use super::request::{again, misshapen, recorded};

/// Why.
#[derive(Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    reason: String,
}

/// What the second person says.
#[derive(Deserialize)]
pub(super) struct SecondReview {
    verdict: Option<SecondVerdict>,
    #[serde(default)]
    justification: String,
    /// The page's token.
    #[serde(default)]
    shown: String,
}

/// Revokes an approved, unused release.
pub(super) async fn revoke(
    desk: Desk,
    Path(id): Path<String>,
    form: Result<Form<Reason>, FormRejection>,
) -> Response {
    desk.answer(async {
        let id: RequestId = read(&id)?;
        let reason = match form {
            Ok(Form(Reason { reason })) => reason,
            Err(rejection) => return misshapen(&desk, id, Act::Revoke, &rejection).await,
        };
        let done = desk.visitor.state.service.revoke(&desk.caller, id, &reason).await;
        answered(&desk, id, Act::Revoke, reason, done).await
    })
    .await
}

/// Asks a running execution to halt.
pub(super) async fn halt(
    desk: Desk,
    Path(id): Path<String>,
    form: Result<Form<Reason>, FormRejection>,
) -> Response {
    desk.answer(async {
        let id: RequestId = read(&id)?;
        let reason = match form {
            Ok(Form(Reason { reason })) => reason,
            Err(rejection) => return misshapen(&desk, id, Act::Halt, &rejection).await,
        };
        let done = desk.visitor.state.service.halt(&desk.caller, id, &reason).await;
        answered(&desk, id, Act::Halt, reason, done).await
    })
    .await
}

/// Withdraws a change that the person proposed; it asks for no reason.
pub(super) async fn withdraw(desk: Desk, Path(id): Path<String>) -> Response {
    desk.answer(async {
        let id: RequestId = read(&id)?;
        let done = desk.visitor.state.service.withdraw_change(&desk.caller, id).await;
        answered(&desk, id, Act::Withdraw, String::new(), done.map_err(ReviewError::from)).await
    })
    .await
}

/// Records the second person's look at a broken glass.
pub(super) async fn second_review(
    desk: Desk,
    Path(id): Path<String>,
    form: Result<Form<SecondReview>, FormRejection>,
) -> Response {
    desk.answer(async {
        let id: RequestId = read(&id)?;
        let SecondReview { verdict, justification, shown } = match form {
            Ok(Form(fields)) => fields,
            Err(rejection) => {
                return misshapen(&desk, id, Act::SecondReview(None), &rejection).await;
            }
        };
        let act = Act::SecondReview(verdict);
        let Some(verdict) = verdict else {
            let (status, problem) = (StatusCode::UNPROCESSABLE_ENTITY, "Say whether it was right.");
            return again(&desk, id, act, justification, status, problem).await;
        };
        let service = &desk.visitor.state.service;
        let done =
            service.review_break_glass(&desk.caller, id, verdict, &justification, &shown).await;
        answered(&desk, id, act, justification, done).await
    })
    .await
}

async fn answered(
    desk: &Desk,
    id: RequestId,
    act: Act,
    text: String,
    done: Result<(), ReviewError>,
) -> Answer {
    match done {
        Ok(()) => see_other(recorded(id)),
        Err(error) => {
            let (status, problem) = told(error)?;
            again(desk, id, act, text, status, problem).await
        }
    }
}
