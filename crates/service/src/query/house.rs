//! People, agents and kinds as pages and the API show them.

use domain::kind::is_change;
use domain::{Actor, AgentId, Kind, StateName};

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::caller::PersonCaller;
use crate::change::STANDING_GROUPS;
use crate::house::key_row;
use crate::query::Names;
use crate::view::{AgentRow, AgentsView, FreezesView, KindView, KindsView, PeopleView, PersonRow};
use crate::{Failure, Service};

impl Service {
    /// Every agent with its keys; key rows only for administrators and auditors.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn agents_view(&self, caller: &PersonCaller) -> Result<AgentsView, Failure> {
        let now = self.now();
        let house = self.house().await?;
        let names = Names::of(&house);
        let mut agents = Vec::new();
        // The gate itself has no keys and no owner.
        for agent in house.agents().iter().filter(|agent| agent.id != AgentId::HOUSE) {
            let keys = match caller.is_auditor() {
                true => Some(self.store.keys_of(&Actor::Agent(agent.id)).await?),
                false => None,
            };
            agents.push(AgentRow {
                pending: self.store.count_of_agent(agent.id, StateName::Pending).await?,
                agent: names.agent(agent.id),
                trusts: match caller.is_auditor() {
                    true => Some(self.trust_rows(agent.id).await?),
                    false => None,
                },
                keys: keys.map(|keys| keys.into_iter().map(|key| key_row(key, now)).collect()),
            });
        }
        let people = house.people().iter().filter(|person| person.active);
        Ok(AgentsView { now, agents, people: people.map(|p| (p.id, p.name.clone())).collect() })
    }

    /// Every person with their groups.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn people_view(&self, _caller: &PersonCaller) -> Result<PeopleView, Failure> {
        let house = self.house().await?;
        let row = |person: store::read::Person| PersonRow {
            id: person.id,
            name: person.name,
            groups: person.groups,
            active: person.active,
            has_password: person.passwords > 0,
            added_at: person.added_at,
        };
        let people: Vec<PersonRow> = house.people().iter().cloned().map(row).collect();
        let standing = STANDING_GROUPS.into_iter().map(str::to_owned);
        let in_force = self.in_force(&house)?;
        let named = in_force.groups().iter().cloned();
        let owning = house.kinds().iter().filter_map(|(kind, _)| kind.owning_group.clone());
        let used = people.iter().flat_map(|person| person.groups.iter().cloned());
        let groups: BTreeSet<String> = standing.chain(named).chain(owning).chain(used).collect();
        Ok(PeopleView { people, groups: groups.into_iter().collect() })
    }

    /// The freezes that are on, and what could be frozen.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn freezes_view(&self, caller: &PersonCaller) -> Result<FreezesView, Failure> {
        let house = self.house().await?;
        let names = Names::of(&house);
        let agents = house.agents().iter().filter(|agent| agent.id != AgentId::HOUSE);
        let kinds = house.kinds().iter().map(|(kind, _)| kind.name.clone());
        Ok(FreezesView {
            now: self.now(),
            freezes: house.freezes().iter().map(|standing| names.freeze(standing)).collect(),
            may_freeze: caller.may_freeze(),
            may_thaw: caller.is_administrator(),
            agents: agents.map(|agent| (agent.id, agent.name.clone())).collect(),
            kinds: kinds.filter(|name| !is_change(name)).collect(),
            environments: self.store.environments().await?,
        })
    }

    /// The catalogue of kinds, each in its newest version.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn kinds_view(&self) -> Result<KindsView, Failure> {
        let now = self.now();
        let view = |(kind, version): &(Arc<Kind>, u32)| {
            let mut kind = Kind::clone(kind);
            kind.example = kind.example_at(now);
            KindView { kind, version: *version }
        };
        let kinds = self.house().await?.kinds().iter().map(view).collect();
        Ok(KindsView { kinds, public_url: self.public_url().to_owned() })
    }
}
