//! Revisions to decide on, and policies around one rule.

use domain::revision::Identity;
use domain::{AgentId, InstanceId, Kind, KindRef, PersonId, Requirement, Revision, Risk};
use domain::{RequestId, RiskLevel, StageBody};
use policy::{AgentFacts, Policy, Subject, SubjectInput};
use serde_json::{Value, json};

/// Somebody, by number.
pub fn person(number: u8) -> PersonId {
    format!("00000000-0000-0000-0000-0000000000{number:02x}").parse().unwrap()
}

/// One revision, before it becomes a subject.
#[derive(Clone)]
pub struct Scene {
    pub kind: Kind,
    pub body: Value,
    pub risk: Risk,
    pub agent: AgentFacts,
    pub executor: AgentFacts,
}

/// An export of 3 rows in staging: reversible, low risk, no owning group.
pub fn scene() -> Scene {
    let agent: AgentId = "00000000-0000-0000-0000-0000000000a1".parse().unwrap();
    let agent = AgentFacts { id: agent, name: "ledger-close".to_owned(), owner: person(1) };
    let kind = json!({
        "name": "db.export", "title": "", "description": "", "effect": "", "parameters_schema": {},
        "required_evidence": [], "rollback_plan_required": false, "reversible": true,
        "reversal_note": "", "base_risk": "low", "review_deadline_s": 300, "release_ttl_s": 60,
        "report_deadline_s": 60, "example": {}
    });
    Scene {
        kind: serde_json::from_value(kind).unwrap(),
        body: json!({
            "kind": "db.export", "parameters": {"rows": 3}, "targets": ["orders"],
            "environment": "staging", "summary": "s", "justification": "j",
            "risk": {"factors": []}
        }),
        risk: Risk { level: RiskLevel::Low, facts: vec![] },
        executor: agent.clone(),
        agent,
    }
}

impl Scene {
    /// Another kind of action.
    pub fn kind(mut self, name: &str) -> Self {
        name.clone_into(&mut self.kind.name);
        self
    }

    /// A kind that a group answers for.
    pub fn owned_by(mut self, group: &str) -> Self {
        self.kind.owning_group = Some(group.to_owned());
        self
    }

    /// Whether the kind can be undone.
    pub fn reversible(mut self, reversible: bool) -> Self {
        self.kind.reversible = reversible;
        self
    }

    /// Where it happens.
    pub fn environment(self, environment: &str) -> Self {
        self.with("environment", json!(environment))
    }

    /// What is asked for.
    pub fn parameters(self, parameters: Value) -> Self {
        self.with("parameters", parameters)
    }

    /// Any other field of the stage body.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.body[field] = value;
        self
    }

    /// The computed risk.
    pub fn risk(mut self, level: RiskLevel) -> Self {
        self.risk.level = level;
        self
    }

    /// The request's id, the same for all scenes.
    pub fn id() -> RequestId {
        "00000000-0000-0000-0000-0000000000e1".parse().unwrap()
    }

    /// The revision that a policy decides on.
    pub fn revision(&self) -> Revision {
        let body: StageBody = serde_json::from_value(self.body.clone()).unwrap();
        let instance: InstanceId = "00000000-0000-0000-0000-0000000000f1".parse().unwrap();
        let identity = Identity {
            instance,
            request_id: Self::id(),
            revision: 1,
            agent: self.agent.id,
            executor: self.executor.id,
            kind: KindRef { name: self.kind.name.clone(), version: 2 },
        };
        Revision::new(identity, body, vec![])
    }

    /// What a policy decides on.
    pub fn subject(&self) -> Subject {
        let Self { kind, risk, agent, executor, .. } = self;
        let revision = self.revision();
        let input = SubjectInput { revision: &revision, kind, risk, agent, executor };
        Subject::new(input).unwrap()
    }
}

/// A permit on Review, without which no policy is one.
pub const ANYBODY_REVIEWS: &str =
    "\n@id(\"review.any\") permit (principal, action == Action::\"Review\", resource);\n";

/// A policy with one requirement that holds when `condition` does.
pub fn when(condition: &str) -> String {
    format!(
        "@id(\"need.it\") @group(\"approvers\") @quorum(\"1\") @why(\"w\")\n\
         forbid (principal, action == Action::\"Release\", resource)\n\
         when {{ {condition} }}\n\
         unless {{ context.met.contains(\"need.it\") }};{ANYBODY_REVIEWS}"
    )
}

/// Reads a policy that is one.
pub fn parsed(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

/// A requirement as one short word: seats, group, freshness.
pub fn short(requirement: &Requirement) -> String {
    let fresh = requirement.reauth_s.map(|s| format!(" within {s} s")).unwrap_or_default();
    let Requirement { id, group, seats, .. } = requirement;
    format!("{id}: {seats} of {group}{fresh}")
}
