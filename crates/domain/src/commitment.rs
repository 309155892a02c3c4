//! Salted commitments: how free text and personal data stand in the ledger.
//!
//! An entry holds `SHA-256(16-byte salt ‖ UTF-8)`; salt and clear text live beside the ledger in a
//! table that can be erased. With them the commitment can be opened; without them it says nothing.

use serde::{Deserialize, Serialize};

use crate::Digest;

/// The length of a salt in bytes.
pub const SALT_BYTES: usize = 16;

/// A commitment to a text that is kept elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    commitment: Digest,
}

impl Commitment {
    /// Commits to `text` under `salt`.
    pub fn new(salt: &[u8; SALT_BYTES], text: &str) -> Self {
        Self { commitment: Digest::of_parts(&[salt, text.as_bytes()]) }
    }

    /// Whether `text` under `salt` is what was committed to.
    pub fn opens_to(&self, salt: &[u8; SALT_BYTES], text: &str) -> bool {
        *self == Self::new(salt, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_salt_and_text_open_a_commitment() {
        let commitment = Commitment::new(&[7; 16], "ticket matches");
        assert!(commitment.opens_to(&[7; 16], "ticket matches"));
        assert!(!commitment.opens_to(&[8; 16], "ticket matches"));
        assert!(!commitment.opens_to(&[7; 16], "ticket matches "));
    }
}
