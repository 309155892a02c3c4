//! The checks that cargo's own tools make: format, clippy for both targets, documentation.

use anyhow::Result;

use crate::process;
use crate::toolchain::{self, TARGET};
use crate::workspace::Workspace;

/// Demands rustfmt's format.
pub fn format(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
}

/// Demands that clippy has nothing to say about anything that runs natively, tests included.
pub fn native(workspace: &Workspace) -> Result<()> {
    let selection = ["clippy", "--workspace", "--exclude", "frontend", "--all-targets"];
    process::run(workspace.cargo(&selection).args(["--", "-D", "warnings"]))
}

/// The same for what runs in a browser.
pub fn wasm(workspace: &Workspace) -> Result<()> {
    let toolchain = {
        let _alone = workspace.lock()?;
        toolchain::ensure(workspace)?
    };
    let mut probe = workspace.cargo(&["clippy", "--version"]);
    let has_clippy = process::ask(toolchain.select(&mut probe)).is_some();

    let mut cargo = workspace.cargo(&[if has_clippy { "clippy" } else { "check" }]);
    toolchain.select(&mut cargo);
    cargo.args(["--package", "frontend", "--package", "domain", "--target", TARGET]);
    // Its own directory: flags that differ from the build's would make cargo build all of it again.
    cargo.arg("--target-dir").arg(workspace.path("target/wasm-check"));
    if has_clippy {
        cargo.args(["--", "-D", "warnings"]);
    } else {
        eprintln!("  {} has no clippy: only the compiler's warnings are checked", toolchain.name());
        cargo.env("RUSTFLAGS", "-D warnings");
    }
    process::run(&mut cargo)
}

/// Demands that the documentation builds without warnings: no broken links above all.
pub fn documentation(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo(&["doc", "--workspace", "--exclude", "frontend", "--no-deps"]);
    process::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}
