//! `/requests/{id}`: the page on which people decide.

use app::{Act, Draft, Page, RequestPage};
use axum::Json;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::RequestId;
use serde::Deserialize;

use super::desk::{Answer, Desk, Shown, Trouble, page, read};
use super::inbox::Seen;

/// Set by the 303 after something was recorded.
#[derive(Default, Deserialize)]
pub(super) struct Flash {
    #[serde(default)]
    recorded: Option<String>,
}

/// The whole request.
pub(super) async fn show(
    desk: Desk,
    Path(id): Path<String>,
    flash: Result<Query<Flash>, QueryRejection>,
) -> Response {
    let recorded = flash.is_ok_and(|Query(flash)| flash.recorded.is_some());
    desk.answer(async { page(request_page(&desk, read(&id)?, None, recorded).await?) }).await
}

/// The page of a request, with what was not recorded where there is something.
async fn request_page(
    desk: &Desk,
    id: RequestId,
    draft: Option<Draft>,
    recorded: bool,
) -> Result<Page, Trouble> {
    let view = desk.visitor.state.service.request_view(&desk.caller, id).await?;
    Ok(Page::Request(Box::new(RequestPage { view, draft, recorded })))
}

/// The page again: what was typed is kept, and it is said why it was not recorded.
pub(super) async fn again(
    desk: &Desk,
    id: RequestId,
    act: Act,
    text: String,
    status: StatusCode,
    problem: impl Into<String>,
) -> Answer {
    let draft = Draft { act, text, problem: problem.into() };
    let page = request_page(desk, id, Some(draft), false).await?;
    Ok(Shown::Refused(status, Box::new(page)))
}

/// The page again after a form that cannot be read at all.
pub(super) async fn misshapen(
    desk: &Desk,
    id: RequestId,
    act: Act,
    rejection: &FormRejection,
) -> Answer {
    let problem = "The form did not arrive as it should. Nothing was recorded.";
    again(desk, id, act, String::new(), rejection.status(), problem).await
}

/// Where a person goes after something was recorded.
pub(super) fn recorded(id: RequestId) -> String {
    format!("/requests/{id}?recorded=1")
}

/// Moves when the request changes; an open page asks.
pub(super) async fn version(desk: Desk, Path(id): Path<String>) -> Response {
    let seen = async {
        Ok(desk.visitor.state.service.request_version(&desk.caller, read(&id)?).await?.to_string())
    };
    match seen.await {
        Ok(seen) => Json(Seen { seen }).into_response(),
        Err(trouble) => desk.visitor.trouble(trouble).await,
    }
}
