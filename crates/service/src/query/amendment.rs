//! What an amendment changed: old to new, field by field.

use std::collections::HashMap;

use domain::{Request, Revision};
use json_patch::{PatchOperation, diff};
use serde_json::Value;

use crate::caller::PersonCaller;
use crate::view::{AmendmentView, FieldChange};
use crate::{Failure, Service};

/// What every revision has of its own, and nobody needs to be told.
const OWN: [&str; 1] = ["/revision"];

impl Service {
    /// What the current revision changed, against the last one that this person reviewed, else
    /// against the one before it. `None` for a first revision.
    pub(super) async fn amendment(
        &self,
        caller: &PersonCaller,
        request: &Request,
        revision: &Revision,
        now: &Value,
    ) -> Result<Option<AmendmentView>, Failure> {
        if request.revision == 1 {
            return Ok(None);
        }
        let own = request.reviews.iter().filter(|review| review.reviewer == caller.id());
        let reviewed = own.map(|review| review.revision).filter(|n| *n < request.revision).max();
        let since = reviewed.unwrap_or(request.revision - 1);
        let found = self.store.revision(request.id, since).await?;
        let missing = || Failure::defect(format!("revision {since} of {} is gone", request.id));
        let (bytes, digest) = found.ok_or_else(missing)?;
        let old = store::port::opened_revision(request.id, bytes, digest)?.revision;
        Ok(Some(AmendmentView {
            since,
            reviewed_by_you: reviewed.is_some(),
            changes: changes(&old, now)?,
            masked_otherwise: self.masked_otherwise(&old, &revision.evidence).await?,
        }))
    }
}

fn changes(old: &Revision, now: &Value) -> Result<Vec<FieldChange>, Failure> {
    let old = serde_json::to_value(old).map_err(Failure::defect)?;
    Ok(between(&old, now))
}

pub(super) fn between(old: &Value, now: &Value) -> Vec<FieldChange> {
    let patch = diff(old, now);
    let mut out: Vec<FieldChange> = Vec::new();
    let mut removed: HashMap<String, usize> = HashMap::new();
    for operation in patch.iter() {
        let mut pointer = operation.path().to_string();
        if matches!(operation, PatchOperation::Remove(_)) {
            let times = removed.entry(pointer.clone()).or_default();
            pointer = shifted(&pointer, *times);
            *times += 1;
        }
        let pointer = list_of(old, now, &pointer).unwrap_or(pointer);
        let known = out.iter().any(|change| change.pointer == pointer);
        if known || OWN.contains(&pointer.as_str()) {
            continue;
        }
        let (before, after) = (found(old, &pointer), found(now, &pointer));
        out.push(FieldChange { before, after, pointer });
    }
    out
}

/// The list that a change is in, where a person reads the list as a whole: one of plain values, in
/// which one more or less moves all that follow; and the evidence, which goes by its names.
fn list_of(old: &Value, now: &Value, pointer: &str) -> Option<String> {
    if pointer.starts_with("/evidence/") {
        return Some("/evidence".to_owned());
    }
    let (parent, _) = pointer.rsplit_once('/')?;
    let plain = |value: &Value| {
        value
            .pointer(parent)
            .and_then(Value::as_array)
            .is_some_and(|items| items.iter().all(|item| !item.is_object() && !item.is_array()))
    };
    (plain(old) && plain(now)).then(|| parent.to_owned())
}

/// A patch is applied step by step, so an array that loses its last items loses each at the same
/// place. SECURITY: here each stands where it was, so that none of them goes unseen.
fn shifted(pointer: &str, by: usize) -> String {
    match pointer.rsplit_once('/') {
        Some((parent, index)) if by > 0 => match index.parse::<usize>() {
            Ok(index) => format!("{parent}/{}", index.saturating_add(by)),
            Err(_) => pointer.to_owned(),
        },
        _ => pointer.to_owned(),
    }
}

/// What stands there. A field of ours that is `null` was not given; a parameter that is `null`
/// was given so.
fn found(value: &Value, pointer: &str) -> Option<Value> {
    let given = pointer.starts_with("/parameters/");
    value.pointer(pointer).filter(|found| given || !found.is_null()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(old: &Value, now: &Value) -> Vec<String> {
        let side = |value: Option<Value>| value.map_or("–".to_owned(), |value| value.to_string());
        let line = |change: FieldChange| {
            format!("{} {} {}", change.pointer, side(change.before), side(change.after))
        };
        between(old, now).into_iter().map(line).collect()
    }

    #[test]
    fn i4_every_item_that_a_list_lost_is_shown_as_what_it_was() {
        let plain = |items: Value| json!({ "targets": items });
        let (old, now) = (plain(json!(["a", "b", "c"])), plain(json!(["a"])));
        assert_eq!(lines(&old, &now), [r#"/targets ["a","b","c"] ["a"]"#]);
        let parts = |items: Value| json!({"parameters": {"rules": items}});
        let old = parts(json!([{"n": 1}, {"n": 2}, {"n": 3}]));
        let lost = [r#"/parameters/rules/1 {"n":2} –"#, r#"/parameters/rules/2 {"n":3} –"#];
        assert_eq!(lines(&old, &parts(json!([{"n": 1}]))), lost);
    }

    #[test]
    fn evidence_is_one_change_whatever_of_it_changed() {
        let piece = |name: &str, size: u64| json!({"name": name, "size_bytes": size});
        let old = json!({"evidence": [piece("a", 1), piece("b", 2)]});
        let now = json!({"evidence": [piece("b", 2)]});
        let found = between(&old, &now);
        assert!(matches!(found.as_slice(), [one] if one.pointer == "/evidence"), "{found:?}");
    }

    #[test]
    fn a_field_is_changed_given_or_taken_away() {
        let old = json!({"revision": 1, "ticket": null, "parameters": {"a": null, "b": 1, "c": 2}});
        let now = json!({"revision": 2, "ticket": "T-1", "parameters": {"b": 3, "d": null}});
        let mut found = lines(&old, &now);
        found.sort();
        let wanted = [
            "/parameters/a null –",
            "/parameters/b 1 3",
            "/parameters/c 2 –",
            "/parameters/d – null",
            "/ticket – \"T-1\"",
        ];
        assert_eq!(found, wanted);
    }
}
