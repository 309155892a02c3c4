//! What a draft would have asked of past requests, beside what the policy asks.

use domain::{RequestId, Requirement};
use serde::Serialize;

use crate::{Policy, PolicyFailure, Subject};

/// One request for which the two policies answer differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replayed {
    pub request: RequestId,
    /// Asked by the draft only.
    pub added: Vec<Requirement>,
    /// Asked by the current policy only.
    pub removed: Vec<Requirement>,
    /// Asked by both under one name, but not alike: as it is, as it would be.
    pub changed: Vec<(Requirement, Requirement)>,
    /// Why the current policy refuses it at staging, if it does.
    pub refused: Option<String>,
    /// Why the draft would refuse it at staging, if it would.
    pub would_be_refused: Option<String>,
}

/// The requests that would have fared differently, in the order given.
pub fn replay(
    draft: &Policy,
    current: &Policy,
    subjects: impl IntoIterator<Item = (RequestId, Subject)>,
) -> Vec<Replayed> {
    subjects
        .into_iter()
        .filter_map(|(request, subject)| {
            compared(request, current.requirements(&subject), draft.requirements(&subject))
        })
        .collect()
}

type Asked = Result<Vec<Requirement>, PolicyFailure>;

fn compared(request: RequestId, now: Asked, then: Asked) -> Option<Replayed> {
    if now == then {
        return None;
    }
    let refusal = |asked: &Asked| asked.as_ref().err().map(ToString::to_string);
    let (refused, would_be_refused) = (refusal(&now), refusal(&then));
    let (now, then) = (now.unwrap_or_default(), then.unwrap_or_default());
    let named = |list: &[Requirement], id: &str| list.iter().find(|r| r.id == id).cloned();
    let only = |list: &[Requirement], other: &[Requirement]| {
        list.iter().filter(|one| named(other, &one.id).is_none()).cloned().collect()
    };
    let pairs = now.iter().filter_map(|old| Some((old.clone(), named(&then, &old.id)?)));
    Some(Replayed {
        request,
        added: only(&then, &now),
        removed: only(&now, &then),
        changed: pairs.filter(|(old, new)| old != new).collect(),
        refused,
        would_be_refused,
    })
}
