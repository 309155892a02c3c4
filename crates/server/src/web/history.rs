//! `/history`: every request, newest first, with filters in the address.

use app::Page;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use domain::StateName;
use serde::Deserialize;
use service::query::HistoryQuery;

use super::desk::{Desk, page};

/// The filters; an empty one is none.
#[derive(Default, Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    state: String,
    #[serde(default)]
    q: String,
    cursor: Option<String>,
}

/// A page of the history.
pub(super) async fn history(desk: Desk, params: Result<Query<Params>, QueryRejection>) -> Response {
    let Query(Params { state, q, cursor }) = params.unwrap_or_default();
    let query = HistoryQuery { state: StateName::from_word(&state), text: q, cursor };
    desk.answer(async {
        page(Page::History(desk.visitor.state.service.history(&desk.caller, query).await?))
    })
    .await
}
