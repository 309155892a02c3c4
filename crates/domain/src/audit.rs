//! The check of a ledger from its first entry, in one pass and in constant memory.
//!
//! Takes entries and checkpoints in their order, from an export or from a database, and stops at
//! the first thing that does not hold. Trust comes from outside: a public key, and checkpoints
//! that were held where nobody who can write the ledger can write.

use serde::Deserialize;

use crate::checkpoint::{self, Checkpoint, KeyHistory, KeyNamed};
use crate::export::ExportedText;
use crate::merkle::{self, Frontier, Hash};
use crate::note::VerifierKey;
use crate::{Commitment, InstanceId, Timestamp};

mod file;
mod tail;

pub use file::ExportAudit;

use tail::Tail;

/// The fact that names a key, as entries spell it.
const KEY_NAMED: &str = "CheckpointKeyNamed";

/// What is wrong with a ledger, and where that begins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Broken {
    /// The first entry that does not hold; `None` when the fault is in none of them.
    pub index: Option<u64>,
    pub problem: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.index {
            Some(index) => write!(f, "entry {index}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl Broken {
    /// A fault that begins at an entry.
    pub fn at(index: u64, problem: impl ToString) -> Self {
        Self { index: Some(index), problem: problem.to_string() }
    }

    /// A fault that is in no entry.
    pub fn nowhere(problem: impl ToString) -> Self {
        Self { index: None, problem: problem.to_string() }
    }
}

/// What holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub size: u64,
    pub root: Hash,
    /// Up to where the newest checkpoint reaches; nothing vouches for entries beyond it.
    pub signed_to: u64,
    /// When the last entry was made.
    pub at: Timestamp,
    pub keys: KeyHistory,
}

/// A check under way. A clone goes on from the same place.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The installation's id as entries spell it.
    instance: String,
    origin: String,
    frontier: Frontier,
    keys: KeyHistory,
    /// Checkpoints from outside, the largest first.
    held: Vec<(Checkpoint, String)>,
    held_to: u64,
    signed_to: u64,
    last: Vec<u8>,
}

impl Audit {
    /// Begins the check of an installation's ledger against signed notes from outside.
    ///
    /// # Errors
    /// When one of `held` is no checkpoint, or another ledger's.
    pub fn new(instance: InstanceId, held: Vec<String>) -> Result<Self, Broken> {
        let origin = checkpoint::origin(instance);
        let mut read = Vec::new();
        for note in held {
            let problem = |error| Broken::nowhere(format!("the checkpoint held elsewhere {error}"));
            let found = Checkpoint::unverified(&note).map_err(problem)?;
            if found.origin != origin {
                let problem = checkpoint::CheckpointError::Origin(found.origin);
                return Err(Broken::nowhere(format!("the checkpoint held elsewhere {problem}")));
            }
            read.push((found, note));
        }
        read.sort_by_key(|(found, _)| std::cmp::Reverse(found.size));
        let (frontier, keys) = (Frontier::default(), KeyHistory::default());
        let (held_to, signed_to, last) = (0, 0, Vec::new());
        let instance = instance.to_string();
        Ok(Self { instance, origin, frontier, keys, held: read, held_to, signed_to, last })
    }

    /// How many entries were taken.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Takes the next entry: its bytes, and the leaf that is stated beside it.
    ///
    /// # Errors
    /// [`Broken`] at this entry, or where the entries part from a checkpoint held elsewhere.
    pub fn entry(&mut self, body: &[u8], leaf: &Hash) -> Result<(), Broken> {
        let index = self.size();
        let broken = |problem: &str| Err(Broken::at(index, problem));
        if merkle::leaf_hash(body) != *leaf {
            return broken("does not hash to its stated leaf");
        }
        let Some(tail) = Tail::of(body) else { return broken("is no entry of version 1") };
        if tail.index != index {
            return Err(Broken::at(index, format!("is missing: here stands entry {}", tail.index)));
        }
        if tail.instance != self.instance {
            return broken("is of another installation");
        }
        if tail.fact == KEY_NAMED {
            self.key_entry(index, body)?;
        }
        self.frontier.push(*leaf);
        self.last.clear();
        self.last.extend_from_slice(body);
        self.compare_held()
    }

    /// Takes a text that belongs to the last entry.
    ///
    /// # Errors
    /// [`Broken`] at that entry when it does not commit to the text under that field; at the next
    /// when the text is of another entry.
    pub fn text(&self, text: &ExportedText) -> Result<(), Broken> {
        if text.index.checked_add(1) != Some(self.size()) {
            let problem = format!("a text of entry {} stands before it", text.index);
            return Err(Broken::at(self.size(), problem));
        }
        let entry: Option<serde_json::Value> = serde_json::from_slice(&self.last).ok();
        let committed = entry.and_then(|entry| {
            let field = entry.get("fact")?.get("body")?.get(&text.field)?.clone();
            serde_json::from_value::<Commitment>(field).ok()
        });
        let opens = |(commitment, salt): (Commitment, _)| commitment.opens_to(&salt, &text.text);
        if committed.zip(text.salt()).is_some_and(opens) {
            return Ok(());
        }
        let problem = format!("commits to another text under `{}`", text.field);
        Err(Broken::at(text.index, problem))
    }

    /// Takes a checkpoint that covers exactly the entries so far.
    ///
    /// # Errors
    /// [`Broken`] here when it is not signed by the key in force or of another size; from the last
    /// good checkpoint on when the entries do not give its root.
    pub fn checkpoint(&mut self, note: &str) -> Result<(), Broken> {
        let size = self.size();
        let broken = |problem| Broken::at(size, format!("the checkpoint before it {problem}"));
        let key = self
            .keys
            .of_size(size)
            .ok_or_else(|| broken("stands where no entry has named a key".to_owned()))?;
        let found = Checkpoint::open(note, key).map_err(|error| broken(error.to_string()))?;
        if found.size != size {
            return Err(broken(format!("is of {} entries", found.size)));
        }
        if found.root != self.frontier.root() {
            let from = self.signed_to;
            let problem =
                format!("from here to {} the entries are not those that were signed", size - 1);
            return Err(Broken::at(from, problem));
        }
        self.signed_to = size;
        Ok(())
    }

    /// Ends the check. `trusted` is the key that the reader has from elsewhere.
    ///
    /// # Errors
    /// [`Broken`] when something that has to be there did not come.
    pub fn finish(self, trusted: Option<&VerifierKey>) -> Result<Verified, Broken> {
        let size = self.size();
        if let Some((longest, _)) = self.held.first() {
            let problem =
                format!("is missing: a checkpoint held elsewhere is of {} entries", longest.size);
            return Err(Broken::at(size, problem));
        }
        if trusted.is_some_and(|key| !self.keys.contains(key)) {
            return Err(Broken::nowhere("the key you gave is none that these entries name"));
        }
        let last: Option<At> = serde_json::from_slice(&self.last).ok();
        let last = last.ok_or_else(|| Broken::nowhere("there are no entries"))?;
        Ok(Verified {
            size,
            root: self.frontier.root(),
            signed_to: self.signed_to,
            at: last.at,
            keys: self.keys,
        })
    }

    /// Up to where the newest checkpoint reaches so far.
    pub fn signed_to(&self) -> u64 {
        self.signed_to
    }

    fn key_entry(&mut self, index: u64, body: &[u8]) -> Result<(), Broken> {
        let entry: KeyEntry<'_> = serde_json::from_slice(body)
            .map_err(|_| Broken::at(index, checkpoint::BadKeyEntry::Form))?;
        let KeyBody { key, signature } = entry.fact.body;
        let named = KeyNamed { key: &key, signature: signature.as_deref() };
        self.keys.name(index, named, &self.origin).map_err(|error| Broken::at(index, error))
    }

    /// Holds the entries so far against a checkpoint of this size from outside, if there is one.
    fn compare_held(&mut self) -> Result<(), Broken> {
        let size = self.size();
        while let Some((held, note)) = self.held.pop_if(|(held, _)| held.size == size) {
            let problem =
                |text: String| Broken::nowhere(format!("the checkpoint held elsewhere {text}"));
            let key =
                self.keys.of_size(size).ok_or_else(|| problem("has no key here".to_owned()))?;
            Checkpoint::open(&note, key).map_err(|error| problem(error.to_string()))?;
            if held.root != self.frontier.root() {
                let text = format!(
                    "between here and {} something is not as it was when the checkpoint held elsewhere was signed",
                    size - 1
                );
                return Err(Broken::at(self.held_to, text));
            }
            self.held_to = size;
        }
        Ok(())
    }
}

/// Of an entry, what names a key.
#[derive(Deserialize)]
struct KeyEntry<'a> {
    #[serde(borrow)]
    fact: KeyFact<'a>,
}

#[derive(Deserialize)]
struct KeyFact<'a> {
    #[serde(borrow)]
    body: KeyBody<'a>,
}

#[derive(Deserialize)]
struct KeyBody<'a> {
    #[serde(borrow)]
    key: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    signature: Option<std::borrow::Cow<'a, str>>,
}

/// Of an entry, when it was made.
#[derive(Deserialize)]
struct At {
    at: Timestamp,
}

#[cfg(test)]
mod tests;
