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
        }))
    }
}

fn changes(old: &Revision, now: &Value) -> Result<Vec<FieldChange>, Failure> {
    let old = serde_json::to_value(old).map_err(Failure::defect)?;
    Ok(between(&old, now))
}

fn between(old: &Value, now: &Value) -> Vec<FieldChange> {
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
        if OWN.contains(&pointer.as_str()) {
            continue;
        }
        let (before, after) = (found(old, &pointer), found(now, &pointer));
        out.push(FieldChange { before, after, pointer });
    }
    out
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
        let (old, now) = (json!({"targets": ["a", "b", "c"]}), json!({"targets": ["a"]}));
        assert_eq!(lines(&old, &now), ["/targets/1 \"b\" –", "/targets/2 \"c\" –"]);
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
