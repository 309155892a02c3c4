//! Instants as the gate writes them: UTC, whole microseconds.
//!
//! Microseconds because both databases give back what was written; one written form
//! (`2026-11-22T18:40:00.000000Z`) because instants are part of digests.

use chrono::{DateTime, Datelike, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in UTC, truncated to microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// Truncates to microseconds.
    pub fn new(instant: DateTime<Utc>) -> Self {
        Self(instant.trunc_subsecs(6))
    }

    /// Reads microseconds since 1970; `None` outside the years 0000 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(Self).filter(Self::is_writable)
    }

    /// INVARIANT: what is written is read back. RFC 3339 has four digits for a year, and an offset
    /// can carry an instant across that border.
    fn is_writable(&self) -> bool {
        (0..=9999).contains(&self.0.year())
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Seconds since 1970, rounded down: the unit of JWT claims (RFC 7519 NumericDate).
    pub fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// The instant for calendar arithmetic and display.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// This instant moved by whole seconds; stays where it is if RFC 3339's calendar ends.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let moved = TimeDelta::try_seconds(seconds).and_then(|d| self.0.checked_add_signed(d));
        moved.map(Self).filter(Self::is_writable).unwrap_or(self)
    }

    /// Whole seconds from `earlier` to this instant.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_seconds()
    }

    /// Whether this instant is not before `earlier` and at most `seconds` after it, to the
    /// microsecond.
    pub fn is_within(self, seconds: i64, earlier: Self) -> bool {
        earlier <= self && self <= earlier.plus_seconds(seconds)
    }

    /// Reads an RFC 3339 instant with any offset.
    ///
    /// # Errors
    /// When the text is none, or its year in UTC is not 0000 to 9999.
    pub fn parse(text: &str) -> Result<Self, NotATimestamp> {
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| NotATimestamp)?;
        Some(Self::new(instant.to_utc())).filter(Self::is_writable).ok_or(NotATimestamp)
    }
}

/// Why a text is no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an instant is RFC 3339 with a year from 0000 to 9999 in UTC")]
pub struct NotATimestamp;

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H:%M:%S%.6fZ"))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_one_way() {
        let at = Timestamp::parse("2026-11-22T19:40:00.1234567+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-11-22T18:40:00.123456Z");
        assert_eq!(Timestamp::from_micros(at.micros()), Some(at));
    }

    #[test]
    fn within_is_exact_at_both_ends() {
        let start = Timestamp::parse("2026-11-22T18:40:00Z").unwrap();
        let micros = |micros| Timestamp::from_micros(start.micros() + micros).unwrap();
        assert!(start.is_within(0, start));
        assert!(micros(1_000_000).is_within(1, start));
        assert!(!micros(1_000_001).is_within(1, start));
        assert!(!micros(-1).is_within(1, start));
    }

    #[test]
    fn h07_an_instant_that_could_not_be_read_back_is_none() {
        for border in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59"] {
            assert_eq!(Timestamp::parse(border), Err(NotATimestamp), "{border}");
        }
        let last = Timestamp::parse("9999-12-31T23:59:59Z").unwrap();
        assert_eq!(last.plus_seconds(3600), last);
        assert_eq!(Timestamp::from_micros(i64::MAX), None);
    }
}
