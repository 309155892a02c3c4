//! What a kind asks of evidence: which types there must be, how fresh, and how a page shows them.

use serde::{Deserialize, Serialize};

use crate::stage::{EvidenceItem, FieldError, StageBody};
use crate::{Kind, Timestamp};

/// Evidence that every request of a kind must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRule {
    #[serde(rename = "type")]
    pub evidence_type: String,
    /// Collected at most this long before staging or amending; any age where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<u32>,
    /// How a page shows it; as its media type suggests where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presenter: Option<Presenter>,
}

/// How a page shows the content of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presenter {
    /// Lines with their numbers.
    Text,
    /// A unified diff, each line marked.
    Diff,
    /// CSV as a table.
    Table,
    /// Lines with their numbers, the last ones first in sight.
    Log,
    /// JSON, one value a line.
    Json,
}

impl Kind {
    /// What this kind asks of a body beyond its parameters: the evidence that it lacks or that is
    /// too old at `now`, and the plan to go back.
    pub fn check_body(&self, body: &StageBody, now: Timestamp) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.rollback_plan_required && body.rollback_plan.is_none() {
            errors.push(FieldError::new("/rollback_plan", "is required by this kind"));
        }
        if self.command_required && body.command.is_none() {
            errors.push(FieldError::new("/command", "is required by this kind"));
        }
        for rule in &self.required_evidence {
            if !body.evidence.iter().any(|item| item.evidence_type == rule.evidence_type) {
                let detail = format!("lacks evidence of the type `{}`", rule.evidence_type);
                errors.push(FieldError::new("/evidence", detail).limit(self.evidence_types()));
            }
        }
        // Every piece of a type is held to it: a stale one beside a fresh one would be read as well.
        for (index, item) in body.evidence.iter().enumerate() {
            let rule = self.evidence_rule(&item.evidence_type);
            errors.extend(rule.and_then(|rule| rule.stale(item, index, now)));
        }
        errors
    }

    fn evidence_types(&self) -> String {
        let types = self.required_evidence.iter().map(|rule| rule.evidence_type.as_str());
        types.collect::<Vec<_>>().join(", ")
    }
}

impl EvidenceRule {
    fn stale(&self, item: &EvidenceItem, index: usize, now: Timestamp) -> Option<FieldError> {
        let max_age_s = self.max_age_s?;
        let earliest = now.plus_seconds(-i64::from(max_age_s));
        let found = match item.collected_at {
            Some(at) if at >= earliest => return None,
            Some(_) => "is too old",
            None => "is missing",
        };
        let detail = format!(
            "{found}: evidence of the type `{}` is collected at most {max_age_s} seconds before \
             (`max_age_s`)",
            self.evidence_type
        );
        Some(FieldError::new(format!("/evidence/{index}/collected_at"), detail).limit(earliest))
    }
}
