//! `prove --only planted`: small wrong versions of the product, each of which a test must catch.
//!
//! The list is the table of `docs/planted-bugs.md`. In the code each stands beside the right line,
//! under `#[cfg(planted = "NAME")]`; no build but this one knows them. The rules that must hold: the
//! named test passes without the bug and fails with it, and a bug that does not build is no bug.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process::shown;
use crate::workspace::Workspace;

const PAGE: &str = "docs/planted-bugs.md";
/// The build without any bug.
const NONE: &str = "none";
/// Tells the compiler's wrapper which bug is meant.
const VARIABLE: &str = "COUNTERSIGN_PLANTED";
/// Adds the bug to every crate of the workspace; cargo keeps what is not of it as it is.
const WRAPPER: &str = r#"#!/bin/sh
compiler=$1
shift
exec "$compiler" "$@" --cfg "planted=\"$COUNTERSIGN_PLANTED\""
"#;

/// A row of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bug {
    name: String,
    /// The crate that has it.
    package: String,
    /// Which tests of it are built: a file of `tests/`, or `lib` for those beside the code.
    target: String,
    /// The test that must catch it.
    test: String,
}

/// Plants every bug in turn; answers with what was looked at.
///
/// # Errors
/// When a bug is not caught, does not build, or a test fails without any bug.
pub fn run(workspace: &Workspace) -> Result<Vec<String>> {
    let bugs = read(&fs::read_to_string(workspace.path(PAGE)).context(PAGE)?)?;
    let field = Field::new(workspace)?;
    for bug in &bugs {
        let passes = field.passes(bug, NONE)?;
        ensure!(passes, "{} fails without any bug: it proves nothing", bug.test);
    }
    let mut missed = Vec::new();
    for bug in &bugs {
        field.forget(&bug.package)?;
        let caught = !field.passes(bug, &bug.name)?;
        eprintln!("  {} {} by {}", if caught { "caught" } else { "MISSED" }, bug.name, bug.test);
        missed.extend((!caught).then_some(bug.name.as_str()));
        field.forget(&bug.package)?;
    }
    ensure!(missed.is_empty(), "not caught: {}", missed.join(", "));
    Ok(vec![format!("{0} of {0} planted bugs caught", bugs.len())])
}

/// Where bugs are planted: a target directory of their own.
struct Field<'a> {
    workspace: &'a Workspace,
    target: PathBuf,
    wrapper: PathBuf,
}

impl<'a> Field<'a> {
    fn new(workspace: &'a Workspace) -> Result<Self> {
        let target = workspace.planted();
        fs::create_dir_all(&target).with_context(|| format!("cannot create {target:?}"))?;
        let wrapper = target.join("rustc-with-a-bug");
        fs::write(&wrapper, WRAPPER).context("cannot write the compiler's wrapper")?;
        fs::set_permissions(&wrapper, Permissions::from_mode(0o755))
            .context("cannot make the compiler's wrapper a program")?;
        // The server's build script watches it: without it cargo builds the server every time.
        fs::create_dir_all(workspace.site()).context("cannot create target/site")?;
        let field = Self { workspace, target, wrapper };
        // Whatever an earlier run left.
        for package in ["domain", "policy", "store", "service", "app", "server", "cli"] {
            field.forget(package)?;
        }
        Ok(field)
    }

    /// Makes cargo build a crate anew: it does not know that the bug in it is another one.
    fn forget(&self, package: &str) -> Result<()> {
        let fingerprints = self.target.join("debug/.fingerprint");
        for found in fingerprints.read_dir().into_iter().flatten().flatten() {
            let name = found.file_name();
            let of_package = name.to_str().and_then(|name| name.rsplit_once('-'));
            if of_package.is_some_and(|(found, _)| found == package) {
                fs::remove_dir_all(found.path()).context("cannot remove what cargo remembers")?;
            }
        }
        Ok(())
    }

    /// Whether the bug's test passes with the bug of this name.
    fn passes(&self, bug: &Bug, name: &str) -> Result<bool> {
        let mut build = self.command(bug, name);
        let built = build.arg("--no-run").output().context("cannot start cargo")?;
        let said = String::from_utf8_lossy(&built.stderr);
        ensure!(built.status.success(), "with {name} `{}` fails:\n{said}", shown(&build));
        let mut test = self.command(bug, name);
        let tested = test.args(["--", &bug.test]).output().context("cannot start cargo")?;
        let said = String::from_utf8_lossy(&tested.stdout);
        let ran =
            said.lines().any(|line| line.starts_with("running ") && line != "running 0 tests");
        ensure!(ran, "`{}` finds no test:\n{said}", shown(&test));
        Ok(tested.status.success())
    }

    fn command(&self, bug: &Bug, name: &str) -> Command {
        let mut cargo = match bug.target.as_str() {
            "lib" => self.workspace.cargo(&["test", "--package", &bug.package, "--lib"]),
            target => self.workspace.product(&["test", "--test", target]),
        };
        cargo
            .env("CARGO_TARGET_DIR", &self.target)
            .env("RUSTC_WORKSPACE_WRAPPER", &self.wrapper)
            .env("CARGO_PROFILE_DEV_DEBUG", "none")
            .env("CARGO_INCREMENTAL", "0")
            .env(VARIABLE, name);
        cargo
    }
}

/// The rows of the page's table.
fn read(page: &str) -> Result<Vec<Bug>> {
    let mut bugs = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let &[_, name, what, breaks, package, target, test, _] = cells.as_slice() else {
            bail!("{PAGE}: `{line}` has not six columns");
        };
        ensure!(!what.is_empty() && !breaks.is_empty(), "{PAGE}: `{line}` leaves something out");
        let plain = |cell: &str| cell.trim_matches('`').to_owned();
        let [name, package, target, test] = [name, package, target, test].map(plain);
        bugs.push(Bug { name, package, target, test });
    }
    ensure!(!bugs.is_empty(), "{PAGE} has no table");
    Ok(bugs)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn sources(directory: &Path, found: &mut Vec<String>) {
        for entry in directory.read_dir().unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(fs::read_to_string(path).unwrap());
            }
        }
    }

    fn all_sources(part: &str) -> Vec<(String, Vec<String>)> {
        let workspace = Workspace::locate().unwrap();
        let crates = workspace.path("crates").read_dir().unwrap().flatten();
        let read = |entry: fs::DirEntry| {
            let (name, mut found) = (entry.file_name().into_string().unwrap(), Vec::new());
            let directory = entry.path().join(part);
            if directory.exists() {
                sources(&directory, &mut found);
            }
            (name, found)
        };
        crates.map(read).filter(|(name, _)| name != "xtask").collect()
    }

    fn page() -> Vec<Bug> {
        let workspace = Workspace::locate().unwrap();
        read(&fs::read_to_string(workspace.path(PAGE)).unwrap()).unwrap()
    }

    #[test]
    fn the_page_lists_exactly_the_bugs_that_stand_in_the_code_and_where() {
        let mut in_code = BTreeSet::new();
        for (package, texts) in all_sources("src") {
            for text in texts {
                let names = text.split("planted = \"").skip(1);
                let name = |rest: &str| rest.split('"').next().unwrap().to_owned();
                in_code.extend(names.map(|rest| (package.clone(), name(rest))));
            }
        }
        let on_page: BTreeSet<_> = page().into_iter().map(|bug| (bug.package, bug.name)).collect();
        assert_eq!(on_page, in_code);
        assert!(on_page.len() >= 15);
    }

    #[test]
    fn every_test_that_the_page_names_is_there() {
        let texts: Vec<String> = ["src", "tests"]
            .into_iter()
            .flat_map(all_sources)
            .flat_map(|(_, texts)| texts)
            .collect();
        for bug in page() {
            let name = format!("fn {}(", bug.test);
            assert!(texts.iter().any(|text| text.contains(&name)), "{bug:?}");
        }
    }

    #[test]
    fn a_row_has_six_columns_and_says_what_is_wrong() {
        let row = "| `a_bug` | it is wrong | I1 | domain | `lifecycle` | `i1_a_test` |";
        let [name, package, target, test] = ["a_bug", "domain", "lifecycle", "i1_a_test"];
        let bug = [name, package, target, test].map(str::to_owned);
        let [name, package, target, test] = bug;
        assert_eq!(read(row).unwrap(), [Bug { name, package, target, test }]);
        assert!(read("| `a_bug` | | I1 | domain | `lifecycle` | `i1_a_test` |").is_err());
        assert!(read("| `a_bug` | it is wrong | domain | `lifecycle` | `i1_a_test` |").is_err());
        assert!(read("nothing").is_err());
    }
}
