//! Checkpoints and key histories, held and refused.

use ed25519_dalek::{Signer, SigningKey};

use super::*;

const VKEY: &str = "gate.example/audit+af47b622+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
/// Signed by the key of the seed 00…1f, and by a witness.
const NOTE: &str = "gate.example/audit\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n\
    — gate.example/audit r0e2IkIv/QGJf8InFbALj5T58L+1VRGjMTJnv4TVypifwooo2ZCsCOiWExeWkBh8Y3+4OPpbIDygFQPo2hOZ3GclKgU=\n\
    — witness.example/w1 IDJKvgAAAABlU/EA7yqKPddS89vy8+JJ7tjQtiXAn/avnKus0VJ7/glZYdrKpTh1mmcSRNCSYHl+WgnnmfAmXckM06dDZxLbfMc4Aw==\n";
const ORIGIN: &str = "gate.example/audit";

/// A key of our own making, and its public half.
fn key(seed: u8) -> (SigningKey, VerifierKey) {
    let signing = SigningKey::from_bytes(&[seed; 32]);
    let public = VerifierKey::new(ORIGIN, signing.verifying_key().as_bytes()).unwrap();
    (signing, public)
}

fn signed(text: &str, (signing, public): &(SigningKey, VerifierKey)) -> String {
    format!("{text}\n{}", public.signature_line(&signing.sign(text.as_bytes()).to_bytes()))
}

#[test]
fn the_reference_checkpoint_opens_and_is_written_the_same() {
    let opened = Checkpoint::open(NOTE, &VKEY.parse().unwrap()).unwrap();
    assert_eq!((opened.origin.as_str(), opened.size), (ORIGIN, 8));
    assert!(NOTE.starts_with(&opened.text()));
}

#[test]
fn l12_a_checkpoint_of_another_origin_is_refused_whoever_signed_it() {
    let key = key(1);
    let text = "gate.example/other\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n";
    let refused = Checkpoint::open(&signed(text, &key), &key.1);
    assert_eq!(refused, Err(CheckpointError::Origin("gate.example/other".into())));
}

#[test]
fn l11_a_signed_text_that_is_no_checkpoint_is_refused() {
    let root = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=";
    let cases = [
        format!("{ORIGIN}\n0\n{root}\n"),
        format!("{ORIGIN}\n08\n{root}\n"),
        format!("{ORIGIN}\n+8\n{root}\n"),
        format!("{ORIGIN}\n-8\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n8\n{}\n", root.trim_end_matches('=')),
        format!("{ORIGIN}\n8\n{}\n", root.replace("Qyg=", "Qyh=")),
        format!("{ORIGIN}\n8\n{root}\nmore\n"),
        format!("{ORIGIN}\n8\n{root}\n\nmore\n"),
        format!("{ORIGIN}\n8\n"),
    ];
    let key = key(1);
    for text in cases {
        let opened = Checkpoint::open(&signed(&text, &key), &key.1);
        assert_eq!(opened, Err(CheckpointError::Form), "{text}");
    }
}

/// An entry that names `next`, signed by `previous`.
fn named(previous: &(SigningKey, VerifierKey), next: &VerifierKey) -> String {
    let text = rotation_text(&previous.1, next);
    STANDARD.encode(previous.0.sign(text.as_bytes()).to_bytes())
}

#[test]
fn l09_a_key_is_named_by_the_one_before_it_or_not_at_all() {
    let (first, second, third) = (key(1), key(2), key(3));
    let name = |history: &mut KeyHistory, at, key: &VerifierKey, signature: Option<&str>| {
        history.name(at, KeyNamed { key: &key.to_string(), signature }, ORIGIN)
    };
    let to_second = named(&first, &second.1);
    let mut history = KeyHistory::default();
    assert_eq!(name(&mut history, 1, &first.1, Some(&to_second)), Err(BadKeyEntry::First));
    assert_eq!(name(&mut history, 1, &first.1, None), Ok(()));
    for (next, signature) in [
        (&second.1, None),
        (&second.1, Some("")),
        (&second.1, Some(named(&third, &second.1).as_str())),
        (&third.1, Some(to_second.as_str())),
    ] {
        assert_eq!(name(&mut history, 9, next, signature), Err(BadKeyEntry::Unsigned));
    }
    assert_eq!(name(&mut history, 9, &second.1, Some(&to_second)), Ok(()));
    let back = named(&second, &first.1);
    assert_eq!(name(&mut history, 12, &first.1, Some(&back)), Err(BadKeyEntry::Again));

    assert_eq!(history.of_size(1), None);
    assert_eq!(history.of_size(2), Some(&first.1));
    assert_eq!(history.of_size(9), Some(&first.1), "the old key's last checkpoint");
    assert_eq!(history.of_size(10), Some(&second.1), "it covers the entry that names the new key");
    assert!(history.contains(&first.1) && !history.contains(&third.1));
}

#[test]
fn l09_l12_a_key_entry_of_another_ledger_or_without_a_key_is_refused() {
    let mut history = KeyHistory::default();
    let vkey = key(1).1.to_string();
    let named = |key| KeyNamed { key, signature: None };
    assert_eq!(history.name(1, named(&vkey), "gate.example/b"), Err(BadKeyEntry::Origin));
    assert_eq!(history.name(1, named("nonsense"), ORIGIN), Err(BadKeyEntry::Form));
    assert_eq!(history, KeyHistory::default());
}
