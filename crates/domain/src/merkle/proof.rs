//! Proofs over the tree (RFC 6962 §2.1.1 and §2.1.2), made from stored nodes and checked without them.

use super::{Hash, node_hash};

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

/// The proof that the tree of `old` leaves is the beginning of the tree of `new`
/// (RFC 6962 §2.1.2); `None` unless 0 < `old` ≤ `new`.
pub fn consistency_proof<E>(
    old: u64,
    new: u64,
    node: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if old == 0 || old > new {
        return Ok(None);
    }
    let (mut start, mut end) = (0, new);
    let mut proof = Vec::new();
    // Down to the subtree that ends where the old tree ends; what is passed by on the way is proof.
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(subtree(middle, end, node)?);
            end = middle;
        } else {
            proof.push(subtree(start, middle, node)?);
            start = middle;
        }
    }
    // A subtree that begins at 0 is the whole old tree: the verifier has its root.
    if start != 0 {
        proof.push(subtree(start, end, node)?);
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Whether `proof` shows that the tree with `old_root` and `old` leaves is the beginning of the
/// tree with `new_root` and `new` leaves (RFC 9162 §2.1.4.2). Nothing follows from an empty old tree.
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    proof: &[Hash],
) -> bool {
    if old == 0 || old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    let mut siblings = proof.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { siblings.next() };
    let Some(first) = first else { return false };
    let odd = (old - 1).trailing_ones();
    let (mut position, mut last) = ((old - 1) >> odd, (new - 1) >> odd);
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in siblings {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
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
