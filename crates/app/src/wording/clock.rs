//! Instants in words. Always UTC here; the browser rewrites them to its own zone.

use domain::Timestamp;

use super::elapsed;

/// The seconds before a deadline at which it becomes urgent.
pub const URGENT_S: i64 = 3600;

/// An instant to the minute, its year only where that is not the year of `now`.
pub fn absolute(at: Timestamp, now: Timestamp) -> String {
    let year = |instant: Timestamp| instant.utc().format("%Y").to_string();
    let form = if year(at) == year(now) { "%-d %b %H:%M UTC" } else { "%-d %b %Y %H:%M UTC" };
    at.utc().format(form).to_string()
}

/// An instant to the second, for a title or a record.
pub fn exact(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// An instant as the `datetime` attribute wants it.
pub fn machine(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Where an instant lies from `now`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    elapsed::relative(at.seconds_since(now))
}

/// Whether a deadline is so near that it should be done next.
pub fn is_urgent(due: Timestamp, now: Timestamp) -> bool {
    due.seconds_since(now) < URGENT_S
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn an_instant_names_its_year_only_when_it_is_another() {
        let now = at("2026-11-22T15:28:00Z");
        assert_eq!(absolute(at("2026-11-22T18:40:00Z"), now), "22 Nov 18:40 UTC");
        assert_eq!(absolute(at("2027-01-02T08:05:00Z"), now), "2 Jan 2027 08:05 UTC");
        assert_eq!(relative(at("2026-11-22T18:40:00Z"), now), "in 3 h 12 min");
        assert_eq!(machine(at("2026-11-22T19:40:00+01:00")), "2026-11-22T18:40:00Z");
    }

    #[test]
    fn a_deadline_is_urgent_within_the_last_hour() {
        let now = at("2026-11-22T15:00:00Z");
        assert!(is_urgent(at("2026-11-22T15:59:59Z"), now));
        assert!(!is_urgent(at("2026-11-22T16:00:00Z"), now));
    }
}
