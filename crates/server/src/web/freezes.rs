//! `/freezes`: what is stopped, and the forms that stop and release.

use app::{FreezeDraft, FreezesPage, Page};
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{FreezeId, FreezeScope};
use serde::Deserialize;
use service::freeze::FreezeError;
use service::house::HouseError;

use super::desk::{Answer, Desk, Shown, Trouble, page, read, see_other};
use super::refusals::told;

/// Who freezes, for those who do not.
const NOT_ALLOWED: &str = "Reviewers and administrators freeze; only administrators end a freeze.";

/// Every freeze that is on.
pub(super) async fn list(desk: Desk) -> Response {
    desk.answer(async { page(freezes(&desk, None).await?) }).await
}

async fn freezes(desk: &Desk, draft: Option<FreezeDraft>) -> Result<Page, Trouble> {
    let view = desk.visitor.state.service.freezes_view(&desk.caller).await?;
    Ok(Page::Freezes(Box::new(FreezesPage { view, draft })))
}

/// The form; every field may be missing, and then it is said which.
#[derive(Default, Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    scope: String,
    #[serde(default)]
    running: String,
    #[serde(default)]
    reason: String,
}

/// Freezes at once and answers 303; otherwise the page again, with what was typed and why.
pub(super) async fn freeze(desk: Desk, form: Result<Form<Fields>, FormRejection>) -> Response {
    desk.answer(frozen(&desk, form)).await
}

async fn frozen(desk: &Desk, form: Result<Form<Fields>, FormRejection>) -> Answer {
    if !desk.caller.may_freeze() {
        return Err(Trouble::Forbidden(NOT_ALLOWED));
    }
    let Form(fields) = match form {
        Ok(form) => form,
        Err(rejection) => {
            return refused(desk, FreezeDraft::default(), misshapen(&rejection)).await;
        }
    };
    let halts = match fields.running.as_str() {
        "halt" => Some(true),
        "go_on" => Some(false),
        _ => None,
    };
    let scope = scope(&fields.scope);
    let (typed, reason) = (fields.scope, fields.reason.clone());
    let draft = FreezeDraft { scope: typed, halts, reason, ..FreezeDraft::default() };
    let unclear = |problem: &str| (StatusCode::UNPROCESSABLE_ENTITY, problem.to_owned());
    let Some(scope) = scope else {
        return refused(desk, draft, unclear("Choose what to freeze.")).await;
    };
    let Some(halts) = halts else {
        return refused(desk, draft, unclear("Choose what happens to what runs already.")).await;
    };
    match desk.visitor.state.service.freeze(&desk.caller, scope, halts, &fields.reason).await {
        Ok(_) => see_other("/freezes"),
        Err(error) => refused(desk, draft, explained(error)?).await,
    }
}

/// Ends a freeze.
pub(super) async fn thaw(
    desk: Desk,
    Path(id): Path<String>,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    desk.answer(async {
        let freeze: FreezeId = read(&id)?;
        let draft = FreezeDraft { thaw: Some(freeze), ..FreezeDraft::default() };
        let Form(fields) = match form {
            Ok(form) => form,
            Err(rejection) => return refused(&desk, draft, misshapen(&rejection)).await,
        };
        let draft = FreezeDraft { reason: fields.reason.clone(), ..draft };
        match desk.visitor.state.service.thaw(&desk.caller, freeze, &fields.reason).await {
            Ok(()) => see_other("/freezes"),
            Err(error) => refused(&desk, draft, explained(error)?).await,
        }
    })
    .await
}

/// What the form's one choice names: `all`, or a sort and a name.
fn scope(text: &str) -> Option<FreezeScope> {
    match text.split_once(':') {
        None if text == "all" => Some(FreezeScope::All),
        Some(("agent", id)) => id.parse().ok().map(FreezeScope::Agent),
        Some(("kind", name)) => Some(FreezeScope::Kind(name.to_owned())),
        Some(("environment", name)) => Some(FreezeScope::Environment(name.to_owned())),
        None | Some(_) => None,
    }
}

fn misshapen(rejection: &FormRejection) -> (StatusCode, String) {
    (rejection.status(), "The form did not arrive as it should.".to_owned())
}

async fn refused(
    desk: &Desk,
    draft: FreezeDraft,
    (status, problem): (StatusCode, String),
) -> Answer {
    let page = freezes(desk, Some(FreezeDraft { problem, ..draft })).await?;
    Ok(Shown::Refused(status, Box::new(page)))
}

fn explained(error: FreezeError) -> Result<(StatusCode, String), Trouble> {
    Ok(match error {
        FreezeError::Reason(error) => told(error)?,
        FreezeError::NotAllowed => return Err(Trouble::Forbidden(NOT_ALLOWED)),
        FreezeError::NoSuchScope => {
            let text = "There is no such agent, kind or environment. Choose one from the list.";
            (StatusCode::UNPROCESSABLE_ENTITY, text.to_owned())
        }
        FreezeError::NotFrozen => {
            let text = "Somebody ended this freeze already.";
            (StatusCode::CONFLICT, text.to_owned())
        }
        FreezeError::House(HouseError::Failed(failure)) => return Err(failure.into()),
        FreezeError::House(error) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}.")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_everything_or_a_sort_with_a_name() {
        assert_eq!(scope("all"), Some(FreezeScope::All));
        assert_eq!(scope("kind:db.export"), Some(FreezeScope::Kind("db.export".into())));
        let production = FreezeScope::Environment("production".into());
        assert_eq!(scope("environment:production"), Some(production));
        for bad in ["", "everything", "agent:nobody", "sort:name", "all:"] {
            assert_eq!(scope(bad), None, "{bad}");
        }
    }
}
