//! A batch: the changes that one transaction commits, all of them or none.
//!
//! What both back ends do alike on the way there: whether a change still fits what is there, its facts
//! as entries at the end of the ledger, its rows. Nothing of it is durable before the COMMIT.

use std::collections::HashMap;

use domain::merkle::{Frontier, Hash};
use domain::{Entry, Fact, InstanceId, RequestId, Timestamp, entry};

use crate::change::{Change, Changed, Committed, NewFact, Write};
use crate::clock::now_after;
use crate::error::StoreError;
use crate::insert::Inserts;
use crate::read::IdempotencyRecord;
use crate::update::Updates;

type Answer<T> = Result<T, StoreError>;

/// The state of the ledger at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub instance: Option<InstanceId>,
    /// The authority epoch.
    pub epoch: u64,
    pub frontier: Frontier,
    /// When the newest entry was recorded.
    pub newest: Option<Timestamp>,
}

/// What a transaction is being filled with.
pub(crate) struct Batch {
    pub head: Head,
    pub inserts: Inserts,
    pub updates: Updates,
    /// The last entry that was appended: what tells whether a COMMIT took place.
    pub last: Option<(u64, Hash)>,
    /// What is told of the requests that changed.
    pub changed: Vec<Changed>,
    /// By the clock that decides, read under the lock.
    clock: Timestamp,
    found: Found,
}

/// What the changes of a batch are compared with, as the transaction found it and changes it.
#[derive(Default)]
pub(crate) struct Found {
    pub versions: HashMap<RequestId, u64>,
    pub keys: HashMap<(String, String), IdempotencyRecord>,
}

/// The instants as of which the rows of a change are written.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub now: Timestamp,
    pub staged: Timestamp,
    pub changed: Timestamp,
}

/// What has to be looked up for a batch: requests, and idempotency records by scope and key.
#[derive(Default)]
pub(crate) struct Wanted {
    pub requests: Vec<RequestId>,
    pub keys: Vec<(String, String)>,
}

impl Wanted {
    pub(crate) fn add(&mut self, change: &Change) {
        let known = change.request.as_ref().filter(|request| request.before.is_some());
        self.requests.extend(known.map(|request| request.after.id));
        if let Some(record) = &change.idempotency {
            self.keys.push((record.scope.clone(), record.key.clone()));
        }
    }
}

impl Batch {
    pub(crate) fn new(head: Head, clock: Timestamp, found: Found) -> Self {
        let (inserts, updates) = (Inserts::default(), Updates::default());
        Self { head, inserts, updates, last: None, changed: Vec::new(), clock, found }
    }

    /// Whether the change may be written on top of what is there; writes nothing yet.
    ///
    /// INVARIANT: I9. Epoch, version and deadline are compared here, inside the transaction.
    pub(crate) fn admit(&self, change: &mut Change) -> Answer<Times> {
        let now = now_after(self.head.newest, self.clock)?;
        if change.is_ahead_of(now) {
            return Err(StoreError::Stale);
        }
        #[cfg(not(planted = "the_epoch_is_not_compared"))]
        if change.expected_epoch.is_some_and(|expected| expected != self.head.epoch) {
            return Err(StoreError::Stale);
        }
        #[cfg(not(planted = "a_change_may_be_too_late"))]
        if change.valid_until.is_some_and(|until| now >= until) {
            return Err(StoreError::TooLate);
        }
        if let Some(record) = &change.idempotency
            && let Some(used) = self.found.keys.get(&(record.scope.clone(), record.key.clone()))
        {
            return Err(StoreError::KeyUsed(*used));
        }
        if let Some(request) = &change.request {
            let found = self.found.versions.get(&request.after.id).copied();
            if found != request.expected_version() {
                return Err(StoreError::Stale);
            }
        }
        change.follow(self.head.newest)?;
        // INVARIANT: L13. What the tables say follows from the entries, times included.
        let staged = change.staged_at().unwrap_or(now);
        Ok(Times { now, staged, changed: change.changed_at().unwrap_or(now) })
    }

    /// Takes what the change inserts, its entries apart.
    pub(crate) fn take(&mut self, change: &Change, times: Times) -> Answer<()> {
        if let Some(request) = &change.request {
            let id = request.after.id;
            self.found.versions.insert(id, request.expected_version().map_or(1, |seen| seen + 1));
            self.changed.push(Changed::of(&request.after));
            self.inserts.stage(request, times.staged, times.changed)?;
        }
        for write in &change.writes {
            match write {
                Write::Instance { id } => self.head.instance = Some(*id),
                Write::Evidence { agent, digest, bytes } => {
                    self.inserts.whole_evidence(*agent, *digest, bytes, times.now);
                }
                _ => {}
            }
        }
        if let Some(record) = &change.idempotency {
            let (fingerprint, request, at) = (record.fingerprint, record.request, times.now);
            let used = IdempotencyRecord { fingerprint, request, at };
            self.found.keys.insert((record.scope.clone(), record.key.clone()), used);
            self.inserts.idempotency(record, at);
        }
        Ok(())
    }

    /// Puts a fact at the end of the ledger.
    pub(crate) fn append(&mut self, fact: &NewFact) -> Answer<()> {
        let head = &mut self.head;
        let instance = head
            .instance
            .ok_or_else(|| StoreError::Refused("the installation is not initialised".into()))?;
        let index = head.frontier.size();
        let entry = Entry {
            format: entry::FORMAT.to_owned(),
            instance,
            index,
            at: fact.at,
            actor: fact.actor,
            request: fact.request,
            fact: fact.fact.clone(),
        };
        let (body, leaf) = entry.seal().map_err(|error| StoreError::Refused(error.to_string()))?;
        self.inserts.entry(&entry, body, &leaf, &head.frontier.append(leaf));
        head.newest = Some(entry.at);
        self.last = Some((index, leaf));
        if let (Some(id), Fact::Request(fact)) = (entry.request, &entry.fact) {
            self.inserts.fact(id, fact, entry.at);
        }
        for text in &fact.texts {
            self.inserts.text(index, text);
        }
        Ok(())
    }

    /// Where the change stands, whose entries begin at `first_index`.
    pub(crate) fn committed(&self, first_index: u64, change: &Change) -> Committed {
        let after = change.request.as_ref().map(|request| Box::new(request.after.clone()));
        Committed { first_index, size: self.head.frontier.size(), after }
    }
}
