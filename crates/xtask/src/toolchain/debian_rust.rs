//! Debian's Rust as a compiler for WASM, for machines where rustup cannot reach its server.
//!
//! Debian packages the compiler, the linker and the sources of the standard library, but not the
//! library built for WASM: it is built here once, from those sources, and put where that compiler
//! looks for it. Rustup then knows the whole by the name [`NAME`].

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{TARGET, links};
use crate::workspace::Workspace;
use crate::{debian, process};

/// What rustup calls the toolchain in `/usr`.
pub const NAME: &str = "debian";

/// The compiler, cargo, the library's sources, the compiler's back end and the WASM linker.
const PACKAGES: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];

const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const LIBRARIES: &str = "/usr/lib/rustlib/wasm32-unknown-unknown/lib";

const MANIFEST: &str = "[package]\nname = \"wasm-std\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
                        [workspace]\n";

/// Tells whether Debian's compiler can already build WASM, whatever rustup knows of it.
pub fn is_usable(workspace: &Workspace) -> bool {
    links(workspace, &mut clean(RUSTC))
}

/// Installs the packages, builds the standard library, and tells rustup.
///
/// # Errors
/// When a part of it fails, or may not be done here: then with the commands to run.
pub fn install(workspace: &Workspace) -> Result<()> {
    if !debian::can_install() {
        bail!("no toolchain here builds WASM, and none can be installed; run\n{}", by_hand());
    }
    debian::install(&PACKAGES, "Debian's Rust compiler")?;
    if !is_usable(workspace) {
        build_std(workspace)?;
    }
    link()
}

/// Tells rustup about the toolchain in `/usr`; where there is no rustup, Debian's is the default.
///
/// # Errors
/// When rustup refuses.
pub fn link() -> Result<()> {
    if process::ask(Command::new("rustup").arg("--version")).is_none() {
        return Ok(());
    }
    process::run(Command::new("rustup").args(["toolchain", "link", NAME, "/usr"]))
}

fn build_std(workspace: &Workspace) -> Result<()> {
    eprintln!("  building the standard library for WASM, once, about a minute");
    let directory = workspace.path("target/wasm-std");
    let sources = directory.join("src");
    fs::create_dir_all(&sources)
        .and_then(|()| fs::write(directory.join("Cargo.toml"), MANIFEST))
        .and_then(|()| fs::write(sources.join("lib.rs"), "#![no_std]\n"))
        .with_context(|| format!("cannot write to {}", directory.display()))?;

    let mut cargo = clean(CARGO);
    // The unstable flag is allowed because this compiler builds the library of its own version.
    cargo.env("RUSTC", RUSTC).env("RUSTC_BOOTSTRAP", "1").current_dir(&directory);
    cargo.args(["build", "--release", "--target", TARGET, "-Zbuild-std=std,panic_abort"]);
    process::run(cargo.arg("--target-dir").arg(directory.join("target")))?;

    let built = directory.join("target").join(TARGET).join("release/deps");
    install_libraries(&built, Path::new(LIBRARIES))
}

/// Copies the built libraries to where the compiler looks; a half-made copy is never seen there.
fn install_libraries(built: &Path, destination: &Path) -> Result<()> {
    let staging = destination.with_extension("new");
    copy_libraries(built, &staging)
        .and_then(|()| remove(destination))
        .and_then(|()| fs::rename(&staging, destination))
        .with_context(|| format!("cannot write {}", destination.display()))
}

fn copy_libraries(built: &Path, staging: &Path) -> std::io::Result<()> {
    remove(staging)?;
    fs::create_dir_all(staging)?;
    for path in libraries(built)? {
        if let Some(name) = path.file_name() {
            fs::copy(&path, staging.join(name))?;
        }
    }
    Ok(())
}

/// The `*.rlib` files of a directory, except that of the empty crate they were built for.
fn libraries(built: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(built)?.map(|entry| entry.map(|entry| entry.path()));
    let ours = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.ends_with(".rlib") && !name.starts_with("libwasm_std-")
    };
    Ok(paths.collect::<std::io::Result<Vec<_>>>()?.into_iter().filter(ours).collect())
}

fn remove(directory: &Path) -> std::io::Result<()> {
    if directory.exists() { fs::remove_dir_all(directory) } else { Ok(()) }
}

/// A command of Debian's own toolchain that sees nothing of the one which started us.
fn clean(program: &str) -> Command {
    let mut command = Command::new(program);
    for name in ["LD_LIBRARY_PATH", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"]
    {
        command.env_remove(name);
    }
    command.env_remove("RUSTC").env_remove("CARGO").env_remove("CARGO_TARGET_DIR");
    command
}

fn by_hand() -> String {
    let packages = debian::commands(&PACKAGES);
    format!(
        "rustup target add {TARGET}\n\
         or, on Debian where that fails,\n\
         {packages}\n\
         mkdir -p /tmp/wasm-std/src && cd /tmp/wasm-std && echo '#![no_std]' > src/lib.rs\n\
         printf '[package]\\nname = \"wasm-std\"\\nedition = \"2021\"\\n' > Cargo.toml\n\
         RUSTC={RUSTC} RUSTC_BOOTSTRAP=1 {CARGO} build --release --target {TARGET} -Zbuild-std=std,panic_abort\n\
         rm target/{TARGET}/release/deps/libwasm_std-*.rlib\n\
         sudo mkdir -p {LIBRARIES}\n\
         sudo cp target/{TARGET}/release/deps/*.rlib {LIBRARIES}\n\
         rustup toolchain link {NAME} /usr"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_replace_older_ones_and_leave_out_the_empty_crate() {
        let directory = tempfile::tempdir().unwrap();
        let (built, destination) = (directory.path().join("deps"), directory.path().join("lib"));
        fs::create_dir_all(&built).unwrap();
        fs::create_dir_all(&destination).unwrap();
        fs::write(destination.join("libstd-old.rlib"), "").unwrap();
        for name in ["libstd-1.rlib", "libcore-1.rlib", "libwasm_std-1.rlib", "libstd-1.rmeta"] {
            fs::write(built.join(name), name).unwrap();
        }
        install_libraries(&built, &destination).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(&destination).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["libcore-1.rlib", "libstd-1.rlib"]);
    }
}
