//! Headers of every answer, errors and files included: for security, and the date.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::AppState;

/// The nonce of one answer's content security policy.
#[derive(Clone, Debug)]
pub struct Nonce(pub String);

/// The content security policy, directive by directive:
///
/// * nothing by default; scripts only with this answer's nonce, and what they import
///   (`strict-dynamic`), and WebAssembly; never inline, never `eval`;
/// * styles, images, fetches and the manifest only from here; forms only to here;
/// * no `<base>`, and nobody may frame a page on which people decide.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Gives each request a nonce and each answer its headers.
pub async fn secure(mut request: Request, next: Next) -> Response {
    let nonce = URL_SAFE_NO_PAD.encode(random());
    request.extensions_mut().insert(Nonce(nonce.clone()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    // A file that leaves has a stricter one.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY)
        && let Ok(value) = HeaderValue::from_str(&policy(&nonce))
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, value);
    }
    // What people and agents see is never kept by anybody in between.
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Dates each answer (RFC 9110 §6.6.1) by the clock that decides, so that whoever is told when a lease
/// ends can tell how long it lasts. The machine may show another time.
pub async fn date(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let date = state.service.now().utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// 16 unpredictable bytes; a UUIDv4 has only 122 random bits, two have enough.
#[expect(clippy::disallowed_methods, reason = "a nonce is no part of the record that tests replay")]
fn random() -> [u8; 16] {
    let mut bytes = *uuid::Uuid::new_v4().as_bytes();
    for (byte, more) in bytes.iter_mut().zip(uuid::Uuid::new_v4().as_bytes()) {
        *byte ^= more.rotate_left(3);
    }
    bytes
}
