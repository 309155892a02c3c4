//! `/` and `/inbox`.

use app::Page;
use axum::Json;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

use super::desk::{Desk, page};

/// What an open page compares with what it showed.
#[derive(Serialize)]
pub(super) struct Seen {
    pub seen: String,
}

/// Everybody starts in the inbox.
pub(super) async fn home() -> Redirect {
    Redirect::to("/inbox")
}

/// What waits for the person.
pub(super) async fn inbox(desk: Desk) -> Response {
    desk.answer(async { page(Page::Inbox(desk.visitor.state.service.inbox(&desk.caller).await?)) })
        .await
}

/// Moves when the inbox would show something else.
pub(super) async fn fingerprint(desk: Desk) -> Response {
    match desk.visitor.state.service.inbox(&desk.caller).await {
        Ok(view) => Json(Seen { seen: view.fingerprint }).into_response(),
        Err(failure) => desk.visitor.trouble(failure.into()).await,
    }
}
