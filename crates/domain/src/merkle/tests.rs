//! The tree against its published vectors, itself, and a published crate.

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

#[test]
fn pushing_and_appending_make_the_same_frontier() {
    let (mut pushed, mut appended) = (Frontier::default(), Frontier::default());
    for leaf in leaves().iter().cycle().take(300) {
        pushed.push(leaf_hash(leaf));
        appended.append(leaf_hash(leaf));
        assert_eq!(pushed, appended);
    }
}

fn hex(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| Digest(*hash).hex()).collect()
}

#[test]
fn rfc6962_consistency_vectors() {
    let (_, nodes) = tree(8);
    let mut node = |l, i| Ok::<_, Infallible>(nodes[&(l, i)]);
    assert_eq!(
        hex(&consistency_proof(6, 8, &mut node).unwrap().unwrap()),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    assert_eq!(
        hex(&consistency_proof(3, 7, &mut node).unwrap().unwrap()),
        [
            "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
            "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e",
        ]
    );
    assert_eq!(consistency_proof(0, 8, &mut node).unwrap(), None);
    assert_eq!(consistency_proof(9, 8, &mut node).unwrap(), None);
}

#[test]
fn i8_every_consistency_proof_holds_and_no_altered_one_does() {
    let other = leaf_hash(b"other");
    let (_, nodes) = tree(40);
    for new in 1..40_u64 {
        let new_root = tree(new as usize).0.root();
        for old in 1..=new {
            let old_root = tree(old as usize).0.root();
            let mut node = |l, i| Ok::<_, Infallible>(nodes[&(l, i)]);
            let proof = consistency_proof(old, new, &mut node).unwrap().unwrap();
            let holds = |old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]| {
                verify_consistency(old, new, proof)
            };
            assert!(holds((old, &old_root), (new, &new_root), &proof), "{old} to {new}");
            assert!(!holds((old, &other), (new, &new_root), &proof));
            assert!(!holds((old, &old_root), (new, &other), &proof));
            assert!(!holds((0, &empty_root()), (new, &new_root), &proof));
            assert!(!holds((old + new, &old_root), (new, &new_root), &proof));
            let mut longer = proof.clone();
            longer.push(other);
            assert!(!holds((old, &old_root), (new, &new_root), &longer));
            for at in 0..proof.len() {
                let mut altered = proof.clone();
                altered[at] = other;
                assert!(!holds((old, &old_root), (new, &new_root), &altered), "{old} to {new}");
                altered.remove(at);
                assert!(!holds((old, &old_root), (new, &new_root), &altered), "{old} to {new}");
            }
        }
    }
}

/// Our stored nodes as the published crate reads them.
struct Published(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Published {
    fn read_hashes(&self, indices: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indices.iter().map(|index| self.0[*index as usize]).collect())
    }
}

#[test]
fn a_published_crate_has_the_same_roots_and_proofs() {
    let mut published = Published(Vec::new());
    let (mut ours, mut nodes) = (Frontier::default(), HashMap::new());
    for number in 0..130_u64 {
        let leaf = number.to_be_bytes();
        let theirs = tlog_tiles::stored_hashes(number, &leaf, &published).unwrap();
        published.0.extend(theirs);
        for node in ours.append(leaf_hash(&leaf)) {
            nodes.insert((node.level, node.index), node.hash);
        }
        let size = number + 1;
        assert_eq!(tlog_tiles::tree_hash(size, &published).unwrap().0, ours.root(), "{size}");
        for at in 0..size {
            let mut node = |l, i| Ok::<_, Infallible>(nodes[&(l, i)]);
            let theirs = tlog_tiles::prove_record(size, at, &published).unwrap();
            let mine = inclusion_proof(at, size, &mut node).unwrap().unwrap();
            assert_eq!(theirs.iter().map(|hash| hash.0).collect::<Vec<_>>(), mine);
            let theirs = tlog_tiles::prove_tree(size, at + 1, &published).unwrap();
            let mine = consistency_proof(at + 1, size, &mut node).unwrap().unwrap();
            assert_eq!(theirs.iter().map(|hash| hash.0).collect::<Vec<_>>(), mine);
        }
    }
}
