//! What a decision of the policy costs, set against work that never changes.

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
/// The benchmark of the policy crate.
const BENCH: &str = "decision";

/// Runs the benchmark and answers with a table.
///
/// # Errors
/// When it cannot be built or run, or left no measurement.
pub fn measure(workspace: &Workspace) -> Result<String> {
    let group = workspace.path(HOME).join(GROUP);
    if group.exists() {
        fs::remove_dir_all(&group).with_context(|| format!("cannot clear {}", group.display()))?;
    }
    // As the load benchmark is built, so that nothing is built twice.
    let mut cargo = workspace.product(&["bench", "--bench", BENCH]);
    process::run(cargo.env("CRITERION_HOME", workspace.path(HOME)))?;
    table(&measurements(&group)?)
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
        format!("| {name} | {:.2} µs | {:.1} |\n", median / 1000.0, median / base)
    };
    let rows: String = found.iter().map(row).collect();
    Ok(format!("| work | median | × base |\n|---|---|---|\n{rows}"))
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
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows, ["| base | 0.40 µs | 1.0 |", "| decide | 26.00 µs | 65.0 |"]);
    }

    #[test]
    fn a_run_without_base_or_without_anything_else_is_an_error() {
        assert!(table(&measured(&[("decide", 1.0)])).is_err());
        assert!(table(&measured(&[("base", 1.0)])).is_err());
        assert!(median("{}").is_err());
        assert_eq!(median(r#"{"median":{"point_estimate":2.5}}"#).unwrap(), 2.5);
    }
}
