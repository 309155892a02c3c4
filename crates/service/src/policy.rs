//! The policy in force, asked: which reviews a revision needs, who may review, may it be released.
//!
//! INVARIANT: I5. Whatever goes wrong here ends as "no ruling", which `domain` takes for a no.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use domain::{AgentId, Authority, Digest, PersonId, Requirement, Revision, Risk, Ruling};
use policy::{AgentFacts, Policy, PolicyFailure, Reviewer, Subject, SubjectInput};
use store::read::Stored;
use uuid::Uuid;

use crate::caller::ADMINISTRATORS;
use crate::{Failure, Service};

/// Revisions whose ruling is kept: it never changes under one version of the policy.
const KEPT: usize = 1000;

/// The policy in force, read once, and what it said.
#[derive(Default)]
pub(crate) struct Policies {
    parsed: RwLock<Option<InForce>>,
    ruled: Mutex<HashMap<(Digest, u32), Arc<Ruled>>>,
}

/// A revision in the policy's terms, and what the policy asks of it.
struct Ruled {
    subject: Subject,
    ruling: Ruling,
}

/// A policy with its version.
#[derive(Clone)]
pub(crate) struct InForce {
    pub version: u32,
    pub policy: Arc<Policy>,
}

impl InForce {
    /// The groups whose members matter to decisions, beside those that requests name themselves.
    pub fn groups(&self) -> Vec<String> {
        let administrators = [ADMINISTRATORS.to_owned()];
        self.policy.groups().into_iter().chain(administrators).collect()
    }
}

impl Service {
    /// The policy in force.
    ///
    /// # Errors
    /// When there is none, or it cannot be read: nothing is staged, approved or released then.
    pub(crate) async fn in_force(&self) -> Result<InForce, Failure> {
        let stored = self.store.policy().await?;
        let stored = stored.ok_or_else(|| Failure::defect("there is no policy"))?;
        let known = self.policies.parsed.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.version == stored.version) {
            return Ok(known);
        }
        let parsed = Policy::parse(&stored.text).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::Defect(format!("the policy in force cannot be read: {}", lines.join("; ")))
        })?;
        let in_force = InForce { version: stored.version, policy: Arc::new(parsed) };
        *self.policies.parsed.write().unwrap_or_else(PoisonError::into_inner) =
            Some(in_force.clone());
        Ok(in_force)
    }

    /// What the policy asks of a revision that is being staged.
    pub(crate) async fn requirements(
        &self,
        revision: &Revision,
        risk: &Risk,
    ) -> Result<Result<Vec<Requirement>, PolicyFailure>, Failure> {
        let in_force = self.in_force().await?;
        let subject = match self.subject(revision, risk).await? {
            Ok(subject) => subject,
            Err(failure) => return Ok(Err(failure)),
        };
        Ok(in_force.policy.requirements(&subject))
    }

    /// Completes the authority over a stored request with what the policy says now: what it asks,
    /// and which of `people` it does not let review.
    ///
    /// INVARIANT: I9. Called after the epoch was read, so that a newer policy makes what is decided
    /// on the old one stale.
    pub(crate) async fn rule(
        &self,
        stored: &Stored,
        authority: &mut Authority,
        people: People,
    ) -> Result<(), Failure> {
        self.rule_under(&self.in_force().await?, stored, authority, people).await
    }

    /// The same under a policy that was read before, for what is only shown.
    pub(crate) async fn rule_under(
        &self,
        in_force: &InForce,
        stored: &Stored,
        authority: &mut Authority,
        people: People,
    ) -> Result<(), Failure> {
        let ruled = match self.ruled(in_force, stored).await? {
            Ok(ruled) => ruled,
            Err(error) => return no_ruling(stored, &error),
        };
        match forbidden(&in_force.policy, &ruled.subject, authority, people) {
            Ok(forbidden) => authority.forbidden = forbidden,
            Err(error) => return no_ruling(stored, &error),
        }
        authority.ruling = Some(ruled.ruling.clone());
        Ok(())
    }

    async fn ruled(
        &self,
        in_force: &InForce,
        stored: &Stored,
    ) -> Result<Result<Arc<Ruled>, PolicyFailure>, Failure> {
        let request = &stored.request;
        let key = (request.digest, in_force.version);
        let lock = || self.policies.ruled.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(&key).map(Arc::clone);
        if let Some(known) = known {
            return Ok(Ok(known));
        }
        let sealed = self.revision(stored).await?;
        let subject = self.subject(&sealed.revision, &request.risk).await?;
        let ruled = subject.and_then(|subject| {
            let ruling = ruling(&in_force.policy, &subject)?;
            Ok(Arc::new(Ruled { subject, ruling }))
        });
        if let Ok(ruled) = &ruled {
            let mut kept = lock();
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(key, Arc::clone(ruled));
        }
        Ok(ruled)
    }

    /// A revision in the policy's terms.
    pub(crate) async fn subject(
        &self,
        revision: &Revision,
        risk: &Risk,
    ) -> Result<Result<Subject, PolicyFailure>, Failure> {
        let kind = self.store.kind(&revision.kind.name, Some(revision.kind.version)).await?;
        let (kind, _) = kind.ok_or_else(|| Failure::defect("the kind of a revision is gone"))?;
        let agent = self.agent_facts(revision.agent).await?;
        let executor = self.agent_facts(revision.executor).await?;
        let (agent, executor) = (&agent, &executor);
        Ok(Subject::new(SubjectInput { revision, kind: &kind, risk, agent, executor }))
    }

    async fn agent_facts(&self, id: AgentId) -> Result<AgentFacts, Failure> {
        let agent = self.store.agent(id).await?;
        let agent = agent.ok_or_else(|| Failure::defect("an agent is gone"))?;
        // Nobody owns the gate itself: a person of no id, who is in no group.
        let owner = agent.owner.unwrap_or(PersonId(Uuid::nil()));
        Ok(AgentFacts { id, name: agent.name, owner })
    }
}

/// Of whom to ask whether they may review.
#[derive(Clone, Copy)]
pub(crate) enum People {
    /// Of everybody with a say: what a decision rests on.
    Everybody,
    /// Of one person: what a list shows them.
    Only(PersonId),
}

fn ruling(policy: &Policy, subject: &Subject) -> Result<Ruling, PolicyFailure> {
    let requirements = policy.requirements(subject)?;
    let met = requirements.iter().map(|need| need.id.clone()).collect();
    // Whether they are met is for `domain` to say, by assignment: this is what follows if so.
    let permits_release = policy.may_release(subject, &met)?.allowed;
    Ok(Ruling { requirements, permits_release })
}

/// INVARIANT: I5. The authority stays without a ruling: nothing is approved or released on it.
fn no_ruling(stored: &Stored, error: &PolicyFailure) -> Result<(), Failure> {
    tracing::error!(request = %stored.request.id, %error, "the policy gave no answer");
    Ok(())
}

/// The people among those with a say whom the policy does not let review.
fn forbidden(
    policy: &Policy,
    subject: &Subject,
    authority: &Authority,
    people: People,
) -> Result<BTreeSet<PersonId>, PolicyFailure> {
    let everybody: BTreeSet<PersonId> = authority.groups.values().flatten().copied().collect();
    let asked = |person: &PersonId| match people {
        People::Everybody => true,
        People::Only(only) => only == *person,
    };
    let mut forbidden = BTreeSet::new();
    for person in everybody.into_iter().filter(asked) {
        let of = authority.groups.iter().filter(|(_, members)| members.contains(&person));
        let groups = of.map(|(name, _)| name.clone()).collect();
        if !policy.may_review(subject, &Reviewer { person, groups })?.allowed {
            forbidden.insert(person);
        }
    }
    Ok(forbidden)
}
