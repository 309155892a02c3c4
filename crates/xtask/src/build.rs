//! `build`: from sources to the `countersign` binary, in four steps.
//!
//! The order matters: the server embeds `target/site`, so the browser part comes first.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::progress::Steps;
use crate::site::{budget, sources};
use crate::workspace::Workspace;
use crate::{process, toolchain, wasm};

/// How many steps [`site`] announces.
pub const SITE_STEPS: usize = 3;
/// How many steps [`run`] announces.
pub const STEPS: usize = SITE_STEPS + 1;

/// Builds everything and returns where the binary is.
///
/// # Errors
/// When a step fails; what an earlier step made is kept.
pub fn run(workspace: &Workspace, steps: &mut Steps, release: bool) -> Result<PathBuf> {
    site(workspace, steps)?;
    let _alone = workspace.lock()?;
    steps.step("build the binary (minutes the first time, then seconds)", || {
        process::run(&mut binary_command(workspace, release))?;
        let binary = workspace.binary(release);
        ensure!(binary.exists(), "cargo left no binary at {}", binary.display());
        binary.canonicalize().context("cannot find the binary")
    })
}

/// Builds what the server embeds, `target/site`.
///
/// # Errors
/// When a step fails, or browsers would load too much.
pub fn site(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    let _alone = workspace.lock()?;
    let toolchain = steps.step("find a compiler for the browser part", || {
        let toolchain = toolchain::ensure(workspace)?;
        eprintln!("  using {}", toolchain.name());
        Ok(toolchain)
    })?;

    let compiled = steps
        .step("compile the browser part (minutes the first time, then seconds)", || {
            wasm::compile(workspace, toolchain)
        })?;

    steps.step("put together what browsers load, into target/site", || {
        let mut site = sources::collect(workspace, wasm::bind(workspace, &compiled)?)?;
        site.compress(&workspace.site())?;
        let within_budget = budget::check(&site);
        let changed = site.publish(&workspace.site())?;
        eprintln!("  target/site {}", if changed { "written" } else { "unchanged" });
        within_budget
    })
}

/// The command that makes `countersign`.
///
/// What is released is built by itself. In development the tests come next and bring features of
/// their own to shared dependencies: naming the examples (of which there is one small one, in
/// `testing`) makes cargo count those features now, so that demo and tests share one build instead
/// of making two.
fn binary_command(workspace: &Workspace, release: bool) -> Command {
    if release {
        workspace.cargo(&["build", "--release", "--package", "cli"])
    } else {
        let mut cargo = workspace.product(&["build"]);
        cargo.args(["--bins", "--examples"]);
        cargo
    }
}
