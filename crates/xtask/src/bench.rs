//! `bench`: measures what is claimed to be fast, and sets it against what this machine can do at most.
//!
//! Times are this machine's, now. The ratio to the base, measured in the same run, is what can be
//! compared with another day or another machine. Nothing here passes or fails by the clock.

mod decision;
mod plot;

use std::ffi::OsString;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::build;
use crate::process;
use crate::progress::Steps;
use crate::workspace::Workspace;

/// The page that shows the last run.
const PAGE: &str = "docs/performance.md";
/// The picture on it: what changes with the number of requests.
const PICTURE: &str = "docs/performance.svg";
/// The lines of the page between which a run is written.
const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";

/// Builds, measures and prints a report; `write` puts it into the page as well.
///
/// # Errors
/// When something cannot be built or run, or the page has no place for a report.
pub fn run(workspace: &Workspace, args: &[OsString], write: bool) -> Result<()> {
    build::site(workspace, &mut Steps::new(build::SITE_STEPS))?;
    let decision = decision::measure(workspace)?;
    let load = load(workspace, args)?;
    let report = format!("{}\n\n{load}\n{decision}", machine()?);
    eprint!("\n{report}");
    if write {
        let page = workspace.path(PAGE);
        let text = fs::read_to_string(&page).with_context(|| format!("cannot read {PAGE}"))?;
        fs::write(&page, inserted(&text, &report)?)?;
        eprintln!("written into {PAGE}");
        if plot::draw(&report, &workspace.path(PICTURE))? {
            eprintln!("drawn in {PICTURE}");
        }
    }
    Ok(())
}

/// What the load benchmark prints: a table.
fn load(workspace: &Workspace, args: &[OsString]) -> Result<String> {
    let mut cargo = workspace.product(&["bench", "--bench", "load"]);
    cargo.arg("--").args(args);
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let figures = String::from_utf8(output.stdout)?;
    // What was measured before is worth its minutes.
    ensure!(output.status.success(), "`{}` failed, after\n{figures}", process::shown(&cargo));
    Ok(figures)
}

/// The machine and the day, in a sentence.
fn machine() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo").context("cannot read /proc/cpuinfo")?;
    let models = || cpus.lines().filter_map(|line| line.strip_prefix("model name"));
    let model = models().next().unwrap_or_default().trim_start_matches([' ', '\t', ':']);
    let memory = fs::read_to_string("/proc/meminfo").context("cannot read /proc/meminfo")?;
    let kilobytes = memory.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok());
    let gigabytes = kilobytes.context("no MemTotal in /proc/meminfo")? / 1_048_576;
    let ask = |program: &str, argument: &str| {
        process::ask(Command::new(program).arg(argument)).unwrap_or_default().trim().to_owned()
    };
    let (day, kernel) = (ask("date", "+%Y-%m-%d"), ask("uname", "-sr"));
    let cores = models().count();
    Ok(format!("{day}: {cores} × {model}, {gigabytes} GiB, {kernel}."))
}

/// The page with the report in its place.
fn inserted(page: &str, report: &str) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).context("the page lacks its begin mark")?;
    let (_, after) = rest.split_once(END).context("the page lacks its end mark")?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", report.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_replaces_the_last_one() {
        let page = format!("Words.\n{BEGIN}\nold\n{END}\nMore.\n");
        let page = inserted(&page, "new\n").unwrap();
        assert_eq!(page, format!("Words.\n{BEGIN}\n\nnew\n\n{END}\nMore.\n"));
        assert!(inserted("Words.", "new").is_err());
    }
}
