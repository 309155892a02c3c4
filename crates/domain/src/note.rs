//! Signed notes (C2SP signed-note): a text, and under it the signatures of named keys.
//!
//! Only Ed25519 keys of type 0x01 are known here; lines of other keys are read over, so that
//! witnesses may add theirs. A line of the *known* key that does not hold makes the whole note
//! worthless. Signing is not here: who has the key makes the signature.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// The signature type of Ed25519 in key ids and public keys.
const ED25519: u8 = 0x01;
const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 4;
/// The longest note that is read: room for far more witnesses than anybody has.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;
/// How a signature line begins: an em dash and a space.
const MARK: &str = "\u{2014} ";

/// A public key with its name, written `NAME+KEYID+BASE64` ("vkey").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

/// Why a text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a public key is written NAME+KEYID+BASE64, as `countersign ledger checkpoint --vkey` prints it"
)]
pub struct NotAKey;

/// Why a note says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("is no signed note: {0}")]
    Form(&'static str),
    #[error("is not signed by the key {0}")]
    Unsigned(String),
    #[error("bears a signature of the key {0} that does not hold")]
    Signature(String),
}

impl VerifierKey {
    /// The key `public` under `name`; `None` when either is none.
    pub fn new(name: &str, public: &[u8; KEY_BYTES]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(public).ok().filter(|key| !key.is_weak())?;
        is_key_name(name).then(|| Self { name: name.to_owned(), key })
    }

    /// The name of the key: for a ledger's key its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first bytes of `SHA-256(name ‖ 0x0A ‖ type ‖ public key)`: a hint, no proof.
    pub fn id(&self) -> [u8; KEY_ID_BYTES] {
        let hash = Sha256::new_with_prefix(&self.name)
            .chain_update([b'\n', ED25519])
            .chain_update(self.key.as_bytes())
            .finalize();
        let mut id = [0; KEY_ID_BYTES];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        id
    }

    /// Whether `signature` is this key's over `text` (RFC 8032 §5.1.7).
    pub fn verifies(&self, text: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(text, &Signature::from_bytes(signature)).is_ok()
    }

    /// The line that carries this key's `signature` under a note.
    pub fn signature_line(&self, signature: &[u8; 64]) -> String {
        format!("{MARK}{} {}\n", self.name, STANDARD.encode([&self.id()[..], signature].concat()))
    }

    /// The text of `note`, once this key's signature under it holds.
    ///
    /// # Errors
    /// [`NoteError`] when the form, or this key's signature, is not as it must be.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let (text, lines) = split(note)?;
        let mut signed = false;
        for line in lines.lines() {
            let (name, bytes) = signature(line)?;
            let Some((id, signature)) = bytes.split_first_chunk::<KEY_ID_BYTES>() else {
                return Err(NoteError::Form("a signature is too short"));
            };
            if name != self.name || *id != self.id() {
                continue;
            }
            // INVARIANT: a known key's signature that does not hold is never read over.
            let holds =
                signature.try_into().is_ok_and(|bytes| self.verifies(text.as_bytes(), bytes));
            if !holds {
                return Err(NoteError::Signature(self.to_string()));
            }
            signed = true;
        }
        if signed { Ok(text) } else { Err(NoteError::Unsigned(self.to_string())) }
    }
}

/// The text of a note whose signatures nobody has looked at.
///
/// # Errors
/// `Form` when it is none.
pub fn unverified_text(note: &str) -> Result<&str, NoteError> {
    split(note).map(|(text, _)| text)
}

/// Text and signature lines of a note. The text keeps its last newline.
fn split(note: &str) -> Result<(&str, &str), NoteError> {
    if note.len() > MAX_NOTE_BYTES {
        return Err(NoteError::Form("it is longer than 64 KiB"));
    }
    if note.chars().any(|c| c.is_ascii_control() && c != '\n') {
        return Err(NoteError::Form("it has control characters"));
    }
    let end = note.rfind("\n\n").ok_or(NoteError::Form("it has no signatures"))?;
    let (text, rest) = note.split_at(end + 1);
    let lines = rest.strip_prefix('\n').unwrap_or(rest);
    if lines.is_empty() || !lines.ends_with('\n') {
        return Err(NoteError::Form("its last signature is not whole"));
    }
    Ok((text, lines))
}

/// Name and bytes of one signature line.
fn signature(line: &str) -> Result<(&str, Vec<u8>), NoteError> {
    let form = NoteError::Form("a signature line is `\u{2014} NAME BASE64`");
    let (name, encoded) =
        line.strip_prefix(MARK).and_then(|rest| rest.split_once(' ')).ok_or(form.clone())?;
    match STANDARD.decode(encoded) {
        Ok(bytes) if is_key_name(name) => Ok((name, bytes)),
        _ => Err(form),
    }
}

/// Whether a key may be called this: not empty, no white space, no plus sign.
fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id: String = self.id().iter().map(|byte| format!("{byte:02x}")).collect();
        let key = STANDARD.encode([&[ED25519][..], self.key.as_bytes()].concat());
        write!(f, "{}+{id}+{key}", self.name)
    }
}

impl FromStr for VerifierKey {
    type Err = NotAKey;
    fn from_str(text: &str) -> Result<Self, NotAKey> {
        // Base64 may hold a plus sign, names and ids do not.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NotAKey);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NotAKey)?;
        let Some((&ED25519, public)) = bytes.split_first() else { return Err(NotAKey) };
        let public = public.try_into().map_err(|_| NotAKey)?;
        let key = Self::new(name, public).ok_or(NotAKey)?;
        // One spelling for one key; this also holds the id against the key.
        if key.to_string() == text { Ok(key) } else { Err(NotAKey) }
    }
}

#[cfg(test)]
mod tests;
