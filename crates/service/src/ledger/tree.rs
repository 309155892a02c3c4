//! Roots and proofs from stored subtree hashes: a logarithm of reads each.

use std::collections::HashMap;

use domain::merkle::{self, Frontier, Hash};
use store::Store;

use crate::Failure;

/// The stored tree.
pub struct Tree<'a> {
    store: &'a dyn Store,
}

impl<'a> Tree<'a> {
    /// The tree of a store.
    pub fn new(store: &'a dyn Store) -> Self {
        Self { store }
    }

    /// The root over the first `size` leaves.
    ///
    /// # Errors
    /// When a node is missing, or the store away.
    pub async fn root(&self, size: u64) -> Result<Hash, Failure> {
        let fold = |nodes: &mut Nodes| {
            Ok(Some(Frontier::load(size, |level, index| nodes.get(level, index))?.root()))
        };
        self.folded(fold).await?.ok_or_else(missing)
    }

    /// The inclusion proof of leaf `index` in the first `size` leaves; the leaf has to be in them.
    ///
    /// # Errors
    /// When a node is missing, or the store away.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, Failure> {
        let fold = |nodes: &mut Nodes| {
            merkle::inclusion_proof(index, size, &mut |level, index| nodes.get(level, index))
        };
        self.folded(fold).await?.ok_or_else(missing)
    }

    /// The proof that the first `old` leaves are the beginning of the first `new`.
    ///
    /// # Errors
    /// When a node is missing, or the store away.
    pub async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, Failure> {
        let fold = |nodes: &mut Nodes| {
            merkle::consistency_proof(old, new, &mut |level, index| nodes.get(level, index))
        };
        self.folded(fold).await?.ok_or_else(missing)
    }

    /// Runs a pure fold over nodes: once to learn which it needs, once with them.
    async fn folded<T>(
        &self,
        fold: impl Fn(&mut Nodes) -> Result<Option<T>, Failure>,
    ) -> Result<Option<T>, Failure> {
        let mut nodes = Nodes { found: HashMap::new(), wanted: Some(Vec::new()) };
        fold(&mut nodes)?;
        for (level, index) in nodes.wanted.take().unwrap_or_default() {
            let node = self.store.tree_nodes(level, index, index + 1).await?;
            nodes.found.insert((level, index), *node.first().ok_or_else(missing)?);
        }
        fold(&mut nodes)
    }
}

/// What a fold asks for: noted down at first, answered later.
struct Nodes {
    found: HashMap<(u8, u64), Hash>,
    wanted: Option<Vec<(u8, u64)>>,
}

impl Nodes {
    fn get(&mut self, level: u8, index: u64) -> Result<Hash, Failure> {
        match &mut self.wanted {
            Some(wanted) => {
                wanted.push((level, index));
                Ok(Hash::default())
            }
            None => self.found.get(&(level, index)).copied().ok_or_else(missing),
        }
    }
}

fn missing() -> Failure {
    Failure::defect("a node of the ledger is missing")
}
