//! `/history`: every request, newest first, with filters in the address.

use app::Page;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use domain::StateName;
use serde::Deserialize;
use service::query::HistoryQuery;

use super::desk::{Answer, Desk, page};

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
    let answer = show(&desk, params.map(|Query(params)| params).unwrap_or_default()).await;
    desk.visitor.answer(answer).await
}

async fn show(desk: &Desk, params: Params) -> Answer {
    let state = StateName::from_word(&params.state);
    let query = HistoryQuery { state, text: params.q, cursor: params.cursor };
    page(Page::History(desk.visitor.state.service.history(&desk.caller, query).await?))
}
