//! Retries: the same staging sent again under the same idempotency key is answered as the first time.

use domain::{Digest, RequestId, canonical};
use serde_json::Value;
use store::StoreError;
use store::change::Idempotency;

use super::{StageAnswer, StageError};
use crate::act::ActError;
use crate::caller::AgentCaller;
use crate::{Failure, Service};

/// What a retry of a staging is recognised by.
pub(super) struct Retry {
    scope: String,
    key: String,
    fingerprint: Digest,
}

impl Retry {
    pub fn new(scope: String, key: Option<&str>, fingerprint: Digest) -> Option<Self> {
        key.map(|key| Self { scope, key: key.to_owned(), fingerprint })
    }

    pub fn record(&self, request: RequestId) -> Idempotency {
        let Self { scope, key, fingerprint } = self;
        let (scope, key, fingerprint) = (scope.clone(), key.clone(), *fingerprint);
        Idempotency { scope, key, fingerprint, request }
    }
}

impl Service {
    /// The answer that was given before to the same staging; without one, the error.
    ///
    /// Only asked once staging it anew has failed: what is there already refuses it.
    pub(super) async fn or_staged_before(
        &self,
        caller: &AgentCaller,
        retry: Option<Retry>,
        error: StageError,
    ) -> Result<StageAnswer, StageError> {
        let used = match (&error, retry.as_ref()) {
            (StageError::Act(ActError::Failed(Failure::Store(StoreError::KeyUsed(used)))), _) => {
                Some(*used)
            }
            (
                StageError::Act(
                    ActError::Failed(_) | ActError::KeyDead | ActError::OutsideScope(_),
                ),
                _,
            )
            | (_, None) => None,
            (_, Some(retry)) => self.store.idempotency(&retry.scope, &retry.key).await?,
        };
        let (Some(used), Some(retry)) = (used, retry) else { return Err(error) };
        if used.fingerprint != retry.fingerprint {
            return Err(ActError::KeyReused.into());
        }
        let request = self.agent_request(caller, used.request).await?;
        Ok(StageAnswer { request, replayed: true })
    }
}

/// The body as a value, and the fingerprint by which a retry is recognised.
pub(super) fn read(body: &[u8]) -> Result<(Value, Digest), StageError> {
    let value = canonical::parse(body)?;
    let fingerprint = Digest::of(&canonical::to_bytes(&value).map_err(Failure::defect)?);
    Ok((value, fingerprint))
}
