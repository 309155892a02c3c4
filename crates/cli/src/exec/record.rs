//! How far an execution got, on disk: so that the same command line goes on where it stopped.
//!
//! INVARIANT: what a step is about to do is written down, durably, before it is done.
//! SECURITY: readable by its owner alone. It has neither the agent's key nor a release token.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::agent::api::Known;
use crate::agent::report::Status;
use crate::exit::Exit;

/// What is known of an execution.
#[derive(Serialize, Deserialize)]
pub struct Record {
    /// Of which command line.
    identity: Digest,
    /// What is staged, or about to be.
    pub body: Value,
    /// The request, once it is staged.
    pub request: Option<Known>,
    pub step: Step,
}

/// What was done last, or is about to be done.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Step {
    /// The body may have arrived under this key.
    Staging { key: String },
    /// Another body may have arrived under this key, in place of the one that is staged.
    Amending { key: String, body: Value },
    /// People decide.
    Staged,
    /// The release may have been spent under this key; nothing was started.
    Redeeming { key: String },
    /// The command may have been started.
    Started { lease: String },
    /// How it ended, to be reported.
    Ended { lease: String, end: End },
    /// The rollback command may have been started; before it the end of the command is to be
    /// reported, where that was not heard.
    Undoing {
        lease: String,
        #[serde(default)]
        unsent: Option<End>,
    },
    /// How undoing it ended, to be reported after what is still unsent.
    Undone {
        lease: String,
        end: End,
        #[serde(default)]
        unsent: Option<End>,
    },
}

/// What is reported, and with which code the binary ends after that.
#[derive(Clone, Serialize, Deserialize)]
pub struct End {
    pub status: Status,
    pub summary: String,
    /// The end of what was printed: evidence of the report.
    #[serde(default)]
    pub output: Option<String>,
    pub code: u8,
    /// The approved rollback command runs next.
    pub undo: bool,
}

/// The place of a record, held by this process alone.
pub struct Place {
    path: PathBuf,
    identity: Digest,
    /// Released when the process ends, however it ends.
    _lock: File,
}

impl Place {
    /// Takes the place of this command line; gives what stands there.
    pub fn take(path: Option<&Path>, identity: Digest) -> anyhow::Result<(Self, Option<Record>)> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => directory()?.join(format!("{}.json", identity.hex())),
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(parent).with_context(|| {
            format!("cannot make `{}`; --state names another file", parent.display())
        })?;
        let beside = path.with_extension("lock");
        let lock = private(&beside).with_context(|| {
            format!("cannot write `{}`; --state names another file", beside.display())
        })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "the same command line runs already: another process holds `{}`",
                beside.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let place = Self { path, identity, _lock: lock };
        let record = place.read()?;
        Ok((place, record))
    }

    fn read(&self) -> anyhow::Result<Option<Record>> {
        let name = self.path.display();
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read `{name}`")),
        };
        let record: Record = serde_json::from_slice(&text).with_context(|| {
            format!(
                "`{name}` is no record of an execution; look what became of it, then move it away"
            )
        })?;
        if record.identity != self.identity {
            bail!(Exit::Usage.because(format!("`{name}` belongs to another command line")));
        }
        Ok(Some(record))
    }

    /// A first record.
    pub fn record(&self, body: Value, key: String) -> Record {
        Record { identity: self.identity, body, request: None, step: Step::Staging { key } }
    }

    /// Writes it down; it is on the disk when this returns.
    pub fn write(&self, record: &Record) -> anyhow::Result<()> {
        self.replace(record).with_context(|| format!("cannot write `{}`", self.path.display()))
    }

    fn replace(&self, record: &Record) -> anyhow::Result<()> {
        let partial = self.path.with_extension("partial");
        let mut file = private(&partial)?;
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec_pretty(record)?)?;
        file.sync_all()?;
        std::fs::rename(&partial, &self.path)?;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(())
    }

    /// There is nothing to go on with any more.
    pub fn clear(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove `{}`", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Where state of programs belongs (XDG Base Directory Specification).
fn directory() -> anyhow::Result<PathBuf> {
    let given = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".local/state"));
    let state = given.or_else(home).context("there is no home for state: name a --state FILE")?;
    Ok(state.join("countersign/exec"))
}
