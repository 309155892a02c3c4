//! Reviewing: a person's verdict on exactly the revision that they were shown.

use domain::entry::Attempt;
use domain::{
    Command, Digest, PersonId, Refusal, RequestId, ReviewInput, SecondVerdict, StateName,
    Timestamp, Verdict,
};
use subtle::ConstantTimeEq;

use crate::act::{Act, ActError};
use crate::caller::PersonCaller;
use crate::sign_in::SignInError;
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
    /// The person's password again, where a fresh authentication is asked for.
    pub password: Option<Password>,
    /// Approve alone, in place of all requirements.
    pub break_glass: bool,
}

/// A typed password: never in a log.
#[derive(Clone)]
pub struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// What a recorded review led to.
#[derive(Clone, Copy, Debug)]
pub struct Reviewed {
    pub state: StateName,
    /// When the person last proved who they are: moved by a password that came with the review.
    pub authenticated_at: Timestamp,
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
    #[error("the password is wrong")]
    WrongPassword,
    #[error("too many attempts; wait a minute")]
    TooManyAttempts,
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
    ) -> Result<Reviewed, ReviewError> {
        let seen = self.seen_by(caller, id).await?;
        let justification = checked_reason(&form.justification)?;
        let shown_at = self
            .read_shown(&form.shown, id, form.digest, caller.id())
            .ok_or(ReviewError::NotShown)?;
        let authenticated_at = self.authenticated_at(caller, form.password.as_ref()).await?;
        let (justification, text) = self.committed_text("justification", justification)?;
        let input = ReviewInput {
            reviewer: caller.reviewer(),
            digest: form.digest,
            shown_at,
            authenticated_at,
            justification,
        };
        let command = match form.verdict {
            Verdict::Approve if form.break_glass => Command::BreakGlass(input),
            Verdict::Approve => Command::Approve(input),
            Verdict::RequestChanges => Command::RequestChanges(input),
            Verdict::Deny => Command::Deny(input),
            Verdict::Pass => Command::PassOn(input),
        };
        let mut act = Act::new(id, caller.actor(), command).with_text(text);
        act.seen = Some(seen);
        let state = match self.act(act).await {
            Ok(request) => request.state.name(),
            Err(ActError::Refused(refusal)) => match self.same_again(caller, id, &form).await? {
                Some(state) => state,
                None => return Err(self.refused_review(caller, id, refusal).await?),
            },
            Err(error) => return Err(error.into()),
        };
        Ok(Reviewed { state, authenticated_at })
    }

    async fn refused_review(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        refusal: Refusal,
    ) -> Result<ReviewError, Failure> {
        tracing::info!(request = %id, code = refusal.code(), "review refused");
        self.record_refusal(id, caller.actor(), Attempt::Review, refusal.code()).await?;
        Ok(ActError::Refused(refusal).into())
    }

    /// Records the second person's look at a break-glass approval, which they were shown.
    ///
    /// # Errors
    /// [`ReviewError`] when there is no reason, nothing is owed, or the person may not.
    pub async fn review_break_glass(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        verdict: SecondVerdict,
        justification: &str,
        shown: &str,
    ) -> Result<(), ReviewError> {
        let seen = self.seen_by(caller, id).await?;
        let digest = seen.recorded.stored.request.digest;
        self.read_shown(shown, id, digest, caller.id()).ok_or(ReviewError::NotShown)?;
        let (justification, text) =
            self.committed_text("justification", checked_reason(justification)?)?;
        let reviewer = caller.reviewer();
        let command = Command::ReviewBreakGlass { reviewer, verdict, justification };
        let mut act = Act::new(id, caller.actor(), command).with_text(text);
        act.seen = Some(seen);
        self.act(act).await?;
        Ok(())
    }

    /// When the person last proved who they are: now, if the password came along and is right.
    async fn authenticated_at(
        &self,
        caller: &PersonCaller,
        password: Option<&Password>,
    ) -> Result<Timestamp, ReviewError> {
        let Some(Password(password)) = password else { return Ok(caller.authenticated_at) };
        match self.check_own_password(caller, password).await {
            Ok(()) => Ok(self.now()),
            Err(SignInError::TooMany) => Err(ReviewError::TooManyAttempts),
            Err(SignInError::Failed(failure)) => Err(failure.into()),
            Err(SignInError::Wrong | SignInError::LinkSpent) => Err(ReviewError::WrongPassword),
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
            let own = stored.request.review_of(caller.id());
            let same = own.is_some_and(|review| {
                review.verdict == form.verdict && review.digest == form.digest
            });
            // Breaking the glass is more than the approval that may stand already.
            (same && !form.break_glass).then(|| stored.request.state_at(self.now()).name())
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
        #[cfg(planted = "a_page_is_shown_to_anybody")]
        let same = true;
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

/// The reason that a person gives, without white space around it.
///
/// # Errors
/// `Justification` when it is too short to mean something, too long, or has U+0000 in it.
pub(crate) fn checked_reason(text: &str) -> Result<&str, ReviewError> {
    let text = text.trim();
    // Characters that nobody can see are no reason.
    let seen = text.chars().filter(|c| c.is_alphanumeric()).count();
    let too_long = text.chars().count() > MAX_JUSTIFICATION_CHARS;
    if seen < MIN_JUSTIFICATION_CHARS || too_long || text.contains('\0') {
        return Err(ReviewError::Justification);
    }
    Ok(text)
}
