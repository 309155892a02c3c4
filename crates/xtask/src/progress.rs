//! What a person sees while a task runs: numbered steps, elapsed time, errors.
//!
//! Only words on standard error; this module starts nothing and decides nothing.

use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result};

/// Numbers the steps of a task: "step 2/4: …".
pub struct Steps {
    total: usize,
    current: usize,
}

impl Steps {
    /// Starts counting; `total` is known beforehand, so that a person sees how far it is to the end.
    pub fn new(total: usize) -> Self {
        Self { total, current: 0 }
    }

    /// Announces a step and nothing more: for the last one, which does not come back.
    pub fn announce(&mut self, what: &str) -> String {
        self.current += 1;
        let number = format!("step {}/{}", self.current, self.total);
        eprintln!("{number}: {what}");
        number
    }

    /// Runs a step and says how long it took.
    ///
    /// # Errors
    /// Those of `work`, with the step's name in front.
    pub fn step<T>(&mut self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let number = self.announce(what);
        let started = Instant::now();
        let value = work().with_context(|| format!("{number} failed: {what}"))?;
        eprintln!("{number}: done in {}", elapsed(started.elapsed()));
        Ok(value)
    }
}

/// Prints an error and its causes, one a line.
pub fn print_error(error: &Error) {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        let mut lines = cause.to_string();
        // Causes of several lines (commands to copy, lists of findings) keep their shape.
        if lines.contains('\n') {
            lines = lines.replace('\n', "\n    ");
        }
        eprintln!("  because: {lines}");
    }
}

/// Writes a duration as people say it: `0.4 s`, `42 s`, `3 min 07 s`.
pub fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// Writes a number of bytes with its thousands apart: `149,842 bytes`.
pub fn bytes(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(elapsed(Duration::from_millis(432)), "0.4 s");
        assert_eq!(elapsed(Duration::from_secs(42)), "42 s");
        assert_eq!(elapsed(Duration::from_secs(187)), "3 min 07 s");
    }

    #[test]
    fn bytes_have_their_thousands_apart() {
        assert_eq!(bytes(7), "7 bytes");
        assert_eq!(bytes(150_000), "150,000 bytes");
        assert_eq!(bytes(1_234_567), "1,234,567 bytes");
    }

    #[test]
    fn a_failed_step_names_itself() {
        let error = Steps::new(3).step("weigh it", || anyhow::bail!("too heavy") as Result<()>);
        assert_eq!(format!("{:#}", error.unwrap_err()), "step 1/3 failed: weigh it: too heavy");
    }
}
