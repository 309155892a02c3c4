//! What an amendment changed: old to new, field by field.

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
    let change = |operation: &PatchOperation| {
        let pointer = operation.path().to_string();
        let of = |value: &Value| value.pointer(&pointer).filter(|found| !found.is_null()).cloned();
        FieldChange { before: of(&old), after: of(now), pointer }
    };
    let patch = diff(&old, now);
    Ok(patch.iter().map(change).filter(|found| !OWN.contains(&found.pointer.as_str())).collect())
}
