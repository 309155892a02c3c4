//! Asking the gate about a release token (the shape of RFC 7662): whether its execution may go on now.
//!
//! A token that is checked offline outlives a freeze or a halt until it expires; this does not. The
//! rule that must hold: active is only what redeeming it again would answer, letter for letter, while
//! the lease it names is the present one and nothing stands in its way. Anything else is inactive, and
//! nobody is told why.

use domain::{RequestId, State, Timestamp};
use jsonwebtoken::{Algorithm, Validation};
use serde_json::Value;

use crate::act::ActError;
use crate::caller::AgentCaller;
use crate::keys::ReleaseKeys;
use crate::redeem::TOKEN_TYPE;
use crate::{Failure, Service};

/// No token of ours is longer.
const MAX_TOKEN_BYTES: usize = 8192;

impl Service {
    /// The claims of a release token that is active and concerns the caller: it staged the request,
    /// or executes it.
    ///
    /// # Errors
    /// When the store or the keys are away.
    pub async fn introspect(
        &self,
        caller: &AgentCaller,
        token: &str,
    ) -> Result<Option<Value>, Failure> {
        let now = self.now();
        let keys = self.keys.release()?;
        // SECURITY: nothing in it is believed, or looked up, before the signature holds.
        let Some(told) = signed_by_us(&keys, token, now) else { return Ok(None) };
        let txn = told.get("txn").and_then(Value::as_str);
        let Some(id) = txn.and_then(|id| id.parse::<RequestId>().ok()) else { return Ok(None) };
        // INVARIANT: I9. Who is suspended and what is frozen is read now.
        let house = self.house().await?;
        let request = match self.load_recorded(id).await {
            Ok(request) => request,
            Err(ActError::Failed(failure)) => return Err(failure),
            Err(_) => return Ok(None),
        };
        let scope = self.scope_of(&house, caller);
        let covers = scope.is_some_and(|it| it.covers(&request.kind.name, &request.environment));
        let concerned = covers && caller.has_part_in(&request);
        let State::Executing { release, halt: None } = request.state_at(now) else {
            return Ok(None);
        };
        let in_time = (release.redeemed_at.seconds()..release.token_expires_at.seconds())
            .contains(&now.seconds());
        let authority = house.authority(&request, now, []);
        let frozen = !authority.frozen.is_empty();
        #[cfg(planted = "a_freeze_is_not_introspected")]
        let frozen = false;
        let allowed =
            !frozen && authority.agent_active && authority.executor_active && concerned && in_time;
        // Every claim, and the spelling too, as it is signed for a retry of the redemption.
        let again = self.token(&keys, &request, &release, true)?;
        let same = again.release_token == token;
        Ok((allowed && same).then(|| self.claims(&request, &release)))
    }
}

/// The claims of a token that one of our keys signed, as a token of this type.
fn signed_by_us(keys: &ReleaseKeys, token: &str, now: Timestamp) -> Option<Value> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let header = jsonwebtoken::decode_header(token).ok()?;
    let key =
        keys.verifying(&header.kid?, now).filter(|_| header.typ.as_deref() == Some(TOKEN_TYPE))?;
    // One algorithm, whatever the header says. The claims are compared with the record instead.
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode(token, &key, &validation).ok().map(|token| token.claims)
}
