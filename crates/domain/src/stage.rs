//! The stage body: everything an agent says about the action it wants to complete.
//!
//! Sizes and shapes are limited by the JSON Schema in `service` (one place, with pointers in its
//! errors); here is the typed form and the rules that need two fields or the time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Digest, PersonId, RiskLevel, Timestamp};

/// Whether a name could be that of an environment: 1 to 40 of `a-z`, `0-9` and `-`, not first a `-`.
pub fn is_environment(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=40).contains(&name.len()) && name.chars().all(fits) && !name.starts_with('-')
}

/// The latest review deadline, counted from staging: 30 days.
pub const MAX_REVIEW_DEADLINE_S: i64 = 30 * 24 * 3600;
/// The latest end of a window, counted from staging: 90 days.
pub const MAX_WINDOW_S: i64 = 90 * 24 * 3600;
/// The earliest review deadline, counted from staging: a person needs a minute to read.
pub const MIN_REVIEW_DEADLINE_S: i64 = 60;

/// What `POST /api/v1/requests` takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageBody {
    pub kind: String,
    pub parameters: Map<String, Value>,
    pub targets: Vec<String>,
    pub environment: String,
    pub summary: String,
    pub justification: String,
    #[serde(default)]
    pub evidence: Vec<EvidenceItem>,
    pub risk: ClaimedRisk,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_plan: Option<RollbackPlan>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<PersonId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_deadline: Option<Timestamp>,
}

/// One piece of evidence as staged: content inline, or the digest of an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceItem {
    #[serde(rename = "type")]
    pub evidence_type: String,
    pub name: String,
    pub media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<Timestamp>,
}

/// The agent's own view of the risk; shown as its claim, never counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimedRisk {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<RiskLevel>,
    pub factors: Vec<ClaimedFactor>,
}

/// One reason that the agent gives for its view of the risk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimedFactor {
    pub name: String,
    pub detail: String,
}

/// How the action is undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackPlan {
    pub steps: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_of_no_return: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// A command exactly as it will be run: an argument vector, never a shell line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandLine {
    pub argv: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable_digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}

/// The only time in which the release may be redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

/// A rule of the stage body that is broken, and by which field (RFC 6901 pointer).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    pub pointer: String,
    pub detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

impl FieldError {
    /// A broken rule of `pointer` without a limit to name.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into(), limit: None }
    }

    /// Names the limit that was passed.
    #[must_use]
    pub fn limit(self, limit: impl ToString) -> Self {
        Self { limit: Some(limit.to_string()), ..self }
    }
}

impl StageBody {
    /// The rules that need more than one field, or the time: all that are broken.
    pub fn check(&self, now: Timestamp) -> Vec<FieldError> {
        let mut errors = check_evidence(&self.evidence, now);
        if let Some(window) = self.window {
            if window.not_after <= window.not_before {
                errors.push(FieldError::new("/window/not_after", "must be after `not_before`"));
            }
            if window.not_after <= now {
                errors.push(FieldError::new("/window/not_after", "has passed").limit(now));
            }
            let latest = now.plus_seconds(MAX_WINDOW_S);
            if window.not_after > latest {
                let late = FieldError::new("/window/not_after", "must be at most 90 days from now");
                errors.push(late.limit(latest));
            }
        }
        if let Some(deadline) = self.review_deadline {
            let earliest = now.plus_seconds(MIN_REVIEW_DEADLINE_S);
            let latest = now.plus_seconds(MAX_REVIEW_DEADLINE_S);
            if deadline < earliest {
                errors.push(
                    FieldError::new("/review_deadline", "must be at least 60 seconds from now")
                        .limit(earliest),
                );
            } else if deadline > latest {
                errors.push(
                    FieldError::new("/review_deadline", "must be at most 30 days from now")
                        .limit(latest),
                );
            }
        }
        errors
    }
}

/// The rules of evidence, of a stage body or of a report, that need more than one field or the time.
pub fn check_evidence(evidence: &[EvidenceItem], now: Timestamp) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, item) in evidence.iter().enumerate() {
        let at = |field: &str| format!("/evidence/{index}/{field}");
        match (&item.digest, &item.content) {
            (Some(_), Some(_)) => errors.push(FieldError::new(
                at("content"),
                "give `content` or the `digest` of an upload, not both",
            )),
            (None, None) => errors.push(FieldError::new(
                at("content"),
                "give small text as `content`, or upload it first and give its `digest`",
            )),
            _ => {}
        }
        if item.collected_at.is_some_and(|at| at > now.plus_seconds(60)) {
            errors.push(FieldError::new(at("collected_at"), "lies in the future").limit(now));
        }
    }
    errors
}
