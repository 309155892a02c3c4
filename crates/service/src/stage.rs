//! Staging: an agent puts a sensitive action before people.

use std::collections::BTreeSet;

use domain::canonical::{self, Malformed};
use domain::fact::RequestStaged;
use domain::revision::{EvidenceDescriptor, Identity, Sealed};
use domain::risk::{RiskInput, assess};
use domain::stage::{EvidenceItem, FieldError};
use domain::{
    Actor, AgentId, Command, Context, Digest, Ineligible, Kind, KindRef, PersonId, Refusal,
    Request, RequestFact, RequestId, Revision, StageBody, Staging, Timestamp, apply, name,
};
use serde_json::Value;
use store::change::{Idempotency, Staged};
use store::{Change, NewFact, RequestChange, StoreError, Write};

use crate::caller::AgentCaller;
use crate::{Failure, Service, policy};

/// How often staging is tried again when people or kinds change under it.
const TRIES: usize = 5;

/// Why nothing was staged.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the stage body breaks {} rules", .0.len())]
    Invalid(Vec<FieldError>),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the idempotency key was used with another body")]
    KeyReused,
    /// The key that the caller showed was revoked or expired while the call was under way.
    #[error("the key no longer lives")]
    KeyDead,
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for StageError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

/// What staging answers.
#[derive(Clone, Copy, Debug)]
pub struct StageAnswer {
    pub id: RequestId,
    /// The same request was staged before under the same idempotency key.
    pub replayed: bool,
}

/// A stage body that holds by itself, with what it refers to.
struct Checked {
    body: StageBody,
    kind: Kind,
    version: u32,
    executor: AgentId,
    evidence: Vec<EvidenceDescriptor>,
    inline: Vec<Vec<u8>>,
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
        let value = canonical::parse(body)?;
        let fingerprint = Digest::of(&canonical::to_bytes(&value).map_err(Failure::defect)?);
        let scope = format!("agent {} stage", caller.agent);
        if let Some(key) = key
            && let Some(used) = self.store.idempotency(&scope, key).await?
        {
            return replay(used, fingerprint);
        }
        for _ in 0..TRIES {
            let now = self.now();
            // INVARIANT: I9. Kind, executor and owners are read under this epoch.
            let epoch = self.store.instance().await?.map_or(0, |instance| instance.epoch);
            if !self.key_lives(caller).await? {
                return Err(StageError::KeyDead);
            }
            let checked = self.check(caller, &value, now).await?;
            let id = RequestId(self.entropy.id(now)?);
            let sealed = self.seal(caller, &checked, id).await?;
            let mut change = self.staging(caller, checked, sealed, now).await?;
            change.expected_epoch = Some(epoch);
            change.idempotency = key.map(|key| Idempotency {
                scope: scope.clone(),
                key: key.to_owned(),
                fingerprint,
                request: id,
            });
            match self.commit(change).await {
                Ok(_) => return Ok(StageAnswer { id, replayed: false }),
                Err(StoreError::KeyUsed(used)) => return replay(used, fingerprint),
                Err(StoreError::Stale | StoreError::TooLate) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unavailable("people or kinds change too fast".into()).into())
    }

    async fn check(
        &self,
        caller: &AgentCaller,
        value: &Value,
        now: Timestamp,
    ) -> Result<Checked, StageError> {
        let errors = self.schemas.check_stage_body(value);
        if !errors.is_empty() {
            return Err(StageError::Invalid(errors));
        }
        let body: StageBody = serde_json::from_value(value.clone())
            .map_err(|error| StageError::Invalid(vec![FieldError::new("", error.to_string())]))?;
        let Some((kind, version)) = self.store.kind(&body.kind, None).await? else {
            let names: Vec<String> =
                self.store.kinds().await?.into_iter().map(|(kind, _)| kind.name).collect();
            let unknown = FieldError::new("/kind", "is not a kind of the catalogue");
            return Err(StageError::Invalid(vec![unknown.limit(names.join(", "))]));
        };
        let parameters = Value::Object(body.parameters.clone());
        let mut errors = self.schemas.check_parameters(&kind, version, &parameters)?;
        errors.extend(body.check(now));
        errors.extend(missing(&kind, &body));
        if let Some(person) = body.on_behalf_of
            && self.store.person(person).await?.is_none()
        {
            errors.push(FieldError::new("/on_behalf_of", "is not the id of a person"));
        }
        let mut evidence = Vec::new();
        let mut inline = Vec::new();
        for (index, item) in body.evidence.iter().enumerate() {
            match self.resolve(caller, item, &mut inline).await? {
                Some(descriptor) => evidence.push(descriptor),
                None => errors.push(FieldError::new(
                    format!("/evidence/{index}/digest"),
                    "is not the digest of anything that this agent uploaded",
                )),
            }
        }
        if !errors.is_empty() {
            return Err(StageError::Invalid(errors));
        }
        let executor = self.executor(caller, &kind).await?;
        Ok(Checked { body, kind, version, executor, evidence, inline })
    }

    /// The descriptor of a piece of evidence; inline content is put aside to be stored.
    async fn resolve(
        &self,
        caller: &AgentCaller,
        item: &EvidenceItem,
        inline: &mut Vec<Vec<u8>>,
    ) -> Result<Option<EvidenceDescriptor>, StageError> {
        let found = match (&item.content, item.digest) {
            (Some(content), _) => {
                let bytes = content.as_bytes().to_vec();
                let found = (Digest::of(&bytes), bytes.len() as u64);
                inline.push(bytes);
                Some(found)
            }
            (None, Some(digest)) => {
                let size = self.store.evidence_size(caller.agent, digest).await?;
                size.map(|size| (digest, size))
            }
            (None, None) => None,
        };
        Ok(found.map(|(digest, size_bytes)| EvidenceDescriptor {
            evidence_type: item.evidence_type.clone(),
            name: item.name.clone(),
            media_type: item.media_type.clone(),
            digest,
            size_bytes,
            source: item.source.clone(),
            collected_at: item.collected_at,
        }))
    }

    async fn executor(&self, caller: &AgentCaller, kind: &Kind) -> Result<AgentId, StageError> {
        let Some(wanted) = &kind.executor else { return Ok(caller.agent) };
        let lookalike = name::lookalike(wanted);
        let agents = self.store.agents().await?;
        let found = agents.iter().find(|agent| name::lookalike(&agent.name) == lookalike);
        found.map(|agent| agent.id).ok_or_else(|| {
            let detail = "names an executor that does not exist; an administrator must add it";
            StageError::Invalid(vec![FieldError::new("/kind", detail).limit(wanted)])
        })
    }

    async fn seal(
        &self,
        caller: &AgentCaller,
        checked: &Checked,
        id: RequestId,
    ) -> Result<Sealed, StageError> {
        let identity = Identity {
            instance: self.instance().await?,
            request_id: id,
            revision: 1,
            agent: caller.agent,
            executor: checked.executor,
            kind: KindRef { name: checked.kind.name.clone(), version: checked.version },
        };
        let revision = Revision::new(identity, checked.body.clone(), checked.evidence.clone());
        Ok(revision.seal().map_err(Failure::defect)?)
    }

    async fn staging(
        &self,
        caller: &AgentCaller,
        checked: Checked,
        sealed: Sealed,
        now: Timestamp,
    ) -> Result<Change, StageError> {
        let staged = self.staged(&checked, &sealed, now).await?;
        let id = staged.request;
        let fact = RequestFact::RequestStaged(Box::new(staged.clone()));
        let request = Request::evolve(None, &fact, now).map_err(Failure::defect)?;
        let (authority, _) = self.store.authority_for(&request, now).await?;
        let command = Command::Stage(Box::new(Staging(staged)));
        let facts = apply(None, command, &Context { authority: &authority }, now)?;
        let effect = checked.kind.effect_of(&checked.body.parameters, &checked.body.environment);
        let actor = Actor::Agent(caller.agent);
        let new = |fact: RequestFact| NewFact {
            at: now,
            actor,
            request: Some(id),
            fact: fact.into(),
            texts: Vec::new(),
        };
        let evidence = |bytes: Vec<u8>| Write::Evidence {
            agent: caller.agent,
            digest: Digest::of(&bytes),
            bytes,
        };
        Ok(Change {
            valid_until: request.due_at(),
            request: Some(RequestChange {
                expected_version: None,
                after: request,
                staged: Some(Staged { sealed, effect }),
            }),
            facts: facts.into_iter().map(new).collect(),
            writes: checked.inline.into_iter().map(evidence).collect(),
            ..Change::default()
        })
    }

    async fn staged(
        &self,
        checked: &Checked,
        sealed: &Sealed,
        now: Timestamp,
    ) -> Result<RequestStaged, StageError> {
        let revision = &sealed.revision;
        let body = &checked.body;
        let plan = body.rollback_plan.as_ref();
        let risk = assess(RiskInput {
            kind: &checked.kind,
            environment: &body.environment,
            self_executed: revision.agent == revision.executor,
            rollback_plan: plan.is_some(),
            rollback_tested: plan.is_some_and(|plan| plan.tested_at.is_some()),
            claimed: body.risk.level,
        });
        let default_deadline = now.plus_seconds(i64::from(checked.kind.review_deadline_s));
        // An approval after the window's end could never be used.
        let asked = body.review_deadline.unwrap_or(default_deadline);
        let review_deadline = body.window.map_or(asked, |window| asked.min(window.not_after));
        Ok(RequestStaged {
            request: revision.request_id,
            agent: revision.agent,
            executor: revision.executor,
            kind: revision.kind.clone(),
            revision: revision.revision,
            digest: sealed.digest,
            content_digest: sealed.content_digest,
            requirements: policy::requirements(),
            excluded: self.excluded(revision).await?,
            risk,
            review_deadline,
            release_ttl_s: checked.kind.release_ttl_s,
            report_deadline_s: checked.kind.report_deadline_s,
            window: body.window,
        })
    }

    /// Who is excluded for good: owners and holders of living keys at this moment, and the person
    /// it is done for.
    async fn excluded(
        &self,
        revision: &Revision,
    ) -> Result<Vec<(PersonId, Ineligible)>, StageError> {
        let mut excluded = Vec::new();
        let agents: BTreeSet<AgentId> = [revision.agent, revision.executor].into();
        for id in agents {
            if let Some(agent) = self.store.agent(id).await? {
                excluded.push((agent.owner, Ineligible::OwnsAgent));
            }
            let now = self.now();
            let living = self.store.keys_of(id).await?.into_iter().filter(|key| key.lives(now));
            for holder in living.map(|key| key.shown_to) {
                if excluded.iter().all(|(person, _)| *person != holder) {
                    excluded.push((holder, Ineligible::HoldsKey));
                }
            }
        }
        excluded.extend(revision.on_behalf_of.map(|person| (person, Ineligible::ActsOnBehalf)));
        Ok(excluded)
    }
}

fn replay(
    used: store::read::IdempotencyRecord,
    fingerprint: Digest,
) -> Result<StageAnswer, StageError> {
    if used.fingerprint == fingerprint {
        Ok(StageAnswer { id: used.request, replayed: true })
    } else {
        Err(StageError::KeyReused)
    }
}

/// What the kind asks for and the body lacks.
fn missing(kind: &Kind, body: &StageBody) -> Vec<FieldError> {
    let given: BTreeSet<&str> =
        body.evidence.iter().map(|item| item.evidence_type.as_str()).collect();
    let lacking = kind.required_evidence.iter().filter(|wanted| !given.contains(wanted.as_str()));
    let mut errors: Vec<FieldError> = lacking
        .map(|wanted| {
            FieldError::new("/evidence", format!("lacks evidence of the type `{wanted}`"))
                .limit(kind.required_evidence.join(", "))
        })
        .collect();
    if kind.rollback_plan_required && body.rollback_plan.is_none() {
        errors.push(FieldError::new("/rollback_plan", "is required by this kind"));
    }
    errors
}
