//! Signing in and out.

use std::net::SocketAddr;

use app::{Page, ProblemPage, SignInPage};
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{ConnectInfo, Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Form};
use serde::Deserialize;
use service::PersonCaller;
use service::sign_in::SignInError;

use super::desk::{Answer, Shown, Visitor, capital, page, see_other};
use crate::sessions;

/// Where to go afterwards.
#[derive(Default, Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

/// The form.
pub(super) async fn form(visitor: Visitor, next: Result<Query<Next>, QueryRejection>) -> Response {
    let next = next.ok().and_then(|Query(next)| next.next).map(|next| local(&next));
    let empty = SignInPage { next, ..SignInPage::default() };
    visitor.answer(async { page(Page::SignIn(empty)) }).await
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    next: Option<String>,
}

/// Signs in by name and password.
pub(super) async fn sign_in(
    visitor: Visitor,
    from: Option<Extension<ConnectInfo<SocketAddr>>>,
    form: Result<Form<Credentials>, FormRejection>,
) -> Response {
    let from =
        from.map(|Extension(ConnectInfo(address))| address.ip().to_string()).unwrap_or_default();
    visitor
        .answer(async {
            let Form(form) = form?;
            let next = form.next.as_deref().map(local);
            let service = &visitor.state.service;
            match service.sign_in(&form.name, &form.password, &from).await {
                Ok(person) => enter(&visitor, &person, next).await,
                Err(SignInError::Failed(failure)) => Err(failure.into()),
                Err(error) => {
                    let status = match error {
                        SignInError::TooMany => StatusCode::TOO_MANY_REQUESTS,
                        _ => StatusCode::UNAUTHORIZED,
                    };
                    let error = Some(format!("{}.", capital(&error.to_string())));
                    let again = SignInPage { next, name: form.name, error };
                    Ok(Shown::Refused(status, Box::new(Page::SignIn(again))))
                }
            }
        })
        .await
}

async fn enter(visitor: &Visitor, person: &PersonCaller, next: Option<String>) -> Answer {
    sessions::sign_in(&visitor.session, person, visitor.state.service.now()).await?;
    see_other(next.unwrap_or_else(|| "/inbox".to_owned()))
}

/// A one-time link: a page with a button. Reading it changes nothing (threats W01).
pub(super) async fn link(visitor: Visitor, Path(token): Path<String>) -> Response {
    visitor
        .answer(async {
            match visitor.state.service.read_link(&token).await {
                Ok((person, _)) => {
                    page(Page::SignInLink { token, person: person.name().to_owned() })
                }
                Err(error) => spent(error),
            }
        })
        .await
}

/// The button of a one-time link.
#[derive(Deserialize)]
pub(super) struct Token {
    token: String,
}

/// Spends the link and signs in.
pub(super) async fn spend_link(
    visitor: Visitor,
    form: Result<Form<Token>, FormRejection>,
) -> Response {
    visitor
        .answer(async {
            let Form(form) = form?;
            match visitor.state.service.spend_link(&form.token).await {
                Ok(person) => enter(&visitor, &person, None).await,
                Err(error) => spent(error),
            }
        })
        .await
}

fn spent(error: SignInError) -> Answer {
    if let SignInError::Failed(failure) = error {
        return Err(failure.into());
    }
    let problem = ProblemPage {
        status: StatusCode::GONE.as_u16(),
        title: "This link no longer works".to_owned(),
        detail: "A link signs in once, within 60 minutes. Ask an administrator for a new one, or sign in with your password.".to_owned(),
        way_out: ("/sign-in".to_owned(), "Sign in with a password".to_owned()),
        reference: None,
    };
    Ok(Shown::Refused(StatusCode::GONE, Box::new(Page::Problem(problem))))
}

/// Ends the session.
pub(super) async fn sign_out(visitor: Visitor) -> Response {
    visitor
        .answer(async {
            if let Some(caller) = &visitor.caller {
                visitor.state.service.sign_out(caller).await?;
            }
            sessions::sign_out(&visitor.session).await?;
            see_other("/sign-in")
        })
        .await
}

/// A path of our own to go to; anything that could lead elsewhere becomes the inbox (threats W12).
fn local(next: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && c != '\\';
    let ours = next.starts_with('/') && !next.starts_with("//") && next.chars().all(plain);
    if ours { next.to_owned() } else { "/inbox".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn w12_only_a_path_of_our_own_is_followed() {
        assert_eq!(local("/requests/1?a=b#c"), "/requests/1?a=b#c");
        for evil in ["//evil.example", "/\\evil", "https://evil", "javascript:x", "/a\nb", ""] {
            assert_eq!(local(evil), "/inbox", "{evil}");
        }
    }
}
