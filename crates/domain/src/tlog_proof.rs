//! `.tlog-proof` files (C2SP tlog-proof v1): one entry's inclusion, with the checkpoint it leads to.
//!
//! The file does not hold the entry. Whoever has entry and public key can check it offline.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, CheckpointError, decimal, hash};
use crate::merkle::{self, Hash};
use crate::note::VerifierKey;

const VERSION: &str = "c2sp.org/tlog-proof@v1";
/// The longest path that a tree can have.
const MAX_HASHES: usize = 63;

/// A proof that some entry stands at `index` of the tree of `checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    pub index: u64,
    /// The leaf's sibling first.
    pub path: Vec<Hash>,
    /// The signed note, as it was issued.
    pub checkpoint: String,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    #[error("is no proof: {0}")]
    Form(&'static str),
    #[error("leads to a checkpoint that does not hold: it {0}")]
    Checkpoint(#[from] CheckpointError),
    #[error("does not lead from this entry to the checkpoint's root")]
    Path,
}

impl TlogProof {
    /// The file.
    pub fn to_text(&self) -> String {
        let path: String = self.path.iter().map(|hash| STANDARD.encode(hash) + "\n").collect();
        format!("{VERSION}\nindex {}\n{path}\n{}", self.index, self.checkpoint)
    }

    /// Reads a file. What its `extra` line says is not authenticated and is read over.
    ///
    /// # Errors
    /// `Form` says what is missing.
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        let form = TlogProofError::Form;
        let whole = form("after the hashes it has an empty line and a checkpoint");
        let (head, checkpoint) = text.split_once("\n\n").ok_or(whole)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(VERSION) {
            return Err(form("its first line is `c2sp.org/tlog-proof@v1`"));
        }
        if let Some(extra) = lines.next_if(|line| line.starts_with("extra ")) {
            let encoded = extra.trim_start_matches("extra ");
            STANDARD.decode(encoded).map_err(|_| form("its `extra` is base64"))?;
        }
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or(form("its `index` line has a decimal number"))?;
        let path: Option<Vec<Hash>> = lines.map(hash).collect();
        let path = path.filter(|path| path.len() <= MAX_HASHES);
        let path = path.ok_or(form("its hashes are at most 63 lines of base64, 32 bytes each"))?;
        Ok(Self { index, path, checkpoint: checkpoint.to_owned() })
    }

    /// Whether `entry` (its canonical bytes) is at this proof's index under a checkpoint of `key`.
    ///
    /// # Errors
    /// [`TlogProofError`] says what does not hold.
    pub fn verify(&self, entry: &[u8], key: &VerifierKey) -> Result<Checkpoint, TlogProofError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        let leaf = merkle::leaf_hash(entry);
        let Checkpoint { size, root, .. } = &checkpoint;
        if merkle::verify_inclusion(&leaf, self.index, *size, &self.path, root) {
            Ok(checkpoint)
        } else {
            Err(TlogProofError::Path)
        }
    }
}

#[cfg(test)]
mod tests;
