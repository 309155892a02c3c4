//! Trusts: which tokens of which issuer speak as an agent. Made and removed by administrators.

use domain::entry::HouseFact;
use domain::trust::{BadTerms, Terms};
use domain::{AgentId, TrustId};

use super::HouseError;
use crate::caller::Steward;
use crate::view::TrustRow;
use crate::workload::usable_keys;
use crate::{Failure, Service};

/// Trusts of one agent that stand at once.
pub const MAX_AGENT_TRUSTS: usize = 10;

impl Service {
    /// Trusts tokens on these terms to speak as the agent. While the trust stands, whoever made it
    /// never reviews the agent's requests: they chose who else can stage them (I1).
    ///
    /// # Errors
    /// [`HouseError`] says which terms would let in others, or that a token could mean two agents.
    pub async fn trust(
        &self,
        by: &Steward,
        agent: AgentId,
        terms: Terms,
    ) -> Result<TrustId, HouseError> {
        terms.check()?;
        if terms.jwks.as_ref().is_some_and(|jwks| usable_keys(jwks.as_bytes()).is_none()) {
            return Err(BadTerms::Jwks.into());
        }
        let house = self.house().await?;
        self.active_agent(agent).await?;
        self.expect_scope(&house, &terms.scope)?;
        if house.trusts().filter(|trust| trust.agent == agent).count() >= MAX_AGENT_TRUSTS {
            return Err(HouseError::TooManyTrusts);
        }
        // INVARIANT: no two trusts accept one token, so that it has one meaning.
        if let Some(other) = house.trusts().find(|trust| trust.terms.overlaps(&terms)) {
            let agent = house.agent(other.agent).map(|agent| agent.name.clone());
            return Err(HouseError::TrustOverlaps(agent.unwrap_or_default()));
        }
        let trust = TrustId(self.entropy.id(self.now())?);
        let fact = self.fact(by.actor(), HouseFact::TrustAdded { trust, agent, terms });
        self.authority_change(by, house.epoch(), vec![fact], Vec::new()).await?;
        Ok(trust)
    }

    /// Removes a trust: its tokens open nothing from now on, nor what they have under way.
    ///
    /// # Errors
    /// [`HouseError`] when the agent has no such trust.
    pub async fn distrust(
        &self,
        by: &Steward,
        agent: AgentId,
        trust: TrustId,
    ) -> Result<(), HouseError> {
        let house = self.house().await?;
        let standing = house.trust(trust).filter(|standing| standing.agent == agent);
        standing.ok_or(HouseError::NoSuchTrust)?;
        let fact = self.fact(by.actor(), HouseFact::TrustRemoved { trust });
        self.authority_change(by, house.epoch(), vec![fact], Vec::new()).await
    }

    /// The trusts of an agent that stand, with their last use, the oldest first.
    pub(crate) async fn trust_rows(&self, agent: AgentId) -> Result<Vec<TrustRow>, Failure> {
        let trusts = self.store.trusts_of(agent).await?;
        let row = |trust: store::read::Trust| TrustRow {
            id: trust.id,
            issuer: trust.terms.issuer,
            audience: trust.terms.audience,
            claims: trust.terms.claims,
            scope: trust.terms.scope,
            has_keys: trust.terms.jwks.is_some(),
            added_at: trust.added_at,
            last_used_at: trust.last_used_at,
        };
        Ok(trusts.into_iter().map(row).collect())
    }
}
