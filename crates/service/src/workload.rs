//! Workload identity: tokens of issuers that administrators trust, in place of keys.
//!
//! A token is read (`token.rs`), one trust is found whose terms it meets, the issuer's key is looked
//! up (`issuers.rs`), and then it is verified. What fails anywhere is no token at all: the caller
//! gets the answer of a wrong key, and the log says why.
//!
//! SECURITY: I10. What comes out is an [`AgentCaller`] and nothing else.

mod issuers;
mod token;

use std::sync::Arc;

use domain::Timestamp;
use jsonwebtoken::jwk::Jwk;

pub use issuers::{Fetch, Fetched, NotFetched};
pub(crate) use issuers::{Issuers, usable_keys};
use token::Claimed;

use crate::caller::{AgentCaller, Credential};
use crate::{Failure, Service};

impl Service {
    /// Has the keys of issuers asked for by `fetch`; without it only keys that came with a trust
    /// are known.
    pub fn ask_issuers_by(&self, fetch: Arc<dyn Fetch>) {
        self.issuers.ask_by(fetch);
    }

    /// The agent that the bearer of this token speaks as; `None` for any token that is not good.
    pub(crate) async fn caller_of_token(&self, text: &str) -> Result<Option<AgentCaller>, Failure> {
        let Some(token) = Claimed::read(text) else { return Ok(None) };
        let (house, now) = (self.house().await?, self.now());
        let accept = |trust: &&store::read::Trust| trust.terms.accepts(token.claims());
        let mut accepted = house.trusts().filter(accept);
        // No two trusts accept one token; should two, then neither does.
        let (Some(trust), None) = (accepted.next(), accepted.next()) else { return Ok(None) };
        if house.agent(trust.agent).is_none_or(|agent| agent.suspended) {
            return Ok(None);
        }
        let Some(key) = self.issuer_key(&trust.terms, &token, now).await else {
            tracing::info!(trust = %trust.id, "no key of the issuer for a token");
            return Ok(None);
        };
        let until = match token.verified(&key, &trust.terms, now) {
            Ok(until) => until,
            Err(reason) => {
                tracing::info!(trust = %trust.id, reason, "a token was refused");
                return Ok(None);
            }
        };
        if let Err(error) = self.touch_trust(trust).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "last use not recorded");
        }
        let credential = Credential::Workload { trust: trust.id, until };
        Ok(Some(AgentCaller { agent: trust.agent, credential }))
    }

    async fn issuer_key(
        &self,
        terms: &domain::trust::Terms,
        token: &Claimed<'_>,
        now: Timestamp,
    ) -> Option<Jwk> {
        match &terms.jwks {
            Some(own) => {
                issuers::find(&usable_keys(own.as_bytes())?, token.kid(), token.algorithm())
            }
            None => self.issuers.key(&terms.issuer, token.kid(), token.algorithm(), now).await,
        }
    }
}
