//! `/settings`: what a person sets for themselves: their password, and an auditor's keys.

use app::{Page, SettingsPage};
use axum::Form;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use service::house::MAX_KEY_LIFE_S;
use service::sign_in::PasswordError;

use super::desk::{Answer, Desk, Shown, Trouble, page, see_other};
use super::people::explained;
use super::request::read;
use super::sign_in::capital;

/// Set by the 303 after a password was set.
#[derive(Deserialize)]
pub(super) struct Saved {
    saved: Option<String>,
}

/// The person's own settings.
pub(super) async fn show(desk: Desk, saved: Result<Query<Saved>, QueryRejection>) -> Response {
    let saved = saved.is_ok_and(|Query(saved)| saved.saved.is_some());
    let answer = match settings(&desk, None, saved).await {
        Ok(shown) => page(shown),
        Err(trouble) => Err(trouble),
    };
    desk.visitor.answer(answer).await
}

async fn settings(desk: &Desk, problem: Option<String>, saved: bool) -> Result<Page, Trouble> {
    let view = desk.visitor.state.service.settings_view(&desk.caller).await?;
    Ok(Page::Settings(SettingsPage { view, problem, saved }))
}

/// A new password.
#[derive(Deserialize)]
pub(super) struct NewPassword {
    #[serde(default)]
    current: String,
    #[serde(default)]
    new: String,
}

/// Sets the person's own password.
pub(super) async fn set_password(
    desk: Desk,
    form: Result<Form<NewPassword>, FormRejection>,
) -> Response {
    let answer = password_set(&desk, form).await;
    desk.visitor.answer(answer).await
}

async fn password_set(desk: &Desk, form: Result<Form<NewPassword>, FormRejection>) -> Answer {
    let Form(form) = form.map_err(|_| Trouble::NotFound)?;
    let service = &desk.visitor.state.service;
    match service.set_password(&desk.caller, &form.current, &form.new).await {
        Ok(()) => see_other("/settings?saved=1"),
        Err(PasswordError::Failed(failure)) => Err(failure.into()),
        Err(error) => {
            let problem = Some(format!("{}. Nothing was changed.", capital(&error.to_string())));
            let page = settings(desk, problem, false).await?;
            Ok(Shown::Refused(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page)))
        }
    }
}

/// Issues an auditor's own key, shows it once.
pub(super) async fn issue_key(desk: Desk) -> Response {
    let answer = issued(&desk).await;
    desk.visitor.answer(answer).await
}

async fn issued(desk: &Desk) -> Answer {
    let service = &desk.visitor.state.service;
    let expires_at = service.now().plus_seconds(MAX_KEY_LIFE_S);
    match service.issue_auditor_key(&desk.caller, expires_at).await {
        Ok(key) => page(Page::Secret {
            title: "A new auditor key".to_owned(),
            explanation: "Copy it now: it is shown this once and lives 90 days. It reads the ledger, and every request with it; it changes nothing.".to_owned(),
            value: key.reveal().to_owned(),
            back_to: "/settings".to_owned(),
            back_label: "Back to settings".to_owned(),
        }),
        Err(error) => explained(error, "/settings"),
    }
}

/// Revokes a key of one's own.
pub(super) async fn revoke_key(desk: Desk, Path(key): Path<String>) -> Response {
    let answer = revoked(&desk, &key).await;
    desk.visitor.answer(answer).await
}

async fn revoked(desk: &Desk, key: &str) -> Answer {
    match desk.visitor.state.service.revoke_own_key(&desk.caller, read(key)?).await {
        Ok(()) => see_other("/settings"),
        Err(error) => explained(error, "/settings"),
    }
}
