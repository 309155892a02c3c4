//! Waking whoever waits for a request or for anything of an agent's: one notifier for each that is
//! waited for, none while nobody waits.
//!
//! A commit wakes those who wait for its request, and those of its two agents; nobody else.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use domain::{AgentId, RequestId};
use store::Changed;
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::Service;

/// However sure the wake-up is, a waiter looks again after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    Request(RequestId),
    /// Any request that the agent staged or executes.
    Agent(AgentId),
}

/// The waiters of this process.
#[derive(Default)]
pub(crate) struct Wakers {
    waiting: Mutex<HashMap<Topic, Weak<Notify>>>,
}

/// A place in the waiting room; subscribe first, then read.
pub(crate) struct Waiter(Arc<Notify>);

impl Wakers {
    fn lock(&self) -> MutexGuard<'_, HashMap<Topic, Weak<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self, topic: Topic) -> Waiter {
        let mut waiting = self.lock();
        if let Some(notify) = waiting.get(&topic).and_then(Weak::upgrade) {
            return Waiter(notify);
        }
        waiting.retain(|_, notify| notify.strong_count() > 0);
        let notify = Arc::new(Notify::new());
        waiting.insert(topic, Arc::downgrade(&notify));
        Waiter(notify)
    }

    pub(crate) fn wake(&self, changed: Changed) {
        let Changed::Request { id, agents: [stager, executor] } = changed else {
            return self.wake_all();
        };
        let topics = [Topic::Request(id), Topic::Agent(stager), Topic::Agent(executor)];
        let waiting = self.lock();
        let woken = topics.iter().filter_map(|topic| waiting.get(topic).and_then(Weak::upgrade));
        woken.for_each(|notify| notify.notify_waiters());
    }

    async fn follow(&self, mut changes: Receiver<Changed>) {
        loop {
            match changes.recv().await {
                Ok(changed) => self.wake(changed),
                Err(RecvError::Lagged(_)) => self.wake_all(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn wake_all(&self) {
        self.lock().values().filter_map(Weak::upgrade).for_each(|notify| notify.notify_waiters());
    }
}

impl Service {
    /// Wakes whoever waits here for what other processes commit; returns when the store ends.
    pub async fn follow_changes(&self) {
        self.wakers.follow(self.store.changes()).await;
    }
}

impl Waiter {
    /// A wake-up that counts from now on, also while it is not awaited: take it, read, then await.
    pub(crate) fn next(&self) -> Pin<Box<Notified<'_>>> {
        let mut woken = Box::pin(self.0.notified());
        woken.as_mut().enable();
        woken
    }
}

/// Waits for a wake-up, but never past `end`, and never long without looking again.
pub(crate) async fn pause(woken: Pin<Box<Notified<'_>>>, end: Instant) {
    let until = end.min(Instant::now() + LOOK_AGAIN);
    // Woken or not, the next thing is to read again.
    let _ = tokio::time::timeout_at(until, woken).await;
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast;
    use uuid::Uuid;

    use super::*;

    const TOPICS: [Topic; 4] = [
        Topic::Request(RequestId(Uuid::from_u128(1))),
        Topic::Request(RequestId(Uuid::from_u128(2))),
        Topic::Agent(AgentId(Uuid::from_u128(3))),
        Topic::Agent(AgentId(Uuid::from_u128(4))),
    ];

    /// That the first request changed, which the first agent staged and `executor` executes.
    fn changed(executor: u128) -> Changed {
        let agents = [AgentId(Uuid::from_u128(3)), AgentId(Uuid::from_u128(executor))];
        Changed::Request { id: RequestId(Uuid::from_u128(1)), agents }
    }

    /// Which of those that wait for [`TOPICS`] wake up when other processes commit `changes`.
    async fn woken_by(changes: &[Changed]) -> [bool; 4] {
        let wakers = Wakers::default();
        let waiters = TOPICS.map(|topic| wakers.subscribe(topic));
        let pending = waiters.each_ref().map(Waiter::next);
        let (sender, receiver) = broadcast::channel(2);
        for change in changes {
            sender.send(*change).unwrap();
        }
        drop(sender);
        wakers.follow(receiver).await;
        let mut woken = [false; 4];
        for (woken, pending) in woken.iter_mut().zip(pending) {
            *woken = tokio::time::timeout(Duration::ZERO, pending).await.is_ok();
        }
        woken
    }

    #[tokio::test]
    async fn c12_whoever_waits_is_woken_by_what_another_process_commits() {
        assert_eq!(woken_by(&[]).await, [false; 4]);
        assert_eq!(woken_by(&[Changed::Anything]).await, [true; 4]);
        // More than there is room for: what was dropped could have been for anybody.
        assert_eq!(woken_by(&[changed(3); 5]).await, [true; 4]);
    }

    #[tokio::test]
    async fn j07_a_commit_wakes_who_waits_for_its_request_or_its_agents_and_nobody_else() {
        assert_eq!(woken_by(&[changed(3)]).await, [true, false, true, false]);
        assert_eq!(woken_by(&[changed(4)]).await, [true, false, true, true]);
    }
}
