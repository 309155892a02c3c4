//! JSON Schema (draft 2020-12): the stage body's own, and each kind's for its parameters.
//!
//! Every error names the field by JSON Pointer and the limit that was passed; values that the
//! caller sent are never echoed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::stage::FieldError;
use domain::{Kind, KindRef};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::{Failure, kind};

/// The JSON Schema of the stage body.
pub const STAGE_BODY: &str = include_str!("../schemas/stage-body.schema.json");

/// How many broken rules one answer names.
const MAX_ERRORS: usize = 20;

/// The compiled schemas.
pub struct Schemas {
    stage_body: Validator,
    /// The evidence of a report: as that of a stage body.
    report: Validator,
    kind: Validator,
    kinds: RwLock<HashMap<KindRef, Arc<Validator>>>,
}

impl Schemas {
    pub(crate) fn new() -> Result<Self, Failure> {
        let own = |text: &str| {
            let schema: Value = serde_json::from_str(text).map_err(Failure::defect)?;
            compile(&schema).map_err(Failure::Defect)
        };
        let (stage_body, kind) = (own(STAGE_BODY)?, own(kind::SCHEMA)?);
        let report = compile(&report(STAGE_BODY)?).map_err(Failure::Defect)?;
        Ok(Self { stage_body, report, kind, kinds: RwLock::default() })
    }

    /// The rules of the stage body that `body` breaks.
    pub(crate) fn check_stage_body(&self, body: &Value) -> Vec<FieldError> {
        broken(&self.stage_body, body, "")
    }

    /// The rules of a report that its evidence breaks.
    pub(crate) fn check_reported_evidence(&self, evidence: &Value) -> Vec<FieldError> {
        broken(&self.report, &serde_json::json!({ "evidence": evidence }), "")
    }

    /// The rules of the schema of kinds that `definition` breaks.
    pub(crate) fn check_kind(&self, definition: &Value) -> Vec<FieldError> {
        broken(&self.kind, definition, "")
    }

    /// The rules of a kind's schema that `parameters` break.
    pub(crate) fn check_parameters(
        &self,
        kind: &Kind,
        version: u32,
        parameters: &Value,
    ) -> Result<Vec<FieldError>, Failure> {
        let key = KindRef { name: kind.name.clone(), version };
        let known = {
            let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
            kinds.get(&key).cloned()
        };
        let validator = match known {
            Some(validator) => validator,
            None => {
                let compiled = Arc::new(compile(&kind.parameters_schema).map_err(Failure::Defect)?);
                let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(kinds.entry(key).or_insert(compiled))
            }
        };
        Ok(broken(&validator, parameters, "/parameters"))
    }
}

/// The schema of what a report has in common with a stage body: evidence, under the same rules.
fn report(stage_body: &str) -> Result<Value, Failure> {
    let schema: Value = serde_json::from_str(stage_body).map_err(Failure::defect)?;
    let found = |pointer: &str| {
        let missing = || Failure::defect(format!("the stage body's schema has no {pointer}"));
        schema.pointer(pointer).cloned().ok_or_else(missing)
    };
    Ok(serde_json::json!({
        "$schema": found("/$schema")?,
        "type": "object",
        "properties": {"evidence": found("/properties/evidence")?},
        "$defs": found("/$defs")?,
    }))
}

/// Compiles a schema; formats are checked, `decimal` among them, and nothing is fetched.
pub(crate) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_format("decimal", is_decimal)
        .with_format("int64", |text: &str| text.parse::<i64>().is_ok_and(|n| n.to_string() == text))
        .build(schema)
        .map_err(|error| error.masked().to_string())
}

fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

/// The rules that `value` breaks, by pointers that begin with `prefix`.
pub(crate) fn broken(validator: &Validator, value: &Value, prefix: &str) -> Vec<FieldError> {
    validator.iter_errors(value).take(MAX_ERRORS).map(|error| field_error(&error, prefix)).collect()
}

fn field_error(error: &ValidationError<'_>, prefix: &str) -> FieldError {
    use ValidationErrorKind as Kind;
    let pointer = format!("{prefix}{}", error.instance_path());
    let at = |detail: &str| FieldError::new(pointer.clone(), detail);
    let inside = |name: &str| format!("{pointer}/{}", domain::canonical::escape_token(name));
    match error.kind() {
        Kind::Required { property } => {
            FieldError::new(inside(property.as_str().unwrap_or_default()), "is missing")
        }
        Kind::AdditionalProperties { unexpected } => {
            let first = unexpected.first().map(String::as_str).unwrap_or_default();
            FieldError::new(inside(first), "is not a field that is known here")
        }
        Kind::MaxLength { limit } => at("has too many characters").limit(limit),
        Kind::MinLength { limit } => at("has too few characters").limit(limit),
        Kind::MaxItems { limit } => at("has too many items").limit(limit),
        Kind::MinItems { limit } => at("has too few items").limit(limit),
        Kind::MaxProperties { limit } => at("has too many fields").limit(limit),
        Kind::MinProperties { limit } => at("has too few fields").limit(limit),
        Kind::Maximum { limit } => at("is too large").limit(limit),
        Kind::Minimum { limit } => at("is too small").limit(limit),
        Kind::ExclusiveMaximum { limit } => at("must be below the limit").limit(limit),
        Kind::ExclusiveMinimum { limit } => at("must be above the limit").limit(limit),
        Kind::UniqueItems => at("has the same item twice"),
        Kind::Enum { options } => at("is not one of the allowed values").limit(options),
        Kind::Constant { expected_value } => at("must be exactly the value").limit(expected_value),
        Kind::Pattern { pattern } => at("does not match the pattern").limit(pattern),
        Kind::Format { format } => at("is not in the format").limit(format),
        Kind::Type { kind } => at("has the wrong type").limit(format!("{kind:?}").to_lowercase()),
        _ => at(&error.masked().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn first(body: Value) -> FieldError {
        Schemas::new().unwrap().check_stage_body(&body).into_iter().next().unwrap()
    }

    fn minimal() -> Value {
        json!({"kind": "db.export", "parameters": {}, "targets": ["t"], "environment": "production",
            "summary": "s", "justification": "j", "risk": {"factors": []}})
    }

    #[test]
    fn h11_j02_every_error_names_the_field_and_the_limit() {
        assert_eq!(Schemas::new().unwrap().check_stage_body(&minimal()), vec![]);
        let mut unknown = minimal();
        unknown["status"] = json!("approved");
        assert_eq!(first(unknown).pointer, "/status");
        let mut long = minimal();
        long["summary"] = json!("x".repeat(201));
        let error = first(long);
        assert_eq!((error.pointer.as_str(), error.limit.as_deref()), ("/summary", Some("200")));
        let mut missing = minimal();
        missing.as_object_mut().unwrap().remove("risk");
        assert_eq!(first(missing).pointer, "/risk");
        let mut nested = minimal();
        nested["evidence"] = json!([{"type": "t", "name": "n", "media_type": 3}]);
        assert_eq!(first(nested).pointer, "/evidence/0/media_type");
        let mut time = minimal();
        time["review_deadline"] = json!("tomorrow");
        assert_eq!(first(time).limit.as_deref(), Some("date-time"));
    }

    #[test]
    fn errors_never_echo_what_was_sent() {
        let mut secret = minimal();
        secret["environment"] = json!("SECRET VALUE");
        assert!(!format!("{:?}", first(secret)).contains("SECRET"));
    }

    #[test]
    fn decimals_are_strings_of_digits() {
        for good in ["0", "12.50", "-3"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in ["", ".5", "1.", "1e3", "+1", "1,5", "--1"] {
            assert!(!is_decimal(bad), "{bad}");
        }
    }
}
