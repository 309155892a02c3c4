//! Keeping the ledger honest: its keys, its checkpoints, and what was remembered of it elsewhere.
//!
//! A checkpoint is issued only when the stored tree still has the last one's tree as its beginning:
//! two checkpoints of this server never contradict each other (threats L10).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::checkpoint::{self, Checkpoint, CheckpointError, KeyHistory, KeyNamed};
use domain::entry::{Fact, HouseFact};
use domain::merkle;
use domain::note::VerifierKey;
use domain::{Actor, InstanceId};
use store::read::StoredCheckpoint;
use store::{Change, Side, Store, StoreError};

use crate::keys::{KeyError, KeyRing};
use crate::{Failure, Service, recorded};

mod export;
mod proofs;
mod tree;
mod verify;

pub use export::{ExportError, export};
pub use proofs::{Consistency, prove_consistency, prove_entry};
pub use tree::Tree;
pub use verify::{Trust, verify_ledger};

/// Why a database and a directory of keys do not go together.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error(
        "the database has {found} ledger entries, but a checkpoint of {issued} was issued from it: \
         it is an older copy. To go on from this copy, run: countersign restore"
    )]
    Behind { issued: u64, found: u64 },
    #[error(
        "the database is empty, but under these keys a checkpoint of {issued} ledger entries was \
         issued. For a new installation choose another directory with --keys; to go on from a \
         backup, run: countersign restore"
    )]
    Empty { issued: u64 },
    #[error(
        "the first {size} ledger entries are not those that the checkpoint beside the keys was \
         issued for: this is another database, or a changed one. If it is a backup that you mean to \
         go on from, run: countersign restore"
    )]
    Forked { size: u64 },
    #[error("the newest checkpoint in `{place}` {problem}")]
    Newest { place: String, problem: CheckpointError },
    #[error(
        "`{place}` holds another checkpoint key than the one that the ledger names in force, {key}"
    )]
    OtherKey { place: String, key: String },
    #[error("entry {index} {problem}")]
    KeyEntry { index: u64, problem: checkpoint::BadKeyEntry },
    #[error("the ledger names no checkpoint key: an unreleased version made this database")]
    NoKey,
    #[error("the tree no longer begins with what checkpoint {size} was issued for; none is issued")]
    Inconsistent { size: u64 },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl LedgerError {
    /// Whether the database is at odds with the keys, and will be: no server goes on with both.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Key(_) | Self::Failed(_) => false,
            Self::Behind { .. }
            | Self::Empty { .. }
            | Self::Forked { .. }
            | Self::Newest { .. }
            | Self::OtherKey { .. }
            | Self::KeyEntry { .. }
            | Self::NoKey
            | Self::Inconsistent { .. } => true,
        }
    }
}

/// The keys that a ledger names, read from its entries.
///
/// # Errors
/// When an entry names a key that it had no right to name.
pub async fn key_history(
    store: &dyn Store,
    instance: InstanceId,
) -> Result<KeyHistory, LedgerError> {
    let origin = checkpoint::origin(instance);
    let mut keys = KeyHistory::default();
    for stored in store.key_entries().await? {
        let entry = recorded::entry(&stored.body)?;
        if let Fact::House(HouseFact::CheckpointKeyNamed { key, signature }) = &entry.fact {
            let named = KeyNamed { key, signature: signature.as_deref() };
            keys.name(stored.index, named, &origin)
                .map_err(|problem| LedgerError::KeyEntry { index: stored.index, problem })?;
        }
    }
    Ok(keys)
}

/// Holds a database against what is beside its keys: the checkpoint key must be the one in force,
/// and the newest checkpoint must be of this ledger. Ends a change of keys that was interrupted.
///
/// # Errors
/// [`LedgerError`] says why this database must not be served with these keys.
pub async fn check_against_keys(store: &dyn Store, keys: &mut KeyRing) -> Result<(), LedgerError> {
    let newest = keys.newest_checkpoint()?;
    let Some(instance) = store.instance().await? else {
        // Nothing here, but these keys have vouched for something.
        let Some(note) = newest else { return Ok(()) };
        let misread = |problem| LedgerError::Newest { place: keys.place(), problem };
        let issued = Checkpoint::unverified(&note).map_err(misread)?.size;
        return Err(LedgerError::Empty { issued });
    };
    let history = key_history(store, instance.id).await?;
    let origin = checkpoint::origin(instance.id);
    if let Some(note) = newest {
        check_against_newest(store, keys, &history, &origin, &note).await?;
    }
    settle_key(&history, keys, &origin)
}

/// Holds a database against `note`, the newest checkpoint beside the keys.
async fn check_against_newest(
    store: &dyn Store,
    keys: &KeyRing,
    history: &KeyHistory,
    origin: &str,
    note: &str,
) -> Result<(), LedgerError> {
    let misread = |problem| LedgerError::Newest { place: keys.place(), problem };
    let kept = Checkpoint::unverified(note).map_err(misread)?;
    if kept.origin != origin {
        return Err(misread(CheckpointError::Origin(kept.origin)));
    }
    let found = store.ledger_size().await?;
    if found < kept.size {
        return Err(LedgerError::Behind { issued: kept.size, found });
    }
    let key = history.of_size(kept.size).ok_or(LedgerError::NoKey)?;
    Checkpoint::open(note, key).map_err(misread)?;
    if Tree::new(store).root(kept.size).await? != kept.root {
        return Err(LedgerError::Forked { size: kept.size });
    }
    Ok(())
}

/// Holds a backup against what is beside the keys: the installation and the checkpoint key must be
/// the same. Answers with how many entries the newest checkpoint is of, which may be more than the
/// backup has.
///
/// # Errors
/// [`LedgerError`] says why nobody can go on from this backup with these keys.
pub async fn check_backup_against_keys(
    store: &dyn Store,
    keys: &mut KeyRing,
) -> Result<Option<u64>, LedgerError> {
    let instance = store.instance().await?.ok_or(LedgerError::NoKey)?;
    let origin = checkpoint::origin(instance.id);
    let misread = |problem| LedgerError::Newest { place: keys.place(), problem };
    let newest = match keys.newest_checkpoint()? {
        None => None,
        Some(note) => {
            let kept = Checkpoint::unverified(&note).map_err(misread)?;
            if kept.origin != origin {
                return Err(misread(CheckpointError::Origin(kept.origin)));
            }
            Some(kept.size)
        }
    };
    settle_key(&key_history(store, instance.id).await?, keys, &origin)?;
    Ok(newest)
}

/// Makes sure that the key at hand is the one in force; adopts the next one if that is it.
fn settle_key(history: &KeyHistory, keys: &mut KeyRing, origin: &str) -> Result<(), LedgerError> {
    let in_force = history.newest().ok_or(LedgerError::NoKey)?;
    if keys.checkpoint(origin)?.public() == in_force || keys.adopt_checkpoint(in_force, origin)? {
        return Ok(());
    }
    Err(LedgerError::OtherKey { place: keys.place(), key: in_force.to_string() })
}

impl Service {
    /// The fact that names the first key, for a new installation.
    pub(crate) fn first_key(&self, instance: InstanceId) -> Result<HouseFact, KeyError> {
        let key = self.keys.checkpoint(&checkpoint::origin(instance))?;
        Ok(HouseFact::CheckpointKeyNamed { key: key.public().to_string(), signature: None })
    }

    /// Issues a checkpoint if the ledger has grown since the last one; answers with the newest.
    ///
    /// Any node may do it at any time: the first to store a size has issued it, and all sign alike.
    ///
    /// # Errors
    /// `Inconsistent` when the tree contradicts the last checkpoint: then none is ever issued again.
    /// Others say why the database does not go with the keys any more.
    pub async fn issue_checkpoint(&self) -> Result<Option<StoredCheckpoint>, LedgerError> {
        self.check_beginning().await?;
        let newest = self.store_checkpoint().await?;
        if let Some(newest) = &newest {
            self.keys.keep_newest_checkpoint(newest.size, &newest.note)?;
        }
        Ok(newest)
    }

    /// Sees to it that the ledger still begins with what these keys vouched for: under a server that
    /// runs, a standby that lacks the last entries may have taken the database over (threats L10).
    async fn check_beginning(&self) -> Result<(), LedgerError> {
        // Read first: what another server vouches for meanwhile is in the ledger by then.
        let Some(kept) = self.keys.newest_checkpoint()? else { return Ok(()) };
        let newest = self.store.newest_checkpoint().await?;
        if newest.is_some_and(|newest| newest.note == kept) {
            return Ok(());
        }
        let instance = self.instance().await?;
        let history = key_history(&*self.store, instance).await?;
        let origin = checkpoint::origin(instance);
        check_against_newest(&*self.store, &self.keys, &history, &origin, &kept).await
    }

    /// Stores a checkpoint if the ledger has grown since the last one; the keys do not vouch for it
    /// yet.
    pub(crate) async fn store_checkpoint(&self) -> Result<Option<StoredCheckpoint>, LedgerError> {
        let newest = self.store.newest_checkpoint().await?;
        let size = self.store.ledger_size().await?;
        if size == 0 || newest.as_ref().is_some_and(|newest| newest.size >= size) {
            return Ok(newest);
        }
        let instance = self.instance().await?;
        let origin = checkpoint::origin(instance);
        let key = self.keys.checkpoint(&origin)?;
        let history = key_history(&*self.store, instance).await?;
        // SECURITY: L09. What a key signs that is no longer in force, nobody can ever verify.
        match history.of_size(size) {
            Some(in_force) if in_force == key.public() => {}
            Some(in_force) => {
                let (place, key) = (self.keys.place(), in_force.to_string());
                return Err(LedgerError::OtherKey { place, key });
            }
            None => return Err(LedgerError::NoKey),
        }
        let tree = Tree::new(&*self.store);
        let root = tree.root(size).await?;
        if let Some(last) = &newest {
            let last = Checkpoint::unverified(&last.note).map_err(Failure::defect)?;
            let proof = tree.consistency(last.size, size).await?;
            // SECURITY: L10. Signing both trees would hide that one of them was changed.
            if !merkle::verify_consistency((last.size, &last.root), (size, &root), &proof) {
                return Err(LedgerError::Inconsistent { size: last.size });
            }
        }
        let note = key.note(&Checkpoint { origin, size, root });
        let issued_at = self.now();
        self.store.side(Side::Checkpoint(StoredCheckpoint { size, issued_at, note })).await?;
        Ok(self.store.newest_checkpoint().await?)
    }

    /// Names a new checkpoint key in the ledger, under the signature of the present one, after a
    /// last checkpoint of the present one. It is in force for whoever opens the keys from now on.
    ///
    /// # Errors
    /// [`LedgerError`] when nothing was changed; a change that was interrupted is ended when the
    /// keys are opened again.
    pub async fn name_next_key(&self) -> Result<VerifierKey, LedgerError> {
        self.issue_checkpoint().await?;
        let origin = checkpoint::origin(self.instance().await?);
        let present = self.keys.checkpoint(&origin)?;
        let next = self.keys.next_checkpoint(&origin, &*self.entropy)?;
        let text = checkpoint::rotation_text(present.public(), next.public());
        let fact = HouseFact::CheckpointKeyNamed {
            key: next.public().to_string(),
            signature: Some(STANDARD.encode(present.sign(&text))),
        };
        let facts = vec![self.fact(Actor::System, fact)];
        self.store.commit(Change { facts, ..Change::default() }).await?;
        Ok(next.public().clone())
    }
}
