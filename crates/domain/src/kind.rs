//! Kinds: the versioned catalogue entry for one sort of action.
//!
//! A kind says what may be asked and how it is shown. The effect sentence is rendered from typed
//! parameters by our template, never from the agent's prose; a missing or odd value is shown as
//! such, never dropped.

pub mod evidence;

use chrono::Timelike;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use evidence::{EvidenceRule, Presenter};

use crate::{RiskLevel, Timestamp};

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
    pub required_evidence: Vec<EvidenceRule>,
    pub rollback_plan_required: bool,
    /// A request without a command says nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub command_required: bool,
    pub reversible: bool,
    pub reversal_note: String,
    pub base_risk: RiskLevel,
    /// Which parameter says how much the action touches, and from when on that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// When the people who could stop it are at work; any time where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_hours_utc: Option<WorkingHours>,
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

/// The parameter that is a kind's size, and the sizes from which the risk is higher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// The name of an integer parameter that every request has.
    pub parameter: String,
    /// What it counts, as a page says it after the number: `rows`.
    pub unit: String,
    /// At least medium risk from here on.
    pub medium: i64,
    /// High risk from here on.
    pub high: i64,
}

/// Hours of every day, in UTC: from the first full hour up to the second, over midnight where the
/// first is the later one.
///
/// UTC and whole hours, because nothing here knows where people live: daylight saving and weekends
/// are not guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    pub from: u8,
    pub to: u8,
}

impl WorkingHours {
    /// Whether `at` lies in them.
    pub fn include(self, at: Timestamp) -> bool {
        let (from, to, hour) = (u32::from(self.from), u32::from(self.to), at.utc().hour());
        if from < to { (from..to).contains(&hour) } else { hour >= from || hour < to }
    }
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
    /// What it asks of evidence of this type, if it asks for any.
    pub fn evidence_rule(&self, evidence_type: &str) -> Option<&EvidenceRule> {
        self.required_evidence.iter().find(|rule| rule.evidence_type == evidence_type)
    }

    /// The example as a body that works at `now`: evidence that has to be fresh is collected now.
    pub fn example_at(&self, now: Timestamp) -> Value {
        let mut example = self.example.clone();
        let items = example.get_mut("evidence").and_then(Value::as_array_mut);
        for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
            let of = item.get("type").and_then(Value::as_str).and_then(|t| self.evidence_rule(t));
            if of.is_some_and(|rule| rule.max_age_s.is_some()) {
                item.insert("collected_at".to_owned(), Value::String(now.to_string()));
            }
        }
        example
    }

    /// The names in braces of the effect sentence, in its order.
    ///
    /// # Errors
    /// Where a brace has no partner: people would read half a name.
    pub fn placeholders(&self) -> Result<Vec<&str>, LooseBrace> {
        let mut names = Vec::new();
        let mut rest = self.effect.as_str();
        while let Some(open) = rest.find(['{', '}']) {
            let tail = rest.get(open..).and_then(|tail| tail.strip_prefix('{'));
            let (name, after) = tail.and_then(|tail| tail.split_once('}')).ok_or(LooseBrace)?;
            if name.contains('{') {
                return Err(LooseBrace);
            }
            names.push(name);
            rest = after;
        }
        Ok(names)
    }

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

/// A brace of an effect sentence that has no partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("has a `{{` or `}}` without its partner")]
pub struct LooseBrace;

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

/// The digits of a whole number in groups of three: `1,240,318`.
pub fn grouped(digits: &str) -> String {
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
        serde_json::from_value(json!({
            "name": "k", "title": "", "description": "", "effect": effect, "parameters_schema": {},
            "required_evidence": [{"type": "plan", "max_age_s": 60}, {"type": "log"}],
            "rollback_plan_required": false, "reversible": true, "reversal_note": "",
            "base_risk": "low", "review_deadline_s": 300, "release_ttl_s": 60,
            "report_deadline_s": 60,
            "example": {"evidence": [{"type": "plan", "collected_at": "long ago"}, {"type": "log"}]}
        }))
        .unwrap()
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

    #[test]
    fn a_brace_without_its_partner_is_no_template() {
        assert_eq!(kind("Export {rows} to {place}").placeholders(), Ok(vec!["rows", "place"]));
        for loose in ["Export {rows", "Export rows}", "Export {a{b}}", "} {", "{a}}"] {
            assert_eq!(kind(loose).placeholders(), Err(LooseBrace), "{loose}");
        }
    }

    #[test]
    fn an_example_is_as_fresh_as_its_kind_asks() {
        let now = Timestamp::parse("2027-01-15T08:00:00Z").unwrap();
        let evidence = &kind("Do it").example_at(now)["evidence"];
        assert_eq!(evidence[0]["collected_at"], json!(now));
        assert_eq!(evidence[1].get("collected_at"), None);
    }

    #[test]
    fn working_hours_may_run_over_midnight() {
        let at =
            |hour: i64| Timestamp::parse("2027-01-15T00:59:59Z").unwrap().plus_seconds(hour * 3600);
        let inside = |hours: WorkingHours| (0..24).filter(|hour| hours.include(at(*hour))).count();
        let day = WorkingHours { from: 6, to: 18 };
        assert!(day.include(at(6)) && !day.include(at(18)) && inside(day) == 12);
        let night = WorkingHours { from: 22, to: 7 };
        assert!(night.include(at(23)) && night.include(at(6)) && !night.include(at(7)));
        assert_eq!(inside(night), 9);
    }
}
