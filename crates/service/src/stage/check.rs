//! What a stage body has to hold before anything is made of it, and what it refers to.

use std::sync::Arc;

use domain::kind::is_change;
use domain::revision::EvidenceDescriptor;
use domain::stage::FieldError;
use domain::{AgentId, Ineligible, Kind, KindRef, PersonId, Revision, StageBody, Timestamp};
use serde_json::Value;
use store::House;

use super::StageError;
use crate::act::ActError;
use crate::caller::AgentCaller;
use crate::{Service, schema};

/// A stage body that holds by itself, with what it refers to.
pub(crate) struct Checked {
    pub body: StageBody,
    pub kind: Arc<Kind>,
    pub version: u32,
    pub executor: AgentId,
    pub evidence: Vec<EvidenceDescriptor>,
    /// The content of the evidence that came inline.
    pub inline: Vec<Vec<u8>>,
}

impl Service {
    /// Checks a body against the stage body's schema, its kind, and what is there; `amended` is the
    /// kind of the request that it amends, whose version it keeps.
    pub(super) async fn check(
        &self,
        house: &House,
        caller: &AgentCaller,
        value: &Value,
        amended: Option<&KindRef>,
        now: Timestamp,
    ) -> Result<Checked, StageError> {
        let errors = self.schemas.check_stage_body(value);
        if !errors.is_empty() {
            return Err(StageError::Invalid(errors));
        }
        let body: StageBody =
            schema::read(value).map_err(|error| StageError::Invalid(vec![error]))?;
        let scope = self.scope_of(house, caller).ok_or(ActError::KeyDead)?;
        scope.expect(&body.kind, &body.environment)?;
        if let Some(amended) = amended.filter(|amended| amended.name != body.kind) {
            let other = FieldError::new("/kind", "stays the kind of the request that is amended");
            return Err(StageError::Invalid(vec![other.limit(&amended.name)]));
        }
        // SECURITY: I10. What the house is made of is changed by people, not by agents.
        if is_change(&body.kind) {
            let detail = "is staged by a person on the dashboard, never by an agent";
            return Err(StageError::Invalid(vec![FieldError::new("/kind", detail)]));
        }
        let Some((newest, version)) = house.kind(&body.kind) else {
            let names = house.kinds().iter().map(|(kind, _)| &*kind.name);
            let names: Vec<&str> = names.filter(|name| !is_change(name)).collect();
            let unknown = FieldError::new("/kind", "is not a kind of the catalogue");
            return Err(StageError::Invalid(vec![unknown.limit(names.join(", "))]));
        };
        let (kind, version) = match amended {
            Some(old) => (self.kind(house, &old.name, old.version).await?, old.version),
            None => (Arc::clone(newest), *version),
        };
        let parameters = Value::Object(body.parameters.clone());
        let mut errors = self.schemas.check_parameters(&kind, version, &parameters)?;
        errors.extend(body.check(now));
        errors.extend(kind.check_body(&body, now));
        if let Some(person) = body.on_behalf_of
            && house.person(person).is_none()
        {
            errors.push(FieldError::new("/on_behalf_of", "is not the id of a person"));
        }
        let mut evidence = Vec::new();
        let mut inline = Vec::new();
        for (index, item) in body.evidence.iter().enumerate() {
            match self.resolve_evidence(caller, item, &mut inline).await? {
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
        let executor = executor(house, caller, &kind)?;
        Ok(Checked { body, kind, version, executor, evidence, inline })
    }
}

fn executor(house: &House, caller: &AgentCaller, kind: &Kind) -> Result<AgentId, StageError> {
    let Some(wanted) = &kind.executor else { return Ok(caller.agent) };
    house.agent_named(wanted).map(|agent| agent.id).ok_or_else(|| {
        let detail = "names an executor that does not exist; an administrator must add it";
        StageError::Invalid(vec![FieldError::new("/kind", detail).limit(wanted)])
    })
}

/// Who is excluded for good: who is so at this moment, and the person it is done for.
pub(super) fn excluded(
    house: &House,
    revision: &Revision,
    now: Timestamp,
) -> Vec<(PersonId, Ineligible)> {
    let mut excluded = house.excluded([revision.agent, revision.executor], now);
    if let Some(person) = revision.on_behalf_of {
        excluded.entry(person).or_insert(Ineligible::ActsOnBehalf);
    }
    excluded.into_iter().collect()
}
