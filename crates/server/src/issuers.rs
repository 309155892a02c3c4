//! Documents of issuers, asked for over HTTP: how much, how long.
//!
//! SECURITY: what an issuer answers is read up to a bound (F07), and only where [`Outbound`] goes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{ACCEPT, CACHE_CONTROL};
use service::guard::{BadUrl, Guard};
use service::workload::{Fetch, Fetched, NotFetched};

use crate::outbound::{Outbound, System};

/// The largest document.
const MAX_BYTES: usize = 256 * 1024;
/// How long all of it may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Asks for documents.
pub struct Documents(Outbound);

impl Documents {
    /// Asks where `guard` permits, by the system's resolver.
    ///
    /// # Errors
    /// When there is no client for HTTP.
    pub fn new(guard: Guard) -> Result<Self, reqwest::Error> {
        Ok(Self(Outbound::new(guard, Arc::new(System), ANSWERED_WITHIN)?))
    }
}

#[async_trait]
impl Fetch for Documents {
    async fn fetch(&self, url: &str) -> Result<Fetched, NotFetched> {
        let refused = |why: BadUrl| NotFetched(format!("`{url}` {why}"));
        let address = self.0.guard().read(url).map_err(refused)?;
        let client = self.0.client(&address).ok_or_else(|| refused(BadUrl::NotPublic))?;
        let lost = |error: reqwest::Error| {
            let error = error.without_url();
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            NotFetched(format!("`{url}`: {error}: {}", cause.unwrap_or_default()))
        };
        let request = client.get(address).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(lost)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(NotFetched(format!("`{url}` answers {}", response.status())));
        }
        let cached = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let max_age_s = cached.and_then(max_age);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(NotFetched(format!("`{url}` sends more than 256 kB")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { body, max_age_s })
    }
}

/// How long an answer may be kept by its Cache-Control; `None` where it does not say.
fn max_age(cache_control: &str) -> Option<i64> {
    let mut directives = cache_control.split(',').map(str::trim);
    let not_kept = |directive: &str| {
        ["no-store", "no-cache"].iter().any(|no| directive.eq_ignore_ascii_case(no))
    };
    if directives.clone().any(not_kept) {
        return Some(0);
    }
    let (_, seconds) = directives.find_map(|directive| {
        directive.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("max-age"))
    })?;
    seconds.trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn f01_f02_what_is_not_public_is_not_asked() {
        let documents = Documents::new(Guard::default()).unwrap();
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://[::ffff:10.0.0.1]/",
            "https://localhost/",
            "http://93.184.216.34/",
            "ftp://93.184.216.34/",
            "https://me@93.184.216.34/",
        ] {
            let refused = documents.fetch(url).await.unwrap_err();
            assert!(refused.to_string().starts_with(&format!("`{url}` ")), "{refused}");
        }
    }

    #[test]
    fn a_documents_age_is_read_from_its_cache_control() {
        assert_eq!(max_age("public, max-age=3600, must-revalidate"), Some(3600));
        assert_eq!(max_age("no-cache"), Some(0));
        assert_eq!(max_age("public"), None);
        assert_eq!(max_age("max-age=much"), None);
    }
}
