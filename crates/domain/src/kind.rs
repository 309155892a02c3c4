//! Kinds: the versioned catalogue entry for one sort of action.
//!
//! A kind says what may be asked and how it is shown. The effect sentence is rendered from typed
//! parameters by our template, never from the agent's prose; a missing or odd value is shown as
//! such, never dropped.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::RiskLevel;

/// A kind's name and the version a request was staged under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KindRef {
    pub name: String,
    pub version: u32,
}

/// The kinds by which the house itself is changed; the gate stages and applies them.
pub const CHANGE_KINDS: &str = "countersign.";

/// Whether a kind of this name changes the house itself.
pub fn is_change(name: &str) -> bool {
    name.starts_with(CHANGE_KINDS)
}

/// A quarter of an hour.
fn default_lease_ttl_s() -> u32 {
    900
}

/// A catalogue entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    pub name: String,
    pub title: String,
    pub description: String,
    /// A sentence with `{parameter}` and `{environment}` in it.
    pub effect: String,
    /// JSON Schema 2020-12 of `parameters`.
    pub parameters_schema: Value,
    pub required_evidence: Vec<String>,
    pub rollback_plan_required: bool,
    pub reversible: bool,
    pub reversal_note: String,
    pub base_risk: RiskLevel,
    /// Pending for at most this long.
    pub review_deadline_s: u32,
    /// Approved and unused for at most this long.
    pub release_ttl_s: u32,
    /// A running execution without a heartbeat for this long has an unknown outcome.
    #[serde(default = "default_lease_ttl_s")]
    pub lease_ttl_s: u32,
    /// An outcome is expected within this time after redemption.
    pub report_deadline_s: u32,
    /// The name of the agent that may redeem; the stager itself where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    /// The group of people who answer for what this kind touches; a policy can ask one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owning_group: Option<String>,
    /// A complete stage body that works as it is.
    pub example: Value,
}

/// A piece of an effect sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EffectPart {
    /// The kind's own words.
    Words(String),
    /// A value that the agent supplied.
    Value(String),
    /// A parameter that the template names and the request lacks.
    Missing(String),
}

impl Kind {
    /// The effect sentence in parts, so that a page can mark what the agent supplied.
    pub fn effect_of(&self, parameters: &Map<String, Value>, environment: &str) -> Vec<EffectPart> {
        let mut parts = Vec::new();
        let mut rest = self.effect.as_str();
        while let Some((words, tail)) = rest.split_once('{') {
            let Some((name, after)) = tail.split_once('}') else { break };
            if !words.is_empty() {
                parts.push(EffectPart::Words(words.to_owned()));
            }
            // The environment is the request's own; no parameter can stand in for it.
            parts.push(match parameters.get(name) {
                _ if name == "environment" => EffectPart::Value(environment.to_owned()),
                Some(value) => EffectPart::Value(shown(value)),
                None => EffectPart::Missing(name.to_owned()),
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(EffectPart::Words(rest.to_owned()));
        }
        parts
    }
}

/// The effect sentence as one line of text.
pub fn sentence(parts: &[EffectPart]) -> String {
    let text = |part: &EffectPart| match part {
        EffectPart::Words(text) | EffectPart::Value(text) => text.clone(),
        EffectPart::Missing(name) => format!("(no {name})"),
    };
    parts.iter().map(text).collect()
}

/// A parameter as people read it: digits in groups of three, lists with commas.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => grouped(&number.to_string()),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Object(_) => value.to_string(),
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = String::from(sign);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(effect: &str) -> Kind {
        Kind {
            name: "db.export".into(),
            title: String::new(),
            description: String::new(),
            effect: effect.into(),
            parameters_schema: json!({}),
            required_evidence: vec![],
            rollback_plan_required: false,
            reversible: false,
            reversal_note: String::new(),
            base_risk: RiskLevel::Low,
            review_deadline_s: 300,
            release_ttl_s: 60,
            lease_ttl_s: 900,
            report_deadline_s: 60,
            executor: None,
            owning_group: None,
            example: json!({}),
        }
    }

    #[test]
    fn an_effect_sentence_shows_every_value_and_what_is_missing() {
        let parameters = json!({"rows": 1240318, "cols": ["id", "email"], "odd": {"a": 1}});
        let kind = kind("Export {rows} rows ({cols}) {odd} from {environment} to {destination}");
        let parts = kind.effect_of(parameters.as_object().unwrap(), "production");
        assert_eq!(
            sentence(&parts),
            "Export 1,240,318 rows (id, email) {\"a\":1} from production to (no destination)"
        );
    }

    #[test]
    fn values_are_not_read_as_template() {
        let parameters = json!({"rows": "{environment}"});
        let parts = kind("Export {rows}").effect_of(parameters.as_object().unwrap(), "production");
        assert_eq!(sentence(&parts), "Export {environment}");
    }
}
