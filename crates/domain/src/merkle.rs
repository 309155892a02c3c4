//! The Merkle tree of the ledger (RFC 6962 §2.1, RFC 9162 §2.1).
//!
//! Only complete subtrees are stored, at (`level`, `index`): node (l, i) covers leaves
//! i·2^l … (i+1)·2^l − 1. Appending is O(log n) new nodes; any root or proof is a fold of stored
//! nodes.

use sha2::{Digest as _, Sha256};

/// A SHA-256 value of the tree.
pub type Hash = [u8; 32];

/// `SHA-256(0x00 ‖ entry)`.
pub fn leaf_hash(entry: &[u8]) -> Hash {
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

/// The inclusion proof of leaf `index` in a tree of `size` leaves, nearest sibling first
/// (RFC 6962 §2.1.1); `None` when there is no such leaf.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    node: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if index >= size {
        return Ok(None);
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(subtree(middle, end, node)?);
            end = middle;
        } else {
            path.push(subtree(start, middle, node)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// Whether `proof` shows `leaf` at `index` of the tree with `root` and `size` (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut position, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            hash = node_hash(sibling, &hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// The root of leaves `start`..`end`, where `start` is a multiple of the subtree's size.
fn subtree<E>(
    start: u64,
    end: u64,
    node: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let size = end - start;
    if size.is_power_of_two() {
        let level = size.trailing_zeros() as u8;
        return node(level, start >> level);
    }
    let middle = start + split(size);
    Ok(node_hash(&subtree(start, middle, node)?, &subtree(middle, end, node)?))
}

/// The largest power of two below `size`.
fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;
    use std::collections::HashMap;
    use std::convert::Infallible;

    fn leaves() -> Vec<Vec<u8>> {
        let hex = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"];
        let mut leaves: Vec<Vec<u8>> = hex
            .iter()
            .map(|h| {
                (0..h.len() / 2)
                    .map(|i| u8::from_str_radix(&h[2 * i..2 * i + 2], 16).unwrap())
                    .collect()
            })
            .collect();
        leaves.push((0x60..0x70).collect());
        leaves
    }

    fn tree(count: usize) -> (Frontier, HashMap<(u8, u64), Hash>) {
        let mut frontier = Frontier::default();
        let mut nodes = HashMap::new();
        for leaf in leaves().iter().cycle().take(count) {
            for node in frontier.append(leaf_hash(leaf)) {
                nodes.insert((node.level, node.index), node.hash);
            }
        }
        (frontier, nodes)
    }

    #[test]
    fn rfc6962_roots() {
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, root) in roots.iter().enumerate() {
            assert_eq!(&Digest(tree(size).0.root()).hex(), root, "size {size}");
        }
    }

    #[test]
    fn a_frontier_is_loaded_as_it_was() {
        for size in 0..40 {
            let (frontier, nodes) = tree(size);
            let loaded =
                Frontier::load(size as u64, |l, i| Ok::<_, Infallible>(nodes[&(l, i)])).unwrap();
            assert_eq!(loaded, frontier, "size {size}");
        }
    }

    #[test]
    fn every_inclusion_proof_holds_and_no_altered_one_does() {
        for size in 1..40_u64 {
            let (frontier, nodes) = tree(size as usize);
            let root = frontier.root();
            for index in 0..size {
                let mut node = |l, i| Ok::<_, Infallible>(nodes[&(l, i)]);
                let proof = inclusion_proof(index, size, &mut node).unwrap().unwrap();
                let leaf = nodes[&(0, index)];
                assert!(verify_inclusion(&leaf, index, size, &proof, &root), "{index}/{size}");
                assert!(!verify_inclusion(&leaf_hash(b"other"), index, size, &proof, &root));
                assert!(!verify_inclusion(&leaf, index + size, size, &proof, &root));
                let mut longer = proof.clone();
                longer.push(leaf);
                assert!(!verify_inclusion(&leaf, index, size, &longer, &root));
                if !proof.is_empty() {
                    assert!(!verify_inclusion(&leaf, index, size, &proof[1..], &root));
                }
            }
        }
    }

    #[test]
    fn rfc6962_inclusion_vector() {
        let (_, nodes) = tree(8);
        let mut node = |l, i| Ok::<_, Infallible>(nodes[&(l, i)]);
        let path = inclusion_proof(5, 8, &mut node).unwrap().unwrap();
        let hex: Vec<String> = path.iter().map(|hash| Digest(*hash).hex()).collect();
        assert_eq!(
            hex,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
    }
}
