//! Where things are: the root, cargo's target directory, the site, the binary.
//!
//! Binaries follow `CARGO_TARGET_DIR`; what is made for the browser always stands in
//! `<root>/target`, because the server's build script looks for it there.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;

/// The places of the workspace that this run works on.
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the workspace around the current directory.
    ///
    /// # Errors
    /// When cargo finds none, or cannot read it.
    pub fn locate() -> Result<Self> {
        let metadata = MetadataCommand::new().no_deps().exec();
        let metadata = metadata.context("cargo cannot read the workspace")?;
        let root = metadata.workspace_root.into_std_path_buf();
        Ok(Self { root, target: metadata.target_directory.into_std_path_buf() })
    }

    /// Gives a path below the workspace's root.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The directory of everything that the browser loads, ready to be embedded.
    pub fn site(&self) -> PathBuf {
        self.path("target/site")
    }

    /// The `countersign` binary of the dev or the release profile.
    pub fn binary(&self, release: bool) -> PathBuf {
        self.target.join(if release { "release" } else { "debug" }).join("countersign")
    }

    /// A program that only tests use, an example of `crates/testing`; made with every dev build.
    pub fn test_program(&self, name: &str) -> PathBuf {
        self.target.join("debug/examples").join(name)
    }

    /// The Python environment of the tests.
    pub fn python(&self) -> PathBuf {
        self.target.join("python")
    }

    /// Where builds with planted bugs go: nothing of them is ever taken for the product.
    pub fn planted(&self) -> PathBuf {
        self.target.join("planted")
    }

    /// Writes a path relative to the root, for people to read.
    pub fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Prepares a cargo command over the crates of the product, with the features that its tests have.
    ///
    /// The frontend exists only as WASM, and the task runner is no part of the product: selected
    /// together, its dependencies would give the product's other features and cargo would build all
    /// of it a second time.
    pub fn product(&self, arguments: &[&str]) -> Command {
        let mut command = self.cargo(arguments);
        command.args(["--workspace", "--exclude", "frontend", "--exclude", "xtask"]);
        command
    }

    /// Prepares a cargo command that runs in the root with the toolchain of the caller.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        self.command("cargo", arguments)
    }

    /// Prepares any command that runs in the root.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// Keeps two builds from writing the same files; lasts until the returned file is dropped.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn lock(&self) -> Result<File> {
        let directory = self.path("target");
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        let file =
            File::create(directory.join("xtask.lock")).context("cannot create a lock file")?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("waiting for another `cargo xtask` to finish its build");
                file.lock().context("cannot wait for another build")?;
            }
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the build"),
        }
        Ok(file)
    }
}

#[cfg(test)]
impl Workspace {
    /// A workspace in a directory of a test.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), target: root.join("target") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_follow_the_target_directory_and_the_site_does_not() {
        let elsewhere = Workspace { root: "/w".into(), target: "/elsewhere".into() };
        assert_eq!(elsewhere.binary(false), Path::new("/elsewhere/debug/countersign"));
        assert_eq!(elsewhere.binary(true), Path::new("/elsewhere/release/countersign"));
        assert_eq!(elsewhere.test_program("x"), Path::new("/elsewhere/debug/examples/x"));
        assert_eq!(elsewhere.site(), Path::new("/w/target/site"));
        assert_eq!(elsewhere.relative(&elsewhere.site()), "target/site");
    }

    #[test]
    fn a_lock_ends_with_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(directory.path());
        let first = workspace.lock().unwrap();
        let second = File::open(workspace.path("target/xtask.lock")).unwrap();
        assert!(second.try_lock().is_err());
        drop(first);
        second.try_lock().unwrap();
    }
}
