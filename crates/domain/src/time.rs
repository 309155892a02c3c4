//! Instants as the gate writes them: UTC, whole microseconds.
//!
//! Microseconds because both databases give back what was written; one written form
//! (`2026-11-22T18:40:00.000000Z`) because instants are part of digests.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in UTC, truncated to microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Truncates to microseconds.
    pub fn new(instant: DateTime<Utc>) -> Self {
        Self(instant.trunc_subsecs(6))
    }

    /// Reads microseconds since 1970.
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(Self)
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

    /// This instant moved by whole seconds; stays where it is if the calendar ends.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let moved = TimeDelta::try_seconds(seconds).and_then(|d| self.0.checked_add_signed(d));
        moved.map_or(self, Self)
    }

    /// Whole seconds from `earlier` to this instant.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_seconds()
    }

    /// Reads an RFC 3339 instant with any offset.
    ///
    /// # Errors
    /// When the text is none, or its year does not fit four digits.
    pub fn parse(text: &str) -> Result<Self, chrono::ParseError> {
        DateTime::parse_from_rfc3339(text).map(|instant| Self::new(instant.to_utc()))
    }
}

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
}
