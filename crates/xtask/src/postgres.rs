//! The programs of PostgreSQL that the tests start a private server with, installed where missing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::debian;

/// Where Debian puts each version's programs, outside the path.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Says which back end the tests of a server run on.
pub const TEST_DATABASE: &str = "COUNTERSIGN_TEST_DATABASE";

/// Makes sure that the tests can have a server, and one of their own to cut off.
///
/// # Errors
/// When the programs are missing and cannot be installed.
pub fn ensure() -> Result<()> {
    if is_there(&env::var_os("PATH").unwrap_or_default()) {
        return Ok(());
    }
    debian::install(&["postgresql"], "the PostgreSQL server")
}

fn is_there(path: &std::ffi::OsStr) -> bool {
    let versions = fs::read_dir(Path::new(DEBIAN)).into_iter().flatten().flatten();
    let installed = versions.map(|version| version.path().join("bin"));
    env::split_paths(path).chain(installed).any(|directory: PathBuf| {
        ["initdb", "pg_ctl"].iter().all(|program| directory.join(program).is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_on_the_path_are_found() {
        let directory = tempfile::tempdir().unwrap();
        for program in ["initdb", "pg_ctl"] {
            fs::write(directory.path().join(program), "").unwrap();
        }
        assert!(is_there(directory.path().as_os_str()));
    }
}
