//! What a fact says about a request has to be so of that request.

use crate::RequestFact;
use crate::request::{Request, Verdict};
use crate::state::State;

impl RequestFact {
    /// Whether what the fact names is what `request` has: its revision, its digest, its executor,
    /// its lease, its owed review.
    ///
    /// INVARIANT: I4, I8. A fact about something else never changes a request, whatever a ledger
    /// says.
    pub(crate) fn is_about(&self, request: &Request) -> bool {
        match self {
            Self::ReviewRecorded { revision, digest, verdict, .. } => {
                // While changes are requested only a denial is heard.
                let heard = request.state == State::Pending || *verdict == Verdict::Deny;
                heard && *revision == request.revision && *digest == request.digest
            }
            Self::RequestAmended(amended) => {
                request.revision.checked_add(1) == Some(amended.revision)
            }
            Self::RequestApproved { digest, .. } => *digest == request.digest,
            Self::GlassBroken { digest, .. } => {
                *digest == request.digest && request.break_glass.is_none()
            }
            Self::ReleaseRedeemed { digest, executor, .. } => {
                *digest == request.digest && *executor == request.executor
            }
            Self::LeaseRenewed { lease_until } => request.state.release().is_some_and(|release| {
                release.lease_until < *lease_until && *lease_until <= release.report_by
            }),
            Self::SecondReviewMissed { .. } => request.second_review_due().is_some(),
            Self::SecondReviewRecorded { .. } => request.owes_second_review().is_some(),
            Self::RequestStaged(_)
            | Self::ChangesRequested { .. }
            | Self::RequestDenied { .. }
            | Self::RequestExpired { .. }
            | Self::RequestWithdrawn { .. }
            | Self::QuorumLost { .. }
            | Self::ReleaseRevoked { .. }
            | Self::ReleaseLapsed { .. }
            | Self::ReleaseVoided
            | Self::HaltRequested { .. }
            | Self::OutcomeMissed { .. }
            | Self::OutcomeReported { .. }
            | Self::RollbackReported { .. } => true,
        }
    }
}
