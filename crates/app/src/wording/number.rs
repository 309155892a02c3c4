//! Numbers, sizes and digests as people read them.

use domain::Digest;

/// Digits in groups of three: `1,240,318`.
pub fn grouped(number: u64) -> String {
    domain::kind::grouped(&number.to_string())
}

/// A size in decimal units: `41 kB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let Some((unit, scale)) = UNITS.into_iter().find(|(_, scale)| bytes >= *scale) else {
        return format!("{bytes} B");
    };
    let tenths = bytes / (scale / 10);
    if tenths >= 100 {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// A count with its noun: `1 line`, `24 lines`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    let noun = if number == 1 { one } else { many };
    format!("{} {noun}", grouped(number as u64))
}

/// All 64 digits of a digest in groups of four.
pub fn digest_groups(digest: &Digest) -> String {
    let hex: Vec<char> = digest.hex().chars().collect();
    hex.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// The ends of a digest, to recognise it by: `9f2c 41aa … 77d0`.
pub fn digest_short(digest: &Digest) -> String {
    let groups = digest_groups(digest);
    let words: Vec<&str> = groups.split(' ').collect();
    match words.as_slice() {
        [first, second, .., last] => format!("{first} {second} … {last}"),
        _ => groups,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_or_three_digits_and_a_unit() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (3140, "3.1 kB"),
            (41_200, "41 kB"),
            (1_500_000, "1.5 MB"),
            (12_000_000_000, "12 GB"),
        ] {
            assert_eq!(size(bytes), words);
        }
    }

    #[test]
    fn digits_stand_in_groups() {
        assert_eq!(grouped(1_240_318), "1,240,318");
        assert_eq!(grouped(999), "999");
        assert_eq!(count(1, "line", "lines"), "1 line");
        assert_eq!(count(2400, "line", "lines"), "2,400 lines");
    }

    #[test]
    fn a_digest_is_shown_whole_or_by_its_ends() {
        let digest = Digest([0xab; 32]);
        assert_eq!(digest_groups(&digest).split(' ').count(), 16);
        assert_eq!(digest_short(&digest), "abab abab … abab");
    }
}
