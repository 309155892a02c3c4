//! The clock port. Every "now" of the product comes through it, and none is before the newest entry.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

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
    /// so that nodes whose own clocks differ agree about every deadline (threats K14). `waited` is
    /// how long it took to be told.
    fn by_database(&self, waited: Duration, database: Timestamp) -> Timestamp;
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

    fn by_database(&self, waited: Duration, database: Timestamp) -> Timestamp {
        let least = database.micros().saturating_sub(Self::machine().micros());
        let most = least.saturating_add(i64::try_from(waited.as_micros()).unwrap_or(i64::MAX));
        // It showed this at some instant while it was waited for: what fits with that is kept, so
        // that a slow answer does not put this clock back (threats K08).
        let within = |ahead: i64| Some(ahead.clamp(least, most.max(least)));
        // It always gives a value to keep.
        let _ = self.ahead_us.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within);
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
        assert_eq!(clock.by_database(Duration::ZERO, database), database);
        assert!(clock.now().seconds_since(database) >= 0, "five minutes ahead of the machine");
    }

    #[test]
    fn k08_a_slow_answer_of_the_database_does_not_put_a_clock_back() {
        let clock = SystemClock::default();
        clock.by_database(Duration::ZERO, clock.now().plus_seconds(300));
        let before = clock.now();
        clock.by_database(Duration::from_secs(9), before.plus_seconds(-8));
        assert!(clock.now() >= before, "it may have shown that eight seconds ago");
        clock.by_database(Duration::from_secs(9), before.plus_seconds(-20));
        assert!(clock.now() < before.plus_seconds(-10), "it was put back itself");
    }
}
