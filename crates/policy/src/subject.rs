//! What is decided on: one revision, put into the schema's terms.

mod parameters;

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entities, Entity, EntityUid, RestrictedExpression};
use domain::{AgentId, Kind, PersonId, Revision, Risk, RiskLevel};

use crate::PolicyFailure;
use crate::vocabulary::{Vocabulary, vocabulary};
use parameters::Parameters;

/// An agent as a policy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentFacts {
    pub id: AgentId,
    pub name: String,
    pub owner: PersonId,
}

/// What a subject is made of.
#[derive(Clone, Copy, Debug)]
pub struct SubjectInput<'a> {
    pub revision: &'a Revision,
    /// In the version that the revision names.
    pub kind: &'a Kind,
    /// As computed; never as claimed.
    pub risk: &'a Risk,
    pub agent: &'a AgentFacts,
    pub executor: &'a AgentFacts,
}

/// One revision, ready to be decided on.
#[derive(Clone, Debug)]
pub struct Subject {
    pub(crate) entities: Entities,
    pub(crate) resource: EntityUid,
    pub(crate) executor: EntityUid,
    pub(crate) kind: String,
    pub(crate) owning_group: Option<String>,
}

type Attributes = HashMap<String, RestrictedExpression>;

impl Subject {
    /// Puts a revision into the schema's terms; the result is checked against the schema.
    ///
    /// # Errors
    /// When parts of the input do not belong together, or a value has no form in the schema.
    pub fn new(input: SubjectInput<'_>) -> Result<Self, PolicyFailure> {
        belongs_together(&input)?;
        let words = vocabulary()?;
        let id = input.revision.request_id;
        let parameters = Parameters::of(input.revision, input.kind)?;
        let agent = agent(words, input.agent)?;
        let mut entities = vec![kind(words, &input)?, request(words, &input)?];
        if input.agent.id != input.executor.id {
            entities.push(self::agent(words, input.executor)?);
        }
        entities.push(agent);
        entities.extend(parameters.entities(words, id)?);
        let entities = Entities::from_entities(entities, Some(&words.schema)).map_err(engine)?;
        Ok(Self {
            entities,
            resource: words.request(id),
            executor: words.agent(input.executor.id),
            kind: input.kind.name.clone(),
            owning_group: input.kind.owning_group.clone(),
        })
    }
}

/// SECURITY: names, owners and risk come from beside the revision; a mix-up must not decide.
fn belongs_together(input: &SubjectInput<'_>) -> Result<(), PolicyFailure> {
    let revision = input.revision;
    let wrong =
        |field, message: &str| Err(PolicyFailure::Subject { field, message: message.to_owned() });
    if revision.kind.name != input.kind.name {
        return wrong("kind", "it is of another kind");
    }
    if revision.agent != input.agent.id {
        return wrong("agent", "another agent staged it");
    }
    if revision.executor != input.executor.id {
        return wrong("executor", "it names another executor");
    }
    if input.agent.id == input.executor.id && input.agent != input.executor {
        return wrong("executor", "one agent has two descriptions");
    }
    Ok(())
}

fn agent(words: &Vocabulary, facts: &AgentFacts) -> Result<Entity, PolicyFailure> {
    let attributes = [
        ("name", text(&facts.name)),
        ("owner", RestrictedExpression::new_entity_uid(words.person(facts.owner))),
    ];
    entity(words.agent(facts.id), attributes)
}

fn kind(words: &Vocabulary, input: &SubjectInput<'_>) -> Result<Entity, PolicyFailure> {
    let owner =
        input.kind.owning_group.as_ref().map(|group| {
            ("owning_group", RestrictedExpression::new_entity_uid(words.group(group)))
        });
    let attributes = [
        ("name", text(&input.kind.name)),
        ("version", number(input.revision.kind.version)),
        ("base_risk", number(level(input.kind.base_risk))),
    ];
    entity(words.kind(&input.kind.name), attributes.into_iter().chain(owner))
}

fn request(words: &Vocabulary, input: &SubjectInput<'_>) -> Result<Entity, PolicyFailure> {
    let revision = input.revision;
    let id = revision.request_id;
    let plan = revision.rollback_plan.as_ref();
    let tested = plan.is_some_and(|plan| plan.tested_at.is_some());
    let refer = RestrictedExpression::new_entity_uid;
    let yes = RestrictedExpression::new_bool;
    let evidence = revision.evidence.iter().map(|item| item.evidence_type.as_str());
    let attributes = [
        ("kind", refer(words.kind(&input.kind.name))),
        ("revision", number(revision.revision)),
        ("agent", refer(words.agent(revision.agent))),
        ("executor", refer(words.agent(revision.executor))),
        ("self_executed", yes(revision.agent == revision.executor)),
        ("environment", text(&revision.environment)),
        ("production", yes(domain::risk::is_production(&revision.environment))),
        ("reversible", yes(input.kind.reversible)),
        ("risk", number(level(input.risk.level))),
        ("risk_facts", set(risk_facts(input.risk)?.iter().map(String::as_str))),
        ("targets", set(revision.targets.iter().map(String::as_str))),
        ("evidence", set(evidence)),
        ("has_command", yes(revision.command.is_some())),
        ("has_rollback_plan", yes(plan.is_some())),
        ("rollback_tested", yes(tested)),
        ("numbers", refer(words.numbers(id))),
        ("texts", refer(words.texts(id))),
        ("lists", refer(words.lists(id))),
        ("flags", refer(words.flags(id))),
    ];
    entity(words.request(id), attributes)
}

/// The codes in the words that the API uses.
fn risk_facts(risk: &Risk) -> Result<Vec<String>, PolicyFailure> {
    let code = |code| match serde_json::to_value(code) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(PolicyFailure::Subject { field: "risk", message: "a fact has no code".into() }),
    };
    risk.facts.iter().map(|fact| code(fact.code)).collect()
}

/// 1 low, 2 medium, 3 high.
fn level(level: RiskLevel) -> u32 {
    match level {
        RiskLevel::Low => 1,
        RiskLevel::Medium => 2,
        RiskLevel::High => 3,
    }
}

fn entity(
    uid: EntityUid,
    attributes: impl IntoIterator<Item = (&'static str, RestrictedExpression)>,
) -> Result<Entity, PolicyFailure> {
    let attributes: Attributes =
        attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Entity::new(uid, attributes, HashSet::new()).map_err(engine)
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn number(value: u32) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::from(value))
}

pub(crate) fn set<'a>(values: impl IntoIterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(values.into_iter().map(text))
}

pub(crate) fn engine(error: impl std::fmt::Display) -> PolicyFailure {
    PolicyFailure::Engine(error.to_string())
}
