//! Exports in pieces, to be broken in every way, and signed anew by whoever has the keys.

use std::path::Path;

use domain::checkpoint::{Checkpoint, origin};
use domain::export::{Header, Line};
use domain::merkle::{Frontier, leaf_hash};
use domain::note::VerifierKey;
use domain::{InstanceId, PersonId};
use ed25519_dalek::{Signer as _, SigningKey};

/// Somebody with a checkpoint key.
#[derive(Clone)]
pub struct Signer(SigningKey);

impl Signer {
    pub fn of(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    pub fn read(path: &Path) -> Self {
        Self::of(std::fs::read(path).unwrap().try_into().unwrap())
    }

    pub fn public(&self, instance: InstanceId) -> VerifierKey {
        VerifierKey::new(&origin(instance), self.0.verifying_key().as_bytes()).unwrap()
    }

    fn note(&self, instance: InstanceId, frontier: &Frontier) -> String {
        let (size, root) = (frontier.size(), frontier.root());
        let text = Checkpoint { origin: origin(instance), size, root }.text();
        let line = self.public(instance).signature_line(&self.0.sign(text.as_bytes()).to_bytes());
        format!("{text}\n{line}")
    }
}

/// The lines of an export, each with its newline; the header first.
#[derive(Clone)]
pub struct Export(Vec<Vec<u8>>);

impl Export {
    pub fn read(bytes: &[u8]) -> Self {
        Self(bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect())
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    fn header(&self) -> Header {
        Header::parse(self.0[0].trim_ascii_end()).unwrap()
    }

    pub fn instance(&self) -> InstanceId {
        self.header().instance
    }

    pub fn size(&self) -> u64 {
        self.header().size
    }

    /// An entry's line.
    pub fn line(&self, index: u64) -> &[u8] {
        &self.0[self.line_of(index)]
    }

    /// The lines, each with its newline; the header first.
    pub fn lines(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// Where an entry's line is.
    fn line_of(&self, index: u64) -> usize {
        let entries = (0..self.0.len()).filter(|at| self.0[*at].starts_with(b"{\"entry\""));
        entries.into_iter().nth(index as usize).unwrap()
    }

    /// The entry whose line holds a byte, if it is in the line of one.
    pub fn entry_at_byte(&self, at: usize) -> Option<u64> {
        let (mut end, mut entries) = (0, 0);
        for line in &self.0 {
            end += line.len();
            let is_entry = line.starts_with(b"{\"entry\"");
            if at < end {
                return is_entry.then_some(entries);
            }
            entries += u64::from(is_entry);
        }
        None
    }

    /// The sizes of the checkpoints in it.
    pub fn checkpoints(&self) -> Vec<u64> {
        let lines = self.0[1..].iter().map(|line| Line::parse(line.trim_ascii_end()).unwrap());
        let notes = lines.filter_map(|line| match line {
            Line::Checkpoint(note) => Some(Checkpoint::unverified(&note).unwrap().size),
            Line::Entry { .. } | Line::Text(_) => None,
        });
        notes.collect()
    }

    pub fn without(&self, index: u64) -> Self {
        let mut lines = self.0.clone();
        lines.remove(self.line_of(index));
        Self(lines)
    }

    pub fn repeated(&self, index: u64) -> Self {
        let (mut lines, at) = (self.0.clone(), self.line_of(index));
        lines.insert(at, lines[at].clone());
        Self(lines)
    }

    pub fn swapped(&self, index: u64) -> Self {
        let mut lines = self.0.clone();
        lines.swap(self.line_of(index), self.line_of(index + 1));
        Self(lines)
    }

    pub fn cut_before(&self, index: u64) -> Self {
        Self(self.0[..self.line_of(index)].to_vec())
    }

    /// Only the first `size` entries, with a header that says so.
    pub fn shortened(&self, size: u64) -> Self {
        let mut lines = self.0[..self.line_of(size)].to_vec();
        let header = Header { size, ..self.header() };
        let first = header.keys.first().unwrap().clone();
        lines[0] = Header { keys: vec![first], ..header }.to_line().unwrap();
        Self(lines)
    }

    /// With another id in one entry, and the entry hashed anew.
    pub fn rewritten(&self, index: u64) -> Self {
        let (mut lines, at) = (self.0.clone(), self.line_of(index));
        let Ok(Line::Entry { body, .. }) = Line::parse(self.0[at].trim_ascii_end()) else {
            panic!("an entry")
        };
        let body = String::from_utf8(body.to_vec()).unwrap();
        let person = body.split("\"person\":\"").nth(1).unwrap().split('"').next().unwrap();
        let body = body.replace(person, &PersonId(uuid::Uuid::nil()).to_string()).into_bytes();
        lines[at] = Line::Entry { leaf: leaf_hash(&body), body: &body }.to_line().unwrap();
        Self(lines)
    }

    /// With every checkpoint signed anew over what is there: before the second key by the first
    /// signer, after it by the second.
    pub fn signed_by(&self, signers: &[Signer; 2]) -> Self {
        let (mut lines, mut frontier, mut keys) = (self.0.clone(), Frontier::default(), 0);
        let instance = self.instance();
        for line in lines.iter_mut().skip(1) {
            match Line::parse(line.clone().trim_ascii_end()).unwrap() {
                Line::Entry { body, leaf } => {
                    keys +=
                        usize::from(String::from_utf8_lossy(body).contains("CheckpointKeyNamed"));
                    frontier.push(leaf);
                }
                Line::Text(_) => {}
                Line::Checkpoint(_) => {
                    let note = signers[keys - 1].note(instance, &frontier);
                    *line = Line::Checkpoint(note).to_line().unwrap();
                }
            }
        }
        Self(lines)
    }
}
