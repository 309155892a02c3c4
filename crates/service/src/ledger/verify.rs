//! The check of a database's ledger from its first entry: what an export's check finds, and beyond
//! it the canonical form of every entry, every stored node, and every checkpoint.

use std::collections::BTreeMap;

use domain::audit::{Audit, Broken, Verified};
use domain::canonical;
use domain::entry::Entry;
use domain::export::ExportedText;
use domain::merkle::{Frontier, Hash};
use domain::note::VerifierKey;
use store::Store;
use store::read::{StoredCheckpoint, StoredEntry};

use crate::Failure;

/// Entries and checkpoints read at once.
const STRIDE: u32 = 2000;

/// What the reader trusts, from elsewhere than the database.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pub key: Option<VerifierKey>,
    /// Signed notes.
    pub checkpoints: Vec<String>,
}

/// Checks a whole ledger. Needs no keys, and works while a server appends to it.
///
/// # Errors
/// The inner error names the first entry that does not hold.
pub async fn verify_ledger(
    store: &dyn Store,
    trust: Trust,
) -> Result<Result<Verified, Broken>, Failure> {
    let Some(instance) = store.instance().await? else {
        return Ok(Err(Broken::nowhere("there is no ledger here")));
    };
    // In this order: a checkpoint that was read covers entries that are there already.
    let newest = store.newest_checkpoint().await?.map_or(0, |newest| newest.size);
    let size = store.ledger_size().await?;
    let audit = match Audit::new(instance.id, trust.checkpoints) {
        Ok(audit) => audit,
        Err(broken) => return Ok(Err(broken)),
    };
    let checkpoints = Checkpoints { newest, next: Vec::new() };
    let mut check = Check { store, audit, frontier: Frontier::default(), checkpoints };
    Ok(match check.run(size).await {
        Ok(()) => check.audit.finish(trust.key.as_ref()),
        Err(Stop::Broken(broken)) => Err(broken),
        Err(Stop::Failed(failure)) => return Err(failure),
    })
}

/// Why a check ends early.
enum Stop {
    Broken(Broken),
    Failed(Failure),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct Check<'a> {
    store: &'a dyn Store,
    audit: Audit,
    /// As the audit's, but one that tells which nodes become complete.
    frontier: Frontier,
    checkpoints: Checkpoints,
}

impl Check<'_> {
    async fn run(&mut self, size: u64) -> Result<(), Stop> {
        while self.audit.size() < size {
            let entries = self.store.entries(self.audit.size(), STRIDE).await?;
            if entries.is_empty() {
                return Err(Broken::at(self.audit.size(), "is missing").into());
            }
            let mut nodes = BTreeMap::new();
            let checked = self.batch(&entries, &mut nodes).await;
            // A node below the first bad entry may be the first thing that is wrong.
            self.compare_nodes(&nodes).await?;
            checked?;
        }
        let end = self.audit.size();
        // In this order: an entry that was appended meanwhile is there by the time it is looked for.
        if !self.store.tree_nodes(0, end, end + 1).await?.is_empty()
            && self.store.entries(end, 1).await?.is_empty()
        {
            return Err(Broken::at(end, "is gone, but its leaf is still in the tree").into());
        }
        if self.checkpoints.newest > end {
            let problem =
                format!("is missing: a checkpoint is of {} entries", self.checkpoints.newest);
            return Err(Broken::at(end, problem).into());
        }
        Ok(())
    }

    async fn batch(
        &mut self,
        entries: &[StoredEntry],
        nodes: &mut BTreeMap<(u8, u64), Hash>,
    ) -> Result<(), Stop> {
        for stored in entries {
            let index = self.audit.size();
            if stored.index != index {
                let problem = format!("is missing; the next one is {}", stored.index);
                return Err(Broken::at(index, problem).into());
            }
            self.audit.entry(&stored.body, &stored.leaf.0)?;
            form(stored).map_err(|problem| Broken::at(index, problem))?;
            for (field, salt, text) in &stored.texts {
                let salt = salt.as_slice().try_into();
                let salt = salt.map_err(|_| Broken::at(index, "has a salt of another length"))?;
                self.audit.text(&ExportedText::new(index, field, salt, text))?;
            }
            for node in self.frontier.append(stored.leaf.0) {
                nodes.insert((node.level, node.index), node.hash);
            }
            if let Some(note) = self.checkpoints.of(self.store, index + 1).await? {
                self.audit.checkpoint(&note)?;
            }
        }
        Ok(())
    }

    /// Holds what is stored of each level against what was computed.
    async fn compare_nodes(&self, nodes: &BTreeMap<(u8, u64), Hash>) -> Result<(), Stop> {
        let mut first: Option<(u64, u8, u64)> = None;
        for level in 0..u64::BITS as u8 {
            let computed: Vec<_> = nodes.range((level, 0)..=(level, u64::MAX)).collect();
            let (Some(((_, from), _)), Some(((_, last), _))) = (computed.first(), computed.last())
            else {
                break;
            };
            let stored = self.store.tree_nodes(level, *from, last + 1).await?;
            let same =
                |(at, (_, hash)): (usize, &(&(u8, u64), &Hash))| stored.get(at) == Some(*hash);
            let differs = computed.iter().enumerate().position(|pair| !same(pair));
            if let Some(((_, index), _)) = differs.and_then(|at| computed.get(at)) {
                // The entry that completes the node.
                let found = (((index + 1) << level) - 1, level, *index);
                first = Some(first.map_or(found, |earlier| earlier.min(found)));
            }
        }
        let Some((entry, level, index)) = first else { return Ok(()) };
        let problem = format!(
            "the stored node at level {level}, index {index} is not the hash of what is below it"
        );
        Err(Broken::at(entry, problem).into())
    }
}

/// The stored checkpoints in the order of their sizes, a page at a time.
struct Checkpoints {
    /// The largest size there was when the check began.
    newest: u64,
    /// The last of the page comes first.
    next: Vec<StoredCheckpoint>,
}

impl Checkpoints {
    /// The note of the checkpoint of exactly `size` entries, if one was issued.
    async fn of(&mut self, store: &dyn Store, size: u64) -> Result<Option<String>, Failure> {
        if size > self.newest {
            return Ok(None);
        }
        if self.next.is_empty() {
            self.next = store.checkpoints(size, STRIDE).await?;
            self.next.reverse();
        }
        let found = self.next.pop_if(|checkpoint| checkpoint.size == size);
        Ok(found.map(|checkpoint| checkpoint.note))
    }
}

/// What beyond its hash makes bytes an entry: a known fact, in canonical form.
fn form(stored: &StoredEntry) -> Result<(), String> {
    let entry: Entry =
        serde_json::from_slice(&stored.body).map_err(|error| format!("is no entry: {error}"))?;
    let form = canonical::to_bytes(&entry).map_err(|error| error.to_string())?;
    if form == stored.body { Ok(()) } else { Err("is not in canonical form".to_owned()) }
}
