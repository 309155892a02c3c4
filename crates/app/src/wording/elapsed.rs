//! Spans of time in words, for the server and for the browser alike.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A span in at most two units: `4 min`, `3 h 12 min`, `2 days`.
pub fn duration(seconds: u64) -> String {
    if seconds < MINUTE {
        return format!("{seconds} s");
    }
    if seconds < HOUR {
        return format!("{} min", seconds / MINUTE);
    }
    if seconds < DAY {
        return two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "min");
    }
    let days = seconds / DAY;
    let unit = if days == 1 { "day" } else { "days" };
    let hours = if days < 3 { seconds % DAY / HOUR } else { 0 };
    two(days, unit, hours, "h")
}

/// Where an instant lies, `seconds` from now: `in 37 min`, `26 min ago`.
pub fn relative(seconds: i64) -> String {
    let span = seconds.unsigned_abs();
    if span < MINUTE {
        return if seconds > 0 { "in under a minute" } else { "just now" }.to_owned();
    }
    if seconds > 0 { format!("in {}", duration(span)) } else { format!("{} ago", duration(span)) }
}

fn two(first: u64, first_unit: &str, second: u64, second_unit: &str) -> String {
    if second == 0 {
        format!("{first} {first_unit}")
    } else {
        format!("{first} {first_unit} {second} {second_unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_at_most_two_units() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (11_520, "3 h 12 min"),
            (86_400, "1 day"),
            (2 * 86_400 + 3600, "2 days 1 h"),
            (5 * 86_400 + 3600, "5 days"),
        ] {
            assert_eq!(duration(seconds), words);
        }
    }

    #[test]
    fn an_instant_is_said_from_now() {
        assert_eq!(relative(11_520), "in 3 h 12 min");
        assert_eq!(relative(30), "in under a minute");
        assert_eq!(relative(0), "just now");
        assert_eq!(relative(-59), "just now");
        assert_eq!(relative(-1560), "26 min ago");
    }
}
