//! `POST /requests/{id}/review`: a person's verdict, break-glass among them.

use app::Act;
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{RequestId, Verdict};
use serde::Deserialize;
use service::review::{Password, ReviewForm};

use super::desk::{Answer, Desk, read, see_other};
use super::refusals::{not_from_here, told};
use super::request::{again, misshapen, recorded};
use crate::sessions;

/// The form; every field may be missing, and then it is said which.
#[derive(Deserialize)]
pub(super) struct Fields {
    verdict: Option<Verdict>,
    #[serde(default)]
    justification: String,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    shown: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    break_glass: String,
}

/// Records the review and answers 303; otherwise the page again, with the typed text and why.
pub(super) async fn review(
    desk: Desk,
    Path(id): Path<String>,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    desk.answer(record(&desk, &id, form)).await
}

async fn record(desk: &Desk, id: &str, form: Result<Form<Fields>, FormRejection>) -> Answer {
    let id: RequestId = read(id)?;
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(rejection) => return misshapen(desk, id, Act::Review(None), &rejection).await,
    };
    let break_glass = fields.break_glass == "yes";
    let act = if break_glass { Act::BreakGlass } else { Act::Review(fields.verdict) };
    let text = fields.justification.clone();
    let Some(verdict) = fields.verdict else {
        let problem = "Choose a verdict. Nothing was recorded.";
        return again(desk, id, act, text, StatusCode::UNPROCESSABLE_ENTITY, problem).await;
    };
    let Ok(digest) = fields.digest.parse() else {
        let problem = not_from_here();
        return again(desk, id, act, text, StatusCode::UNPROCESSABLE_ENTITY, problem).await;
    };
    // Only an approval asks for it; what a browser filled in for another verdict proves nothing.
    let asked = verdict == Verdict::Approve && !fields.password.is_empty();
    let password = asked.then_some(Password(fields.password));
    let proved = password.is_some();
    let (justification, shown) = (fields.justification, fields.shown);
    let form = ReviewForm { verdict, justification, digest, shown, password, break_glass };
    match desk.visitor.state.service.review(&desk.caller, id, form).await {
        Ok(reviewed) => {
            if proved {
                sessions::authenticated(&desk.visitor.session, reviewed.authenticated_at).await?;
            }
            see_other(recorded(id))
        }
        Err(error) => {
            let (status, problem) = told(error)?;
            again(desk, id, act, text, status, problem).await
        }
    }
}
