//! Staging: an agent puts a sensitive action before people, and amends it while they decide.

mod check;
mod preview;
mod retry;
mod warning;

use ::policy::PolicyFailure;
use domain::canonical::Malformed;
use domain::fact::{RequestAmended, RequestStaged};
use domain::kind::EffectPart;
use domain::kind::is_change;
use domain::revision::{Identity, Sealed};
use domain::risk::{RiskInput, assess};
use domain::stage::FieldError;
use domain::{
    Actor, AgentId, Amendment, Command, Context, Digest, KindRef, Refusal, Request, RequestFact,
    RequestId, Requirement, Revision, Risk, Staging, Timestamp, apply,
};
use serde_json::Value;
use store::change::Staged;
use store::read::Stored;
use store::{Change, House, NewFact, RequestChange, StoreError};

use crate::act::{Act, ActError, TRIES};
use crate::admission::NotAdmitted;
use crate::caller::AgentCaller;
use crate::evidence::stored;
use crate::policy::Ruled;
use crate::query::AgentRequest;
use crate::{Failure, Service};
pub(crate) use check::Checked;
use check::excluded;
pub use preview::Preview;
use retry::{Retry, read};
pub use warning::Warning;

/// Why nothing was staged.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the stage body breaks {} rules", .0.len())]
    Invalid(Vec<FieldError>),
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// The policy in force has no answer for this revision.
    #[error("the policy in force has no answer: {0}")]
    Policy(PolicyFailure),
    /// What any act may meet.
    #[error(transparent)]
    Act(ActError),
}

impl<E: Into<ActError>> From<E> for StageError {
    fn from(error: E) -> Self {
        Self::Act(error.into())
    }
}

/// What staging answers.
#[derive(Clone, Debug)]
pub struct StageAnswer {
    pub request: AgentRequest,
    /// The same request was staged before under the same idempotency key.
    pub replayed: bool,
}

/// In whose name a revision is staged, and who does it.
pub(crate) struct Stager {
    pub agent: AgentId,
    pub by: Actor,
}

impl Stager {
    fn agent(caller: &AgentCaller) -> Self {
        Self { agent: caller.agent, by: Actor::Agent(caller.agent) }
    }
}

impl Service {
    /// Stages `body` for the agent.
    ///
    /// # Errors
    /// [`StageError`] names what is wrong by field and limit; nothing is stored then.
    pub async fn stage(
        &self,
        caller: &AgentCaller,
        body: &[u8],
        key: Option<&str>,
    ) -> Result<StageAnswer, StageError> {
        let (value, fingerprint) = read(body)?;
        let retry = Retry::new(format!("agent {} stage", caller.agent), key, fingerprint);
        let answer = match self.stage_anew(caller, &value, retry.as_ref()).await {
            Ok(request) => StageAnswer { request, replayed: false },
            Err(error) => self.or_staged_before(caller, retry, error).await?,
        };
        Ok(self.warned(caller, answer, &value).await)
    }

    async fn stage_anew(
        &self,
        caller: &AgentCaller,
        value: &Value,
        retry: Option<&Retry>,
    ) -> Result<AgentRequest, StageError> {
        for _ in 0..TRIES {
            let now = self.now();
            // INVARIANT: I9. Kind, executor, owners and policy are those of this epoch.
            let house = self.house().await?;
            let checked = self.check(&house, caller, value, None, now).await?;
            let id = RequestId(self.entropy.id(now)?);
            let stager = Stager::agent(caller);
            let sealed = self.seal(&stager, &checked, id, 1).await?;
            self.admit(&sealed, now).await?;
            let effect = checked.effect();
            let mut change = self.staging(&house, &stager, checked, sealed, now).await?;
            change.idempotency = retry.map(|retry| retry.record(id));
            match self.commit(change).await {
                Ok(committed) => {
                    let staged = *committed.after.ok_or(ActError::NotFound)?;
                    return self.as_staged(&house, staged, effect, now).await;
                }
                Err(StoreError::Stale | StoreError::TooLate) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unavailable("people or kinds change too fast".into()).into())
    }

    /// Makes `body` the next revision of a request that is still open; every review of the old
    /// revision is void.
    ///
    /// # Errors
    /// [`StageError`] names what is wrong by field and limit; the request stays as it was.
    pub async fn amend(
        &self,
        caller: &AgentCaller,
        id: RequestId,
        body: &[u8],
        key: Option<&str>,
    ) -> Result<StageAnswer, StageError> {
        let (value, fingerprint) = read(body)?;
        let retry = Retry::new(format!("agent {} amend {id}", caller.agent), key, fingerprint);
        let answer = match self.amend_anew(caller, id, &value, retry.as_ref()).await {
            Ok(request) => StageAnswer { request, replayed: false },
            Err(error) => self.or_staged_before(caller, retry, error).await?,
        };
        Ok(self.warned(caller, answer, &value).await)
    }

    async fn amend_anew(
        &self,
        caller: &AgentCaller,
        id: RequestId,
        value: &Value,
        retry: Option<&Retry>,
    ) -> Result<AgentRequest, StageError> {
        let request = self.of_agent(caller, id).await?.request;
        if request.agent != caller.agent {
            return Err(Refusal::NotStager.into());
        }
        let now = self.now();
        let house = self.house().await?;
        let checked = self.check(&house, caller, value, Some(&request.kind), now).await?;
        let sealed = self.seal(&Stager::agent(caller), &checked, id, request.revision + 1).await?;
        self.admit(&sealed, now).await?;
        let amended = self.amended(&house, &checked, &sealed, now).await?;
        let effect = checked.effect();
        let mut act = Act::by_agent(id, caller, Command::Amend(Box::new(Amendment(amended))));
        act.writes = stored(caller.agent, checked.inline);
        act.amendment = Some(Staged { sealed, effect });
        act.idempotency = retry.map(|retry| retry.record(id));
        self.act(act).await?;
        Ok(self.agent_request(caller, id).await?)
    }

    /// A request that was just staged, as its agent is told of it.
    async fn as_staged(
        &self,
        house: &House,
        request: Request,
        effect: Vec<EffectPart>,
        now: Timestamp,
    ) -> Result<AgentRequest, StageError> {
        let changed_at = request.staged_at;
        let stored = Stored { request, version: 1, changed_at, effect };
        let decidable = self.decidable(house, stored, now).await?;
        Ok(self.described(&decidable, now).await?)
    }

    pub(crate) async fn seal(
        &self,
        stager: &Stager,
        checked: &Checked,
        id: RequestId,
        revision: u32,
    ) -> Result<Sealed, StageError> {
        let identity = Identity {
            instance: self.instance().await?,
            request_id: id,
            revision,
            agent: stager.agent,
            executor: checked.executor,
            kind: KindRef { name: checked.kind.name.clone(), version: checked.version },
        };
        let revision = Revision::new(identity, checked.body.clone(), checked.evidence.clone());
        Ok(revision.seal().map_err(Failure::defect)?)
    }

    pub(crate) async fn staging(
        &self,
        house: &House,
        stager: &Stager,
        checked: Checked,
        sealed: Sealed,
        now: Timestamp,
    ) -> Result<Change, StageError> {
        let staged = self.staged(house, stager.by, &checked, &sealed, now).await?;
        let id = staged.request;
        let fact = RequestFact::RequestStaged(Box::new(staged.clone()));
        let request = Request::evolve(None, &fact, now).map_err(Failure::defect)?;
        let authority = house.authority(&request, now, []);
        let command = Command::Stage(Box::new(Staging(staged)));
        let facts = apply(None, command, &Context { authority: &authority }, now)?;
        let effect = checked.effect();
        let new = |fact: RequestFact| NewFact {
            at: now,
            actor: stager.by,
            request: Some(id),
            fact: fact.into(),
            texts: Vec::new(),
        };
        Ok(Change {
            expected_epoch: house.epoch(),
            valid_until: request.state_ends_at(),
            request: Some(RequestChange {
                before: None,
                after: request,
                staged: Some(Staged { sealed, effect }),
            }),
            facts: facts.into_iter().map(new).collect(),
            writes: stored(stager.agent, checked.inline),
            ..Change::default()
        })
    }

    async fn staged(
        &self,
        house: &House,
        staged_by: Actor,
        checked: &Checked,
        sealed: &Sealed,
        now: Timestamp,
    ) -> Result<RequestStaged, StageError> {
        let revision = &sealed.revision;
        let risk = self.risk(checked, sealed, now).await?;
        Ok(RequestStaged {
            request: revision.request_id,
            staged_by,
            agent: revision.agent,
            executor: revision.executor,
            kind: revision.kind.clone(),
            environment: revision.environment.clone(),
            revision: revision.revision,
            digest: sealed.digest,
            content_digest: sealed.content_digest,
            requirements: self.required(house, revision, &risk, sealed.digest).await?,
            excluded: excluded(house, revision, now),
            risk,
            review_deadline: checked.review_deadline(now),
            release_ttl_s: checked.kind.release_ttl_s,
            lease_ttl_s: checked.kind.lease_ttl_s,
            report_deadline_s: checked.kind.report_deadline_s,
            window: revision.window,
        })
    }

    async fn amended(
        &self,
        house: &House,
        checked: &Checked,
        sealed: &Sealed,
        now: Timestamp,
    ) -> Result<RequestAmended, StageError> {
        let revision = &sealed.revision;
        let risk = self.risk(checked, sealed, now).await?;
        Ok(RequestAmended {
            amended_by: Actor::Agent(revision.agent),
            environment: revision.environment.clone(),
            revision: revision.revision,
            digest: sealed.digest,
            content_digest: sealed.content_digest,
            requirements: self.required(house, revision, &risk, sealed.digest).await?,
            excluded: excluded(house, revision, now),
            risk,
            review_deadline: checked.review_deadline(now),
            window: revision.window,
        })
    }
}

impl Service {
    /// The risk as we compute it, beside what the agent claims.
    ///
    /// What was staged before is advice to people, so it is read once and not compared again when
    /// the change is committed: of two requests that race, both may be a first time.
    async fn risk(
        &self,
        checked: &Checked,
        sealed: &Sealed,
        now: Timestamp,
    ) -> Result<Risk, StageError> {
        let revision = &sealed.revision;
        // Whether a policy can ever be satisfied for the house's own changes is asked of them as
        // they are without a past: it must not make them another case.
        let history = match is_change(&revision.kind.name) {
            true => None,
            false => Some(self.store.history(sealed, now).await?),
        };
        Ok(assess(RiskInput {
            kind: &checked.kind,
            body: &checked.body,
            self_executed: revision.agent == revision.executor,
            history: history.as_ref(),
            now,
        }))
    }

    /// What the policy in force asks of a revision.
    async fn required(
        &self,
        house: &House,
        revision: &Revision,
        risk: &Risk,
        digest: Digest,
    ) -> Result<Vec<Requirement>, StageError> {
        let in_force = self.in_force(house)?;
        let subject = self.subject(house, revision, risk).await?;
        let ruled = subject.and_then(|subject| Ruled::new(&in_force, subject));
        let ruled = ruled.map_err(|failure| match failure {
            PolicyFailure::NoRequirement => Refusal::NoRequirement.into(),
            failure => StageError::Policy(failure),
        })?;
        let requirements = ruled.requirements().to_vec();
        // It is asked about as soon as it is there.
        self.policies.keep((digest, in_force.version), ruled);
        Ok(requirements)
    }
}

impl Checked {
    fn effect(&self) -> Vec<EffectPart> {
        self.kind.effect_of(&self.body.parameters, &self.body.environment)
    }

    fn review_deadline(&self, now: Timestamp) -> Timestamp {
        let default_deadline = now.plus_seconds(i64::from(self.kind.review_deadline_s));
        let asked = self.body.review_deadline.unwrap_or(default_deadline);
        // An approval after the window's end could never be used.
        self.body.window.map_or(asked, |window| asked.min(window.not_after))
    }
}
