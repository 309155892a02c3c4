//! Connections that the server makes by itself, to programs of others: endpoints, issuers.
//!
//! SECURITY: each is made to an address that was checked in the same look-up (F03, F04), follows no
//! redirect (F05), asks no proxy, and takes no longer than it is given (F07). Nothing is kept open: the
//! next one is checked anew.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};
use service::guard::{Guard, literal};

/// Connects to where a guard permits.
pub struct Outbound {
    encrypted: Client,
    plain: Client,
    guard: Guard,
}

impl Outbound {
    /// Connects by the names of this resolver. `timeout` is for everything together: look-up,
    /// connection, TLS, and the answer.
    ///
    /// # Errors
    /// When there is no client for HTTP.
    pub fn new(
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
                .pool_max_idle_per_host(0)
                .build()
        };
        Ok(Self { encrypted: client(true)?, plain: client(false)?, guard })
    }

    /// What a URL of somebody else's is, if the guard lets it be asked.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The client for this URL; `None` where it names an address that is not permitted.
    pub fn client(&self, url: &Url) -> Option<&Client> {
        let encrypted = url.scheme() == "https";
        // No resolver is asked about an address.
        let permitted = literal(url).is_none_or(|address| self.guard.permits(address, encrypted));
        permitted.then_some(if encrypted { &self.encrypted } else { &self.plain })
    }
}

/// Whether nothing was sent because the name stands for an address that is not permitted.
pub fn is_refused(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(found) = cause {
        if found.is::<NotPermitted>() {
            return true;
        }
        cause = found.source();
    }
    false
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
        f.write_str("the name stands for an address that is not permitted")
    }
}

impl std::error::Error for NotPermitted {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn f03_f04_a_name_is_connected_to_only_where_it_may_be() {
        let checked = |allowed: &[&str], encrypted| {
            let guard = Guard::new(allowed.iter().map(|net| net.parse().unwrap()).collect());
            Checked { names: Arc::new(System), guard, encrypted }
        };
        let (local, name) = (["127.0.0.0/8", "::1/128"], || "localhost".parse::<Name>().unwrap());
        assert!(checked(&[], true).resolve(name()).await.is_err());
        assert!(checked(&local, true).resolve(name()).await.is_ok());
        assert!(checked(&local, false).resolve(name()).await.is_ok());
    }
}
