//! Proof files: made, read back, and refused in every altered form.

use std::collections::HashMap;
use std::convert::Infallible;

use ed25519_dalek::{Signer, SigningKey};

use super::*;
use crate::merkle::{Frontier, leaf_hash};

const ORIGIN: &str = "gate.example/audit";

/// A ledger of `size` entries `entry 0`, `entry 1`, …, its key, and the proof of entry `index`.
fn proof(size: u64, index: u64) -> (VerifierKey, TlogProof) {
    let signing = SigningKey::from_bytes(&[1; 32]);
    let key = VerifierKey::new(ORIGIN, signing.verifying_key().as_bytes()).unwrap();
    let (mut frontier, mut nodes) = (Frontier::default(), HashMap::new());
    for number in 0..size {
        for node in frontier.append(leaf_hash(entry(number).as_bytes())) {
            nodes.insert((node.level, node.index), node.hash);
        }
    }
    let text = Checkpoint { origin: ORIGIN.into(), size, root: frontier.root() }.text();
    let line = key.signature_line(&signing.sign(text.as_bytes()).to_bytes());
    let mut node = |level, index| Ok::<_, Infallible>(nodes[&(level, index)]);
    let path = merkle::inclusion_proof(index, size, &mut node).unwrap().unwrap();
    (key, TlogProof { index, path, checkpoint: format!("{text}\n{line}") })
}

fn entry(number: u64) -> String {
    format!("entry {number}")
}

#[test]
fn every_proof_is_read_back_and_holds_for_its_entry_alone() {
    for size in 1..20 {
        for index in 0..size {
            let (key, proof) = proof(size, index);
            let read = TlogProof::parse(&proof.to_text()).unwrap();
            assert_eq!(read, proof);
            assert_eq!(read.verify(entry(index).as_bytes(), &key).unwrap().size, size);
            assert_eq!(read.verify(b"entry x", &key), Err(TlogProofError::Path));
        }
    }
}

#[test]
fn a_proof_looks_as_the_specification_says() {
    insta::assert_snapshot!(proof(5, 2).1.to_text());
}

#[test]
fn l11_no_altered_byte_of_a_proof_holds() {
    let (key, proof) = proof(13, 6);
    let text = proof.to_text();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(altered) = String::from_utf8(bytes) else { continue };
        let read = TlogProof::parse(&altered);
        let held = read.and_then(|read| read.verify(b"entry 6", &key));
        assert!(held.is_err(), "byte {at}: {altered}");
    }
}

#[test]
fn l11_the_form_is_exact_and_extra_is_read_over() {
    let (key, proof) = proof(5, 2);
    let text = proof.to_text();
    let extra = text.replace("index 2", "extra AAAA\nindex 2");
    assert!(TlogProof::parse(&extra).unwrap().verify(b"entry 2", &key).is_ok());
    let first_hash = text.lines().nth(2).unwrap();
    for wrong in [
        text.replace("index 2", "index 02"),
        text.replace("index 2", "index"),
        text.replace("index 2", "extra ?\nindex 2"),
        text.replace("@v1", "@v2"),
        text.replace(first_hash, ""),
        text.replace(first_hash, &format!("{first_hash}\nAAAA")),
        text.replace(first_hash, &format!("{first_hash}\n").repeat(64)),
        String::new(),
    ] {
        let held = TlogProof::parse(&wrong).and_then(|read| read.verify(b"entry 2", &key));
        assert!(held.is_err(), "{wrong}");
    }
}
