//! One message to one endpoint: checked address, no redirect, no proxy, no patience.
//!
//! SECURITY: an endpoint is somebody else's program. It is connected to at an address that was
//! checked in the same look-up (F03, F04), is followed nowhere (F05), has ten seconds in all, and of
//! its answer only the head is read: a body is never taken in, nor decompressed (F07).

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use domain::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Response, redirect};
use service::webhook::delivery::{Heard, Outgoing, RetryAfter, Silence};
use service::webhook::guard::{Guard, literal};

/// Everything together: look-up, connection, TLS, and the head of the answer.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends messages to endpoints.
pub struct Sender {
    encrypted: Client,
    plain: Client,
    guard: Guard,
}

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
        // Whoever came first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |encrypted| {
            let (names, guard) = (Arc::clone(&names), guard.clone());
            Client::builder()
                .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(Arc::new(Checked { names, guard, encrypted }))
                .redirect(redirect::Policy::none())
                .no_proxy()
                .timeout(timeout)
                // Each message is sent to an address that was checked for it.
                .pool_max_idle_per_host(0)
                .build()
        };
        Ok(Self { encrypted: client(true)?, plain: client(false)?, guard })
    }

    /// Sends, and says what came of it.
    pub async fn send(&self, message: &Outgoing) -> Heard {
        let encrypted = message.url.scheme() == "https";
        // No resolver is asked about an address.
        if literal(&message.url).is_some_and(|address| !self.guard.permits(address, encrypted)) {
            return Heard::Nothing(Silence::AddressRefused);
        }
        let client = if encrypted { &self.encrypted } else { &self.plain };
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
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(found) = cause {
        if found.is::<NotPermitted>() {
            return Silence::AddressRefused;
        }
        cause = found.source();
    }
    if error.is_timeout() { Silence::TimedOut } else { Silence::Unreachable }
}

/// The system's resolver.
pub struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A resolver that gives no address which was not checked.
struct Checked {
    names: Arc<dyn Resolve>,
    guard: Guard,
    encrypted: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, guard, encrypted) =
            (self.names.resolve(name), self.guard.clone(), self.encrypted);
        Box::pin(async move {
            let found: Vec<SocketAddr> = found.await?.collect();
            // SECURITY: F04. A name that also stands for one that is not permitted is refused whole.
            if found.iter().all(|address| guard.permits(address.ip(), encrypted)) {
                Ok(Box::new(found.into_iter()) as Addrs)
            } else {
                Err(NotPermitted.into())
            }
        })
    }
}

/// A name stands for an address that is not permitted.
#[derive(Debug)]
struct NotPermitted;

impl fmt::Display for NotPermitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name stands for an address that webhooks may not go to")
    }
}

impl std::error::Error for NotPermitted {}
