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

use super::change::explained;
use super::desk::{Desk, Shown, Trouble, capital, page, read, see_other};
use crate::sessions;

/// Set by the 303 after a password was set.
#[derive(Deserialize)]
pub(super) struct Saved {
    saved: Option<String>,
}

/// The person's own settings.
pub(super) async fn show(desk: Desk, saved: Result<Query<Saved>, QueryRejection>) -> Response {
    let saved = saved.is_ok_and(|Query(saved)| saved.saved.is_some());
    desk.answer(async { page(settings(&desk, None, saved).await?) }).await
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
    desk.answer(async {
        let Form(form) = form?;
        let service = &desk.visitor.state.service;
        match service.set_password(&desk.caller, &form.current, &form.new).await {
            Ok(caller) => {
                sessions::sign_in(&desk.visitor.session, &caller, service.now()).await?;
                see_other("/settings?saved=1")
            }
            Err(PasswordError::Failed(failure)) => Err(failure.into()),
            Err(error) => {
                let status = match error {
                    PasswordError::TooMany => StatusCode::TOO_MANY_REQUESTS,
                    _ => StatusCode::UNPROCESSABLE_ENTITY,
                };
                let problem = format!("{}. Nothing was changed.", capital(&error.to_string()));
                let page = settings(&desk, Some(problem), false).await?;
                Ok(Shown::Refused(status, Box::new(page)))
            }
        }
    })
    .await
}

/// Issues an auditor's own key, shows it once.
pub(super) async fn issue_key(desk: Desk) -> Response {
    desk.answer(async {
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
    })
    .await
}

/// Revokes a key of one's own.
pub(super) async fn revoke_key(desk: Desk, Path(key): Path<String>) -> Response {
    desk.answer(async {
        match desk.visitor.state.service.revoke_own_key(&desk.caller, read(&key)?).await {
            Ok(()) => see_other("/settings"),
            Err(error) => explained(error, "/settings"),
        }
    })
    .await
}
