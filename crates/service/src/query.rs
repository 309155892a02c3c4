//! Reads for people and agents: authorised, names resolved, nothing left to look up.

mod agent;
mod amendment;
mod evidence;
mod house;
mod ledger;
mod lists;
mod policy;
mod proposal;
mod request;

use std::sync::Arc;

use domain::revision::Sealed;
use domain::{Actor, AgentId, Digest, FreezeScope, PersonId, Request, RequestId};
use store::House;
use store::port::opened_revision;
use store::read::{StandingFreeze, Stored};

use crate::act::ActError;
use crate::caller::{AgentCaller, PersonCaller};
use crate::current::Seen;
use crate::view::{AgentRef, FreezeRow, FreezeScopeView};
use crate::{Failure, Service};

pub use agent::{AgentList, AgentRequest, AgentRequirement, AgentRisk};
pub use ledger::{LedgerEntry, LedgerHead, MAX_ENTRIES};
pub use lists::HistoryQuery;

/// Names of people and agents.
pub(crate) struct Names(Arc<House>);

impl Names {
    pub(crate) fn of(house: &Arc<House>) -> Self {
        Self(Arc::clone(house))
    }

    pub(crate) fn person(&self, id: PersonId) -> String {
        self.0
            .person(id)
            .map_or_else(|| "somebody unknown".to_owned(), |person| person.name.clone())
    }

    pub(crate) fn agent(&self, id: AgentId) -> AgentRef {
        let Some(agent) = self.0.agent(id) else {
            let (name, owner) = ("an unknown agent".to_owned(), "nobody".to_owned());
            return AgentRef { id, name, owner, suspended: true };
        };
        let owner = agent.owner.and_then(|owner| self.0.person(owner));
        let owner = owner.map(|owner| owner.name.clone()).unwrap_or_default();
        AgentRef { id, name: agent.name.clone(), owner, suspended: agent.suspended }
    }

    pub(crate) fn freeze(&self, standing: &StandingFreeze) -> FreezeRow {
        let by = standing.by.map_or_else(|| "the operator".to_owned(), |by| self.person(by));
        FreezeRow {
            id: standing.freeze.id,
            scope: match &standing.freeze.scope {
                FreezeScope::All => FreezeScopeView::All,
                FreezeScope::Agent(agent) => FreezeScopeView::Agent(self.agent(*agent).name),
                FreezeScope::Kind(name) => FreezeScopeView::Kind(name.clone()),
                FreezeScope::Environment(name) => FreezeScopeView::Environment(name.clone()),
            },
            halts: standing.freeze.halts,
            at: standing.at,
            by,
            reason: standing.reason.clone(),
        }
    }

    pub(crate) fn actor(&self, actor: Actor) -> String {
        match actor {
            Actor::Person(id) => self.person(id),
            Actor::Agent(id) => self.agent(id).name,
            Actor::System => "Countersign".to_owned(),
        }
    }
}

impl Service {
    /// A request that the person may see, with its revision checked against its digest.
    pub(crate) async fn visible_revision(
        &self,
        caller: &PersonCaller,
        id: RequestId,
    ) -> Result<(Stored, Sealed), ActError> {
        let house = self.house().await?;
        let stored = self.store.load(id).await?.ok_or(ActError::NotFound)?;
        may_see(caller, &house, &stored.request)?;
        let sealed = self.sealed(&stored.request).await?;
        Ok((stored, sealed))
    }

    /// A request that the person may see and act on, with its revision checked against its digest.
    pub(crate) async fn seen_by(
        &self,
        caller: &PersonCaller,
        id: RequestId,
    ) -> Result<Seen, ActError> {
        let seen = self.see(id).await?;
        may_see(caller, &seen.house, &seen.recorded.stored.request)?;
        opened(&seen.recorded.stored.request, seen.recorded.revision.as_ref())?;
        Ok(seen)
    }

    /// The same for an agent that staged or executes it; any other does not exist for it.
    pub(crate) async fn seen_by_agent(
        &self,
        caller: &AgentCaller,
        id: RequestId,
    ) -> Result<Seen, ActError> {
        let seen = self.see(id).await?;
        if !caller.has_part_in(&seen.recorded.stored.request) {
            return Err(ActError::NotFound);
        }
        opened(&seen.recorded.stored.request, seen.recorded.revision.as_ref())?;
        Ok(seen)
    }

    /// The current revision of a request, checked against its digest.
    pub(crate) async fn sealed(&self, request: &Request) -> Result<Sealed, Failure> {
        let found = self.store.revision(request.id, request.revision).await?;
        opened(request, found.as_ref())
    }

    /// A request that the agent staged or executes; any other does not exist for it. Whether the key
    /// reaches as far is asked when something is done about it.
    pub(crate) async fn of_agent(
        &self,
        caller: &AgentCaller,
        id: RequestId,
    ) -> Result<Stored, ActError> {
        let stored = self.store.load(id).await?;
        stored.filter(|stored| caller.has_part_in(&stored.request)).ok_or(ActError::NotFound)
    }

    /// A request that the agent may read by the key that it showed: what lies outside of the key's
    /// scope does not exist for it either.
    pub(crate) async fn visible_to_agent(
        &self,
        house: &House,
        caller: &AgentCaller,
        id: RequestId,
    ) -> Result<Stored, ActError> {
        let scope = self.scope_of(house, caller).ok_or(ActError::KeyDead)?;
        let stored = self.of_agent(caller, id).await?;
        let (kind, environment) = (&stored.request.kind.name, &stored.request.environment);
        if scope.covers(kind, environment) { Ok(stored) } else { Err(ActError::NotFound) }
    }
}

/// A revision that was found back, if it is what the request's digest names.
///
/// SECURITY: E11. The bytes must be what the reviewed digest names, not only what the row says.
fn opened(request: &Request, found: Option<&(Vec<u8>, Digest)>) -> Result<Sealed, Failure> {
    let id = request.id;
    let (bytes, digest) =
        found.ok_or_else(|| Failure::defect(format!("request {id} has no revision")))?;
    if *digest != request.digest {
        return Err(Failure::defect(format!("request {id} and its revision disagree")));
    }
    Ok(opened_revision(id, bytes.clone(), *digest)?)
}

/// Whether the request is there for this person.
fn may_see(caller: &PersonCaller, house: &House, request: &Request) -> Result<(), ActError> {
    let Some(agents) = only_agents_of(caller, house) else { return Ok(()) };
    let own = [request.agent, request.executor].iter().any(|agent| agents.contains(agent));
    if own { Ok(()) } else { Err(ActError::NotFound) }
}

/// The agents that the person owns, unless they see everything.
pub(crate) fn only_agents_of(caller: &PersonCaller, house: &House) -> Option<Vec<AgentId>> {
    if caller.sees_all() {
        return None;
    }
    let own = house.agents().iter().filter(|agent| agent.owner == Some(caller.id()));
    Some(own.map(|agent| agent.id).collect())
}
