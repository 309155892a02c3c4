//! What the forms that change the house have in common.

use app::{Page, ProblemPage};
use axum::http::StatusCode;
use service::change::Proposed;
use service::house::HouseError;

use super::desk::{Answer, Shown, Trouble, capital, see_other};

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

/// What was wrong with a change to the house, and where to try again.
pub(super) fn explained(error: HouseError, back: &str) -> Answer {
    if let HouseError::Failed(failure) = error {
        return Err(failure.into());
    }
    nothing_changed(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string(), (back, "Back"))
}

/// A page of its own that says why, and leads to where to try again.
pub(super) fn nothing_changed(
    status: StatusCode,
    why: &str,
    (path, label): (&str, &str),
) -> Answer {
    let problem = ProblemPage {
        status: status.as_u16(),
        title: "Nothing was changed".to_owned(),
        detail: format!("{}.", capital(why)),
        way_out: (path.to_owned(), label.to_owned()),
        reference: None,
    };
    Ok(Shown::Refused(status, Box::new(Page::Problem(problem))))
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

/// A form of which a field may come several times.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn read(body: &[u8]) -> Result<Self, Trouble> {
        let fields = serde_urlencoded::from_bytes(body);
        fields.map(Self).map_err(|_| Trouble::Misshapen(StatusCode::UNPROCESSABLE_ENTITY))
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn one<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }
}
