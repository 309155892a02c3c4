//! The demo's clock: the machine's, moved back while the past is played.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use store::{Clock, SystemClock};

/// A clock that can be behind.
#[derive(Debug, Default)]
pub struct DemoClock {
    system: SystemClock,
    behind_s: AtomicI64,
}

impl DemoClock {
    /// Puts the clock `seconds` behind the machine's.
    pub fn go_back(&self, seconds: i64) {
        self.behind_s.store(seconds, Ordering::SeqCst);
    }

    /// Puts the clock to the machine's.
    pub fn is_now(&self) {
        self.go_back(0);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        self.system.now().plus_seconds(-self.behind_s.load(Ordering::SeqCst))
    }

    fn by_database(&self, waited: Duration, database: Timestamp) -> Timestamp {
        let now = self.system.by_database(waited, database);
        now.plus_seconds(-self.behind_s.load(Ordering::SeqCst))
    }
}
