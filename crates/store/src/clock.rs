//! The clock port. Every "now" of the product comes through it, and none is before the newest entry.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;

use crate::error::StoreError;

/// How far a clock may be behind the newest entry. Within a day, time stands still until the clock
/// has caught up; further back one of the two is wrong by more than a correction, and what would be
/// signed now could be valid for as long.
const MAX_BEHIND_S: i64 = 24 * 3600;

/// Gives the present instant.
pub trait Clock: Send + Sync + 'static {
    /// Now, in whole microseconds.
    fn now(&self) -> Timestamp;

    /// Now, given what the clock of a database that several nodes share shows: that one decides,
    /// so that nodes whose own clocks differ agree about every deadline (threats K14).
    fn by_database(&self, database: Timestamp) -> Timestamp;
}

/// The machine's clock, or that of a shared database once it has been read.
#[derive(Debug, Default)]
pub struct SystemClock {
    /// How far the database's clock is ahead of the machine's.
    ahead_us: AtomicI64,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port to the system clock")]
    fn machine() -> Timestamp {
        Timestamp::new(chrono::Utc::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let machine = Self::machine();
        let ahead = self.ahead_us.load(Ordering::Relaxed);
        Timestamp::from_micros(machine.micros().saturating_add(ahead)).unwrap_or(machine)
    }

    fn by_database(&self, database: Timestamp) -> Timestamp {
        let ahead = database.micros().saturating_sub(Self::machine().micros());
        self.ahead_us.store(ahead, Ordering::Relaxed);
        database
    }
}

/// Now, as of which something is recorded after `newest`: never before it, so that what had ended
/// by then has ended (I12).
///
/// # Errors
/// `ClockBehind` when the clock was set back by more than a day, or forward once and back again.
pub(crate) fn now_after(
    newest: Option<Timestamp>,
    clock: Timestamp,
) -> Result<Timestamp, StoreError> {
    let Some(newest) = newest else { return Ok(clock) };
    if newest.seconds_since(clock) > MAX_BEHIND_S {
        return Err(StoreError::ClockBehind { clock, newest });
    }
    #[cfg(planted = "time_goes_back")]
    let newest = clock;
    Ok(clock.max(newest))
}

/// The time of the newest entry that this process knows of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newest(Arc<AtomicI64>);

impl Newest {
    pub(crate) fn raise(&self, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.0.fetch_max(at.micros(), Ordering::SeqCst);
        }
    }

    /// 1970 while there is no entry.
    pub(crate) fn get(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k14_a_node_with_a_wrong_clock_goes_by_the_database() {
        let clock = SystemClock::default();
        let database = clock.now().plus_seconds(300);
        assert_eq!(clock.by_database(database), database);
        assert!(clock.now().seconds_since(database) >= 0, "five minutes ahead of the machine");
    }
}
