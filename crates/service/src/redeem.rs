//! Redeeming: the release is spent once, and its token signed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::canonical;
use domain::entry::Attempt;
use domain::scope::OutsideScope;
use domain::state::Release;
use domain::{Actor, Command, Digest, LeaseId, Refusal, Request, RequestId, Timestamp};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;
use serde_json::{Value, json};
use store::StoreError;
use store::change::Idempotency;
use utoipa::ToSchema;

use crate::act::{Act, ActError, not_as_recorded};
use crate::caller::AgentCaller;
use crate::keys::ReleaseKeys;
use crate::{Failure, Service, describe};

/// The `typ` of a release token's header (RFC 8725 §3.11: explicit typing).
pub const TOKEN_TYPE: &str = "release-grant+jwt";

/// A redeemed release: the token, and the lease under which the outcome is reported.
#[derive(Clone, Serialize, ToSchema)]
pub struct Redeemed {
    /// A JWT (EdDSA) with `typ` `release-grant+jwt`; see `/.well-known/jwks.json`.
    pub release_token: String,
    #[schema(value_type = describe::Id)]
    pub lease_id: LeaseId,
    #[schema(value_type = describe::Digest)]
    pub digest: Digest,
    #[schema(value_type = describe::Time)]
    pub redeemed_at: Timestamp,
    #[schema(value_type = describe::Time)]
    pub token_expires_at: Timestamp,
    /// Without a heartbeat or a report before this the outcome counts as unknown.
    #[schema(value_type = describe::Time)]
    pub lease_until: Timestamp,
    #[schema(value_type = describe::Time)]
    pub report_by: Timestamp,
    #[serde(skip)]
    pub replayed: bool,
}

impl Service {
    /// Spends the release and opens the lease; the same key and digest again give the same token.
    ///
    /// # Errors
    /// [`ActError`]; `Refused(AlreadyRedeemed)` carries the time of the first.
    pub async fn redeem(
        &self,
        caller: &AgentCaller,
        id: RequestId,
        digest: Digest,
        key: &str,
    ) -> Result<Redeemed, ActError> {
        // First of all: where no token can be signed, nothing is spent.
        let keys = self.keys.release().map_err(Failure::from)?;
        // The bytes that were approved have to be there, and whole.
        let seen = self.seen_by_agent(caller, id).await?;
        let scope = format!("agent {} redeem {id}", caller.agent);
        let fingerprint =
            Digest::of(&canonical::to_bytes(&json!({"digest": digest})).map_err(Failure::defect)?);
        let lease_id = LeaseId(self.entropy.id(self.now())?);
        let command = Command::Redeem { executor: caller.agent, digest, lease_id };
        let mut act = Act::by_agent(id, caller, command);
        act.seen = Some(seen);
        act.idempotency = Some(Idempotency {
            scope: scope.clone(),
            key: key.to_owned(),
            fingerprint,
            request: id,
        });
        match self.act(act).await {
            // A quorum that no longer held sent the request back to pending.
            Ok(request) => match request.state.release() {
                Some(release) => Ok(self.token(&keys, &request, release, false)?),
                None => Err(Refusal::NotApproved { state: request.state.name() }.into()),
            },
            Err(ActError::Failed(Failure::Store(StoreError::KeyUsed(_)))) => {
                let again = self.redeemed_before(&keys, &scope, key, fingerprint).await?;
                again.ok_or(ActError::NotFound)
            }
            Err(ActError::Refused(refusal)) => {
                // A retry of the winner may have been overtaken by itself.
                if let Some(again) = self.redeemed_before(&keys, &scope, key, fingerprint).await? {
                    return Ok(again);
                }
                tracing::info!(request = %id, code = refusal.code(), "redemption refused");
                let actor = Actor::Agent(caller.agent);
                self.record_refusal(id, actor, Attempt::Redeem, refusal.code()).await?;
                Err(ActError::Refused(refusal))
            }
            // SECURITY: nor does such a key get again what another was given.
            Err(ActError::OutsideScope(outside)) => {
                tracing::info!(request = %id, code = OutsideScope::CODE, "redemption refused");
                let actor = Actor::Agent(caller.agent);
                self.record_refusal(id, actor, Attempt::Redeem, OutsideScope::CODE).await?;
                Err(outside.into())
            }
            Err(error) => Err(error),
        }
    }

    async fn redeemed_before(
        &self,
        keys: &ReleaseKeys,
        scope: &str,
        key: &str,
        fingerprint: Digest,
    ) -> Result<Option<Redeemed>, ActError> {
        let Some(used) = self.store.idempotency(scope, key).await? else { return Ok(None) };
        #[cfg(not(planted = "a_key_stands_for_any_digest"))]
        if used.fingerprint != fingerprint {
            return Err(ActError::KeyReused);
        }
        // SECURITY: a token is signed from what is recorded, the second time as the first.
        let request = self.load_recorded(used.request).await?;
        // A key is only remembered with a spent release; anything else is a broken record.
        let release = request.state.release().ok_or_else(|| not_as_recorded(request.id))?;
        Ok(Some(self.token(keys, &request, release, true)?))
    }

    /// What the token says: stored facts and the public URL, nothing else.
    pub(crate) fn claims(&self, request: &Request, release: &Release) -> Value {
        let audience = request.executor;
        #[cfg(planted = "a_token_is_for_its_stager")]
        let audience = request.agent;
        let issued_at = release.redeemed_at.seconds();
        json!({
            "iss": self.public_url(),
            "aud": format!("agent:{audience}"),
            "sub": format!("agent:{}", request.agent),
            "iat": issued_at,
            "nbf": issued_at,
            "exp": release.token_expires_at.seconds(),
            "jti": release.lease_id,
            "txn": request.id,
            "digest": request.digest,
            "action_hash": format!("sha-256:{}", URL_SAFE_NO_PAD.encode(request.digest.0)),
            "kind": request.kind,
            "revision": request.revision,
            "max_uses": 1,
        })
    }

    /// Signs the token, with the key of when it was redeemed: a retry gets the same bytes.
    pub(crate) fn token(
        &self,
        keys: &ReleaseKeys,
        request: &Request,
        release: &Release,
        replayed: bool,
    ) -> Result<Redeemed, Failure> {
        let key = keys.at(release.redeemed_at);
        let header = Header {
            typ: Some(TOKEN_TYPE.to_owned()),
            kid: Some(key.id()),
            ..Header::new(Algorithm::EdDSA)
        };
        let claims = self.claims(request, release);
        let signing = key.signing().map_err(Failure::defect)?;
        let release_token =
            jsonwebtoken::encode(&header, &claims, &signing).map_err(Failure::defect)?;
        Ok(Redeemed {
            release_token,
            lease_id: release.lease_id,
            digest: request.digest,
            redeemed_at: release.redeemed_at,
            token_expires_at: release.token_expires_at,
            lease_until: release.lease_until,
            report_by: release.report_by,
            replayed,
        })
    }
}
