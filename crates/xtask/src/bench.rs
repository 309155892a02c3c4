//! `bench`: measures what is claimed to be fast, and sets it against work that never changes.
//!
//! Times are this machine's, now. The ratio to the base, measured in the same run, is what can be
//! compared with another day or another machine. Nothing here passes or fails by the clock.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process;
use crate::workspace::Workspace;

/// Where the measurements are left, below the workspace.
const HOME: &str = "target/bench";
/// The group of measurements, and the one in it that the others are set against.
const GROUP: &str = "policy";
const BASE: &str = "base";

/// Runs the benchmarks and prints a table.
///
/// # Errors
/// When they cannot be built or run, or left no measurement.
pub fn run(workspace: &Workspace) -> Result<()> {
    let group = workspace.path(HOME).join(GROUP);
    if group.exists() {
        fs::remove_dir_all(&group).with_context(|| format!("cannot clear {}", group.display()))?;
    }
    let mut cargo = workspace.cargo(&["bench", "--package", "policy"]);
    process::run(cargo.env("CRITERION_HOME", workspace.path(HOME)))?;
    eprint!("\n{}", table(&measurements(&group)?)?);
    Ok(())
}

/// The median of each measurement in nanoseconds, by name.
fn measurements(group: &Path) -> Result<Vec<(String, f64)>> {
    let entries = fs::read_dir(group).with_context(|| format!("nothing in {}", group.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let estimates = entry.path().join("new/estimates.json");
        if let Ok(text) = fs::read_to_string(&estimates) {
            let median = median(&text).with_context(|| format!("{}", estimates.display()))?;
            found.push((entry.file_name().to_string_lossy().into_owned(), median));
        }
    }
    found.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    Ok(found)
}

fn median(estimates: &str) -> Result<f64> {
    let estimates: Value = serde_json::from_str(estimates)?;
    estimates.pointer("/median/point_estimate").and_then(Value::as_f64).context("it has no median")
}

fn table(found: &[(String, f64)]) -> Result<String> {
    let base = found.iter().find(|(name, _)| name == BASE).map(|(_, base)| *base);
    let base = base.context("the base was not measured")?;
    ensure!(base > 0.0 && found.len() > 1, "nothing was measured beside the base");
    let row = |(name, median): &(String, f64)| {
        format!("{name:24} {:>9.2} µs {:>8.1} × base\n", median / 1000.0, median / base)
    };
    Ok(found.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(names: &[(&str, f64)]) -> Vec<(String, f64)> {
        names.iter().map(|(name, median)| ((*name).to_owned(), *median)).collect()
    }

    #[test]
    fn each_measurement_has_its_time_and_its_ratio_to_the_base() {
        let table = table(&measured(&[("base", 400.0), ("decide", 26_000.0)])).unwrap();
        let columns: Vec<Vec<&str>> =
            table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(columns[0], ["base", "0.40", "µs", "1.0", "×", "base"]);
        assert_eq!(columns[1], ["decide", "26.00", "µs", "65.0", "×", "base"]);
    }

    #[test]
    fn a_run_without_base_or_without_anything_else_is_an_error() {
        assert!(table(&measured(&[("decide", 1.0)])).is_err());
        assert!(table(&measured(&[("base", 1.0)])).is_err());
        assert!(median("{}").is_err());
        assert_eq!(median(r#"{"median":{"point_estimate":2.5}}"#).unwrap(), 2.5);
    }
}
