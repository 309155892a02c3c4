//! The Merkle tree of the ledger (RFC 6962 §2.1, RFC 9162 §2.1).
//!
//! Only complete subtrees are stored, at (`level`, `index`): node (l, i) covers leaves
//! i·2^l … (i+1)·2^l − 1. Appending is O(log n) new nodes; any root or proof is a fold of stored
//! nodes.

mod proof;

pub use proof::{consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};

use sha2::{Digest as _, Sha256};

/// A SHA-256 value of the tree.
pub type Hash = [u8; 32];

/// `SHA-256(0x00 ‖ entry)`.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    #[cfg(planted = "a_leaf_has_no_prefix")]
    return Sha256::digest(entry).into();
    Sha256::new_with_prefix([0]).chain_update(entry).finalize().into()
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree without leaves: `SHA-256("")`.
pub fn empty_root() -> Hash {
    Sha256::new().finalize().into()
}

/// One stored node: the root of a complete subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    pub level: u8,
    pub index: u64,
    pub hash: Hash,
}

/// The right edge of the tree: enough to append and to name the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The roots of the complete subtrees from left to right, with their levels.
    peaks: Vec<(u8, Hash)>,
}

impl Frontier {
    /// The frontier of a stored tree of `size` leaves; `node` gives stored nodes.
    pub fn load<E>(size: u64, mut node: impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Self, E> {
        let mut peaks = Vec::new();
        for (level, index) in peaks_of(size) {
            peaks.push((level, node(level, index)?));
        }
        Ok(Self { size, peaks })
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf; answers with the nodes that became complete, the leaf first.
    pub fn append(&mut self, leaf: Hash) -> Vec<Node> {
        let mut index = self.size;
        let mut node = Node { level: 0, index, hash: leaf };
        let mut complete = vec![node];
        while let Some((level, left)) = self.peaks.pop() {
            if level != node.level {
                self.peaks.push((level, left));
                break;
            }
            index /= 2;
            node = Node { level: level + 1, index, hash: node_hash(&left, &node.hash) };
            complete.push(node);
        }
        self.peaks.push((node.level, node.hash));
        self.size += 1;
        complete
    }

    /// Appends one leaf without listing what became complete: for whoever only checks.
    pub fn push(&mut self, leaf: Hash) {
        let (mut level, mut hash) = (0, leaf);
        while let Some((_, left)) = self.peaks.pop_if(|(above, _)| *above == level) {
            hash = node_hash(&left, &hash);
            level += 1;
        }
        self.peaks.push((level, hash));
        self.size += 1;
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().map(|(_, hash)| *hash);
        match peaks.next() {
            None => empty_root(),
            Some(last) => peaks.fold(last, |right, left| node_hash(&left, &right)),
        }
    }
}

/// The complete subtrees that make up a tree of `size` leaves, from left to right.
pub fn peaks_of(size: u64) -> Vec<(u8, u64)> {
    let mut start = 0;
    (0..u64::BITS as u8)
        .rev()
        .filter(|level| size & (1 << level) != 0)
        .map(|level| {
            let peak = (level, start >> level);
            start += 1 << level;
            peak
        })
        .collect()
}

#[cfg(test)]
mod tests;
