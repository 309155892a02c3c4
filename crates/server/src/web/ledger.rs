//! `/ledger`: the record, for auditors and administrators.

use app::Page;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use serde::Deserialize;

use super::desk::{Answer, Desk, Trouble, page};

/// Entries below this index.
#[derive(Default, Deserialize)]
pub(super) struct Params {
    before: Option<u64>,
}

/// A page of the ledger.
pub(super) async fn ledger(desk: Desk, params: Result<Query<Params>, QueryRejection>) -> Response {
    let before = params.ok().and_then(|Query(params)| params.before);
    let answer = show(&desk, before).await;
    desk.visitor.answer(answer).await
}

async fn show(desk: &Desk, before: Option<u64>) -> Answer {
    let view = desk.visitor.state.service.ledger_view(&desk.caller, before).await?;
    let view = view.ok_or(Trouble::Forbidden(
        "The ledger is for auditors and administrators. Each request has its own timeline.",
    ))?;
    page(Page::Ledger(view))
}
