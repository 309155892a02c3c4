//! Licences: every package's expression must be satisfied by the list in `deny.toml`.
//!
//! The same list serves cargo-deny, for those who have it; here it is read without that tool, so
//! that the check runs everywhere. Of `deny.toml` only `licenses.allow` is understood: where
//! it has exceptions or clarifications, this check is the stricter one.

use std::fs;

use anyhow::{Context, Result, anyhow};
use cargo_metadata::{CargoOpt, MetadataCommand};
use spdx::{Expression, Licensee, ParseMode};
use toml::{Table, Value};

use super::report;
use crate::workspace::Workspace;

/// The licences that a package may be used under.
struct AllowList(Vec<Licensee>);

/// Holds every package of the dependency tree, of all targets and features, against the list.
///
/// # Errors
/// With every package that the list does not cover.
pub fn check(workspace: &Workspace) -> Result<()> {
    let text = fs::read_to_string(workspace.path("deny.toml")).context("cannot read deny.toml")?;
    let allowed = AllowList::parse(&text).context("cannot use deny.toml")?;
    let mut metadata = MetadataCommand::new();
    metadata.manifest_path(workspace.path("Cargo.toml")).features(CargoOpt::AllFeatures);
    let metadata = metadata.exec().context("cargo cannot read the dependency tree")?;
    eprintln!("  {} packages", metadata.packages.len());
    let findings = metadata.packages.iter().filter_map(|package| {
        let finding = allowed.finding(package.license.as_deref())?;
        Some(format!("{} {}: {finding}", package.name, package.version))
    });
    report(&findings.collect::<Vec<_>>())
}

impl AllowList {
    fn parse(text: &str) -> Result<Self> {
        let table: Table = text.parse()?;
        let allow = table.get("licenses").and_then(|licences| licences.get("allow"));
        let allow = allow.and_then(Value::as_array).context("it has no list `licenses.allow`")?;
        let parse = |entry: &Value| {
            let name =
                entry.as_str().context("`licenses.allow` holds something that is no text")?;
            Licensee::parse(name).map_err(|error| anyhow!("{error}"))
        };
        Ok(Self(allow.iter().map(parse).collect::<Result<_>>()?))
    }

    /// Says what is wrong with a package's licence, if anything is.
    fn finding(&self, licence: Option<&str>) -> Option<String> {
        let Some(licence) = licence else { return Some("states no licence".to_owned()) };
        // Older packages write `MIT/Apache-2.0`, which means OR.
        let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
            return Some(format!("`{licence}` is no SPDX expression"));
        };
        let satisfied = expression
            .evaluate(|required| self.0.iter().any(|allowed| allowed.satisfies(required)));
        (!satisfied).then(|| format!("`{licence}` is not on the list in deny.toml"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> AllowList {
        AllowList::parse("[licenses]\nallow = [\"MIT\", \"Apache-2.0\"]\n").unwrap()
    }

    #[test]
    fn one_allowed_licence_of_several_is_enough() {
        for licence in
            ["MIT", "MIT OR GPL-3.0-only", "MIT/Apache-2.0", "(MIT OR ISC) AND Apache-2.0"]
        {
            assert_eq!(allowed().finding(Some(licence)), None, "{licence}");
        }
    }

    #[test]
    fn what_must_be_kept_together_must_all_be_allowed() {
        for licence in ["GPL-3.0-only", "MIT AND ISC", "Apache-2.0 WITH LLVM-exception"] {
            let finding = allowed().finding(Some(licence)).unwrap();
            assert_eq!(finding, format!("`{licence}` is not on the list in deny.toml"));
        }
    }

    #[test]
    fn no_licence_or_an_invented_one_is_refused() {
        assert_eq!(allowed().finding(None).as_deref(), Some("states no licence"));
        let finding = allowed().finding(Some("As you like")).unwrap();
        assert_eq!(finding, "`As you like` is no SPDX expression");
    }

    #[test]
    fn a_list_that_cannot_be_read_is_an_error_and_not_an_empty_list() {
        for text in
            ["", "[licenses]\n", "[licenses]\nallow = [\"Mitt\"]\n", "[licenses]\nallow = [1]\n"]
        {
            assert!(AllowList::parse(text).is_err(), "{text}");
        }
    }
}
