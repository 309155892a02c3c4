//! A harmless request, so that each test adds the one thing it is about.

use domain::risk::{History, RiskCode, RiskFact, RiskInput, TargetHistory, assess};
use domain::{Kind, Risk, RiskLevel, StageBody, Timestamp};
use serde_json::{Value, json};

/// A Friday, 08:00 UTC.
pub fn now() -> Timestamp {
    Timestamp::parse("2027-01-15T08:00:00Z").unwrap()
}

/// What is staged, under which kind, after what.
pub struct Scene {
    pub kind: Kind,
    pub body: StageBody,
    pub self_executed: bool,
    pub history: Option<History>,
}

/// Low risk: reversible, staging, a tested rollback plan, another executor, nothing known of before.
pub fn harmless() -> Scene {
    let kind = json!({
        "name": "k", "title": "", "description": "", "effect": "Do it", "parameters_schema": {},
        "required_evidence": [], "rollback_plan_required": false, "reversible": true,
        "reversal_note": "", "base_risk": "low", "review_deadline_s": 300, "release_ttl_s": 60,
        "report_deadline_s": 60, "example": {}
    });
    let body = json!({
        "kind": "k", "parameters": {"rows": 10}, "targets": ["a", "b"], "environment": "staging",
        "summary": "s", "justification": "j", "risk": {"factors": []},
        "rollback_plan": {"steps": ["undo"], "tested_at": "2027-01-14T08:00:00Z"}
    });
    Scene {
        kind: serde_json::from_value(kind).unwrap(),
        body: serde_json::from_value(body).unwrap(),
        self_executed: false,
        history: None,
    }
}

impl Scene {
    /// With another value in a field of the kind.
    pub fn kind(self, field: &str, value: Value) -> Self {
        let mut kind = serde_json::to_value(&self.kind).unwrap();
        kind[field] = value;
        Self { kind: serde_json::from_value(kind).unwrap(), ..self }
    }

    /// With another value in a field of the body.
    pub fn body(self, field: &str, value: Value) -> Self {
        let mut body = serde_json::to_value(&self.body).unwrap();
        body[field] = value;
        Self { body: serde_json::from_value(body).unwrap(), ..self }
    }

    /// After what was staged before.
    pub fn after(self, history: History) -> Self {
        Self { history: Some(history), ..self }
    }

    pub fn risk(&self) -> Risk {
        assess(RiskInput {
            kind: &self.kind,
            body: &self.body,
            self_executed: self.self_executed,
            history: self.history.as_ref(),
            now: now(),
        })
    }

    /// The facts beside the kind's own risk.
    pub fn facts(&self) -> Vec<RiskFact> {
        let other = |fact: &RiskFact| fact.code != RiskCode::BaseRisk;
        self.risk().facts.into_iter().filter(other).collect()
    }

    /// The only fact beside the kind's own risk.
    #[track_caller]
    pub fn only(&self) -> RiskFact {
        let mut facts = self.facts();
        assert_eq!(facts.len(), 1, "{facts:?}");
        facts.remove(0)
    }

    /// The computed level.
    pub fn level(&self) -> RiskLevel {
        self.risk().level
    }
}

/// Everything on both targets was there before, and nothing lately.
pub fn familiar() -> History {
    let known = TargetHistory { agent_knows_it: true, kind_knows_it: true, lately: 0 };
    History { agent_knows_kind: true, targets: vec![known, known], ended: None }
}
