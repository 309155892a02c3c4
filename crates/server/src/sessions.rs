//! Browser sessions: the cookie, its store, and who is signed in.
//!
//! Idle for [`IDLE_S`] or older than [`ABSOLUTE_S`], a session is over, by the clock of the
//! product. The person behind it is looked up on every request, so disabling them works at once.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use domain::{PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use service::{PersonCaller, Service};
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};
use tower_sessions::{Expiry, Session, SessionManagerLayer};

/// A session that is not used for this long is over: an hour.
pub const IDLE_S: i64 = 3600;
/// A session is over after this long, however much it is used: 12 hours.
pub const ABSOLUTE_S: i64 = 12 * 3600;
/// Use is written down at most this often.
const TOUCH_S: i64 = 300;
/// The cookie. `__Host-`: only over a secure connection (or localhost), only for this host.
pub const COOKIE: &str = "__Host-countersign";
const KEY: &str = "who";

/// What a session holds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Who {
    person: PersonId,
    /// How many passwords the person had set by then; with the next one the session is over.
    passwords: u32,
    signed_in_at: Timestamp,
    /// When the person last proved who they are: at sign-in, or with a review since.
    authenticated_at: Timestamp,
    seen_at: Timestamp,
}

/// Our own store: `service` keeps only a hash of the id.
#[derive(Clone)]
pub struct Sessions(Arc<Service>);

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

/// The layer that reads and sets the cookie.
pub fn layer(service: Arc<Service>) -> SessionManagerLayer<Sessions> {
    SessionManagerLayer::new(Sessions(service))
        .with_name(COOKIE)
        .with_secure(true)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnSessionEnd)
}

impl Sessions {
    async fn keep(&self, record: &Record, create: bool) -> session_store::Result<()> {
        let data = serde_json::to_string(&record.data)
            .map_err(|error| session_store::Error::Encode(error.to_string()))?;
        let expires_at = self.0.now().plus_seconds(ABSOLUTE_S);
        let kept = self.0.save_session(&record.id.to_string(), data, expires_at, create).await;
        kept.map_err(|error| session_store::Error::Backend(error.to_string()))
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.keep(record, true).await
    }

    /// What gets lost here is when a session was last used, or that its person proved again who
    /// they are: either is asked for again. What the request did is done by now, and no failure of
    /// this may hide it.
    async fn save(&self, record: &Record) -> session_store::Result<()> {
        if let Err(error) = self.keep(record, false).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "use of a session not recorded"
            );
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let found = self.0.load_session(&id.to_string()).await;
        let found = found.map_err(|error| session_store::Error::Backend(error.to_string()))?;
        let Some((data, expires_at)) = found else { return Ok(None) };
        let data = serde_json::from_str(&data)
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        let expiry_date = time::OffsetDateTime::from_unix_timestamp(expires_at.seconds())
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let deleted = self.0.delete_session(&id.to_string()).await;
        deleted.map_err(|error| session_store::Error::Backend(error.to_string()))
    }
}

/// Gives the header that removes the cookie the attributes without which a browser ignores it:
/// `__Host-` cookies are set, and unset, only with `Secure` (RFC 6265bis §4.1.3.2).
pub async fn removable(mut response: Response) -> Response {
    let removes = |value: &HeaderValue| value.as_bytes().starts_with(b"__Host-countersign=;");
    if let Some(value) = response.headers().get(SET_COOKIE).filter(|value| removes(value)) {
        let text = format!("{}; Secure; HttpOnly", value.to_str().unwrap_or_default());
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(SET_COOKIE, value);
        }
    }
    response
}

/// Why a session cannot be read or written: the store is away.
#[derive(Debug, thiserror::Error)]
#[error("sessions are not available")]
pub struct Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<tower_sessions::session::Error> for Unavailable {
    fn from(error: tower_sessions::session::Error) -> Self {
        Self(Box::new(error))
    }
}

/// Puts a person into the session, under a new id (threats A01), and writes it down: an answer that
/// says they are in leaves only when they are.
///
/// # Errors
/// When the store is away.
pub async fn sign_in(
    session: &Session,
    person: &PersonCaller,
    now: Timestamp,
) -> Result<(), Unavailable> {
    // Of a session that was there nothing goes on, its id least of all.
    if session.id().is_some() {
        session.clear().await;
        session.cycle_id().await?;
    }
    let who = Who {
        person: person.id(),
        passwords: person.passwords(),
        signed_in_at: now,
        authenticated_at: now,
        seen_at: now,
    };
    session.insert(KEY, who).await?;
    Ok(session.save().await?)
}

/// Remembers that the person has just proved again who they are.
///
/// # Errors
/// When the store is away.
pub async fn authenticated(session: &Session, at: Timestamp) -> Result<(), Unavailable> {
    let Some(who) = session.get::<Who>(KEY).await? else { return Ok(()) };
    Ok(session.insert(KEY, Who { authenticated_at: at, ..who }).await?)
}

/// Ends the session.
///
/// # Errors
/// When the store is away.
pub async fn sign_out(session: &Session) -> Result<(), Unavailable> {
    // A visitor without a session has nothing to delete.
    if session.id().is_some() {
        session.flush().await?;
    }
    Ok(())
}

/// Who is signed in now, if anybody is; `used` keeps the session from idling out.
///
/// # Errors
/// When the store is away: that is no reason to take somebody for anonymous (threats A14).
pub async fn person(
    session: &Session,
    service: &Service,
    used: bool,
) -> Result<Option<PersonCaller>, Unavailable> {
    let Some(who) = session.get::<Who>(KEY).await? else { return Ok(None) };
    let now = service.now();
    let idle = now.seconds_since(who.seen_at);
    if idle >= IDLE_S || now.seconds_since(who.signed_in_at) >= ABSOLUTE_S {
        session.flush().await?;
        return Ok(None);
    }
    let person = service.person_caller(who.person, who.authenticated_at).await;
    let person = person.map_err(|error| Unavailable(Box::new(error)))?;
    // SECURITY: A13. Who was signed in by others, or on what was lost, is out with a new password.
    #[cfg(not(planted = "a_session_outlives_the_password"))]
    if person.as_ref().is_some_and(|person| person.passwords() != who.passwords) {
        session.flush().await?;
        return Ok(None);
    }
    if used && idle >= TOUCH_S {
        session.insert(KEY, Who { seen_at: now, ..who }).await?;
    }
    Ok(person)
}
