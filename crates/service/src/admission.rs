//! Admission: how much one agent may ask of people, of the disk and of the server.
//!
//! Not authority: nothing that is refused here would be dangerous, only too much. So it is read before
//! the transaction and not compared again in it: of calls that race, each may pass that would pass
//! alone, and an agent can be over a limit by as many calls as it has under way at once.

use domain::revision::Sealed;
use domain::{Digest, RequestId, StateName, Timestamp};

use crate::caller::AgentCaller;
use crate::stage::StageError;
use crate::sweep::EVIDENCE_KEPT_S;
use crate::upload::UploadError;
use crate::{Failure, Service};

/// What one agent may have at once; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls in a minute, of each server.
    pub calls_a_minute: u32,
    /// Calls that wait for a decision at the same time, on each server.
    pub waits: u32,
    /// Requests that wait for people.
    pub open_requests: u32,
    /// Content that may still be used is staged again as if it were other content.
    pub duplicates: bool,
    /// For so many seconds after a denial the same content is refused.
    pub cool_down_s: u32,
    /// Uploads that no request refers to.
    pub unused_uploads: u32,
    /// The bytes of those uploads.
    pub unused_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_a_minute: 600,
            waits: 100,
            open_requests: 50,
            duplicates: false,
            cool_down_s: 15 * 60,
            unused_uploads: 200,
            unused_bytes: 200 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// Everything is let in.
    pub const NONE: Self = Self {
        calls_a_minute: 0,
        waits: 0,
        open_requests: 0,
        duplicates: true,
        cool_down_s: 0,
        unused_uploads: 0,
        unused_bytes: 0,
    };
}

/// Why an agent is not let in with one more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    #[error("{open} requests of this agent wait for people already, which is the limit")]
    TooManyPending { open: u32, limit: u32 },
    #[error("this agent has staged the same content already, as {request}, which is {}", .state.as_str())]
    Duplicate { request: RequestId, state: StateName, status_url: String },
    #[error("the same content was denied at {denied_at}, as {request}")]
    JustDenied { request: RequestId, denied_at: Timestamp, retry_after_s: u64, status_url: String },
    #[error(
        "with this upload the agent would have {uploads} uploads of {bytes} bytes that no request \
         refers to; the limits are {} and {}", .limits.unused_uploads, .limits.unused_bytes
    )]
    EvidenceQuota { uploads: u64, bytes: u64, limits: Limits },
}

impl Service {
    /// Sets how much one agent may ask for.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// How much one agent may ask for.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Refuses a revision where people have enough of its agent or of its content.
    pub(crate) async fn admit(&self, sealed: &Sealed, now: Timestamp) -> Result<(), StageError> {
        let Limits { open_requests, duplicates, cool_down_s, .. } = self.limits;
        let cool_down_s = i64::from(cool_down_s);
        let denied_after = now.plus_seconds(-cool_down_s);
        let others = self.store.others(sealed, open_requests, denied_after, now).await?;
        if let Some((request, state)) = others.same.filter(|_| !duplicates) {
            let status_url = self.status_url(request);
            return Err(NotAdmitted::Duplicate { request, state, status_url }.into());
        }
        // A clock that was set back since the denial makes neither a limit of none, nor a longer one.
        if let Some((request, denied_at)) = others.denied.filter(|_| cool_down_s > 0) {
            let left = cool_down_s - now.seconds_since(denied_at).max(0);
            let retry_after_s = u64::try_from(left).unwrap_or_default().max(1);
            let status_url = self.status_url(request);
            return Err(
                NotAdmitted::JustDenied { request, denied_at, retry_after_s, status_url }.into()
            );
        }
        let (first, limit) = (sealed.revision.revision == 1, open_requests);
        // An amendment asks people for no more than they had before.
        if first && limit > 0 && others.open >= limit {
            return Err(NotAdmitted::TooManyPending { open: others.open, limit }.into());
        }
        Ok(())
    }

    /// Refuses an upload where the agent has left too many unused. Sent again, it counts once.
    pub(crate) async fn admit_upload(
        &self,
        caller: &AgentCaller,
        digest: Digest,
        size: u64,
    ) -> Result<(), UploadError> {
        let limits = self.limits;
        // What is older is unused for good, and about to be swept.
        let since = self.now().plus_seconds(-EVIDENCE_KEPT_S);
        let unused = self.store.unused_evidence(caller.agent, digest, since).await;
        let unused = unused.map_err(Failure::from)?;
        let (uploads, bytes) = (unused.uploads + 1, unused.bytes.saturating_add(size));
        let over = |limit: u64, wanted: u64| limit > 0 && wanted > limit;
        if over(limits.unused_uploads.into(), uploads) || over(limits.unused_bytes, bytes) {
            return Err(NotAdmitted::EvidenceQuota { uploads, bytes, limits }.into());
        }
        Ok(())
    }
}
