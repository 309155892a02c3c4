//! The ledger as auditors read it, and its check from the first entry.

use domain::entry::Entry;
use domain::merkle::{Frontier, leaf_hash};
use domain::{Commitment, Digest, canonical};
use serde::Serialize;
use serde_json::Value;
use store::Store;
use store::read::StoredEntry;

use crate::caller::{AuditorCaller, PersonCaller};
use crate::view::{LedgerRow, LedgerView};
use crate::{Failure, Service};

/// Entries on one page.
const PAGE: u64 = 50;
/// Entries read at once while checking.
const STRIDE: u32 = 500;

/// How many entries there are, and the root over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerHead {
    pub size: u64,
    pub root: Digest,
}

/// An entry as the auditors' API gives it: its canonical form, and the texts that are still there.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerEntry {
    pub index: u64,
    pub leaf: Digest,
    pub entry: Value,
    pub texts: Vec<OpenedText>,
}

/// A clear text with its salt: what opens a commitment.
#[derive(Clone, Debug, Serialize)]
pub struct OpenedText {
    pub field: String,
    pub salt: String,
    pub text: String,
}

/// What is wrong with a ledger, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {index}: {problem}")]
pub struct Broken {
    pub index: u64,
    pub problem: String,
}

impl Service {
    /// A page of the ledger, newest first: entries below `before`.
    ///
    /// # Errors
    /// When the store is away. Whoever is no auditor is answered `None`.
    pub async fn ledger_view(
        &self,
        caller: &PersonCaller,
        before: Option<u64>,
    ) -> Result<Option<LedgerView>, Failure> {
        if !caller.is_auditor() {
            return Ok(None);
        }
        let head = self.ledger_head().await?;
        let end = before.unwrap_or(head.size).min(head.size);
        let start = end.saturating_sub(PAGE);
        let names = self.names().await?;
        let mut rows = Vec::new();
        for stored in self.store.entries(start, u32::try_from(end - start).unwrap_or(0)).await? {
            let entry = read(&stored)?;
            rows.push(LedgerRow {
                index: stored.index,
                at: entry.at,
                fact: entry.fact.name().to_owned(),
                actor: names.actor(entry.actor),
                request: entry.request,
                leaf: stored.leaf,
                texts: texts(&entry, &stored),
                canonical: String::from_utf8(stored.body).map_err(Failure::defect)?,
            });
        }
        rows.reverse();
        Ok(Some(LedgerView {
            now: self.now(),
            size: head.size,
            root: head.root,
            rows,
            older: (start > 0).then_some(start),
            newer: (end < head.size).then(|| (end + PAGE).min(head.size)),
        }))
    }

    /// Entries from `from` for an auditor's program.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_entries(
        &self,
        _caller: &AuditorCaller,
        from: u64,
    ) -> Result<Vec<LedgerEntry>, Failure> {
        let entries = self.store.entries(from, STRIDE).await?;
        entries.iter().map(ledger_entry).collect()
    }

    /// Size and root.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_head(&self) -> Result<LedgerHead, Failure> {
        let size = self.store.ledger_size().await?;
        let mut peaks = Vec::new();
        for (level, index) in domain::merkle::peaks_of(size) {
            let hash = self.store.tree_node(level, index).await?;
            peaks.push(hash.ok_or_else(|| Failure::defect("a node of the ledger is missing"))?);
        }
        let mut peaks = peaks.into_iter();
        let frontier = Frontier::load(size, |_, _| {
            peaks.next().ok_or_else(|| Failure::defect("a node of the ledger is missing"))
        })?;
        Ok(LedgerHead { size, root: Digest(frontier.root()) })
    }
}

/// Checks a whole ledger: canonical form, indices, leaves, and every stored node. Needs no keys.
///
/// # Errors
/// The inner error names the first entry that does not hold.
pub async fn verify_ledger(store: &dyn Store) -> Result<Result<LedgerHead, Broken>, Failure> {
    let mut frontier = Frontier::default();
    let size = store.ledger_size().await?;
    while frontier.size() < size {
        let entries = store.entries(frontier.size(), STRIDE).await?;
        if entries.is_empty() {
            return Ok(Err(broken(frontier.size(), "is missing")));
        }
        for stored in entries {
            let index = frontier.size();
            if let Err(problem) = sound(&stored, index) {
                return Ok(Err(broken(index, problem)));
            }
            for node in frontier.append(leaf_hash(&stored.body)) {
                if store.tree_node(node.level, node.index).await? != Some(node.hash) {
                    let problem = format!(
                        "the stored node at level {}, index {} is not the hash of what is below it",
                        node.level, node.index
                    );
                    return Ok(Err(broken(index, problem)));
                }
            }
        }
    }
    if store.tree_node(0, frontier.size()).await?.is_some() {
        return Ok(Err(broken(frontier.size(), "is gone, but its leaf is still in the tree")));
    }
    Ok(Ok(LedgerHead { size: frontier.size(), root: Digest(frontier.root()) }))
}

fn broken(index: u64, problem: impl ToString) -> Broken {
    Broken { index, problem: problem.to_string() }
}

fn sound(stored: &StoredEntry, index: u64) -> Result<(), String> {
    if stored.index != index {
        return Err(format!("is missing; the next one is {}", stored.index));
    }
    let entry: Entry =
        serde_json::from_slice(&stored.body).map_err(|error| format!("is no entry: {error}"))?;
    if entry.index != index {
        return Err(format!("says that it is entry {}", entry.index));
    }
    let form = canonical::to_bytes(&entry).map_err(|error| error.to_string())?;
    if form != stored.body {
        return Err("is not in canonical form".to_owned());
    }
    if stored.leaf.0 != leaf_hash(&stored.body) {
        return Err("does not hash to its stored leaf".to_owned());
    }
    match stored.texts.iter().find(|text| !opens(&entry, text)) {
        Some((field, ..)) => Err(format!("has another text under `{field}` than it commits to")),
        None => Ok(()),
    }
}

/// Whether a stored text is what its entry commits to.
fn opens(entry: &Entry, (field, salt, text): &(String, Vec<u8>, String)) -> bool {
    let fact = serde_json::to_value(&entry.fact).unwrap_or_default();
    let committed = fact.pointer(&format!("/body/{field}")).cloned().unwrap_or_default();
    let (Ok(commitment), Ok(salt)) =
        (serde_json::from_value::<Commitment>(committed), salt.as_slice().try_into())
    else {
        return false;
    };
    commitment.opens_to(&salt, text)
}

fn read(stored: &StoredEntry) -> Result<Entry, Failure> {
    serde_json::from_slice(&stored.body).map_err(Failure::defect)
}

fn ledger_entry(stored: &StoredEntry) -> Result<LedgerEntry, Failure> {
    let hex = |salt: &[u8]| salt.iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = read(stored)?;
    let sound = stored.texts.iter().filter(|text| opens(&entry, text));
    let texts = sound.map(|(field, salt, text)| OpenedText {
        field: field.clone(),
        salt: hex(salt),
        text: text.clone(),
    });
    Ok(LedgerEntry {
        index: stored.index,
        leaf: stored.leaf,
        entry: serde_json::from_slice(&stored.body).map_err(Failure::defect)?,
        texts: texts.collect(),
    })
}

/// The fields of an entry that are commitments, each with its text unless that was erased.
fn texts(entry: &Entry, stored: &StoredEntry) -> Vec<(String, Option<String>)> {
    let body = serde_json::to_value(&entry.fact).unwrap_or_default();
    let fields = body.get("body").and_then(Value::as_object).into_iter().flatten();
    let committed = fields.filter(|(_, value)| value.get("commitment").is_some());
    let text = |field: &str| {
        let mut texts = stored.texts.iter();
        let sound = texts.find(|stored| stored.0 == field && opens(entry, stored));
        sound.map(|(_, _, text)| text.clone())
    };
    committed.map(|(field, _)| (field.clone(), text(field))).collect()
}
