//! Which key signs from where on: each key of a ledger stands in an entry, and each but the first
//! is named by its predecessor (threats L09).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::note::VerifierKey;

/// An entry that names a checkpoint key: a `CheckpointKeyNamed` fact's body.
#[derive(Clone, Copy, Debug)]
pub struct KeyNamed<'a> {
    pub key: &'a str,
    /// The previous key's signature over [`rotation_text`], in base64; the first key has none.
    pub signature: Option<&'a str>,
}

/// What is wrong with an entry that names a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyEntry {
    #[error("names something that is no public key")]
    Form,
    #[error("names a key of another ledger")]
    Origin,
    #[error("names a key that had its time before")]
    Again,
    #[error("names a first key under a signature")]
    First,
    #[error("names a new key without the signature of the one before it")]
    Unsigned,
}

/// The keys of one ledger in their order, each with the index of the entry that names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyHistory(Vec<(u64, VerifierKey)>);

impl KeyHistory {
    /// Adds the key that the entry at `index` names.
    ///
    /// # Errors
    /// [`BadKeyEntry`] when nobody had the right to name it.
    pub fn name(
        &mut self,
        index: u64,
        named: KeyNamed<'_>,
        origin: &str,
    ) -> Result<(), BadKeyEntry> {
        let key: VerifierKey = named.key.parse().map_err(|_| BadKeyEntry::Form)?;
        if key.name() != origin {
            return Err(BadKeyEntry::Origin);
        }
        if self.contains(&key) {
            return Err(BadKeyEntry::Again);
        }
        match (self.newest(), named.signature) {
            (None, None) => {}
            (None, Some(_)) => return Err(BadKeyEntry::First),
            (Some(previous), signature) => {
                let signature = signature.and_then(|text| STANDARD.decode(text).ok());
                let signature = signature.and_then(|bytes| bytes.try_into().ok());
                let text = rotation_text(previous, &key);
                let holds =
                    signature.is_some_and(|bytes| previous.verifies(text.as_bytes(), &bytes));
                if !holds {
                    return Err(BadKeyEntry::Unsigned);
                }
            }
        }
        self.0.push((index, key));
        Ok(())
    }

    /// The key that signs the checkpoint of `size` entries: the last one that they name.
    pub fn of_size(&self, size: u64) -> Option<&VerifierKey> {
        self.0.iter().rev().find(|(index, _)| *index < size).map(|(_, key)| key)
    }

    /// The key in force.
    pub fn newest(&self) -> Option<&VerifierKey> {
        self.0.last().map(|(_, key)| key)
    }

    /// Whether `key` has had its time in this ledger, or has it now.
    pub fn contains(&self, key: &VerifierKey) -> bool {
        self.keys().any(|known| known == key)
    }

    /// All keys, the first one first.
    pub fn keys(&self) -> impl Iterator<Item = &VerifierKey> {
        self.0.iter().map(|(_, key)| key)
    }
}

/// What the previous key signs to name the next.
pub fn rotation_text(previous: &VerifierKey, next: &VerifierKey) -> String {
    format!("countersign/checkpoint-key/v1\n{previous}\n{next}\n")
}
