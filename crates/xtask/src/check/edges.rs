//! Which crate may depend on which: the shape of the house, as a table.
//!
//! Only normal and build dependencies count. Tests may use what they like, `testing` above all.

use anyhow::{Context, Result};
use cargo_metadata::{Dependency, DependencyKind, MetadataCommand, Package};

use super::report;
use crate::workspace::Workspace;

/// For each crate of the workspace, the crates of the workspace that it may depend on.
const EDGES: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("policy", &["domain"]),
    ("store", &["domain"]),
    ("service", &["domain", "policy", "store"]),
    ("app", &["domain", "service"]),
    ("server", &["app", "domain", "service"]),
    ("cli", &["domain", "server", "service", "store"]),
    ("frontend", &["app"]),
    ("testing", &["app", "domain", "frontend", "server", "service", "store"]),
    ("xtask", &[]),
];

/// Everything that `domain` may use from outside: data, time values, hashing, no IO of any sort.
const DOMAIN_EXTERNALS: [&str; 11] = [
    "base64",
    "chrono",
    "ed25519-dalek",
    "serde",
    "serde_json",
    "serde_json_canonicalizer",
    "sha2",
    "thiserror",
    "unicode-properties",
    "unicode-security",
    "uuid",
];

/// The dependencies of one crate that count here.
struct Crate {
    name: String,
    internal: Vec<String>,
    external: Vec<String>,
}

/// Holds the workspace against the table.
///
/// # Errors
/// With every edge that the table does not have.
pub fn check(workspace: &Workspace) -> Result<()> {
    let mut metadata = MetadataCommand::new();
    let metadata = metadata.manifest_path(workspace.path("Cargo.toml")).no_deps().exec();
    let metadata = metadata.context("cargo cannot read the workspace")?;
    let crates: Vec<Crate> = metadata.packages.iter().map(Crate::from).collect();
    report(&violations(&crates))
}

impl From<&Package> for Crate {
    fn from(package: &Package) -> Self {
        let counts = |dependency: &&Dependency| dependency.kind != DependencyKind::Development;
        let (internal, external): (Vec<_>, Vec<_>) =
            package.dependencies.iter().filter(counts).partition(|found| found.path.is_some());
        let names = |found: Vec<&Dependency>| found.iter().map(|one| one.name.clone()).collect();
        Self {
            name: package.name.to_string(),
            internal: names(internal),
            external: names(external),
        }
    }
}

fn violations(crates: &[Crate]) -> Vec<String> {
    let mut found = Vec::new();
    for Crate { name, internal, external } in crates {
        let Some((_, allowed)) = EDGES.iter().find(|(known, _)| known == name) else {
            found.push(format!("`{name}` is not in the table of edges in xtask"));
            continue;
        };
        let forbidden = internal.iter().filter(|used| !allowed.contains(&used.as_str()));
        found.extend(forbidden.map(|used| format!("`{name}` must not depend on `{used}`")));
        if name == "domain" {
            let foreign = external.iter().filter(|used| !DOMAIN_EXTERNALS.contains(&used.as_str()));
            found.extend(foreign.map(|used| format!("`domain` is pure and must not use `{used}`")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depends(name: &str, internal: &[&str], external: &[&str]) -> Crate {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Crate { name: name.to_owned(), internal: owned(internal), external: owned(external) }
    }

    #[test]
    fn edges_of_the_house_are_allowed() {
        let crates = [
            depends("domain", &[], &["serde", "sha2"]),
            depends("cli", &["server", "service", "store", "domain"], &["tokio"]),
            depends("testing", &["server", "store"], &[]),
        ];
        assert_eq!(violations(&crates), Vec::<String>::new());
    }

    #[test]
    fn edges_against_the_grain_are_found() {
        let crates = [
            depends("store", &["service"], &[]),
            depends("service", &["domain", "testing"], &[]),
            depends("policy", &["store"], &[]),
            depends("testing", &["cli"], &[]),
            depends("xtask", &["domain"], &[]),
        ];
        let found = violations(&crates);
        assert_eq!(found.len(), 5);
        assert_eq!(found[0], "`store` must not depend on `service`");
    }

    #[test]
    fn domain_uses_nothing_that_reaches_outside() {
        let found = violations(&[depends("domain", &[], &["serde", "tokio"])]);
        assert_eq!(found, ["`domain` is pure and must not use `tokio`"]);
    }

    #[test]
    fn a_crate_that_nobody_placed_is_found() {
        let found = violations(&[depends("helpers", &[], &[])]);
        assert_eq!(found, ["`helpers` is not in the table of edges in xtask"]);
    }

    #[test]
    fn nothing_but_cli_depends_on_server_except_the_test_tools() {
        let users = EDGES.iter().filter(|(_, allowed)| allowed.contains(&"server"));
        assert_eq!(users.map(|(name, _)| *name).collect::<Vec<_>>(), ["cli", "testing"]);
    }
}
