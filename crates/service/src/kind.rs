//! What a kind has to hold before it enters the catalogue.
//!
//! Shapes and bounds stand in its JSON Schema; here are the rules between two fields, and the one
//! that matters most: its own example is a request that it would take.

use std::collections::BTreeSet;

use domain::kind::{Size, WorkingHours};
use domain::stage::FieldError;
use domain::{Kind, StageBody, Timestamp, canonical, name};
use serde_json::Value;

use crate::schema::{self, Schemas};

/// The JSON Schema of a kind.
pub const SCHEMA: &str = include_str!("../schemas/kind.schema.json");

/// Reads a definition.
///
/// # Errors
/// Every rule that it breaks, by pointer, with the limit.
pub(crate) fn read(
    schemas: &Schemas,
    definition: &Value,
    now: Timestamp,
) -> Result<Kind, Vec<FieldError>> {
    let errors = schemas.check_kind(definition);
    if !errors.is_empty() {
        return Err(errors);
    }
    let kind: Kind = serde_json::from_value(definition.clone())
        .map_err(|error| vec![FieldError::new("", error.to_string())])?;
    let mut errors = between_fields(&kind);
    errors.extend(example(schemas, &kind, now));
    if errors.is_empty() { Ok(kind) } else { Err(errors) }
}

fn between_fields(kind: &Kind) -> Vec<FieldError> {
    let mut errors = placeholders(kind);
    let mut types = BTreeSet::new();
    for (index, rule) in kind.required_evidence.iter().enumerate() {
        if !types.insert(&rule.evidence_type) {
            let pointer = format!("/required_evidence/{index}/type");
            errors.push(FieldError::new(pointer, "is there twice: one rule for each type"));
        }
    }
    errors.extend(kind.size.iter().flat_map(|size| size_errors(kind, size)));
    if let Some(WorkingHours { from, to }) = kind.working_hours_utc
        && from == to
    {
        let detail = "must differ from `from`: leave the field out where any time will do";
        errors.push(FieldError::new("/working_hours_utc/to", detail));
    }
    if let Some(Err(bad)) = kind.executor.as_deref().map(name::check) {
        errors.push(FieldError::new("/executor", bad.to_string()));
    }
    errors
}

/// The parameters that the schema names at its top, with their schemas.
fn parameter<'a>(kind: &'a Kind, name: &str) -> Option<&'a Value> {
    kind.parameters_schema.get("properties")?.get(name)
}

/// A sentence with a name that no request can fill would be read as a gap in every request.
fn placeholders(kind: &Kind) -> Vec<FieldError> {
    let names = match kind.placeholders() {
        Ok(names) => names,
        Err(loose) => return vec![FieldError::new("/effect", loose.to_string())],
    };
    let properties = kind.parameters_schema.get("properties").and_then(Value::as_object);
    let known = properties.into_iter().flatten().map(|(name, _)| name.as_str());
    let known: BTreeSet<&str> = known.chain(["environment"]).collect();
    let unknown = names.into_iter().filter(|name| !known.contains(name));
    let limit = known.iter().copied().collect::<Vec<_>>().join(", ");
    unknown
        .map(|name| {
            let detail = format!("names `{name}`, which is no parameter of `parameters_schema`");
            FieldError::new("/effect", detail).limit(&limit)
        })
        .collect()
}

fn size_errors(kind: &Kind, size: &Size) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let required = kind.parameters_schema.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten().any(|name| name == size.parameter.as_str());
    let integer = parameter(kind, &size.parameter).is_some_and(|of| of["type"] == "integer");
    if !required || !integer {
        let detail =
            "is not the name of a parameter that `parameters_schema` has as a required integer";
        errors.push(FieldError::new("/size/parameter", detail));
    }
    if size.high <= size.medium {
        let detail = "must be above `medium`";
        errors.push(FieldError::new("/size/high", detail).limit(size.medium));
    }
    errors
}

/// What is wrong with the example as a request of this very kind.
fn example(schemas: &Schemas, kind: &Kind, now: Timestamp) -> Vec<FieldError> {
    let at = |mut error: FieldError| {
        error.pointer.insert_str(0, "/example");
        error
    };
    let validator = match schema::compile(&kind.parameters_schema) {
        Ok(validator) => validator,
        Err(error) => return vec![FieldError::new("/parameters_schema", error)],
    };
    let example = kind.example_at(now);
    let broken = schemas.check_stage_body(&example);
    if !broken.is_empty() {
        return broken.into_iter().map(at).collect();
    }
    let body: StageBody = match serde_json::from_value(example) {
        Ok(body) => body,
        Err(error) => return vec![FieldError::new("/example", error.to_string())],
    };
    let parameters = Value::Object(body.parameters.clone());
    let mut errors = schema::broken(&validator, &parameters, "/parameters");
    errors.extend(body.check(now));
    errors.extend(kind.check_body(&body, now));
    errors.extend(for_ever(kind, &body));
    errors.into_iter().map(at).collect()
}

/// What would work today, or for one agent, and not as it is for everybody who reads it.
fn for_ever(kind: &Kind, body: &StageBody) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if body.kind != kind.name {
        errors.push(FieldError::new("/kind", "must be the kind's own name").limit(&kind.name));
    }
    let passes = [
        ("/window", body.window.is_some()),
        ("/review_deadline", body.review_deadline.is_some()),
        ("/on_behalf_of", body.on_behalf_of.is_some()),
    ];
    for (pointer, given) in passes {
        if given {
            let detail = "does not belong into an example: it would not work for every reader";
            errors.push(FieldError::new(pointer, detail));
        }
    }
    for (index, item) in body.evidence.iter().enumerate() {
        if item.digest.is_some() {
            let detail = "is an upload of one agent: an example has its evidence as `content`";
            errors.push(FieldError::new(format!("/evidence/{index}/digest"), detail));
        }
    }
    errors
}

/// Reads a definition's text: canonical JSON's rules hold for kinds too.
///
/// # Errors
/// By pointer, as for every other broken rule.
pub(crate) fn parse(text: &[u8]) -> Result<Value, Vec<FieldError>> {
    canonical::parse(text).map_err(|malformed| {
        vec![FieldError::new(malformed.pointer, malformed.problem.to_string())]
    })
}

#[cfg(test)]
mod tests;
