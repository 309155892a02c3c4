//! The export: one file of JSON lines that holds a whole ledger for checking elsewhere.
//!
//! Every line ends with a newline and is itself in canonical form (JCS), so that it has one
//! spelling. An entry's canonical bytes stand in its line as they are:
//!
//! ```text
//! {"format":"countersign/export/v1","instance":ID,"keys":[VKEY,…],"size":N}      once, first
//! {"entry":ENTRY,"leaf":HEX}                                                     N times
//! {"text":{"field":NAME,"index":I,"salt":HEX,"text":TEXT}}    after entry I, which commits to it
//! {"checkpoint":NOTE}                                      after the last entry that it covers
//! ```

use serde::{Deserialize, Serialize};

use crate::canonical::{self, NotCanonical};
use crate::commitment::SALT_BYTES;
use crate::merkle::Hash;
use crate::{Digest, InstanceId};

/// The version of the export's form.
pub const FORMAT: &str = "countersign/export/v1";

const ENTRY: &[u8] = b"{\"entry\":";
const LEAF: &[u8] = b",\"leaf\":\"";
const END: &[u8] = b"\"}";
const HEX_DIGITS: usize = 64;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub format: String,
    pub instance: InstanceId,
    /// The public keys that the entries name, for the reader: trust is not taken from here.
    pub keys: Vec<String>,
    /// How many entries follow.
    pub size: u64,
}

/// A clear text behind a commitment of the entry before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedText {
    pub field: String,
    /// The entry that commits to it: the one before this line.
    pub index: u64,
    /// 16 bytes in 32 lower-case hexadecimal digits.
    pub salt: String,
    pub text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextLine {
    text: ExportedText,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointLine {
    checkpoint: String,
}

/// A line after the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    Entry { body: &'a [u8], leaf: Hash },
    Text(ExportedText),
    Checkpoint(String),
}

/// A line that is none of those an export has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no line of an export")]
pub struct NotALine;

impl Header {
    /// The header of an export of `size` entries.
    pub fn new(instance: InstanceId, keys: Vec<String>, size: u64) -> Self {
        Self { format: FORMAT.to_owned(), instance, keys, size }
    }

    /// Reads the first line, without its newline.
    ///
    /// # Errors
    /// When it is no header of this version, or not in canonical form.
    pub fn parse(line: &[u8]) -> Result<Self, NotALine> {
        exact(line).filter(|header: &Self| header.format == FORMAT).ok_or(NotALine)
    }

    /// The line, with its newline.
    ///
    /// # Errors
    /// Never for values of ours: the fields all have a canonical form.
    pub fn to_line(&self) -> Result<Vec<u8>, NotCanonical> {
        written(self)
    }
}

impl<'a> Line<'a> {
    /// Reads a line, without its newline.
    ///
    /// # Errors
    /// [`NotALine`] for anything else, also for a line that is not in canonical form.
    pub fn parse(line: &'a [u8]) -> Result<Self, NotALine> {
        if let Some(rest) = line.strip_prefix(ENTRY) {
            return entry(rest).ok_or(NotALine);
        }
        if line.starts_with(b"{\"text\":") {
            return exact(line).map(|line: TextLine| Self::Text(line.text)).ok_or(NotALine);
        }
        let checkpoint = exact(line).map(|line: CheckpointLine| Self::Checkpoint(line.checkpoint));
        checkpoint.ok_or(NotALine)
    }

    /// The line, with its newline.
    ///
    /// # Errors
    /// Never for values of ours: texts and notes have a canonical form.
    pub fn to_line(&self) -> Result<Vec<u8>, NotCanonical> {
        match self {
            Self::Entry { body, leaf } => {
                let leaf = Digest(*leaf).hex();
                Ok([ENTRY, body, LEAF, leaf.as_bytes(), END, b"\n"].concat())
            }
            Self::Text(text) => written(&TextLine { text: text.clone() }),
            Self::Checkpoint(note) => written(&CheckpointLine { checkpoint: note.clone() }),
        }
    }
}

impl ExportedText {
    /// A text with its salt.
    pub fn new(index: u64, field: &str, salt: &[u8; SALT_BYTES], text: &str) -> Self {
        let salt = salt.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { field: field.to_owned(), index, salt, text: text.to_owned() }
    }

    /// The salt's bytes; `None` when it is not written as it must be.
    pub fn salt(&self) -> Option<[u8; SALT_BYTES]> {
        // As long as half a digest: read as one, with the other half empty.
        let whole = Digest::from_hex(&format!("{}{:032}", self.salt, 0))?;
        whole.0.first_chunk().copied()
    }
}

/// What follows `{"entry":`.
fn entry(rest: &[u8]) -> Option<Line<'_>> {
    let rest = rest.strip_suffix(END)?;
    let (rest, hex) = rest.split_at_checked(rest.len().checked_sub(HEX_DIGITS)?)?;
    let body = rest.strip_suffix(LEAF)?;
    let leaf = Digest::from_hex(std::str::from_utf8(hex).ok()?)?;
    Some(Line::Entry { body, leaf: leaf.0 })
}

/// A line of `T` that is written as we would write it.
fn exact<T: Serialize + for<'de> Deserialize<'de>>(line: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(line).ok()?;
    (canonical::to_bytes(&value).ok()? == line).then_some(value)
}

fn written<T: Serialize>(value: &T) -> Result<Vec<u8>, NotCanonical> {
    let mut line = canonical::to_bytes(value)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_line_is_read_back_and_has_one_spelling() {
        let text = ExportedText::new(4, "name", &[0xab; 16], "Olga \u{7} \"O\" ü");
        assert_eq!(text.salt(), Some([0xab; 16]));
        let lines = [
            Line::Entry { body: br#"{"a":1}"#, leaf: [0x5a; 32] },
            Line::Text(text),
            Line::Checkpoint("a\n1\nb\n\n\u{2014} x AAAA\n".into()),
        ];
        for line in lines {
            let bytes = line.to_line().unwrap();
            let bytes = bytes.strip_suffix(b"\n").unwrap();
            assert_eq!(Line::parse(bytes), Ok(line));
            for at in 0..bytes.len() {
                let mut other = bytes.to_vec();
                other.insert(at, b' ');
                let parsed = Line::parse(&other);
                assert!(parsed.is_err() || parsed != Line::parse(bytes), "byte {at}");
            }
        }
        for wrong in [&b""[..], b"{}", b"{\"entry\":\"}", b"{\"entry\":,\"leaf\":\"00\"}", b"null"]
        {
            assert_eq!(Line::parse(wrong), Err(NotALine));
        }
    }

    #[test]
    fn the_header_is_of_this_version_or_none() {
        let header = Header::new(InstanceId(Uuid::from_u128(1)), vec!["a+b+c".into()], 7);
        let line = String::from_utf8(header.to_line().unwrap()).unwrap();
        insta::assert_snapshot!(line);
        assert_eq!(Header::parse(line.trim_end().as_bytes()), Ok(header));
        for wrong in [
            line.replace("/v1", "/v2"),
            line.replace("7", "07"),
            line.replace("7", "7.0"),
            line.replace(",\"size\":7", ""),
            line.replace("}", ",\"z\":1}"),
        ] {
            assert_eq!(Header::parse(wrong.trim_end().as_bytes()), Err(NotALine), "{wrong}");
        }
    }

    #[test]
    fn a_salt_is_32_lower_case_digits() {
        for salt in ["", "00", "AB", &"g".repeat(32), &"A".repeat(32), &"0".repeat(33)] {
            let text =
                ExportedText { field: "f".into(), index: 0, salt: salt.into(), text: "t".into() };
            assert_eq!(text.salt(), None, "{salt}");
        }
    }
}
