//! `/settings/webhooks`: the endpoints that are told of what happens, and the forms that change them.

use app::{Page, ProblemPage, WebhookDraft, WebhooksPage};
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use service::Steward;
use service::house::HouseError;
use service::webhook::{Replay, Secret, WebhookError};

use super::desk::{Answer, Desk, Shown, Trouble, page, see_other};
use super::request::read;
use super::sign_in::capital;

const PATH: &str = "/settings/webhooks";
const NOT_ALLOWED: &str = "Only administrators keep webhooks.";

/// Every endpoint, with what it was told last.
pub(super) async fn list(desk: Desk) -> Response {
    let answer = match webhooks(&desk, None).await {
        Ok(shown) => page(shown),
        Err(trouble) => Err(trouble),
    };
    desk.visitor.answer(answer).await
}

async fn webhooks(desk: &Desk, draft: Option<WebhookDraft>) -> Result<Page, Trouble> {
    let view = desk.visitor.state.service.webhooks_view(&desk.caller).await;
    let view = view.map_err(|error| match error {
        WebhookError::House(HouseError::Failed(failure)) => failure.into(),
        _ => Trouble::Forbidden(NOT_ALLOWED),
    })?;
    Ok(Page::Webhooks(Box::new(WebhooksPage { view, draft })))
}

fn steward(desk: &Desk) -> Result<Steward, Trouble> {
    desk.caller.steward().ok_or(Trouble::Forbidden(NOT_ALLOWED))
}

/// Adds an endpoint, shows its secret once.
pub(super) async fn add(desk: Desk, body: Bytes) -> Response {
    let answer = added(&desk, &body).await;
    desk.visitor.answer(answer).await
}

async fn added(desk: &Desk, body: &[u8]) -> Answer {
    let steward = steward(desk)?;
    let fields = Fields::read(body)?;
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
            let page = webhooks(desk, Some(WebhookDraft { problem, ..draft })).await?;
            Ok(Shown::Refused(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page)))
        }
    }
}

/// Gives an endpoint another secret, shows it once.
pub(super) async fn rotate(desk: Desk, Path(id): Path<String>) -> Response {
    let answer = rotated(&desk, &id).await;
    desk.visitor.answer(answer).await
}

async fn rotated(desk: &Desk, id: &str) -> Answer {
    let (steward, id) = (steward(desk)?, read(id)?);
    match desk.visitor.state.service.rotate_webhook(&steward, id).await {
        Ok((name, secret)) => shown_once(&name, &secret, true),
        Err(error) => explained(error),
    }
}

/// Removes an endpoint.
pub(super) async fn remove(desk: Desk, Path(id): Path<String>) -> Response {
    let answer = removed(&desk, &id).await;
    desk.visitor.answer(answer).await
}

async fn removed(desk: &Desk, id: &str) -> Answer {
    let (steward, id) = (steward(desk)?, read(id)?);
    match desk.visitor.state.service.remove_webhook(&steward, id).await {
        Ok(()) => see_other(PATH),
        Err(error) => explained(error),
    }
}

/// Has an endpoint told again: what was given up, or the entries from one to another.
pub(super) async fn replay(desk: Desk, Path(id): Path<String>, body: Bytes) -> Response {
    let answer = replayed(&desk, &id, &body).await;
    desk.visitor.answer(answer).await
}

async fn replayed(desk: &Desk, id: &str, body: &[u8]) -> Answer {
    let (steward, id) = (steward(desk)?, read(id)?);
    let fields = Fields::read(body)?;
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
    let page = ProblemPage {
        status: status.as_u16(),
        title: "Nothing was changed".to_owned(),
        detail: format!("{}.", capital(&problem(error)?)),
        way_out: (PATH.to_owned(), "Back to webhooks".to_owned()),
        reference: None,
    };
    Ok(Shown::Refused(status, Box::new(Page::Problem(page))))
}

/// A form of which a field may come several times.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(body: &[u8]) -> Result<Self, Trouble> {
        serde_urlencoded::from_bytes(body).map(Self).map_err(|_| Trouble::NotFound)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    fn one<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }
}
