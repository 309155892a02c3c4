//! One act on one request: load with authority, apply the rules, commit, try again if stale.

use std::num::NonZeroU32;

use domain::authority::BREAK_GLASS;
use domain::entry::{Attempt, HouseFact};
use domain::scope::OutsideScope;
use domain::{
    Actor, Command, Context, Refusal, Request, RequestFact, RequestId, State, Timestamp, apply,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use store::change::{Before, Idempotency, Staged};
use store::read::{Recorded, Stored};
use store::{Change, House, NewFact, RequestChange, StoreError, Text, Write};

use crate::caller::AgentCaller;
use crate::change::CarriedOut;
use crate::current::{Decidable, Seen};
use crate::recorded::Fold;
use crate::{Failure, Service};

/// How often a stale change is decided anew before the caller is told to come back.
pub(crate) const TRIES: usize = 5;
/// Refused attempts of one actor that are recorded in a minute; the rest are only refused.
const RECORDED_REFUSALS_A_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Bounds how many refusals one actor can write into the ledger.
pub(crate) struct RefusalLimiter(DefaultKeyedRateLimiter<String>);

impl RefusalLimiter {
    pub(crate) fn new() -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(RECORDED_REFUSALS_A_MINUTE)))
    }

    pub(crate) fn allows(&self, actor: &Actor) -> bool {
        self.0.retain_recent();
        self.0.check_key(&format!("{actor:?}")).is_ok()
    }
}

/// Why an act did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No such request, or none that the caller may know of.
    #[error("no such request")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the idempotency key was used for something else")]
    KeyReused,
    /// The key was revoked or has expired, or the person was disabled, while the call was under way.
    #[error("the caller no longer has access")]
    KeyDead,
    /// The key is limited to something else.
    #[error(transparent)]
    OutsideScope(#[from] OutsideScope),
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for ActError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

/// An act: who does what, and what goes with it.
pub(crate) struct Act<'a> {
    id: RequestId,
    actor: Actor,
    command: Command,
    /// The request as the caller has just seen it; without it, it is read.
    pub seen: Option<Seen>,
    /// The agent whose key has to live still when this is committed.
    pub agent: Option<&'a AgentCaller>,
    /// The clear text behind the commitment in the act's fact.
    pub text: Option<Text>,
    pub idempotency: Option<Idempotency>,
    /// The revision of an amendment, and the content of its inline evidence.
    pub amendment: Option<Staged>,
    pub writes: Vec<Write>,
}

impl<'a> Act<'a> {
    pub fn new(id: RequestId, actor: Actor, command: Command) -> Self {
        Self {
            id,
            actor,
            command,
            seen: None,
            agent: None,
            text: None,
            idempotency: None,
            amendment: None,
            writes: Vec::new(),
        }
    }

    pub fn by_agent(id: RequestId, agent: &'a AgentCaller, command: Command) -> Self {
        Self { agent: Some(agent), ..Self::new(id, Actor::Agent(agent.id()), command) }
    }

    pub fn with_text(self, text: Text) -> Self {
        Self { text: Some(text), ..self }
    }
}

impl Service {
    /// Carries an act out; answers with the request as it is recorded then.
    pub(crate) async fn act(&self, mut act: Act<'_>) -> Result<Request, ActError> {
        for _ in 0..TRIES {
            let now = self.now();
            let Seen { house, recorded } = match act.seen.take() {
                Some(seen) => seen,
                None => self.see(act.id).await?,
            };
            self.expect_access(&house, &act, &recorded.stored.request)?;
            let stored = as_recorded(recorded)?;
            let decidable = self.decidable(&house, stored, now).await?;
            let context = Context { authority: &decidable.authority };
            let request = &decidable.stored.request;
            let facts = apply(Some(request), act.command.clone(), &context, now)?;
            if facts.is_empty() {
                return Ok(decidable.stored.request);
            }
            let after = evolved(request, &facts, now)?;
            let mut change = self.change(&act, &decidable, &facts, after.clone(), now);
            if after.is_change() && matches!(after.state, State::Approved { .. }) {
                let carried_out = self.carry_out(&decidable, after, now).await?;
                include(&mut change, carried_out);
            }
            match self.commit(change).await {
                Ok(committed) => {
                    return committed.after.map(|after| *after).ok_or(ActError::NotFound);
                }
                Err(StoreError::Stale | StoreError::TooLate) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unavailable("the request is too busy".into()).into())
    }

    /// Whether whoever acts may still act at all: the key lives and reaches that far, the person is
    /// active.
    fn expect_access(
        &self,
        house: &House,
        act: &Act<'_>,
        request: &Request,
    ) -> Result<(), ActError> {
        let active = |person| house.person(person).is_some_and(|found| found.active);
        match (act.agent, act.actor) {
            (Some(agent), _) => {
                let scope = self.scope_of(house, agent).ok_or(ActError::KeyDead)?;
                Ok(scope.expect(&request.kind.name, &request.environment)?)
            }
            (None, Actor::Person(person)) if !active(person) => Err(ActError::KeyDead),
            (None, Actor::Person(_) | Actor::Agent(_) | Actor::System) => Ok(()),
        }
    }

    /// A request whose row says what its entries say.
    pub(crate) async fn load_recorded(&self, id: RequestId) -> Result<Request, ActError> {
        let recorded = self.store.record(id).await?.ok_or(ActError::NotFound)?;
        Ok(as_recorded(recorded)?.request)
    }

    /// Writes a refused attempt into the ledger, within limits.
    pub(crate) async fn record_refusal(
        &self,
        id: RequestId,
        actor: Actor,
        attempt: Attempt,
        code: &str,
    ) -> Result<(), Failure> {
        if !self.refusals.allows(&actor) {
            return Ok(());
        }
        let code = code.to_owned();
        let mut fact = self.fact(actor, HouseFact::AttemptRefused { attempt, code });
        fact.request = Some(id);
        self.store.commit(Change { facts: vec![fact], ..Change::default() }).await?;
        Ok(())
    }
}

/// The request, if its row says what its entries say (threats E11, L13).
///
/// SECURITY: the ledger is the record; a row that somebody changed decides nothing.
fn as_recorded(recorded: Recorded) -> Result<Stored, Failure> {
    let Recorded { stored, entries, .. } = recorded;
    let mut fold = Fold::default();
    for body in &entries {
        fold.take(body)?;
    }
    let folded = fold.end();
    #[cfg(planted = "a_row_is_believed")]
    let folded = Some(stored.request.clone());
    if folded.as_ref() == Some(&stored.request) {
        Ok(stored)
    } else {
        Err(not_as_recorded(stored.request.id))
    }
}

/// Makes what carries an approved change out a part of the change that approves it.
fn include(change: &mut Change, carried_out: CarriedOut) {
    change.facts.extend(carried_out.facts);
    change.writes.extend(carried_out.writes);
    if let Some(request) = &mut change.request {
        request.after = carried_out.after;
    }
}

/// The row and the ledger disagree about a request.
pub(crate) fn not_as_recorded(id: RequestId) -> Failure {
    Failure::Defect(format!("request {id} is not what its entries say"))
}

/// The act's text under the field by which the fact commits to it.
fn text_of(act: &Act<'_>, fact: &RequestFact) -> Option<Text> {
    let (field, _) = fact.commitment()?;
    act.text.clone().map(|text| Text { field, ..text })
}

pub(crate) fn evolved(
    request: &Request,
    facts: &[RequestFact],
    now: Timestamp,
) -> Result<Request, Failure> {
    facts.iter().try_fold(request.clone(), |request, fact| {
        Request::evolve(Some(request), fact, now).map_err(Failure::defect)
    })
}

impl Service {
    fn change(
        &self,
        act: &Act<'_>,
        decidable: &Decidable,
        facts: &[RequestFact],
        after: Request,
        now: Timestamp,
    ) -> Change {
        let new = |fact: &RequestFact| NewFact {
            at: now,
            actor: act.actor,
            request: Some(act.id),
            fact: fact.clone().into(),
            texts: text_of(act, fact).into_iter().collect(),
        };
        let mut new_facts: Vec<NewFact> = facts.iter().map(new).collect();
        new_facts.extend(self.lost_right(&decidable.stored.request, facts));
        let redeeming = matches!(act.command, Command::Redeem { .. });
        let granted = matches!(after.state, State::Executing { .. });
        Change {
            expected_epoch: decidable.epoch,
            // INVARIANT: I12. What was decided in a state must be committed while it lasts.
            valid_until: decidable.stored.request.state_ends_at().filter(|ends| *ends > now),
            request: Some(RequestChange {
                before: Some(Before {
                    request: decidable.stored.request.clone(),
                    version: decidable.stored.version,
                }),
                after,
                staged: act.amendment.clone(),
            }),
            facts: new_facts,
            writes: act.writes.clone(),
            // Only what was granted is remembered under the key: a redemption that found the
            // quorum lost may be tried again.
            idempotency: act.idempotency.clone().filter(|_| granted || !redeeming),
        }
    }

    /// Whoever broke the glass and was not reviewed in time leaves the group.
    fn lost_right(&self, request: &Request, facts: &[RequestFact]) -> Option<NewFact> {
        let missed = |fact: &RequestFact| matches!(fact, RequestFact::SecondReviewMissed { .. });
        let broken = request.break_glass.as_ref().filter(|_| facts.iter().any(missed))?;
        let (group, person) = (BREAK_GLASS.to_owned(), broken.by);
        Some(self.fact(Actor::System, HouseFact::GroupMemberRemoved { group, person }))
    }
}
