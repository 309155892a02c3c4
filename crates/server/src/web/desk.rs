//! The desk: who is at it, and how an answer becomes a page.
//!
//! A handler ends in an [`Answer`]; the desk gives it the header, the nonce and the status, and
//! turns failures into pages that say what to do.

use app::{Chrome, Page, ProblemPage};
use axum::extract::FromRequestParts;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use service::act::ActError;
use service::{Failure, PersonCaller, Steward};
use tower_sessions::Session;

use super::program;
use crate::headers::Nonce;
use crate::{AppState, sessions};

/// A page, or a place to go to.
pub(super) enum Shown {
    Page(Box<Page>),
    /// A page that is no success: what was typed is kept, and the problem said.
    Refused(StatusCode, Box<Page>),
    SeeOther(String),
}

/// Why there is no page.
pub(super) enum Trouble {
    NotFound,
    Forbidden(&'static str),
    /// A form that cannot be read, or is too large.
    Misshapen(StatusCode),
    Failed(Failure),
    Sessions(sessions::Unavailable),
}

pub(super) type Answer = Result<Shown, Trouble>;

/// Anybody's desk: signed in or not.
pub(super) struct Visitor {
    pub state: AppState,
    pub session: Session,
    pub caller: Option<PersonCaller>,
    nonce: String,
    /// Names this request in the server's log.
    request_id: String,
    /// JSON in place of pages.
    program: bool,
}

/// A signed-in person's desk.
pub(super) struct Desk {
    pub visitor: Visitor,
    pub caller: PersonCaller,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ActError> for Trouble {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NotFound => Self::NotFound,
            ActError::Failed(failure) => Self::Failed(failure),
            ActError::Refused(refusal) => Self::Failed(Failure::Defect(refusal.to_string())),
            ActError::KeyReused | ActError::KeyDead | ActError::OutsideScope(_) => Self::NotFound,
        }
    }
}

impl From<FormRejection> for Trouble {
    fn from(rejection: FormRejection) -> Self {
        Self::Misshapen(rejection.status())
    }
}

impl From<sessions::Unavailable> for Trouble {
    fn from(error: sessions::Unavailable) -> Self {
        Self::Sessions(error)
    }
}

/// A page as an answer.
pub(super) fn page(page: Page) -> Answer {
    Ok(Shown::Page(Box::new(page)))
}

/// The 303 after a post.
pub(super) fn see_other(path: impl Into<String>) -> Answer {
    Ok(Shown::SeeOther(path.into()))
}

/// The person as a steward of the house.
pub(super) fn steward(desk: &Desk) -> Result<Steward, Trouble> {
    desk.caller.steward().ok_or(Trouble::Forbidden("Only administrators change this."))
}

/// An id of the path; anything else is not there.
pub(super) fn read<T: std::str::FromStr>(text: &str) -> Result<T, Trouble> {
    text.parse().map_err(|_| Trouble::NotFound)
}

/// A sentence from an error's text.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let nonce = parts.extensions.get::<Nonce>().map(|nonce| nonce.0.clone());
        let session = <Session as FromRequestParts<AppState>>::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let nonce = nonce.unwrap_or_default();
        let request_id = parts.headers.get("x-request-id").and_then(|id| id.to_str().ok());
        let request_id = request_id.unwrap_or_default().to_owned();
        let program = program::asks(&parts.headers);
        let state = state.clone();
        let mut visitor = Self { state, session, caller: None, nonce, request_id, program };
        // An open page that asks whether it is still current is nobody using it.
        let path = parts.uri.path();
        let used = !path.ends_with("/version") && !path.ends_with("/fingerprint");
        match sessions::person(&visitor.session, &visitor.state.service, used).await {
            Ok(caller) => visitor.caller = caller,
            Err(error) => return Err(visitor.trouble(Trouble::Sessions(error)).await),
        }
        Ok(visitor)
    }
}

impl FromRequestParts<AppState> for Desk {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let safe = parts.method.is_safe();
        let visitor =
            <Visitor as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
        match visitor.caller.clone() {
            Some(caller) => Ok(Self { visitor, caller }),
            None if visitor.program => Err(program::signed_out()),
            None => {
                // A post cannot be repeated by a link: back to the page that it came from.
                let next = if safe { path } else { page_of(&path) };
                let to = format!("/sign-in?next={}", encode(&next));
                Err(Redirect::to(&to).into_response())
            }
        }
    }
}

/// The page on which the form of a post stands.
fn page_of(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["", "requests", id, ..] => format!("/requests/{id}"),
        ["", first, ..] => format!("/{first}"),
        _ => "/inbox".to_owned(),
    }
}

/// Percent-encodes a path for a query parameter (RFC 3986 §2.1).
fn encode(path: &str) -> String {
    serde_urlencoded::to_string([("", path)]).unwrap_or_default().trim_start_matches('=').to_owned()
}

impl Visitor {
    /// Turns an answer into a response.
    pub(super) async fn answer(&self, answer: impl Future<Output = Answer>) -> Response {
        match answer.await {
            Ok(Shown::Page(page)) => self.render(StatusCode::OK, *page).await,
            Ok(Shown::Refused(status, page)) => self.render(status, *page).await,
            Ok(Shown::SeeOther(path)) => Redirect::to(&path).into_response(),
            Err(trouble) => self.trouble(trouble).await,
        }
    }

    async fn render(&self, status: StatusCode, page: Page) -> Response {
        if self.program {
            return match status {
                StatusCode::OK => program::document(page),
                _ => program::refused(status, &page),
            };
        }
        let viewer = match &self.caller {
            Some(caller) => self.state.service.viewer(caller).await.ok(),
            None => None,
        };
        let chrome = Chrome {
            nonce: self.nonce.clone(),
            assets: self.state.site.assets.clone(),
            viewer,
            now: self.state.service.now(),
            demo: self.state.demo,
        };
        (status, Html(app::render(chrome, page))).into_response()
    }

    /// The page that says why there is no other.
    pub(super) async fn trouble(&self, trouble: Trouble) -> Response {
        let inbox = ("/inbox".to_owned(), "Back to the inbox".to_owned());
        let (status, title, detail) = match trouble {
            Trouble::NotFound => (
                StatusCode::NOT_FOUND,
                "Nothing here",
                "There is no such page, or it is not yours to see.".to_owned(),
            ),
            Trouble::Forbidden(what) => (StatusCode::FORBIDDEN, "Not for you", what.to_owned()),
            Trouble::Misshapen(status) => (
                status,
                "Nothing was changed",
                "The form did not arrive as it should, or is larger than it may be. Go back and send it again.".to_owned(),
            ),
            Trouble::Failed(failure) if failure.is_overtaken() => (
                StatusCode::CONFLICT,
                "Somebody was faster",
                "Something else was changed at the same moment. Nothing was recorded. Go back, look again, and send it again.".to_owned(),
            ),
            Trouble::Failed(failure) if failure.is_temporary() => {
                tracing::error!(error = &failure as &dyn std::error::Error, "a page failed");
                unavailable()
            }
            Trouble::Sessions(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "no sessions");
                unavailable()
            }
            Trouble::Failed(failure) => {
                tracing::error!(error = &failure as &dyn std::error::Error, "a page failed");
                let detail = "This is a defect on our side. The server's log has it.".to_owned();
                (StatusCode::INTERNAL_SERVER_ERROR, "Something is wrong here", detail)
            }
        };
        let reference = status.is_server_error().then(|| self.request_id.clone());
        let problem = ProblemPage {
            status: status.as_u16(),
            title: title.to_owned(),
            detail,
            way_out: inbox,
            reference,
        };
        self.render(status, Page::Problem(problem)).await
    }
}

impl Desk {
    /// Turns an answer into a response.
    pub(super) async fn answer(&self, answer: impl Future<Output = Answer>) -> Response {
        self.visitor.answer(answer).await
    }
}

fn unavailable() -> (StatusCode, &'static str, String) {
    let detail = "The database is not available. Nothing was recorded. Try again in a moment.";
    (StatusCode::SERVICE_UNAVAILABLE, "Not available", detail.to_owned())
}

/// Any other address.
pub(super) async fn nothing_here(visitor: Visitor) -> Response {
    visitor.trouble(Trouble::NotFound).await
}
