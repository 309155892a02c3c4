//! The programs by which tests make a machine fail: `strace` and libfaketime, installed where missing.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use anyhow::Result;

use crate::debian;

/// Below it every architecture of Debian has its libraries.
const LIBRARIES: &str = "/usr/lib";
/// The library that sets the clock of one program, as the tests load it.
const FAKETIME: &str = "faketime/libfaketimeMT.so.1";

/// Makes sure that the tests can have them.
///
/// # Errors
/// When they are missing and cannot be installed.
pub fn ensure() -> Result<()> {
    if !is_on(&env::var_os("PATH").unwrap_or_default(), "strace") {
        debian::install(&["strace"], "strace, which tests make system calls fail with,")?;
    }
    if !is_below(Path::new(LIBRARIES), FAKETIME) {
        debian::install(&["libfaketime"], "libfaketime, which tests set clocks with,")?;
    }
    Ok(())
}

fn is_on(path: &OsStr, program: &str) -> bool {
    env::split_paths(path).any(|directory| directory.join(program).is_file())
}

/// Whether a directory of `directory` has this file.
fn is_below(directory: &Path, file: &str) -> bool {
    let found = directory.read_dir().into_iter().flatten().flatten();
    found.map(|entry| entry.path().join(file)).any(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_there_is_found_and_what_is_not_is_missed() {
        let directory = tempfile::tempdir().unwrap();
        let library = directory.path().join("some-linux-gnu/faketime");
        assert!(!is_below(directory.path(), FAKETIME));
        fs::create_dir_all(&library).unwrap();
        fs::write(library.join("libfaketimeMT.so.1"), "").unwrap();
        assert!(is_below(directory.path(), FAKETIME));
        assert!(!is_on(library.as_os_str(), "strace"));
        fs::write(library.join("strace"), "").unwrap();
        assert!(is_on(library.as_os_str(), "strace"));
    }
}
