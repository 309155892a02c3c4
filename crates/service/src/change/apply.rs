//! Staging a change as a request, and carrying it out once it is approved.

use domain::{
    Actor, AgentId, Command, Context, LeaseId, Outcome, Request, RequestFact, RequestId, StageBody,
    Timestamp, apply,
};
use serde_json::Value;
use store::{House, NewFact, StoreError, Write};

use super::HouseChange;
use crate::act::{ActError, TRIES};
use crate::caller::PersonCaller;
use crate::current::Decidable;
use crate::house::HouseError;
use crate::stage::{Checked, StageError, Stager};
use crate::{Failure, Service};

/// What follows on the approval of a change, in the transaction of the approval.
pub(crate) struct CarriedOut {
    pub after: Request,
    pub facts: Vec<NewFact>,
    pub writes: Vec<Write>,
}

impl Service {
    /// Puts a change before people, in the name of the gate, by this person.
    pub(super) async fn stage_change(
        &self,
        person: &PersonCaller,
        change: &HouseChange,
        justification: &str,
    ) -> Result<RequestId, HouseError> {
        let stager = Stager { agent: AgentId::HOUSE, by: person.actor() };
        for _ in 0..TRIES {
            let now = self.now();
            let house = self.house().await?;
            let administrator = house.person(person.id());
            if !administrator.is_some_and(|person| person.is_in(crate::caller::ADMINISTRATORS)) {
                return Err(HouseError::NotAdministrator);
            }
            let checked = self.checked_change(&house, change, justification, now)?;
            let id = RequestId(self.entropy.id(now)?);
            let sealed = self.seal(&stager, &checked, id, 1).await.map_err(unstaged)?;
            let staging =
                self.staging(&house, &stager, checked, sealed, now).await.map_err(unstaged)?;
            match self.commit(staging).await {
                Ok(_) => return Ok(id),
                Err(StoreError::Stale | StoreError::TooLate) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::from(StoreError::Unavailable("the house changes too fast".into())).into())
    }

    fn checked_change(
        &self,
        house: &House,
        change: &HouseChange,
        justification: &str,
        now: Timestamp,
    ) -> Result<Checked, HouseError> {
        let value = change.stage_body(justification);
        let found = house.kind(change.kind()).cloned();
        let (kind, version) = found.ok_or_else(|| Failure::defect("a built-in kind is missing"))?;
        let body: StageBody = serde_json::from_value(value.clone()).map_err(Failure::defect)?;
        let mut errors = self.schemas.check_stage_body(&value);
        let parameters = Value::Object(body.parameters.clone());
        errors.extend(self.schemas.check_parameters(&kind, version, &parameters)?);
        errors.extend(body.check(now));
        if !errors.is_empty() {
            return Err(HouseError::Kind(errors));
        }
        let executor = AgentId::HOUSE;
        Ok(Checked { body, kind, version, executor, evidence: Vec::new(), inline: Vec::new() })
    }

    /// Redeems, carries out and reports an approved change: the gate is its executor.
    ///
    /// A change that no longer fits what is there is recorded as failed, and changes nothing.
    pub(crate) async fn carry_out(
        &self,
        decidable: &Decidable,
        approved: Request,
        now: Timestamp,
    ) -> Result<CarriedOut, ActError> {
        let context = Context { authority: &decidable.authority };
        let (executor, lease_id) = (AgentId::HOUSE, LeaseId(self.entropy.id(now)?));
        let command = Command::Redeem { executor, digest: approved.digest, lease_id };
        let (redeemed, running) = step(approved, command, &context, now)?;
        let revision = self.sealed(&running).await?.revision;
        let change = HouseChange::read(&revision);
        let change = change.ok_or_else(|| Failure::defect("a change that nobody can read"))?;
        let prepared = match self.prepare(&change).await {
            Err(HouseError::Failed(failure)) => return Err(failure.into()),
            other => other,
        };
        let (outcome, summary, house, writes) = match prepared {
            Ok(prepared) => {
                (Outcome::Succeeded, "Carried out.".to_owned(), prepared.facts, prepared.writes)
            }
            Err(error) => (Outcome::Failed, error.to_string(), Vec::new(), Vec::new()),
        };
        let (summary, text) = self.committed_text("summary", &summary)?;
        let command =
            Command::Report { executor, lease_id, outcome, summary, evidence: Vec::new() };
        let (reported, after) = step(running, command, &context, now)?;
        let gate = Actor::Agent(AgentId::HOUSE);
        let request = Some(after.id);
        let on_request = |fact: RequestFact| NewFact { request, ..self.fact(gate, fact) };
        let mut facts: Vec<NewFact> = redeemed.into_iter().map(on_request).collect();
        facts.extend(house.into_iter().map(|fact| self.fact(gate, fact)));
        let report = reported.into_iter().map(on_request);
        facts.extend(report.map(|fact| NewFact { texts: vec![text.clone()], ..fact }));
        for fact in &mut facts {
            fact.at = now;
        }
        Ok(CarriedOut { after, facts, writes })
    }
}

fn step(
    request: Request,
    command: Command,
    context: &Context<'_>,
    now: Timestamp,
) -> Result<(Vec<RequestFact>, Request), ActError> {
    let facts = apply(Some(&request), command, context, now)?;
    let after = crate::act::evolved(&request, &facts, now)?;
    Ok((facts, after))
}

fn unstaged(error: StageError) -> HouseError {
    match error {
        StageError::Act(ActError::Failed(failure)) => failure.into(),
        StageError::Invalid(errors) => HouseError::Kind(errors),
        other => Failure::Defect(other.to_string()).into(),
    }
}
