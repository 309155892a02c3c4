//! The scenarios of the demo, played through the real use cases at their own times.

use std::collections::BTreeMap;

use anyhow::Context;
use domain::{Digest, LeaseId, Outcome, RequestId, StateName, Timestamp, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};
use service::review::ReviewForm;
use service::view::DecisionView;
use service::{PersonCaller, Service};

use super::cast::Cast;
use super::clock::DemoClock;

const SCENARIOS: [&str; 14] = [
    include_str!("scenarios/01-ledger-close-customers.json"),
    include_str!("scenarios/02-netops-san-maintenance.json"),
    include_str!("scenarios/03-vault-commerce-rotation.json"),
    include_str!("scenarios/04-mailgrid-key-14-days.json"),
    include_str!("scenarios/05-deploy-checkout-4-12.json"),
    include_str!("scenarios/06-mailgrid-staging-key.json"),
    include_str!("scenarios/07-vault-warehouse-rotation.json"),
    include_str!("scenarios/08-ledger-close-unfiltered.json"),
    include_str!("scenarios/09-deploy-checkout-4-11-3.json"),
    include_str!("scenarios/10-ledger-close-balances.json"),
    include_str!("scenarios/11-netops-branch-telnet.json"),
    include_str!("scenarios/12-netops-carrier-window.json"),
    include_str!("scenarios/13-deploy-search-2-31.json"),
    include_str!("scenarios/14-mailgrid-key-90-days.json"),
];
/// Who reviews after the scenario's own reviewer, where more people are asked for.
const SECONDS: [&str; 3] = ["sam", "mia", "priya"];
const SECOND_JUSTIFICATION: &str =
    "Read after the first approval: the evidence is of today, and the plan back was tried.";
/// A reviewer opens the evidence this long before deciding.
const READING_S: i64 = 240;
/// An executor redeems this long after the decision.
const REDEEMED_AFTER_S: i64 = 90;
/// An execution takes this long.
const EXECUTION_S: i64 = 420;
/// An agent withdraws this long after staging.
const WITHDRAWN_AFTER_S: i64 = 45 * 60;

/// One scenario as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    agent: String,
    age_minutes: i64,
    deadline_minutes: Option<i64>,
    window_minutes: Option<WindowMinutes>,
    fate: Fate,
    decided_after_minutes: Option<i64>,
    reviewer: Option<String>,
    verdict_justification: Option<String>,
    outcome_summary: Option<String>,
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowMinutes {
    opens_after: i64,
    closes_after: i64,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Fate {
    Pending,
    Approved,
    Denied,
    Executing,
    Succeeded,
    Failed,
    Expired,
    Withdrawn,
    Lapsed,
}

/// Something that happens to a scenario's request.
#[derive(Clone, Copy)]
enum Step {
    Stage,
    Read,
    Decide,
    Redeem,
    Report,
    Withdraw,
}

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
    for (index, text) in SCENARIOS.iter().enumerate() {
        let scenario: Scenario =
            serde_json::from_str(text).with_context(|| format!("scenario {}", index + 1))?;
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

impl Scenario {
    /// What happens when, in seconds from now (negative: ago).
    fn steps(&self) -> Vec<(i64, Step)> {
        let staged = -self.age_minutes * 60;
        let decided = staged + self.decided_after_minutes.unwrap_or_default() * 60;
        let redeemed = decided + REDEEMED_AFTER_S;
        let mut steps = vec![(staged, Step::Stage)];
        let decides = !matches!(self.fate, Fate::Pending | Fate::Expired | Fate::Withdrawn);
        if decides {
            steps.push(((decided - READING_S).max(staged + 10), Step::Read));
            steps.push((decided, Step::Decide));
        }
        if matches!(self.fate, Fate::Executing | Fate::Succeeded | Fate::Failed) {
            steps.push((redeemed, Step::Redeem));
        }
        if matches!(self.fate, Fate::Succeeded | Fate::Failed) {
            steps.push((redeemed + EXECUTION_S, Step::Report));
        }
        if self.fate == Fate::Withdrawn {
            steps.push((staged + WITHDRAWN_AFTER_S, Step::Withdraw));
        }
        steps
    }

    /// The stage body with its times made absolute.
    fn body(&self, now: Timestamp) -> anyhow::Result<Vec<u8>> {
        let mut body = self.body.clone();
        let fields = body.as_object_mut().context("the body is no object")?;
        if let Some(minutes) = self.deadline_minutes {
            fields.insert("review_deadline".into(), json!(now.plus_seconds(minutes * 60)));
        }
        if let Some(window) = &self.window_minutes {
            let at = |minutes: i64| now.plus_seconds(minutes * 60);
            let window =
                json!({"not_before": at(window.opens_after), "not_after": at(window.closes_after)});
            fields.insert("window".into(), window);
        }
        let evidence = fields.get_mut("evidence").and_then(Value::as_array_mut);
        for item in evidence.into_iter().flatten().filter_map(Value::as_object_mut) {
            let minutes = item.remove("collected_minutes_before_staging");
            if let Some(minutes) = minutes.and_then(|minutes| minutes.as_i64()) {
                item.insert("collected_at".into(), json!(now.plus_seconds(-minutes * 60)));
            }
        }
        Ok(serde_json::to_vec(&body)?)
    }
}

impl Play {
    async fn take(&mut self, service: &Service, cast: &Cast, step: Step) -> anyhow::Result<()> {
        let scenario = &self.scenario;
        let agent = cast.agent(service, &scenario.agent).await?;
        if matches!(step, Step::Stage) {
            let body = scenario.body(service.now())?;
            let staged = service.stage(&agent, &body, None).await.map_err(|error| match error {
                service::stage::StageError::Invalid(errors) => anyhow::anyhow!("{errors:?}"),
                error => error.into(),
            })?;
            self.staged = Some(staged.id);
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
                    _ => Outcome::Succeeded,
                };
                let summary = scenario.outcome_summary.as_deref().unwrap_or("Done.");
                service.report(&executor, id, lease, outcome, summary).await?;
            }
            Step::Withdraw => service.withdraw(&agent, id).await?,
        }
        Ok(())
    }

    /// The scenario's reviewer decides; where the policy asks for more people, others follow.
    async fn decide(&self, service: &Service, cast: &Cast, id: RequestId) -> anyhow::Result<()> {
        let verdict = match self.scenario.fate {
            Fate::Denied => Verdict::Deny,
            _ => Verdict::Approve,
        };
        let justification = self.scenario.verdict_justification.clone().context("no reason")?;
        let person = self.reviewer(service, cast).await?;
        let mut state = review(service, &person, id, verdict, justification).await?;
        for name in SECONDS {
            if state != Some(StateName::Pending) {
                break;
            }
            let person = service.person_caller(cast.person(name)?, service.now()).await?;
            let person = person.context("a second reviewer is gone")?;
            let justification = SECOND_JUSTIFICATION.to_owned();
            if let Some(after) = review(service, &person, id, verdict, justification).await? {
                state = Some(after);
            }
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

/// One person's verdict; the state that follows, or `None` where it is not theirs to give.
async fn review(
    service: &Service,
    person: &PersonCaller,
    id: RequestId,
    verdict: Verdict,
    justification: String,
) -> anyhow::Result<Option<StateName>> {
    let view = service.request_view(person, id).await?;
    let DecisionView::Open(decision) = view.decision else { return Ok(None) };
    let form = ReviewForm {
        verdict,
        justification,
        digest: view.digest,
        shown: decision.shown,
        password: None,
        break_glass: false,
    };
    Ok(Some(service.review(person, id, form).await?.state))
}
