//! Waking whoever waits for a request: one notifier a request, none while nobody waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use domain::RequestId;
use tokio::sync::Notify;

/// However sure the wake-up is, a waiter looks again after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

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
}

impl Waiter {
    /// Reads with `read` until `done` holds or `patience` is over; gives the last answer.
    pub(crate) async fn until<T, E>(
        self,
        patience: Duration,
        mut read: impl AsyncFnMut() -> Result<T, E>,
        done: impl Fn(&T) -> bool,
    ) -> Result<T, E> {
        let end = tokio::time::Instant::now() + patience;
        loop {
            // Registered before reading: a change between the two is not lost.
            let woken = self.0.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let answer = read().await?;
            let now = tokio::time::Instant::now();
            if done(&answer) || now >= end {
                return Ok(answer);
            }
            let pause = end.min(now + LOOK_AGAIN);
            // Woken or not, the next thing is to read again.
            let _ = tokio::time::timeout_at(pause, woken).await;
        }
    }
}
