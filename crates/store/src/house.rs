//! The house at one instant: everything about people, agents, keys, kinds, freezes and the policy that
//! decisions rest on.
//!
//! INVARIANT: I9. The authority epoch moves with each of them (`Change::moves_epoch` says so), so
//! a house may be kept for as long as its epoch is the one that the database has, and what was
//! decided on an older one is stale when it is committed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use domain::authority::BREAK_GLASS;
use domain::{
    Actor, AgentId, Authority, Ineligible, Kind, PersonId, Request, Requirement, Timestamp,
    TrustId, name,
};

use crate::read::{Agent, ApiKey, Instance, Person, StandingFreeze, StoredPolicy, Trust};

/// The rows that a house is made of, all of one instant.
#[derive(Debug)]
pub(crate) struct Rows {
    pub instance: Option<Instance>,
    /// By name.
    pub people: Vec<Person>,
    /// By name.
    pub agents: Vec<Agent>,
    /// Keys that were not revoked, by the hash that finds them.
    pub keys: Vec<([u8; 32], ApiKey)>,
    /// Trusts that were not removed.
    pub trusts: Vec<Trust>,
    /// Each kind in its newest version, by name.
    pub kinds: Vec<(Arc<Kind>, u32)>,
    pub policy: Option<StoredPolicy>,
    pub freezes: Vec<StandingFreeze>,
    /// Whose break-glass still waits for a second person, and until when, the most urgent of each.
    pub debts: BTreeMap<PersonId, Timestamp>,
}

/// Everything that authority rests on, as of one epoch.
#[derive(Debug)]
pub struct House {
    rows: Rows,
    people: HashMap<PersonId, usize>,
    agents: HashMap<AgentId, usize>,
    keys: HashMap<[u8; 32], usize>,
    /// Active people only.
    groups: BTreeMap<String, BTreeSet<PersonId>>,
    /// By what their names look like.
    looks: Looks,
    /// To whom a key of each agent was shown, and until when that key lives.
    holders: HashMap<AgentId, Vec<(PersonId, Timestamp)>>,
}

/// People and agents by what their names look like, of which no two look the same.
#[derive(Debug)]
struct Looks {
    people: HashMap<String, PersonId>,
    agents: HashMap<String, AgentId>,
}

impl House {
    pub(crate) fn new(rows: Rows) -> Self {
        let people = rows.people.iter().enumerate().map(|(at, person)| (person.id, at)).collect();
        let agents = rows.agents.iter().enumerate().map(|(at, agent)| (agent.id, at)).collect();
        let keys = rows.keys.iter().enumerate().map(|(at, (hash, _))| (*hash, at)).collect();
        let looks = Looks {
            people: rows.people.iter().map(|one| (name::lookalike(&one.name), one.id)).collect(),
            agents: rows.agents.iter().map(|one| (name::lookalike(&one.name), one.id)).collect(),
        };
        let mut groups: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
        for person in rows.people.iter().filter(|person| person.active) {
            for group in &person.groups {
                groups.entry(group.clone()).or_default().insert(person.id);
            }
        }
        let mut holders: HashMap<AgentId, Vec<_>> = HashMap::new();
        for (_, key) in &rows.keys {
            if let Actor::Agent(agent) = key.holder {
                holders.entry(agent).or_default().push((key.shown_to, key.expires_at));
            }
        }
        Self { rows, people, agents, keys, groups, looks, holders }
    }

    /// The epoch that all of it is as of; `None` before `admin init`.
    pub fn epoch(&self) -> Option<u64> {
        self.rows.instance.map(|instance| instance.epoch)
    }

    /// The installation; `None` before `admin init`.
    pub fn instance(&self) -> Option<Instance> {
        self.rows.instance
    }

    /// Everybody, by name.
    pub fn people(&self) -> &[Person] {
        &self.rows.people
    }

    /// A person, active or not.
    pub fn person(&self, id: PersonId) -> Option<&Person> {
        self.people.get(&id).and_then(|at| self.rows.people.get(*at))
    }

    /// The person whose name looks like this one, active or not.
    pub fn person_named(&self, name: &str) -> Option<&Person> {
        self.looks.people.get(&name::lookalike(name)).and_then(|id| self.person(*id))
    }

    /// The active members of each group that has any.
    pub fn groups(&self) -> &BTreeMap<String, BTreeSet<PersonId>> {
        &self.groups
    }

    /// Every agent, by name.
    pub fn agents(&self) -> &[Agent] {
        &self.rows.agents
    }

    /// An agent, suspended or not.
    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get(&id).and_then(|at| self.rows.agents.get(*at))
    }

    /// The agent whose name looks like this one, suspended or not.
    pub fn agent_named(&self, name: &str) -> Option<&Agent> {
        self.looks.agents.get(&name::lookalike(name)).and_then(|id| self.agent(*id))
    }

    /// The key with this hash, unless it was revoked. Its last use may have been later than it says.
    pub fn key(&self, hash: &[u8; 32]) -> Option<&ApiKey> {
        self.keys.get(hash).and_then(|at| self.rows.keys.get(*at)).map(|(_, key)| key)
    }

    /// Every key that was not revoked.
    pub fn keys(&self) -> impl Iterator<Item = &ApiKey> {
        self.rows.keys.iter().map(|(_, key)| key)
    }

    /// To whom a key of the agent was shown that lives at `now`.
    pub fn key_holders(&self, agent: AgentId, now: Timestamp) -> impl Iterator<Item = PersonId> {
        let shown = self.holders.get(&agent).into_iter().flatten();
        shown.filter(move |(_, expires_at)| now < *expires_at).map(|(person, _)| *person)
    }

    /// The trusts that stand, the oldest first. Their last use may have been later than they say.
    pub fn trusts(&self) -> impl Iterator<Item = &Trust> {
        self.rows.trusts.iter()
    }

    /// A trust that stands.
    pub fn trust(&self, id: TrustId) -> Option<&Trust> {
        self.trusts().find(|trust| trust.id == id)
    }

    /// Who made a trust of the agent that stands.
    pub fn trust_makers(&self, agent: AgentId) -> impl Iterator<Item = PersonId> {
        self.trusts().filter(move |trust| trust.agent == agent).filter_map(|trust| trust.added_by)
    }

    /// Each kind in its newest version, by name.
    pub fn kinds(&self) -> &[(Arc<Kind>, u32)] {
        &self.rows.kinds
    }

    /// The newest version of a kind.
    pub fn kind(&self, name: &str) -> Option<&(Arc<Kind>, u32)> {
        self.rows.kinds.iter().find(|(kind, _)| kind.name == name)
    }

    /// The policy in force.
    pub fn policy(&self) -> Option<&StoredPolicy> {
        self.rows.policy.as_ref()
    }

    /// The freezes that are on, the oldest first.
    pub fn freezes(&self) -> &[StandingFreeze] {
        &self.rows.freezes
    }

    /// Who has no say in what these agents stage and execute at `now`, and why: their owners, and who
    /// could act as them.
    pub fn excluded(&self, agents: [AgentId; 2], now: Timestamp) -> BTreeMap<PersonId, Ineligible> {
        let mut excluded = BTreeMap::new();
        for id in agents {
            for holder in self.key_holders(id, now) {
                // Whoever owns the one and holds a key of the other stays known as its owner.
                excluded.entry(holder).or_insert(Ineligible::HoldsKey);
            }
            for maker in self.trust_makers(id) {
                excluded.entry(maker).or_insert(Ineligible::MadeTrust);
            }
            if let Some(owner) = self.agent(id).and_then(|agent| agent.owner) {
                excluded.insert(owner, Ineligible::OwnsAgent);
            }
        }
        excluded
    }

    /// Who may decide on `request` at `now`. It has the members of the groups that its requirements
    /// name, and of `also`.
    ///
    /// INVARIANT: I5. The policy is not asked here: without its ruling nothing is approved.
    pub fn authority<'a>(
        &self,
        request: &'a Request,
        now: Timestamp,
        also: impl IntoIterator<Item = &'a String>,
    ) -> Authority {
        let named = request.requirements.iter().map(|Requirement { group, .. }| group.as_str());
        let named = named.chain(also.into_iter().map(String::as_str)).chain([BREAK_GLASS]);
        let members = |group: &str| self.groups.get(group).cloned().unwrap_or_default();
        let is_active = |id| self.agent(id).is_some_and(|agent| !agent.suspended);
        let freezes = self.rows.freezes.iter().map(|standing| &standing.freeze);
        Authority {
            groups: named.map(|group| (group.to_owned(), members(group))).collect(),
            excluded: self.excluded([request.agent, request.executor], now),
            frozen: freezes.filter(|freeze| freeze.scope.covers(request)).cloned().collect(),
            owes_review_by: self.rows.debts.clone(),
            ruling: None,
            forbidden: BTreeSet::new(),
            agent_active: is_active(request.agent),
            executor_active: is_active(request.executor),
        }
    }
}
