//! `demo`: builds the product and becomes it.
//!
//! The process is replaced, not wrapped: signals, standard output and the exit code are the product's.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::build;
use crate::progress::Steps;
use crate::workspace::Workspace;

/// Builds, then runs `countersign demo` in place of this process: returns only with an error.
///
/// # Errors
/// When the build fails or the binary cannot be started.
pub fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<Infallible> {
    let mut steps = Steps::new(build::STEPS + 1);
    let binary = build::run(workspace, &mut steps, false)?;
    steps.announce("start the demo (Ctrl-C stops it)");
    let mut demo = Command::new(&binary);
    // Cargo's library path is for the compiler, not for the product.
    demo.arg("demo").args(arguments).env_remove("LD_LIBRARY_PATH");
    Err(demo.exec()).with_context(|| format!("cannot start {}", binary.display()))
}
