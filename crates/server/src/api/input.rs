//! What arrives: bodies, ids and headers, each with a problem of its own.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FormRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use domain::RequestId;
use domain::canonical;
use domain::stage::FieldError;
use serde::de::DeserializeOwned;
use service::describe;
use service::stage::StageError;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::openapi;
use crate::problem::Problem;

/// The longest Idempotency-Key, in characters.
const MAX_KEY_CHARS: usize = 128;
/// The longest wait that a client can ask for.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// A JSON body as bytes: strictness is the use case's, the media type and the size are ours.
pub(super) struct JsonBytes(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let text = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let detail = "Send the body as `Content-Type: application/json`.";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "unsupported_media_type", detail));
        }
        Bytes::from_request(request, state).await.map(Self).map_err(|e| unread(&e))
    }
}

/// A small form; unknown or repeated fields are an error.
pub(super) struct Form<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let form = axum::Form::<T>::from_request(request, state).await;
        form.map(|axum::Form(form)| Self(form)).map_err(|rejection| match rejection {
            FormRejection::BytesRejection(bytes) => unread(&bytes),
            FormRejection::InvalidFormContentType(_) => {
                let detail = "Send the body as `Content-Type: application/x-www-form-urlencoded`.";
                let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                Problem::new(status, "unsupported_media_type", detail)
            }
            other => Problem::new(StatusCode::BAD_REQUEST, "invalid_form", other.body_text()),
        })
    }
}

/// A body that was not read to its end: it is larger than 1 MiB, or broke off.
pub(super) fn unread(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(1),
        _ => incomplete(),
    }
}

/// A body that is larger than its route allows.
pub(super) fn too_large(mebibytes: u32) -> Problem {
    let detail = format!("The body is larger than {mebibytes} MiB. Nothing was stored.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

/// A body that broke off.
pub(super) fn incomplete() -> Problem {
    let detail = "The body did not arrive whole. Nothing was stored.";
    Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", detail)
}

/// A small JSON body, read strictly into `T`.
pub(super) fn typed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let value = canonical::parse(body).map_err(StageError::from)?;
    from_value(value)
}

/// A small JSON body, held against the document's schema of `Shape`, then read into `T`.
pub(super) fn described<Shape: ToSchema, T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let value = canonical::parse(body).map_err(StageError::from)?;
    let errors = openapi::broken::<Shape>(&value)?;
    if errors.is_empty() { from_value(value) } else { Err(Problem::invalid(errors)) }
}

fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Problem> {
    serde_json::from_value(value)
        .map_err(|error| Problem::invalid(vec![FieldError::new("", error.to_string())]))
}

/// An id of the path; anything else is simply not there.
pub(super) struct Id<T>(pub T);

impl<S: Send + Sync, T: std::str::FromStr + Send> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|_| Problem::not_found())?;
        text.parse().map(Self).map_err(|_| Problem::not_found())
    }
}

impl IntoParams for Id<RequestId> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let id = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path);
        let id = id.required(Required::True).description(Some("The id of the request."));
        vec![id.schema(Some(describe::Id::schema())).build()]
    }
}

/// Query parameters; unknown or repeated ones are an error (threats H11).
pub(super) struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|error| Problem::bad_query(error.body_text()))
    }
}

/// A text that can be an idempotency key.
pub(super) fn checked_key(text: &str) -> Result<&str, Problem> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let length = 1..=MAX_KEY_CHARS;
    if length.contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text);
    }
    let detail =
        "An Idempotency-Key has 1 to 128 characters of A-Z a-z 0-9 - _ . : and is sent once.";
    Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", detail))
}

/// The header as the document describes it.
pub(super) enum IdempotencyKey<const REQUIRED: bool> {}

impl<const REQUIRED: bool> IntoParams for IdempotencyKey<REQUIRED> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "The same key and body again is the same call: the answer is repeated. Bare, or in double quotes.";
        let form = "^(\"[A-Za-z0-9_.:-]{1,128}\"|[A-Za-z0-9_.:-]{1,128})$";
        let required = if REQUIRED { Required::True } else { Required::False };
        let key = ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header);
        let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(form));
        let key = key.required(required).description(Some(about)).schema(Some(schema));
        vec![key.example(Some("extend-mg-0402-1".into())).build()]
    }
}

/// The Idempotency-Key, bare or as a quoted structured-field string.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let (value, more) = (values.next(), values.next());
    let Some(value) = value else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    // Two are like none that can be one.
    checked_key(if more.is_some() { "" } else { bare }).map(|key| Some(key.to_owned()))
}

/// `Prefer: wait=N` (RFC 7240), at most 30 seconds.
pub(super) fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let wait = values.flat_map(|value| value.split(',')).find_map(|part| {
        part.trim().strip_prefix("wait=").and_then(|seconds| seconds.parse::<u64>().ok())
    })?;
    Some(Duration::from_secs(wait).min(MAX_WAIT))
}
