//! What the forms that change the house have in common.

use app::{Page, ProblemPage};
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use service::change::Proposed;
use service::house::HouseError;

use super::desk::{Answer, Shown, Trouble, see_other};

/// To the request that waits for a second person, or back where the change can be seen.
pub(super) fn answered(proposed: Proposed, back: &str) -> Answer {
    match proposed {
        Proposed::Staged(id) => see_other(format!("/requests/{id}")),
        Proposed::Applied => see_other(back),
    }
}

/// The page again, with what was typed.
pub(super) fn unchanged(page: Page) -> Answer {
    Ok(Shown::Refused(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page)))
}

/// What is wrong, a line each.
pub(super) fn problems(error: HouseError) -> Result<Vec<String>, Trouble> {
    Ok(match error {
        HouseError::Failed(failure) => return Err(failure.into()),
        HouseError::Kind(errors) => errors
            .into_iter()
            .map(|error| {
                let limit = error.limit.map(|limit| format!(" ({limit})")).unwrap_or_default();
                format!("{} {}{limit}", error.pointer, error.detail).trim().to_owned()
            })
            .collect(),
        HouseError::Policy(errors) => errors.iter().map(ToString::to_string).collect(),
        HouseError::Impossible(reasons) => reasons.iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    })
}

/// A form that could not be read at all.
pub(super) fn misshapen(rejection: &FormRejection, back: &str) -> Answer {
    let problem = ProblemPage {
        status: rejection.status().as_u16(),
        title: "Nothing was changed".to_owned(),
        detail: "The form did not arrive as it should, or is larger than 256 KiB.".to_owned(),
        way_out: (back.to_owned(), "Back".to_owned()),
        reference: None,
    };
    Ok(Shown::Refused(rejection.status(), Box::new(Page::Problem(problem))))
}
