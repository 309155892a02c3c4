//! Proofs against issued checkpoints.

use domain::Digest;
use domain::tlog_proof::TlogProof;
use serde::{Deserialize, Serialize};
use store::Store;
use utoipa::ToSchema;

use super::Tree;
use crate::{Failure, describe};

/// The proof that the first `to` entries go on from the first `from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consistency {
    pub from: u64,
    pub to: u64,
    #[schema(value_type = describe::Digest)]
    pub from_root: Digest,
    #[schema(value_type = describe::Digest)]
    pub to_root: Digest,
    /// RFC 6962 §2.1.2, in its order.
    #[schema(value_type = Vec<describe::Digest>)]
    pub proof: Vec<Digest>,
}

/// The proof that an entry is under the newest checkpoint; `None` when none covers it.
///
/// # Errors
/// When the store is away, or a node missing.
pub async fn prove_entry(store: &dyn Store, index: u64) -> Result<Option<TlogProof>, Failure> {
    let newest = store.newest_checkpoint().await?.filter(|newest| index < newest.size);
    let Some(newest) = newest else { return Ok(None) };
    let path = Tree::new(store).inclusion(index, newest.size).await?;
    Ok(Some(TlogProof { index, path, checkpoint: newest.note }))
}

/// The proof between two sizes; `None` unless 0 < `from` ≤ `to` ≤ the size of the ledger.
///
/// # Errors
/// When the store is away, or a node missing.
pub async fn prove_consistency(
    store: &dyn Store,
    from: u64,
    to: u64,
) -> Result<Option<Consistency>, Failure> {
    if from == 0 || from > to || to > store.ledger_size().await? {
        return Ok(None);
    }
    let tree = Tree::new(store);
    let (from_root, to_root) = (Digest(tree.root(from).await?), Digest(tree.root(to).await?));
    let proof = tree.consistency(from, to).await?.into_iter().map(Digest).collect();
    Ok(Some(Consistency { from, to, from_root, to_root, proof }))
}
