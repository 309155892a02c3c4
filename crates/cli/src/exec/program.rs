//! The file that runs: found, opened once, hashed, and run as the open file that was hashed.
//!
//! A program runs from the open file itself: whoever puts another file in its place changes nothing.
//! A script is read while it runs, so what its interpreter gets is a sealed copy of the bytes that
//! were hashed; it finds its own place in COUNTERSIGN_EXECUTABLE.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use domain::Digest;
use rustix::fs::{Access, MemfdFlags, SealFlags};
use rustix::io::{Errno, FdFlags};

use crate::exit::Exit;

/// The longest first line that Linux reads of a script (binfmt_script).
const MAX_FIRST_LINE_BYTES: usize = 255;

/// An open, hashed file that can be run.
pub struct Program {
    pub digest: Digest,
    open: Open,
}

enum Open {
    Binary(File),
    Script { copy: OwnedFd, interpreter: PathBuf, argument: Option<OsString> },
}

/// Where the shell would find it: as it is with a slash, otherwise along PATH.
pub fn find(name: &str, directory: &Path) -> anyhow::Result<PathBuf> {
    let clean = |path: PathBuf| path.components().collect::<PathBuf>();
    let runs = |path: &Path| path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok();
    if name.contains('/') {
        let path = clean(directory.join(name));
        return match path.metadata() {
            Err(error) => Err(Exit::NotFound.because(format!("`{}`: {error}", path.display()))),
            Ok(_) if runs(&path) => Ok(path),
            Ok(_) => {
                let path = path.display();
                Err(Exit::CannotRun.because(format!("`{path}` is no file that you may execute")))
            }
        };
    }
    let places = std::env::var_os("PATH").unwrap_or_default();
    let mut found =
        std::env::split_paths(&places).map(|place| clean(directory.join(place).join(name)));
    found.find(|path| runs(path)).ok_or_else(|| {
        Exit::NotFound.because(format!("there is no `{name}` on PATH; nothing is staged"))
    })
}

impl Program {
    /// Opens and hashes what is at `path` now.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot = |error: io::Error| {
            let exit = match error.kind() {
                io::ErrorKind::NotFound => Exit::NotFound,
                _ => Exit::CannotRun,
            };
            exit.because(format!("cannot read `{}`, so cannot hash it: {error}", path.display()))
        };
        // A pipe in its place would be waited for.
        if !path.metadata().map_err(cannot)?.is_file() {
            bail!(Exit::CannotRun.because(format!("`{}` is no file", path.display())));
        }
        let mut file = File::open(path).map_err(cannot)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(cannot)?;
        let digest = Digest::of(&bytes);
        let open = if bytes.starts_with(b"\x7fELF") {
            Open::Binary(file)
        } else if let Some((interpreter, argument)) = shebang(&bytes) {
            Open::Script { copy: sealed(&bytes)?, interpreter, argument }
        } else {
            bail!(Exit::CannotRun.because(format!(
                "`{}` is neither a program nor a script whose first line names its interpreter (#!)",
                path.display()
            )));
        };
        Ok(Self { digest, open })
    }

    /// The command that runs it; the program has to stay as long as it is started.
    pub fn command(&self, argv: &[String]) -> Command {
        let (name, arguments) = argv.split_first().map_or(("", argv), |(n, a)| (n.as_str(), a));
        match &self.open {
            Open::Binary(file) => {
                // The kernel opens it before it closes what the program does not inherit.
                let mut command = Command::new(format!("/proc/self/fd/{}", file.as_raw_fd()));
                command.arg0(name).args(arguments);
                command
            }
            Open::Script { copy, interpreter, argument } => {
                let mut command = Command::new(interpreter);
                command.args(argument).arg(format!("/proc/self/fd/{}", copy.as_raw_fd()));
                command.args(arguments);
                command
            }
        }
    }
}

/// The interpreter of a script and its one argument, as Linux reads them.
fn shebang(bytes: &[u8]) -> Option<(PathBuf, Option<OsString>)> {
    let line = bytes.strip_prefix(b"#!")?;
    let line = line.split(|byte| *byte == b'\n').next()?;
    let line = line.get(..MAX_FIRST_LINE_BYTES).unwrap_or(line).trim_ascii();
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let end = line.iter().position(blank).unwrap_or(line.len());
    let (interpreter, argument) = line.split_at(end);
    let argument = argument.trim_ascii();
    let given = (!argument.is_empty()).then(|| OsStr::from_bytes(argument).to_owned());
    (!interpreter.is_empty()).then(|| (PathBuf::from(OsStr::from_bytes(interpreter)), given))
}

/// A copy in memory that nobody can write to any more, and that an interpreter inherits.
fn sealed(bytes: &[u8]) -> anyhow::Result<OwnedFd> {
    let create = |flags| rustix::fs::memfd_create("countersign-script", flags);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let created = match create(flags | MemfdFlags::NOEXEC_SEAL) {
        // Kernels before 6.3 do not know it; it is read, never executed.
        Err(Errno::INVAL) => create(flags),
        created => created,
    };
    let mut copy = File::from(created.context("cannot make a sealed copy of the script")?);
    copy.write_all(bytes)?;
    copy.rewind()?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&copy, seals).context("cannot seal the copy of the script")?;
    rustix::io::fcntl_setfd(&copy, FdFlags::empty())?;
    Ok(copy.into())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::path::{Path, PathBuf};

    use super::{Program, find, sealed, shebang};

    #[test]
    fn a_first_line_is_read_as_linux_reads_it() {
        let read = |text: &str| {
            let (path, argument) = shebang(text.as_bytes())?;
            Some((path.display().to_string(), argument.map(|a| a.into_string().unwrap())))
        };
        let both = |path: &str, argument: Option<&str>| {
            Some((path.to_owned(), argument.map(str::to_owned)))
        };
        assert_eq!(read("#!/bin/sh\necho"), both("/bin/sh", None));
        assert_eq!(
            read("#! /usr/bin/env -S python3 -u \n"),
            both("/usr/bin/env", Some("-S python3 -u"))
        );
        assert_eq!(read("#!/bin/sh"), both("/bin/sh", None));
        assert_eq!(read("#!\n"), None);
        assert_eq!(read("echo"), None);
    }

    #[test]
    fn e09_a_program_runs_as_the_file_that_was_hashed_whatever_takes_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a program");
        for source in ["/bin/echo", "script"] {
            if source == "script" {
                std::fs::write(&path, "#!/bin/sh\nprintf '%s|' \"$@\"\n").unwrap();
            } else {
                std::fs::copy(source, &path).unwrap();
            }
            let program = Program::open(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, "#!/bin/sh\necho another\n").unwrap();
            let argv = ["a program", "größer als", "", "$(id)"].map(str::to_owned);
            let output = program.command(&argv).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            let wanted = match source {
                "script" => "größer als||$(id)|",
                _ => "größer als  $(id)\n",
            };
            assert_eq!(said, wanted);
        }
    }

    #[test]
    fn e09_the_copy_of_a_script_takes_no_writing() {
        let mut copy = File::from(sealed(b"#!/bin/sh\n").unwrap());
        assert!(copy.write_all(b"x").is_err());
        assert!(copy.set_len(0).is_err());
    }

    #[test]
    fn what_cannot_be_run_is_told_apart_from_what_is_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let there = directory.path().join("there");
        std::fs::write(&there, "echo").unwrap();
        let code = |name: &str| {
            let error = find(name, directory.path()).unwrap_err();
            crate::exit::Exit::of_error(&error) as u8
        };
        assert_eq!(code("./absent"), 127);
        assert_eq!(code("no-such-program-anywhere"), 127);
        assert_eq!(code("./there"), 126);
        assert_eq!(code("./"), 126);
        assert_eq!(find("sh", Path::new("/")).unwrap().file_name(), Path::new("sh").file_name());
        assert_eq!(find("bin/./sh", Path::new("/")).unwrap(), PathBuf::from("/bin/sh"));
        assert!(Program::open(&there).is_err(), "neither a program nor a script");
    }
}
