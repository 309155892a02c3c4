//! Checkpoints: signed tree heads (C2SP tlog-checkpoint), and the line of keys that may sign them.
//!
//! A checkpoint is a signed note of three lines: origin, size, root. The origin names the
//! installation, so that another one's checkpoint is worth nothing here (threats L12).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::InstanceId;
use crate::merkle::Hash;
use crate::note::{self, NoteError, VerifierKey};

mod keys;

pub use keys::{BadKeyEntry, KeyHistory, KeyNamed, rotation_text};

/// Size and root of a tree, as an origin states them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

/// Why a text is no checkpoint of this ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("is no checkpoint: its text is origin, size and root, a line each")]
    Form,
    #[error("is of another ledger: its origin is `{0}`")]
    Origin(String),
}

/// The origin of an installation's ledger, and the name of its keys.
pub fn origin(instance: InstanceId) -> String {
    format!("countersign/{instance}")
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Reads a note whose signatures nobody has looked at: only to see which checkpoint it is.
    ///
    /// # Errors
    /// When it is no note, or no checkpoint.
    pub fn unverified(note: &str) -> Result<Self, CheckpointError> {
        Self::read(note::unverified_text(note)?)
    }

    fn read(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Form)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Form);
        };
        // The empty tree is never signed: nothing follows from it.
        let size = decimal(size).filter(|size| *size > 0).ok_or(CheckpointError::Form)?;
        let root = hash(root).ok_or(CheckpointError::Form)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Opens a note that `key` has signed. The origin must be the key's name.
    ///
    /// # Errors
    /// [`CheckpointError`] says what does not hold.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let unverified = Self::unverified(note)?;
        if unverified.origin != key.name() {
            return Err(CheckpointError::Origin(unverified.origin));
        }
        Self::read(key.open(note)?)
    }
}

/// A decimal number in its one spelling: digits, no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A hash in base64, in its one spelling.
pub(crate) fn hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
