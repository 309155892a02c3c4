//! `/settings/webhooks`: the endpoints that are told of what happens, and the forms that change them.

use app::{Page, WebhookDraft, WebhooksPage};
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use service::house::HouseError;
use service::webhook::{Replay, Secret, WebhookError};

use super::change::{Fields, nothing_changed, unchanged};
use super::desk::{Answer, Desk, Trouble, capital, page, read, see_other, steward};

const PATH: &str = "/settings/webhooks";
const NOT_ALLOWED: &str = "Only administrators keep webhooks.";

/// Every endpoint, with what it was told last.
pub(super) async fn list(desk: Desk) -> Response {
    desk.answer(async { page(webhooks(&desk, None).await?) }).await
}

async fn webhooks(desk: &Desk, draft: Option<WebhookDraft>) -> Result<Page, Trouble> {
    let view = desk.visitor.state.service.webhooks_view(&desk.caller).await;
    let view = view.map_err(|error| match error {
        WebhookError::House(HouseError::Failed(failure)) => failure.into(),
        _ => Trouble::Forbidden(NOT_ALLOWED),
    })?;
    Ok(Page::Webhooks(Box::new(WebhooksPage { view, draft })))
}

/// Adds an endpoint, shows its secret once.
pub(super) async fn add(desk: Desk, body: Bytes) -> Response {
    desk.answer(async {
        let steward = steward(&desk)?;
        let fields = Fields::read(&body)?;
        let draft = WebhookDraft {
            name: fields.one("name").trim().to_owned(),
            url: fields.one("url").trim().to_owned(),
            events: fields.all("events").map(str::to_owned).collect(),
            problem: String::new(),
        };
        let events: Vec<&str> = draft.events.iter().map(String::as_str).collect();
        let service = &desk.visitor.state.service;
        match service.add_webhook(&steward, &draft.name, &draft.url, &events).await {
            Ok((_, secret)) => shown_once(&draft.name, &secret, false),
            Err(error) => {
                let problem = format!("{}.", capital(&problem(error)?));
                unchanged(webhooks(&desk, Some(WebhookDraft { problem, ..draft })).await?)
            }
        }
    })
    .await
}

/// Gives an endpoint another secret, shows it once.
pub(super) async fn rotate(desk: Desk, Path(id): Path<String>) -> Response {
    desk.answer(async {
        let (steward, id) = (steward(&desk)?, read(&id)?);
        match desk.visitor.state.service.rotate_webhook(&steward, id).await {
            Ok((name, secret)) => shown_once(&name, &secret, true),
            Err(error) => explained(error),
        }
    })
    .await
}

/// Removes an endpoint.
pub(super) async fn remove(desk: Desk, Path(id): Path<String>) -> Response {
    desk.answer(async {
        let (steward, id) = (steward(&desk)?, read(&id)?);
        match desk.visitor.state.service.remove_webhook(&steward, id).await {
            Ok(()) => see_other(PATH),
            Err(error) => explained(error),
        }
    })
    .await
}

/// Has an endpoint told again: what was given up, or the entries from one to another.
pub(super) async fn replay(desk: Desk, Path(id): Path<String>, body: Bytes) -> Response {
    desk.answer(async {
        let (steward, id) = (steward(&desk)?, read(&id)?);
        let fields = Fields::read(&body)?;
        let (from, to) = (fields.one("from").trim(), fields.one("to").trim());
        let replay = match (from, to) {
            ("", "") => Some(Replay::Dead),
            (from, to) => {
                from.parse().ok().zip(to.parse().ok()).map(|(from, to)| Replay::Range(from, to))
            }
        };
        let Some(replay) = replay else { return explained(WebhookError::Range) };
        match desk.visitor.state.service.replay_webhook(&steward, id, replay).await {
            Ok(()) => see_other(PATH),
            Err(error) => explained(error),
        }
    })
    .await
}

fn shown_once(name: &str, secret: &Secret, rotated: bool) -> Answer {
    let overlap = if rotated {
        " For 24 hours messages are signed with the secret before, too: change over within that time."
    } else {
        ""
    };
    page(Page::Secret {
        title: format!("The secret of {name}"),
        explanation: format!(
            "Give it to the receiver, which verifies with it that a message is ours.{overlap}"
        ),
        value: secret.reveal(),
        back_to: PATH.to_owned(),
        back_label: "Back to webhooks".to_owned(),
    })
}

/// What to say of an error; a failure and a lost right are pages of their own.
fn problem(error: WebhookError) -> Result<String, Trouble> {
    match error {
        WebhookError::House(HouseError::Failed(failure)) => Err(failure.into()),
        WebhookError::House(HouseError::NotAdministrator) => Err(Trouble::Forbidden(NOT_ALLOWED)),
        error => Ok(error.to_string()),
    }
}

fn explained(error: WebhookError) -> Answer {
    let status = match error {
        WebhookError::NotThere => StatusCode::NOT_FOUND,
        WebhookError::Disabled => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    nothing_changed(status, &problem(error)?, (PATH, "Back to webhooks"))
}
