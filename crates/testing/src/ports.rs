//! The ports in test form: a clock that stands, entropy that repeats.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::{Digest, Timestamp};
use service::{Entropy, Failure};
use store::Clock;

/// 15 January 2027, 08:00 UTC.
const START_MICROS: i64 = 1_800_000_000_000_000;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl Default for FixedClock {
    fn default() -> Self {
        Self(AtomicI64::new(START_MICROS))
    }
}

impl FixedClock {
    /// Sets the clock.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }

    /// Moves the clock by seconds, forwards or back.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).expect("a test's clock is sane")
    }

    fn by_database(&self, _waited: Duration, _database: Timestamp) -> Timestamp {
        self.now()
    }
}

/// Entropy that repeats for the same seed.
#[derive(Debug, Default)]
pub struct SeededEntropy {
    seed: u64,
    taken: AtomicU64,
}

impl SeededEntropy {
    /// Another seed gives another row of bytes.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Failure> {
        for chunk in bytes.chunks_mut(32) {
            let turn = self.taken.fetch_add(1, Ordering::SeqCst);
            let block = Digest::of_parts(&[&self.seed.to_be_bytes(), &turn.to_be_bytes()]).0;
            chunk.iter_mut().zip(block).for_each(|(byte, random)| *byte = random);
        }
        Ok(())
    }
}
