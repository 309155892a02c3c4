//! From the `frontend` crate to the two files that a browser loads: WASM and its JavaScript.
//!
//! `wasm-bindgen` is called as a library at the version that `Cargo.lock` holds, so that it can never
//! differ from the one compiled into the WASM. Cargo decides whether to compile again; a stamp with
//! the digest of what cargo made decides whether the JavaScript is generated again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::process;
use crate::site::sha256_hex;
use crate::toolchain::{TARGET, Toolchain};
use crate::workspace::Workspace;

/// The name of the two files, before their digest and ending.
pub const NAME: &str = "countersign";

/// Stands in the stamp; another value makes every machine generate anew. Change it with [`generate`].
const RECIPE: &str = "1";

/// What the browser loads to run the islands.
pub struct Bundle {
    pub javascript: Vec<u8>,
    pub wasm: Vec<u8>,
}

/// Compiles the `frontend` crate and returns where the WASM is.
///
/// # Errors
/// When cargo fails.
pub fn compile(workspace: &Workspace, toolchain: Toolchain) -> Result<PathBuf> {
    // A target directory of its own: this may be another compiler than the server's.
    let target = workspace.path("target/wasm");
    let mut cargo = workspace.cargo(&["build", "--package", "frontend", "--target", TARGET]);
    cargo.args(["--profile", "wasm-release", "--target-dir"]).arg(&target);
    process::run(toolchain.select(&mut cargo))?;
    Ok(target.join(TARGET).join("wasm-release/frontend.wasm"))
}

/// Generates the JavaScript for a compiled WASM, unless that was done already.
///
/// # Errors
/// When the WASM cannot be read or understood, or the result cannot be written.
pub fn bind(workspace: &Workspace, compiled: &Path) -> Result<Bundle> {
    let input =
        fs::read(compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
    let directory = workspace.path("target/wasm/bindgen");
    let stamp = directory.with_extension("stamp");
    let state = format!("recipe {RECIPE}, input {}\n", sha256_hex(&input));

    if fs::read_to_string(&stamp).is_ok_and(|found| found == state)
        && let Ok(bundle) = load(&directory)
    {
        return Ok(bundle);
    }
    if directory.exists() {
        fs::remove_dir_all(&directory).context("cannot remove an old bundle")?;
    }
    generate(compiled, &directory)?;
    let bundle = load(&directory)?;
    fs::write(&stamp, state).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(bundle)
}

fn generate(compiled: &Path, directory: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(compiled).out_name(NAME).web(true)?.typescript(false);
    // The page says where the WASM is, because its name holds a digest.
    bindgen.omit_default_module_path(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.generate(directory).context("wasm-bindgen cannot read the compiled frontend")?;
    // INVARIANT: one script and one WASM. Snippets would be loaded under names without a digest.
    if directory.join("snippets").exists() {
        bail!("a dependency of the frontend brings JavaScript of its own, which has no place yet");
    }
    Ok(())
}

fn load(directory: &Path) -> Result<Bundle> {
    let read = |name: String| {
        let path = directory.join(name);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let bundle =
        Bundle { javascript: read(format!("{NAME}.js"))?, wasm: read(format!("{NAME}_bg.wasm"))? };
    ensure!(bundle.wasm.starts_with(b"\0asm"), "wasm-bindgen wrote something that is not WASM");
    Ok(bundle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_generated_twice_and_a_damaged_bundle_is_not_trusted() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(root.path());
        let compiled = root.path().join("frontend.wasm");
        // The shortest valid module: magic number and version.
        fs::write(&compiled, b"\0asm\x01\0\0\0").unwrap();

        let first = bind(&workspace, &compiled).unwrap();
        let marker = root.path().join("target/wasm/bindgen/marker");
        fs::write(&marker, "").unwrap();
        let second = bind(&workspace, &compiled).unwrap();
        assert_eq!(first.javascript, second.javascript);
        assert!(marker.exists(), "generated again although nothing changed");

        fs::write(root.path().join("target/wasm/bindgen/countersign_bg.wasm"), "damaged").unwrap();
        bind(&workspace, &compiled).unwrap();
        assert!(!marker.exists(), "a damaged bundle was kept");
    }

    #[test]
    fn what_is_not_wasm_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let compiled = root.path().join("frontend.wasm");
        fs::write(&compiled, "not wasm").unwrap();
        assert!(bind(&Workspace::at(root.path()), &compiled).is_err());
        assert!(!root.path().join("target/wasm/bindgen.stamp").exists());
    }
}
