//! Waking whoever waits for a request: one notifier a request, none while nobody waits.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use domain::RequestId;
use store::Changed;
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;
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

    async fn follow(&self, mut changes: Receiver<Changed>) {
        loop {
            match changes.recv().await {
                Ok(Changed::Request(id)) => self.wake(id),
                Ok(Changed::Anything) | Err(RecvError::Lagged(_)) => self.wake_all(),
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

    const ONE: RequestId = RequestId(Uuid::from_u128(1));
    const TWO: RequestId = RequestId(Uuid::from_u128(2));

    /// Which of two waiters wake up when other processes commit `changes`.
    async fn woken_by(changes: &[Changed]) -> (bool, bool) {
        let wakers = Wakers::default();
        let (one, two) = (wakers.subscribe(ONE), wakers.subscribe(TWO));
        let (first, second) = (one.next(), two.next());
        let (sender, receiver) = broadcast::channel(2);
        for change in changes {
            sender.send(*change).unwrap();
        }
        drop(sender);
        wakers.follow(receiver).await;
        let is_woken = |woken| async { tokio::time::timeout(Duration::ZERO, woken).await.is_ok() };
        (is_woken(first).await, is_woken(second).await)
    }

    #[tokio::test]
    async fn c12_whoever_waits_is_woken_by_what_another_process_commits() {
        assert_eq!(woken_by(&[]).await, (false, false));
        assert_eq!(woken_by(&[Changed::Request(ONE)]).await, (true, false));
        assert_eq!(woken_by(&[Changed::Anything]).await, (true, true));
        // More than there is room for: what was dropped could have been for anybody.
        assert_eq!(woken_by(&[Changed::Request(ONE); 5]).await, (true, true));
    }
}
