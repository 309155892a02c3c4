//! The table at the end of `test`, `prove` and `check`: one line for each part, its result and its time.
//!
//! The rule that must hold: a part that did not run has a line that says so and why. It is never
//! left out, and never counts as passed.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::progress::{Steps, elapsed, print_error};

enum Outcome {
    Passed(Duration),
    Failed(Duration),
    NotRun(&'static str),
}

/// Collects results while the parts run.
pub struct Summary {
    heading: &'static str,
    rows: Vec<(&'static str, Outcome)>,
}

impl Summary {
    /// Starts an empty table; `heading` names its first column.
    pub fn new(heading: &'static str) -> Self {
        Self { heading, rows: Vec::new() }
    }

    /// Runs one part and keeps its result; an error is printed at once and the next part still runs.
    pub fn record(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        let started = Instant::now();
        let result = work();
        let time = started.elapsed();
        let outcome = match result {
            Ok(()) => Outcome::Passed(time),
            Err(error) => {
                print_error(&error.context(format!("{name}: failed")));
                Outcome::Failed(time)
            }
        };
        self.rows.push((name, outcome));
    }

    /// Notes a part that was left out on purpose, and the reason.
    pub fn not_run(&mut self, name: &'static str, reason: &'static str) {
        self.rows.push((name, Outcome::NotRun(reason)));
    }

    /// Tells whether every part that ran passed, and at least one ran.
    pub fn passed(&self) -> bool {
        let failed = self.rows.iter().any(|(_, outcome)| matches!(outcome, Outcome::Failed(_)));
        let ran = self.rows.iter().any(|(_, outcome)| matches!(outcome, Outcome::Passed(_)));
        ran && !failed
    }

    /// Prints the table.
    pub fn print(&self) {
        eprintln!("\n{}", self.render());
    }

    fn render(&self) -> String {
        let names = self.rows.iter().map(|(name, _)| name.len());
        let width = names.chain([self.heading.len()]).max().unwrap_or(0);
        let mut lines = vec![format!("{:width$}  result   time", self.heading)];
        for (name, outcome) in &self.rows {
            let (result, note) = match outcome {
                Outcome::Passed(time) => ("passed", elapsed(*time)),
                Outcome::Failed(time) => ("FAILED", elapsed(*time)),
                Outcome::NotRun(reason) => ("not run", (*reason).to_owned()),
            };
            lines.push(format!("{name:width$}  {result:7}  {note}"));
        }
        lines.join("\n")
    }
}

/// How many parts run: those asked for, or all where none is named.
pub fn count<P: PartialEq>(parts: &[P], asked: &[P]) -> usize {
    parts.iter().filter(|part| is_asked(*part, asked)).count()
}

/// Runs the parts asked for, each a step, prints the table, and tells whether all of them passed.
pub fn run_each<P: Copy + PartialEq>(
    heading: &'static str,
    (parts, asked): (&[P], &[P]),
    steps: &mut Steps,
    name: impl Fn(P) -> &'static str,
    mut run: impl FnMut(P) -> Result<()>,
) -> bool {
    let mut summary = Summary::new(heading);
    for part in parts {
        if is_asked(part, asked) {
            steps.announce(name(*part));
            summary.record(name(*part), || run(*part));
        } else {
            summary.not_run(name(*part), "not asked for");
        }
    }
    summary.print();
    summary.passed()
}

fn is_asked<P: PartialEq>(part: &P, asked: &[P]) -> bool {
    asked.is_empty() || asked.contains(part)
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn a_failure_is_shown_and_the_next_part_still_runs() {
        let mut summary = Summary::new("suite");
        summary.record("first", || bail!("broken"));
        summary.record("second", || Ok(()));
        summary.not_run("third", "not asked for");
        assert!(!summary.passed());
        let table = summary.render();
        assert!(table.contains("first   FAILED "), "{table}");
        assert!(table.contains("second  passed "), "{table}");
        assert!(table.contains("third   not run  not asked for"), "{table}");
    }

    #[test]
    fn a_run_of_nothing_has_not_passed() {
        let mut summary = Summary::new("suite");
        summary.not_run("only", "not asked for");
        assert!(!summary.passed());
    }

    #[test]
    fn every_part_runs_unless_some_are_named() {
        let mut ran = Vec::new();
        let mut run = |asked: &[u8]| {
            ran.clear();
            let mut steps = Steps::new(count(&[1, 2, 3], asked));
            let note = |part| {
                ran.push(part);
                if part == 3 { bail!("broken") } else { Ok(()) }
            };
            let passed = run_each("part", (&[1, 2, 3], asked), &mut steps, |_| "part", note);
            (passed, ran.clone())
        };
        assert_eq!(run(&[]), (false, vec![1, 2, 3]));
        assert_eq!(run(&[2, 1]), (true, vec![1, 2]));
    }
}
