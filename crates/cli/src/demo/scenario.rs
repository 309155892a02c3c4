//! The scenarios of the demo: what their files say, and what happens in each when.

use anyhow::Context;
use domain::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

const SCENARIOS: [&str; 20] = [
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
    include_str!("scenarios/15-ledger-close-vendor-payments.json"),
    include_str!("scenarios/16-deploy-search-2-31-1.json"),
    include_str!("scenarios/17-vault-reports-silent.json"),
    include_str!("scenarios/18-netops-stolen-passwords.json"),
    include_str!("scenarios/19-mailgrid-newsletter-key.json"),
    include_str!("scenarios/20-deploy-orders-halted.json"),
];
/// A reviewer opens the evidence this long before deciding.
const READING_S: i64 = 240;
/// An executor redeems this long after the decision.
const REDEEMED_AFTER_S: i64 = 90;
/// An execution takes this long.
const EXECUTION_S: i64 = 420;
/// What still runs gave a sign of life this long ago.
const LAST_BEAT_S: i64 = 20;
/// An agent withdraws this long after staging.
const WITHDRAWN_AFTER_S: i64 = 45 * 60;

/// One scenario as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) agent: String,
    age_minutes: i64,
    deadline_minutes: Option<i64>,
    window_minutes: Option<WindowMinutes>,
    pub(super) fate: Fate,
    decided_after_minutes: Option<i64>,
    pub(super) reviewer: Option<String>,
    pub(super) verdict_justification: Option<String>,
    pub(super) outcome_summary: Option<String>,
    amended_after_minutes: Option<i64>,
    /// What the agent amends.
    #[serde(default)]
    amendment: Vec<Amended>,
    pub(super) stopped_by: Option<String>,
    stopped_after_minutes: Option<i64>,
    pub(super) stop_reason: Option<String>,
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowMinutes {
    opens_after: i64,
    closes_after: i64,
}

/// One field of the stage body, as it is amended.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Amended {
    /// JSON Pointer (RFC 6901) into the stage body.
    at: String,
    to: Value,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    Pending,
    /// Changes were requested, and it is the agent's turn.
    ChangesRequested,
    /// Changes were requested and made: pending again.
    Amended,
    Approved,
    /// One person approved alone; it succeeded, and the second review is owed.
    BrokenGlass,
    Denied,
    Revoked,
    Executing,
    Succeeded,
    Failed,
    Halted,
    OutcomeUnknown,
    Expired,
    Withdrawn,
    Lapsed,
}

/// Something that happens to a scenario's request.
#[derive(Clone, Copy)]
pub(super) enum Step {
    Stage,
    Read,
    Decide,
    Amend,
    Redeem,
    Beat,
    /// Revoke what is approved, halt what runs.
    Stop,
    Report,
    Withdraw,
}

impl Scenario {
    /// Every scenario, as its file has it.
    pub(super) fn all() -> anyhow::Result<Vec<Self>> {
        let read = |(index, text): (usize, &&str)| {
            serde_json::from_str(text).with_context(|| format!("scenario {}", index + 1))
        };
        SCENARIOS.iter().enumerate().map(read).collect()
    }

    /// What happens when, in seconds from now (negative: ago).
    pub(super) fn steps(&self) -> Vec<(i64, Step)> {
        let staged = -self.age_minutes * 60;
        let after = |minutes: Option<i64>| staged + minutes.unwrap_or_default() * 60;
        let (decided, stopped) =
            (after(self.decided_after_minutes), after(self.stopped_after_minutes));
        let redeemed = (decided + REDEEMED_AFTER_S, Step::Redeem);
        let read = ((decided - READING_S).max(staged + 10), Step::Read);
        let decide = (decided, Step::Decide);
        let report = |at: i64| (at + EXECUTION_S, Step::Report);
        let mut steps = vec![(staged, Step::Stage)];
        steps.extend(match self.fate {
            Fate::Pending | Fate::Expired => vec![],
            Fate::Withdrawn => vec![(staged + WITHDRAWN_AFTER_S, Step::Withdraw)],
            Fate::ChangesRequested | Fate::Approved | Fate::Denied | Fate::Lapsed => {
                vec![read, decide]
            }
            Fate::Amended => vec![read, decide, (after(self.amended_after_minutes), Step::Amend)],
            Fate::Revoked => vec![read, decide, (stopped, Step::Stop)],
            Fate::OutcomeUnknown => vec![read, decide, redeemed],
            Fate::Executing => vec![read, decide, redeemed, (-LAST_BEAT_S, Step::Beat)],
            Fate::Succeeded | Fate::Failed | Fate::BrokenGlass => {
                vec![read, decide, redeemed, report(redeemed.0)]
            }
            Fate::Halted => {
                vec![read, decide, redeemed, (stopped, Step::Stop), report(stopped)]
            }
        });
        steps
    }

    /// The stage body as it is amended.
    pub(super) fn amended(&self, now: Timestamp) -> anyhow::Result<Vec<u8>> {
        let mut body = self.body.clone();
        for Amended { at, to } in &self.amendment {
            let field = body.pointer_mut(at).with_context(|| format!("there is no `{at}`"))?;
            *field = to.clone();
        }
        self.timed(body, now)
    }

    /// The stage body with its times made absolute.
    pub(super) fn body(&self, now: Timestamp) -> anyhow::Result<Vec<u8>> {
        self.timed(self.body.clone(), now)
    }

    fn timed(&self, mut body: Value, now: Timestamp) -> anyhow::Result<Vec<u8>> {
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
