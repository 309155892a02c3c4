//! The clock port. Every "now" of the product comes through it.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;

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
