//! Plays the demo's scenarios through the real use cases, at their own times.

use std::collections::BTreeMap;

use anyhow::Context;
use domain::{Digest, LeaseId, Outcome, RequestId, StateName, Verdict};
use service::execution::Report;
use service::review::ReviewForm;
use service::stage::StageError;
use service::view::DecisionView;
use service::{PersonCaller, Service};

use super::cast::Cast;
use super::clock::DemoClock;
use super::scenario::{Fate, Scenario, Step};

/// Who reviews after the scenario's own reviewer, where more people are asked for.
const SECONDS: [&str; 3] = ["sam", "mia", "priya"];
const SECOND_JUSTIFICATION: &str =
    "Read after the first approval: the evidence is of today, and the plan back was tried.";

/// A scenario under way.
struct Play {
    scenario: Scenario,
    staged: Option<RequestId>,
    lease: Option<LeaseId>,
}

/// Plays every scenario, in the order in which things happened.
pub async fn play(service: &Service, clock: &DemoClock, cast: &Cast) -> anyhow::Result<()> {
    let mut plays = Vec::new();
    let mut steps: BTreeMap<(i64, usize), (usize, Step)> = BTreeMap::new();
    for (index, scenario) in Scenario::all()?.into_iter().enumerate() {
        for (at, step) in scenario.steps() {
            let position = steps.len();
            steps.insert((at, position), (index, step));
        }
        plays.push(Play { scenario, staged: None, lease: None });
    }
    for ((at, _), (index, step)) in steps {
        clock.go_back(-at);
        // What has fired by now is written down now, as the running server would have done.
        service.sweep().await?;
        let play = plays.get_mut(index).context("a scenario is missing")?;
        play.take(service, cast, step).await.with_context(|| format!("scenario {}", index + 1))?;
    }
    clock.is_now();
    service.sweep().await?;
    Ok(())
}

impl Play {
    async fn take(&mut self, service: &Service, cast: &Cast, step: Step) -> anyhow::Result<()> {
        let scenario = &self.scenario;
        let agent = cast.agent(service, &scenario.agent).await?;
        if matches!(step, Step::Stage) {
            let body = scenario.body(service.now())?;
            let staged = service.stage(&agent, &body, None).await.map_err(explained)?;
            self.staged = Some(staged.request.id);
            return Ok(());
        }
        let id = self.staged.context("nothing is staged")?;
        match step {
            Step::Stage => {}
            Step::Read => {
                let person = self.reviewer(service, cast).await?;
                let view = service.request_view(&person, id).await?;
                for item in view.evidence {
                    service.open_evidence(&person, id, item.digest).await?;
                }
            }
            Step::Decide => self.decide(service, cast, id).await?,
            Step::Amend => {
                let body = scenario.amended(service.now())?;
                service.amend(&agent, id, &body, None).await.map_err(explained)?;
            }
            Step::Beat => {
                let executor = self.executor(service, cast, id).await?;
                let lease = self.lease.context("nothing was redeemed")?;
                service.heartbeat(&executor, id, lease).await?;
            }
            Step::Stop => self.stop(service, cast, id).await?,
            Step::Redeem => {
                let executor = self.executor(service, cast, id).await?;
                let digest = self.digest(service, cast, id).await?;
                let redeemed = service.redeem(&executor, id, digest, "scenario").await?;
                self.lease = Some(redeemed.lease_id);
            }
            Step::Report => {
                let executor = self.executor(service, cast, id).await?;
                let lease = self.lease.context("nothing was redeemed")?;
                let outcome = match scenario.fate {
                    Fate::Failed => Outcome::Failed,
                    Fate::Halted => Outcome::Halted,
                    _ => Outcome::Succeeded,
                };
                let summary = scenario.outcome_summary.as_deref().unwrap_or("Done.");
                let summary = summary.to_owned();
                let report = Report { lease_id: lease, outcome, summary, evidence: None };
                service.report(&executor, id, report).await?;
            }
            Step::Withdraw => service.withdraw(&agent, id).await?,
        }
        Ok(())
    }

    /// The scenario's reviewer decides; where the policy asks for more people, others follow.
    async fn decide(&self, service: &Service, cast: &Cast, id: RequestId) -> anyhow::Result<()> {
        let verdict = match self.scenario.fate {
            Fate::Denied => Verdict::Deny,
            Fate::Amended | Fate::ChangesRequested => Verdict::RequestChanges,
            _ => Verdict::Approve,
        };
        let alone = self.scenario.fate == Fate::BrokenGlass;
        let justification = self.scenario.verdict_justification.clone().context("no reason")?;
        let person = self.reviewer(service, cast).await?;
        let said = Said { verdict, justification, alone };
        let mut state = review(service, &person, id, said).await?;
        for name in SECONDS {
            if state != Some(StateName::Pending) {
                break;
            }
            let person = service.person_caller(cast.person(name)?, service.now()).await?;
            let person = person.context("a second reviewer is gone")?;
            let justification = SECOND_JUSTIFICATION.to_owned();
            let said = Said { verdict, justification, alone: false };
            if let Some(after) = review(service, &person, id, said).await? {
                state = Some(after);
            }
        }
        Ok(())
    }

    async fn stop(&self, service: &Service, cast: &Cast, id: RequestId) -> anyhow::Result<()> {
        let name = self.scenario.stopped_by.as_deref().context("nobody stops it")?;
        let person = service.person_caller(cast.person(name)?, service.now()).await?;
        let person = person.context("whoever stops it is gone")?;
        let reason = self.scenario.stop_reason.as_deref().context("no reason to stop")?;
        match self.scenario.fate {
            Fate::Halted => service.halt(&person, id, reason).await?,
            _ => service.revoke(&person, id, reason).await?,
        }
        Ok(())
    }

    async fn reviewer(&self, service: &Service, cast: &Cast) -> anyhow::Result<PersonCaller> {
        let name = self.scenario.reviewer.as_deref().context("nobody decides")?;
        service
            .person_caller(cast.person(name)?, service.now())
            .await?
            .context("the reviewer is gone")
    }

    async fn executor(
        &self,
        service: &Service,
        cast: &Cast,
        id: RequestId,
    ) -> anyhow::Result<service::AgentCaller> {
        let person = self.reviewer(service, cast).await?;
        let view = service.request_view(&person, id).await?;
        cast.agent(service, &view.executor.name).await
    }

    async fn digest(
        &self,
        service: &Service,
        cast: &Cast,
        id: RequestId,
    ) -> anyhow::Result<Digest> {
        let person = self.reviewer(service, cast).await?;
        Ok(service.request_view(&person, id).await?.digest)
    }
}

/// What one person says.
struct Said {
    verdict: Verdict,
    justification: String,
    /// By breaking the glass.
    alone: bool,
}

/// One person's verdict; the state that follows, or `None` where it is not theirs to give.
async fn review(
    service: &Service,
    person: &PersonCaller,
    id: RequestId,
    said: Said,
) -> anyhow::Result<Option<StateName>> {
    let view = service.request_view(person, id).await?;
    let DecisionView::Open(decision) = view.decision else { return Ok(None) };
    let Said { verdict, justification, alone } = said;
    let form = ReviewForm {
        verdict,
        justification,
        digest: view.digest,
        shown: decision.shown,
        password: None,
        break_glass: alone,
    };
    Ok(Some(service.review(person, id, form).await?.state))
}

fn explained(error: StageError) -> anyhow::Error {
    match error {
        StageError::Invalid(errors) => anyhow::anyhow!("{errors:?}"),
        error => error.into(),
    }
}
