//! Places: how much of one sort each agent has under way at this server at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::AgentId;

type Taken = HashMap<AgentId, u32>;

/// So many places for each agent; 0 is no limit.
pub struct Places {
    limit: u32,
    taken: Arc<Mutex<Taken>>,
}

/// One of an agent's places; free again when it is dropped.
pub struct Place {
    agent: AgentId,
    taken: Arc<Mutex<Taken>>,
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Places {
    /// As many for each agent as `limit` says.
    pub fn new(limit: u32) -> Self {
        Self { limit, taken: Arc::default() }
    }

    /// How many each agent has.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Takes a place of the agent's, for as long as it is held.
    pub fn enter(&self, agent: AgentId) -> Option<Place> {
        let mut taken = lock(&self.taken);
        let count = taken.entry(agent).or_default();
        if self.limit > 0 && *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Place { agent, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(count) = taken.get_mut(&self.agent) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.agent);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j03_a_place_is_free_again_when_it_is_left() {
        let places = Places::new(2);
        let (one, other) = (AgentId::HOUSE, AgentId(uuid::Uuid::from_u128(1)));
        let first = places.enter(one);
        let second = places.enter(one);
        assert!(first.is_some() && second.is_some());
        assert!(places.enter(one).is_none());
        assert!(places.enter(other).is_some(), "each has its own");
        drop(second);
        assert!(places.enter(one).is_some());
        drop(first);
        assert!(lock(&places.taken).is_empty());
    }
}
