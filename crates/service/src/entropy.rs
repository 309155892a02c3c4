//! The entropy port. Every random byte of the product comes through it.

use domain::Timestamp;
use uuid::{Builder, Uuid};

use crate::Failure;

/// Gives unpredictable bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// When the source gives none; nothing may be made up instead.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Failure>;
}

/// The operating system's random number generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Failure> {
        getrandom::fill(bytes).map_err(Failure::defect)
    }
}

impl dyn Entropy {
    /// A UUIDv7 of `now`: 74 random bits behind the millisecond, so that ids sort by time.
    pub(crate) fn id(&self, now: Timestamp) -> Result<Uuid, Failure> {
        let mut random = [0; 10];
        self.fill(&mut random)?;
        let millis = u64::try_from(now.micros() / 1000).unwrap_or(0);
        Ok(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}
