//! `/kinds`: what can be staged.

use app::Page;
use axum::response::Response;

use super::desk::{Answer, Desk, page};

/// The catalogue.
pub(super) async fn list(desk: Desk) -> Response {
    let answer = show(&desk).await;
    desk.visitor.answer(answer).await
}

async fn show(desk: &Desk) -> Answer {
    page(Page::Kinds(desk.visitor.state.service.kinds_view().await?))
}
