//! One message to one endpoint: no patience, and of its answer only the head.
//!
//! SECURITY: an endpoint is somebody else's program. [`Outbound`] says where a message goes; a body
//! that comes back is never taken in, nor decompressed (F07).

use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use domain::Timestamp;
use reqwest::Response;
use reqwest::dns::Resolve;
use service::guard::Guard;
use service::webhook::delivery::{Heard, Outgoing, RetryAfter, Silence};

use crate::outbound::{Outbound, System, is_refused};

/// Everything together: look-up, connection, TLS, and the head of the answer.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends messages to endpoints.
pub struct Sender(Outbound);

impl Sender {
    /// Sends to where `guard` permits, by the system's resolver.
    ///
    /// # Errors
    /// When there is no client for HTTP.
    pub fn new(guard: Guard) -> Result<Self, reqwest::Error> {
        Self::by(guard, Arc::new(System), TIMEOUT)
    }

    /// Sends by another resolver, and within another time.
    ///
    /// # Errors
    /// When there is no client for HTTP.
    pub fn by(
        guard: Guard,
        names: Arc<dyn Resolve>,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self(Outbound::new(guard, names, timeout)?))
    }

    /// Sends, and says what came of it.
    pub async fn send(&self, message: &Outgoing) -> Heard {
        let Some(client) = self.0.client(&message.url) else {
            return Heard::Nothing(Silence::AddressRefused);
        };
        let sent = client
            .post(message.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", &message.signature)
            .body(message.body.clone())
            .send()
            .await;
        match sent {
            Ok(response) => Heard::Answer {
                status: response.status().as_u16(),
                retry_after: retry_after(&response),
            },
            Err(error) => Heard::Nothing(silence(&error)),
        }
    }
}

/// When to come back (RFC 9110 §10.2.3): seconds, or a date.
fn retry_after(response: &Response) -> Option<RetryAfter> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let date = || chrono::DateTime::parse_from_rfc2822(text).ok();
    let seconds = text.parse().ok().map(RetryAfter::Seconds);
    seconds.or_else(|| date().map(|date| RetryAfter::At(Timestamp::new(date.to_utc()))))
}

fn silence(error: &reqwest::Error) -> Silence {
    if is_refused(error) {
        Silence::AddressRefused
    } else if error.is_timeout() {
        Silence::TimedOut
    } else {
        Silence::Unreachable
    }
}
