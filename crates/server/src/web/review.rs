//! `POST /requests/{id}/review`: a person's verdict.

use app::Draft;
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::Response;
use domain::authority::Ineligible;
use domain::{Refusal, RequestId, StateName, Verdict};
use serde::Deserialize;
use service::act::ActError;
use service::review::{ReviewError, ReviewForm, is_overtaken};

use super::desk::{Answer, Desk, Shown, see_other};
use super::request::{read, request_page};

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
}

/// Records the review and answers 303; otherwise the page again, with the typed text and why.
pub(super) async fn review(
    desk: Desk,
    Path(id): Path<String>,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let answer = record(&desk, &id, form).await;
    desk.visitor.answer(answer).await
}

async fn record(desk: &Desk, id: &str, form: Result<Form<Fields>, FormRejection>) -> Answer {
    let id: RequestId = read(id)?;
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(rejection) => {
            let status = rejection.status();
            let problem = "The form did not arrive as it should. Nothing was recorded.";
            return refused(desk, id, status, None, String::new(), problem.to_owned()).await;
        }
    };
    let (verdict, justification) = (fields.verdict, fields.justification.clone());
    let again =
        |status, problem: String| refused(desk, id, status, verdict, justification, problem);
    let Some(verdict) = verdict else {
        let problem = "Choose a verdict. Nothing was recorded.";
        return again(StatusCode::UNPROCESSABLE_ENTITY, problem.to_owned()).await;
    };
    let Ok(digest) = fields.digest.parse() else {
        return again(StatusCode::UNPROCESSABLE_ENTITY, not_from_here()).await;
    };
    let form =
        ReviewForm { verdict, justification: fields.justification, digest, shown: fields.shown };
    match desk.visitor.state.service.review(&desk.caller, id, form).await {
        Ok(_) => see_other(format!("/requests/{id}?recorded=1")),
        Err(ReviewError::Justification) => {
            let problem = "Say why, in 3 to 4,000 characters. Nothing was recorded.";
            again(StatusCode::UNPROCESSABLE_ENTITY, problem.to_owned()).await
        }
        Err(ReviewError::NotShown) => again(StatusCode::CONFLICT, not_from_here()).await,
        Err(ReviewError::Act(ActError::Refused(refusal))) => {
            let overtaken = is_overtaken(&refusal);
            let status = if overtaken { StatusCode::CONFLICT } else { StatusCode::FORBIDDEN };
            again(status, explained(&refusal)).await
        }
        Err(ReviewError::Act(error)) => Err(error.into()),
    }
}

async fn refused(
    desk: &Desk,
    id: RequestId,
    status: StatusCode,
    verdict: Option<Verdict>,
    justification: String,
    problem: String,
) -> Answer {
    let draft = Draft { verdict, justification, problem };
    let page = request_page(desk, id, Some(draft), false).await?;
    Ok(Shown::Refused(status, Box::new(page)))
}

fn not_from_here() -> String {
    "This form was made for another revision, another person or another server. Nothing was recorded. Read the page again and decide on what it shows now.".to_owned()
}

/// What happened instead, in a sentence for the person.
fn explained(refusal: &Refusal) -> String {
    let what = match refusal {
        Refusal::NotPending { state } => match state {
            StateName::Expired => {
                "The review deadline passed before your decision arrived, which is a no"
            }
            StateName::Denied => "Somebody denied this request meanwhile",
            StateName::Withdrawn => "The agent withdrew this request meanwhile",
            StateName::Approved
            | StateName::Executing
            | StateName::Succeeded
            | StateName::Failed => "This request was approved meanwhile",
            StateName::Lapsed => "This request was approved and lapsed meanwhile",
            StateName::Pending => "This request is pending again",
        },
        Refusal::Changed { .. } => "The agent changed this request after you opened it",
        Refusal::AlreadyReviewed { .. } => "Your verdict on this revision is recorded already",
        Refusal::ShownTooLongAgo => "You opened this page more than 12 hours ago; read it again",
        Refusal::NotEligible { why } => match why {
            Ineligible::OwnsAgent => "You own this agent, so your verdict cannot count",
            Ineligible::ActsOnBehalf => {
                "The agent acts on your behalf, so your verdict cannot count"
            }
            Ineligible::HoldsKey => {
                "You were shown a key of this agent, so your verdict cannot count"
            }
            Ineligible::NotInGroup => "You are in no group that may review this request",
        },
        other => return format!("{other}. Nothing was recorded."),
    };
    format!("{what}. Your decision was not recorded; what you typed is still below.")
}
