//! Waking whoever waits for a request: one notifier a request, none while nobody waits.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use domain::RequestId;
use store::Changed;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::Service;

/// However sure the wake-up is, a waiter looks again after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The waiters of this process.
#[derive(Default)]
pub(crate) struct Wakers {
    waiting: Mutex<HashMap<RequestId, Weak<Notify>>>,
}

/// A place in the waiting room; subscribe first, then read.
pub(crate) struct Waiter(Arc<Notify>);

impl Wakers {
    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, Weak<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self, id: RequestId) -> Waiter {
        let mut waiting = self.lock();
        if let Some(notify) = waiting.get(&id).and_then(Weak::upgrade) {
            return Waiter(notify);
        }
        waiting.retain(|_, notify| notify.strong_count() > 0);
        let notify = Arc::new(Notify::new());
        waiting.insert(id, Arc::downgrade(&notify));
        Waiter(notify)
    }

    pub(crate) fn wake(&self, id: RequestId) {
        if let Some(notify) = self.lock().get(&id).and_then(Weak::upgrade) {
            notify.notify_waiters();
        }
    }

    fn wake_all(&self) {
        self.lock().values().filter_map(Weak::upgrade).for_each(|notify| notify.notify_waiters());
    }
}

impl Service {
    /// Wakes whoever waits here for what other processes commit; returns when the store ends.
    pub async fn follow_changes(&self) {
        let mut changes = self.store.changes();
        loop {
            match changes.recv().await {
                Ok(Changed::Request(id)) => self.wakers.wake(id),
                Ok(Changed::Anything) | Err(RecvError::Lagged(_)) => self.wakers.wake_all(),
                Err(RecvError::Closed) => return,
            }
        }
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
