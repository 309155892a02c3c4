//! `/policy`: what every action needs, and the form that changes it.

use app::{Page, PolicyPage, TextDraft};
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;
use service::view::ReplayView;

use super::change::{answered, problems, unchanged};
use super::desk::{Answer, Desk, Trouble, page, steward};

/// The policy.
pub(super) async fn show(desk: Desk) -> Response {
    desk.answer(async { page(policy(&desk, None, None).await?) }).await
}

async fn policy(
    desk: &Desk,
    draft: Option<TextDraft>,
    replay: Option<ReplayView>,
) -> Result<Page, Trouble> {
    let view = desk.visitor.state.service.policy_view(&desk.caller).await?;
    Ok(Page::Policy(Box::new(PolicyPage { view, draft, replay })))
}

/// Another policy: to try, or to propose.
#[derive(Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    text: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    replaces: u32,
    #[serde(default, rename = "do")]
    action: String,
}

/// Tries a policy on past requests, which changes nothing, or proposes it.
pub(super) async fn change(desk: Desk, form: Result<Form<Fields>, FormRejection>) -> Response {
    desk.answer(changed(&desk, form)).await
}

async fn changed(desk: &Desk, form: Result<Form<Fields>, FormRejection>) -> Answer {
    let steward = steward(desk)?;
    let Form(fields) = form?;
    // Browsers send line breaks as CR LF (HTML, constructing the entry list).
    let text = fields.text.replace("\r\n", "\n");
    let draft = TextDraft { text: text.clone(), reason: fields.reason.clone(), problems: vec![] };
    let service = &desk.visitor.state.service;
    if fields.action != "propose" {
        return match service.replay(&desk.caller, &text).await {
            Ok(replay) => page(policy(desk, Some(draft), Some(replay)).await?),
            Err(error) => {
                let draft = TextDraft { problems: problems(error)?, ..draft };
                unchanged(policy(desk, Some(draft), None).await?)
            }
        };
    }
    match service.put_policy(&steward, &text, fields.replaces, &fields.reason).await {
        Ok(proposed) => answered(proposed, "/policy"),
        Err(error) => {
            let draft = TextDraft { problems: problems(error)?, ..draft };
            unchanged(policy(desk, Some(draft), None).await?)
        }
    }
}
