//! What happens to an agent's requests, told while it happens: one event for each entry of the ledger
//! about a request that the agent staged or executes, heartbeats apart.
//!
//! An event is thin: which entry, which request, what became of it. It follows from the entries alone,
//! so whoever comes back with the index of the last one goes on behind it, at any server, without a
//! loss or a repetition. SECURITY: no token, no text, nobody's name, and nothing of anybody else's
//! but that indices are left out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::{Digest, Request, RequestId, Scope, StateName, Timestamp};
use serde::Serialize;
use tokio::time::Instant;

use crate::caller::AgentCaller;
use crate::places::Place;
use crate::recorded::Fold;
use crate::wait::{Topic, Waiter};
use crate::webhook::event::EventType;
use crate::{Failure, Service};

/// Streams of one agent that are open at one server at a time.
pub const MAX_STREAMS: u32 = 16;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The index of the entry that it tells of.
    pub index: u64,
    pub name: &'static str,
    pub data: EventData,
}

/// What became of the request by this entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventData {
    pub id: RequestId,
    pub revision: u32,
    pub digest: Digest,
    pub state: StateName,
    pub at: Timestamp,
}

/// Why no stream was opened.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    #[error("the agent has {MAX_STREAMS} streams open already")]
    TooMany,
    #[error("the ledger has {size} entries, and none of that index")]
    NotThere { size: u64 },
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// An open stream of events.
pub struct Events {
    caller: AgentCaller,
    waiter: Waiter,
    /// Everything before this index was told, or was not the agent's.
    next: u64,
    service: Arc<Service>,
    _place: Place,
}

impl Service {
    /// Opens a stream of what happens to the agent's requests after the entry of index `after`, or
    /// from now on.
    ///
    /// # Errors
    /// [`EventsError`] says why there is none.
    pub async fn events(
        self: &Arc<Self>,
        caller: &AgentCaller,
        after: Option<u64>,
    ) -> Result<Events, EventsError> {
        let agent = caller.id();
        let _place = self.streams.enter(agent).ok_or(EventsError::TooMany)?;
        // Taken before reading: an entry between the two is not lost (threats C12).
        let waiter = self.wakers.subscribe(Topic::Agent(agent));
        let size = self.store.ledger_size().await.map_err(Failure::from)?;
        let next = match after {
            None => size,
            Some(after) if after < size => after + 1,
            Some(_) => return Err(EventsError::NotThere { size }),
        };
        let (caller, service) = (caller.clone(), Arc::clone(self));
        Ok(Events { caller, waiter, next, service, _place })
    }

    /// The events of these entries, as far as the scope covers their requests, in the order of the
    /// ledger.
    async fn told(
        &self,
        entries: &[(u64, RequestId)],
        scope: &Scope,
    ) -> Result<Vec<Event>, Failure> {
        let wanted: BTreeSet<u64> = entries.iter().map(|(index, _)| *index).collect();
        let requests: BTreeSet<RequestId> = entries.iter().map(|(_, id)| *id).collect();
        let mut events = Vec::new();
        for id in requests {
            let mut fold = Fold::default();
            for stored in self.store.entries_of(id).await? {
                // What people opened, and what they were refused, is not for the agent.
                let Some((entry, after)) = fold.take(&stored.body)? else { continue };
                let covered = scope.covers(&after.kind.name, &after.environment);
                if let Some(event) = EventType::of(&entry.fact)
                    && covered
                    && wanted.contains(&stored.index)
                {
                    events.push(Event {
                        index: stored.index,
                        name: event.word(),
                        data: told_of(after, entry.at),
                    });
                }
            }
        }
        events.sort_unstable_by_key(|event| event.index);
        Ok(events)
    }
}

impl Events {
    /// The index of the newest entry that is not told any more.
    pub fn position(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// What happened next; nothing where that takes longer than `patience`. `None` ends the stream:
    /// the agent has no access any more.
    ///
    /// # Errors
    /// When the store is away; what was not told yet is told to whoever comes back.
    pub async fn next(&mut self, patience: Duration) -> Result<Option<Vec<Event>>, Failure> {
        let service = &self.service;
        let end = Instant::now() + patience;
        loop {
            let woken = self.waiter.next();
            let found = service.store.entries_of_agent(self.caller.id(), self.next).await?;
            // INVARIANT: I9. Asked after the reading: what is told was allowed once it was read.
            let scope = service.scope_now(&self.caller).await?;
            #[cfg(planted = "a_stream_outlives_its_key")]
            let scope = scope.or(Some(Scope::default()));
            let Some(scope) = scope else { return Ok(None) };
            let events = service.told(&found.entries, &scope).await?;
            self.next = found.next;
            if !events.is_empty() || Instant::now() >= end {
                return Ok(Some(events));
            }
            if found.next >= found.size {
                // Woken or not, the next thing is to look again.
                let _ = tokio::time::timeout_at(end, woken).await;
            }
        }
    }
}

fn told_of(request: &Request, at: Timestamp) -> EventData {
    EventData {
        id: request.id,
        revision: request.revision,
        digest: request.digest,
        state: request.state.name(),
        at,
    }
}
