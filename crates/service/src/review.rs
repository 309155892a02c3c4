//! Reviewing: a person's verdict on exactly the revision that they were shown.

use domain::entry::Attempt;
use domain::{
    Command, Digest, PersonId, Refusal, RequestId, ReviewInput, StateName, Timestamp, Verdict,
};
use subtle::ConstantTimeEq;

use crate::act::{Act, ActError};
use crate::caller::PersonCaller;
use crate::{Failure, Service};

/// The shortest justification, in letters and digits: enough to mean something.
pub const MIN_JUSTIFICATION_CHARS: usize = 3;
/// The longest justification, in characters.
pub const MAX_JUSTIFICATION_CHARS: usize = 4000;

/// A review as the form sends it.
#[derive(Clone, Debug)]
pub struct ReviewForm {
    pub verdict: Verdict,
    pub justification: String,
    pub digest: Digest,
    /// The signed token of the page: when it was rendered, for whom, with which digest.
    pub shown: String,
}

/// Why a review was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    #[error(
        "a justification has {MIN_JUSTIFICATION_CHARS} to {MAX_JUSTIFICATION_CHARS} characters"
    )]
    Justification,
    #[error("the page did not come from here, or was made for somebody or something else")]
    NotShown,
    #[error(transparent)]
    Act(#[from] ActError),
}

impl Service {
    /// Records a review; answers with the state that follows.
    ///
    /// Sending the same verdict again is answered as the first time.
    ///
    /// # Errors
    /// [`ReviewError`] says why nothing was recorded.
    pub async fn review(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        form: ReviewForm,
    ) -> Result<StateName, ReviewError> {
        let (stored, _) = self.visible_revision(caller, id).await?;
        let justification = form.justification.trim();
        let length = justification.chars().count();
        // Characters that nobody can see are no reason.
        let seen = justification.chars().filter(|c| c.is_alphanumeric()).count();
        if seen < MIN_JUSTIFICATION_CHARS
            || length > MAX_JUSTIFICATION_CHARS
            || justification.contains('\0')
        {
            return Err(ReviewError::Justification);
        }
        let shown_at = self
            .read_shown(&form.shown, id, form.digest, caller.id())
            .ok_or(ReviewError::NotShown)?;
        let (justification, text) = self.committed_text("justification", justification)?;
        let input = ReviewInput {
            reviewer: caller.reviewer(),
            digest: form.digest,
            shown_at,
            justification,
        };
        let command = match form.verdict {
            Verdict::Approve => Command::Approve(input),
            Verdict::Deny => Command::Deny(input),
        };
        let act = Act {
            id,
            actor: caller.actor(),
            agent: None,
            command,
            texts: vec![text],
            idempotency: None,
        };
        match self.act(act).await {
            Ok(request) => Ok(request.state.name()),
            Err(ActError::Refused(refusal)) => {
                if let Some(state) = self.same_again(caller, id, &form).await? {
                    return Ok(state);
                }
                tracing::info!(request = %stored.request.id, code = refusal.code(), "review refused");
                self.record_refusal(id, caller.actor(), Attempt::Review, &refusal).await?;
                Err(ActError::Refused(refusal).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The state, if exactly this verdict of this person on this digest stands already.
    async fn same_again(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        form: &ReviewForm,
    ) -> Result<Option<StateName>, ActError> {
        let stored = self.store.load(id).await?;
        Ok(stored.and_then(|stored| {
            let mut reviews = stored.request.reviews.iter();
            let same = reviews.any(|review| {
                review.reviewer == caller.id()
                    && review.verdict == form.verdict
                    && review.digest == form.digest
            });
            same.then(|| stored.request.state_at(self.now()).name())
        }))
    }

    /// Signs that this page, with this digest, was rendered for this person now.
    pub(crate) fn shown_token(&self, id: RequestId, digest: Digest, person: PersonId) -> String {
        let at = self.now().micros();
        format!("{at}.{}", self.shown_mac(at, id, digest, person).hex())
    }

    fn read_shown(
        &self,
        token: &str,
        id: RequestId,
        digest: Digest,
        person: PersonId,
    ) -> Option<Timestamp> {
        let (at, mac) = token.split_once('.')?;
        let at: i64 = at.parse().ok()?;
        let mac = Digest::from_hex(mac)?;
        let expected = self.shown_mac(at, id, digest, person);
        let same: bool = mac.0.ct_eq(&expected.0).into();
        if same { Timestamp::from_micros(at) } else { None }
    }

    fn shown_mac(&self, at: i64, id: RequestId, digest: Digest, person: PersonId) -> Digest {
        let text = format!("{at} {id} {digest} {person}");
        Digest(self.keys.page(b"shown", text.as_bytes()))
    }
}

impl From<Failure> for ReviewError {
    fn from(failure: Failure) -> Self {
        Self::Act(ActError::Failed(failure))
    }
}

/// The refusals that mean: somebody or something was faster, look again.
pub fn is_overtaken(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::NotPending { .. }
            | Refusal::Changed { .. }
            | Refusal::AlreadyReviewed { .. }
            | Refusal::ShownTooLongAgo
    )
}
