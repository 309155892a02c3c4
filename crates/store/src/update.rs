//! Requests that were there before, as they are after a change, kept until as many as there are can be
//! updated at once.
//!
//! INVARIANT: I9. A row moves from the version that the change was decided on, or the whole statement
//! counts for nothing.

use std::collections::BTreeMap;

use domain::{PersonId, Request, RequestId, Timestamp};

use crate::change::RequestChange;
use crate::error::StoreError;
use crate::insert::{Type, Value, json, search_text};

type Answer<T> = Result<T, StoreError>;

/// The columns of `new`: what a row becomes, and by which id and version it is found.
pub(crate) const COLUMNS: [(&str, Type); 15] = [
    ("id", Type::Id),
    ("version", Type::Number),
    ("state", Type::Text),
    ("due_at", Type::Number),
    ("owes_review", Type::Id),
    ("owes_review_by", Type::Number),
    ("changed_at", Type::Number),
    ("environment", Type::Text),
    ("risk", Type::Text),
    ("revision", Type::Number),
    ("digest", Type::Bytes),
    ("content_digest", Type::Bytes),
    ("effect", Type::Text),
    ("search", Type::Text),
    ("document", Type::Text),
];

/// Moves each row to what `new` says of it.
pub(crate) const UPDATE: &str = "UPDATE requests SET version = requests.version + 1, \
     state = new.state, due_at = new.due_at, owes_review = new.owes_review, \
     owes_review_by = new.owes_review_by, changed_at = new.changed_at, \
     environment = new.environment, risk = new.risk, revision = new.revision, \
     digest = new.digest, content_digest = new.content_digest, \
     effect = coalesce(new.effect, requests.effect), \
     search = coalesce(new.search, requests.search), document = new.document \
     FROM new WHERE requests.id = new.id AND requests.version = new.version";

/// Rows that wait, at most one of each request.
#[derive(Default)]
pub(crate) struct Updates(BTreeMap<RequestId, [Value; COLUMNS.len()]>);

impl Updates {
    /// Whether an earlier change of this request waits: it is written before the next one.
    pub(crate) fn has(&self, id: RequestId) -> bool {
        self.0.contains_key(&id)
    }

    /// Everything that waits; nothing waits afterwards.
    pub(crate) fn take(&mut self) -> Vec<[Value; COLUMNS.len()]> {
        std::mem::take(&mut self.0).into_values().collect()
    }

    /// The row of a request that was there before, after all its facts.
    pub(crate) fn add(&mut self, change: &RequestChange, at: Timestamp) -> Answer<()> {
        let Some(before) = &change.before else { return Ok(()) };
        let request = &change.after;
        let (debtor, debt) = owed(request).unzip();
        let effect = change.staged.as_ref().map(|staged| json(&staged.effect)).transpose()?;
        let row = [
            request.id.0.into(),
            before.version.into(),
            request.state.name().as_str().into(),
            request.due_at().into(),
            debtor.map(|person| person.0).into(),
            debt.into(),
            at.into(),
            request.environment.as_str().into(),
            request.risk.level.as_str().into(),
            request.revision.into(),
            request.digest.into(),
            request.content_digest.into(),
            effect.into(),
            change.staged.as_ref().map(search_text).into(),
            json(request)?.into(),
        ];
        self.0.insert(request.id, row);
        Ok(())
    }
}

/// Who still owes a second review for a broken glass, and until when.
fn owed(request: &Request) -> Option<(PersonId, Timestamp)> {
    request.owes_second_review().map(|broken| (broken.by, broken.review_by))
}

/// What became of `rows` where `updated` of them were found as they had to be.
pub(crate) fn all_updated(rows: usize, updated: u64) -> Answer<()> {
    if u64::try_from(rows) == Ok(updated) { Ok(()) } else { Err(StoreError::Stale) }
}
