//! The ledger as auditors read it.

use domain::entry::Entry;
use domain::tlog_proof::TlogProof;
use domain::{Checkpoint, Commitment, Digest};
use serde::Serialize;
use serde_json::Value;
use store::read::{StoredCheckpoint, StoredEntry};
use utoipa::ToSchema;

use crate::caller::{AuditorCaller, PersonCaller};
use crate::ledger::{Consistency, Tree, key_history, prove_consistency, prove_entry};
use crate::query::Names;
use crate::view::{CheckpointView, LedgerRow, LedgerView};
use crate::{Failure, Service, describe, recorded};

/// Entries on one page.
const PAGE: u64 = 50;
/// The most entries that one call of a program gets.
pub const MAX_ENTRIES: u32 = 500;

/// How many entries there are, and the root over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LedgerHead {
    pub size: u64,
    #[schema(value_type = describe::Digest)]
    pub root: Digest,
}

/// An entry as the auditors' API gives it: its canonical form, and the texts that are still there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LedgerEntry {
    pub index: u64,
    #[schema(value_type = describe::Digest)]
    pub leaf: Digest,
    #[schema(value_type = Object)]
    pub entry: Value,
    pub texts: Vec<OpenedText>,
}

/// A clear text with its salt: what opens a commitment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpenedText {
    pub field: String,
    pub salt: String,
    pub text: String,
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
        let names = Names::of(&self.house().await?);
        let mut rows = Vec::new();
        for stored in self.store.entries(start, u32::try_from(end - start).unwrap_or(0)).await? {
            let entry = recorded::entry(&stored.body)?;
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
            checkpoint: self.checkpoint_view().await?,
            rows,
            older: (start > 0).then_some(start),
            newer: (end < head.size).then(|| (end + PAGE).min(head.size)),
        }))
    }

    /// Up to `limit` entries from `from` for an auditor's program, never more than
    /// [`MAX_ENTRIES`].
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_entries(
        &self,
        _caller: &AuditorCaller,
        from: u64,
        limit: u32,
    ) -> Result<Vec<LedgerEntry>, Failure> {
        let entries = self.store.entries(from, limit.min(MAX_ENTRIES)).await?;
        entries.iter().map(ledger_entry).collect()
    }

    /// The newest checkpoint, if one was issued.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_checkpoint(
        &self,
        _caller: &AuditorCaller,
    ) -> Result<Option<StoredCheckpoint>, Failure> {
        Ok(self.store.newest_checkpoint().await?)
    }

    /// The proof that an entry is under the newest checkpoint; `None` while none covers it.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_proof(
        &self,
        _caller: &AuditorCaller,
        index: u64,
    ) -> Result<Option<TlogProof>, Failure> {
        prove_entry(&*self.store, index).await
    }

    /// The same for a person; the outer `None` is for whoever is no auditor.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_proof_view(
        &self,
        caller: &PersonCaller,
        index: u64,
    ) -> Result<Option<Option<TlogProof>>, Failure> {
        if !caller.is_auditor() {
            return Ok(None);
        }
        prove_entry(&*self.store, index).await.map(Some)
    }

    /// The proof that the first `to` entries go on from the first `from`; `None` unless
    /// 0 < `from` ≤ `to` ≤ the size of the ledger.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_consistency(
        &self,
        _caller: &AuditorCaller,
        from: u64,
        to: u64,
    ) -> Result<Option<Consistency>, Failure> {
        prove_consistency(&*self.store, from, to).await
    }

    async fn checkpoint_view(&self) -> Result<Option<CheckpointView>, Failure> {
        let Some(newest) = self.store.newest_checkpoint().await? else { return Ok(None) };
        let checkpoint = Checkpoint::unverified(&newest.note).map_err(Failure::defect)?;
        let keys = key_history(&*self.store, self.instance().await?).await;
        let keys = keys.map_err(Failure::defect)?;
        Ok(Some(CheckpointView {
            size: newest.size,
            root: Digest(checkpoint.root),
            issued_at: newest.issued_at,
            key: keys.of_size(newest.size).map(ToString::to_string).unwrap_or_default(),
        }))
    }

    /// Size and root.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ledger_head(&self) -> Result<LedgerHead, Failure> {
        let size = self.store.ledger_size().await?;
        let root = Tree::new(&*self.store).root(size).await?;
        Ok(LedgerHead { size, root: Digest(root) })
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

fn ledger_entry(stored: &StoredEntry) -> Result<LedgerEntry, Failure> {
    let hex = |salt: &[u8]| salt.iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = recorded::entry(&stored.body)?;
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
