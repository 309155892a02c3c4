//! `/requests/{id}`: the page on which people decide.

use app::{Draft, Page, RequestPage};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use domain::RequestId;
use serde::Deserialize;

use super::desk::{Answer, Desk, Trouble, page};
use super::inbox::Seen;

/// Set by the 303 after a review was recorded.
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
    let answer = whole(&desk, &id, recorded).await;
    desk.visitor.answer(answer).await
}

async fn whole(desk: &Desk, id: &str, recorded: bool) -> Answer {
    page(request_page(desk, read(id)?, None, recorded).await?)
}

/// The page of a request, with a review that was not recorded where there is one.
pub(super) async fn request_page(
    desk: &Desk,
    id: RequestId,
    draft: Option<Draft>,
    recorded: bool,
) -> Result<Page, Trouble> {
    let view = desk.visitor.state.service.request_view(&desk.caller, id).await?;
    // An address that anybody can make up must not say that something was recorded.
    let recorded = recorded && view.your_verdict.is_some();
    Ok(Page::Request(Box::new(RequestPage { view, draft, recorded })))
}

/// Moves when the request changes; an open page asks.
pub(super) async fn version(desk: Desk, Path(id): Path<String>) -> Response {
    let seen = async {
        Ok(desk.visitor.state.service.request_version(&desk.caller, read(&id)?).await?.to_string())
    };
    match seen.await {
        Ok(seen) => Json(Seen { seen }).into_response(),
        Err(trouble) => desk.visitor.answer(Err(trouble)).await,
    }
}

/// An id of the path; anything else is not there.
pub(super) fn read<T: std::str::FromStr>(text: &str) -> Result<T, Trouble> {
    text.parse().map_err(|_| Trouble::NotFound)
}
