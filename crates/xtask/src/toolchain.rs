//! The compiler for the browser part: rustup's where it has the target, Debian's otherwise.
//!
//! Only WASM is built with what is chosen here; everything else uses the caller's toolchain. A
//! toolchain counts as usable only after it has compiled and linked an empty library for the target:
//! a directory of files that another compiler version has left behind must not count.

mod debian_rust;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// The target of everything that runs in a browser.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// How long rustup may try to fetch the target; without a network it fails at once or hangs.
const RUSTUP_LIMIT: Duration = Duration::from_secs(120);

/// A toolchain that can build for the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The one that cargo uses anyway.
    Default,
    /// Debian's compiler, known to rustup under the name `debian`.
    Debian,
}

impl Toolchain {
    /// Tells people which one it is.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "the default Rust toolchain",
            Self::Debian => "Debian's Rust toolchain (rustup calls it `debian`)",
        }
    }

    /// Makes `command` (cargo or rustc) use this toolchain, without flags meant for other targets.
    pub fn select(self, command: &mut Command) -> &mut Command {
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
            command.env_remove(variable);
        }
        if self == Self::Debian {
            // Cargo hands its own library path to what it runs; another compiler must not see it.
            command.env_remove("LD_LIBRARY_PATH").env_remove("RUSTC").env_remove("CARGO");
            command.env("RUSTUP_TOOLCHAIN", debian_rust::NAME);
        }
        command
    }

    fn is_usable(self, workspace: &Workspace) -> bool {
        let mut ask = workspace.command("rustc", &["--print", "target-libdir", "--target", TARGET]);
        process::ask(self.select(&mut ask)).is_some_and(|dir| holds_std(Path::new(dir.trim())))
            && links(workspace, self.select(&mut workspace.command("rustc", &[])))
    }
}

/// Finds a usable toolchain, and makes one if there is none.
///
/// # Errors
/// When none can be made here; the error has the commands for a person to run.
pub fn ensure(workspace: &Workspace) -> Result<Toolchain> {
    for toolchain in [Toolchain::Default, Toolchain::Debian] {
        if toolchain.is_usable(workspace) {
            return Ok(toolchain);
        }
    }
    if debian_rust::is_usable(workspace) {
        // Somebody with the right to do so has prepared this machine; only the name is missing.
        debian_rust::link()?;
    } else if !add_target(workspace) {
        debian_rust::install(workspace)?;
    }
    [Toolchain::Default, Toolchain::Debian]
        .into_iter()
        .find(|toolchain| toolchain.is_usable(workspace))
        .context("a compiler for WASM was installed, yet it cannot link an empty library")
}

fn add_target(workspace: &Workspace) -> bool {
    eprintln!("  no toolchain here builds WASM: asking rustup for the target (at most 2 min)");
    let mut command = workspace.command("rustup", &["target", "add", TARGET]);
    // A refusal is nothing unusual here; nobody needs to see where in rustup it came from.
    command.env_remove("RUST_BACKTRACE");
    match process::run_within(&mut command, RUSTUP_LIMIT) {
        Ok(()) => Toolchain::Default.is_usable(workspace),
        Err(error) => {
            eprintln!("  rustup could not add it ({error:#}); trying Debian's packages");
            false
        }
    }
}

fn holds_std(libraries: &Path) -> bool {
    let Ok(entries) = fs::read_dir(libraries) else { return false };
    let mut names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.any(|name| name.starts_with("libstd-") && name.ends_with(".rlib"))
}

/// Compiles and links an empty library with the compiler that `rustc` stands for.
fn links(workspace: &Workspace, rustc: &mut Command) -> bool {
    let directory = workspace.path("target/wasm-probe");
    let source = directory.join("probe.rs");
    if fs::create_dir_all(&directory).and_then(|()| fs::write(&source, "")).is_err() {
        return false;
    }
    rustc.args(["--crate-type", "cdylib", "--target", TARGET, "--out-dir"]);
    process::ask(rustc.arg(&directory).arg(&source)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_counts_only_with_a_standard_library_in_it() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!holds_std(&directory.path().join("missing")));
        fs::write(directory.path().join("libcore-1.rlib"), "").unwrap();
        fs::write(directory.path().join("libstd-1.rmeta"), "").unwrap();
        assert!(!holds_std(directory.path()));
        fs::write(directory.path().join("libstd-1.rlib"), "").unwrap();
        assert!(holds_std(directory.path()));
    }

    #[test]
    fn a_compiler_that_fails_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!links(&Workspace::at(directory.path()), &mut Command::new("false")));
        assert!(links(&Workspace::at(directory.path()), &mut Command::new("true")));
    }

    #[test]
    fn wasm_never_gets_flags_meant_for_another_target() {
        for toolchain in [Toolchain::Default, Toolchain::Debian] {
            let mut command = Command::new("cargo");
            command.env("RUSTFLAGS", "-C target-cpu=native");
            toolchain.select(&mut command);
            assert!(command.get_envs().any(|(name, value)| name == "RUSTFLAGS" && value.is_none()));
        }
    }
}
