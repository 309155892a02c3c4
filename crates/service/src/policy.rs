//! The policy in force, asked: which reviews a revision needs, who may review, may it be released.
//!
//! INVARIANT: I5. Whatever goes wrong here ends as "no ruling", which `domain` takes for a no.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use domain::{AgentId, Authority, Digest, PersonId, Request, Requirement, Revision, Risk, Ruling};
use lru::LruCache;
use policy::{AgentFacts, Policy, PolicyFailure, Reviewer, Subject, SubjectInput};
use store::House;
use uuid::Uuid;

use crate::caller::ADMINISTRATORS;
use crate::{Failure, Service};

/// Revisions whose ruling is kept: it never changes under one version of the policy.
const KEPT: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// The policy in force, read once, and what it said of the revisions that were asked about last.
pub(crate) struct Policies {
    parsed: RwLock<Option<InForce>>,
    ruled: Mutex<LruCache<(Digest, u32), Arc<Ruled>>>,
}

impl Default for Policies {
    fn default() -> Self {
        Self { parsed: RwLock::default(), ruled: Mutex::new(LruCache::new(KEPT)) }
    }
}

/// A revision in the policy's terms, and what the policy says of it.
pub(crate) struct Ruled {
    subject: Subject,
    ruling: Ruling,
    /// Who may review it, each as a member of which groups.
    reviewers: Mutex<HashMap<PersonId, (Vec<String>, bool)>>,
}

/// A policy with its version.
#[derive(Clone)]
pub(crate) struct InForce {
    pub version: u32,
    pub policy: Arc<Policy>,
    groups: Arc<[String]>,
}

impl InForce {
    /// The groups whose members matter to decisions, beside those that requests name themselves.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }
}

impl Service {
    /// The policy in force.
    ///
    /// # Errors
    /// When there is none, or it cannot be read: nothing is staged, approved or released then.
    pub(crate) fn in_force(&self, house: &House) -> Result<InForce, Failure> {
        let stored = house.policy().ok_or_else(|| Failure::defect("there is no policy"))?;
        let known = self.policies.parsed.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.version == stored.version) {
            return Ok(known);
        }
        let parsed = Policy::parse(&stored.text).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::Defect(format!("the policy in force cannot be read: {}", lines.join("; ")))
        })?;
        let groups = parsed.groups().into_iter().chain([ADMINISTRATORS.to_owned()]).collect();
        let (version, policy) = (stored.version, Arc::new(parsed));
        let in_force = InForce { version, policy, groups };
        *self.policies.parsed.write().unwrap_or_else(PoisonError::into_inner) =
            Some(in_force.clone());
        Ok(in_force)
    }

    /// What the policy says of a stored request; `None` where it gives no answer.
    ///
    /// INVARIANT: I5. Without a ruling nothing is approved or released.
    pub(crate) async fn ruled(
        &self,
        house: &House,
        in_force: &InForce,
        request: &Request,
    ) -> Result<Option<Arc<Ruled>>, Failure> {
        let key = (request.digest, in_force.version);
        let lock = || self.policies.ruled.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(&key).map(Arc::clone);
        if known.is_some() {
            return Ok(known);
        }
        let revision = self.sealed(request).await?.revision;
        let subject = self.subject(house, &revision, &request.risk).await?;
        match subject.and_then(|subject| Ruled::new(in_force, subject)) {
            Ok(ruled) => Ok(Some(self.policies.keep(key, ruled))),
            Err(error) => {
                no_ruling(request, &error);
                Ok(None)
            }
        }
    }

    /// A revision in the policy's terms.
    pub(crate) async fn subject(
        &self,
        house: &House,
        revision: &Revision,
        risk: &Risk,
    ) -> Result<Result<Subject, PolicyFailure>, Failure> {
        let kind = self.kind(house, &revision.kind.name, revision.kind.version).await?;
        let agent = agent_facts(house, revision.agent)?;
        let executor = agent_facts(house, revision.executor)?;
        let (kind, agent, executor) = (&kind, &agent, &executor);
        Ok(Subject::new(SubjectInput { revision, kind, risk, agent, executor }))
    }
}

fn agent_facts(house: &House, id: AgentId) -> Result<AgentFacts, Failure> {
    let agent = house.agent(id).ok_or_else(|| Failure::defect("an agent is gone"))?;
    // Nobody owns the gate itself: a person of no id, who is in no group.
    let owner = agent.owner.unwrap_or(PersonId(Uuid::nil()));
    Ok(AgentFacts { id, name: agent.name.clone(), owner })
}

impl Policies {
    /// Keeps what was ruled under `key`.
    pub(crate) fn keep(&self, key: (Digest, u32), ruled: Ruled) -> Arc<Ruled> {
        let ruled = Arc::new(ruled);
        let mut kept = self.ruled.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(key, Arc::clone(&ruled));
        ruled
    }
}

impl Ruled {
    /// Asks the policy about a revision.
    pub(crate) fn new(in_force: &InForce, subject: Subject) -> Result<Self, PolicyFailure> {
        let requirements = in_force.policy.requirements(&subject)?;
        let met = requirements.iter().map(|need| need.id.clone()).collect();
        // Whether they are met is for `domain` to say, by assignment: this is what follows if so.
        let permits_release = in_force.policy.may_release(&subject, &met)?.allowed;
        let ruling = Ruling { requirements, permits_release };
        Ok(Self { subject, ruling, reviewers: Mutex::default() })
    }

    /// What the policy asks of the revision.
    pub(crate) fn requirements(&self) -> &[Requirement] {
        &self.ruling.requirements
    }

    /// The groups that it asks for.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &String> {
        self.ruling.requirements.iter().map(|need| &need.group)
    }

    /// Completes an authority with the ruling, and with whom of `people` it does not let review.
    pub(crate) fn complete(
        &self,
        in_force: &InForce,
        authority: &mut Authority,
        people: People,
        request: &Request,
    ) {
        match self.forbidden(&in_force.policy, authority, people) {
            Ok(forbidden) => {
                authority.forbidden = forbidden;
                authority.ruling = Some(self.ruling.clone());
            }
            Err(error) => no_ruling(request, &error),
        }
    }

    /// The people among those with a say whom the policy does not let review.
    fn forbidden(
        &self,
        policy: &Policy,
        authority: &Authority,
        people: People,
    ) -> Result<BTreeSet<PersonId>, PolicyFailure> {
        let asked: BTreeSet<PersonId> = match people {
            People::Everybody => authority.groups.values().flatten().copied().collect(),
            People::Only(person) => [person].into(),
        };
        let mut forbidden = BTreeSet::new();
        for person in asked {
            let of = authority.groups.iter().filter(|(_, members)| members.contains(&person));
            let groups: Vec<String> = of.map(|(name, _)| name.clone()).collect();
            if !groups.is_empty() && !self.may_review(policy, person, groups)? {
                forbidden.insert(person);
            }
        }
        Ok(forbidden)
    }

    /// Whether the policy lets a person of these groups review; it always says the same.
    fn may_review(
        &self,
        policy: &Policy,
        person: PersonId,
        groups: Vec<String>,
    ) -> Result<bool, PolicyFailure> {
        let lock = || self.reviewers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, may)) = lock().get(&person).filter(|(known, _)| *known == groups) {
            return Ok(*may);
        }
        let reviewer = Reviewer { person, groups: groups.iter().cloned().collect() };
        let may = policy.may_review(&self.subject, &reviewer)?.allowed;
        lock().insert(person, (groups, may));
        Ok(may)
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

/// INVARIANT: I5. The authority stays without a ruling: nothing is approved or released on it.
fn no_ruling(request: &Request, error: &PolicyFailure) {
    tracing::error!(request = %request.id, %error, "the policy gave no answer");
}
