//! `/kinds`: what can be staged, and the form that changes it.

use app::{KindsPage, Page, TextDraft};
use axum::Form;
use axum::extract::Query;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::response::Response;
use serde::Deserialize;

use super::change::{answered, problems, unchanged};
use super::desk::{Desk, Trouble, page, steward};

/// Which kind the form starts from.
#[derive(Default, Deserialize)]
pub(super) struct Start {
    #[serde(default)]
    change: String,
}

/// The catalogue.
pub(super) async fn list(desk: Desk, start: Result<Query<Start>, QueryRejection>) -> Response {
    let Query(start) = start.unwrap_or_default();
    desk.answer(async { page(kinds(&desk, &start.change, None).await?) }).await
}

async fn kinds(desk: &Desk, start: &str, draft: Option<TextDraft>) -> Result<Page, Trouble> {
    let view = desk.visitor.state.service.kinds_view().await?;
    let named = view.kinds.iter().find(|view| view.kind.name == start);
    let text = named.and_then(|view| serde_json::to_string_pretty(&view.kind).ok());
    let draft = draft.or_else(|| text.map(|text| TextDraft { text, ..TextDraft::default() }));
    Ok(Page::Kinds(Box::new(KindsPage { view, draft })))
}

/// A kind as JSON.
#[derive(Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    text: String,
    #[serde(default)]
    reason: String,
}

/// Proposes a kind, or a new version of one.
pub(super) async fn put(desk: Desk, form: Result<Form<Fields>, FormRejection>) -> Response {
    desk.answer(async {
        let steward = steward(&desk)?;
        let Form(Fields { text, reason }) = form?;
        match desk.visitor.state.service.put_kind(&steward, text.as_bytes(), &reason).await {
            Ok(proposed) => answered(proposed, "/kinds"),
            Err(error) => {
                let draft = TextDraft { text, reason, problems: problems(error)? };
                unchanged(kinds(&desk, "", Some(draft)).await?)
            }
        }
    })
    .await
}
