//! Notes against the specification's vector and a published crate; and what is refused.

use ed25519_dalek::{Signer, SigningKey};

use super::*;

const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const TEXT: &str = "This is an example message.\n";
const NOTE: &str = "This is an example message.\n\n\
    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn key() -> VerifierKey {
    VKEY.parse().unwrap()
}

fn other() -> (SigningKey, VerifierKey) {
    let signing = SigningKey::from_bytes(&[7; 32]);
    let public = VerifierKey::new("w.example/1", signing.verifying_key().as_bytes()).unwrap();
    (signing, public)
}

/// The line of another key under `text`.
fn witnessed(text: &str) -> String {
    let (signing, public) = other();
    public.signature_line(&signing.sign(text.as_bytes()).to_bytes())
}

#[test]
fn the_vector_of_the_specification_opens_and_is_written_the_same() {
    assert_eq!(key().to_string(), VKEY);
    assert_eq!(key().open(NOTE), Ok(TEXT));
    assert_eq!(unverified_text(NOTE), Ok(TEXT));
}

#[test]
fn l11_signatures_of_other_keys_are_read_over_wherever_they_stand() {
    let (text, line) = NOTE.split_once("\n\n").unwrap();
    let witness = witnessed(TEXT);
    for lines in [format!("{line}{witness}"), format!("{witness}{line}"), line.repeat(2)] {
        assert_eq!(key().open(&format!("{text}\n\n{lines}")), Ok(TEXT));
        assert!(other().1.open(&format!("{text}\n\n{lines}")).is_ok() != (lines == line.repeat(2)));
    }
    let only_the_witness = format!("{TEXT}\n{witness}");
    assert_eq!(key().open(&only_the_witness), Err(NoteError::Unsigned(VKEY.into())));
}

#[test]
fn l11_a_known_key_with_a_bad_signature_spoils_the_note() {
    let (text, line) = NOTE.split_once("\n\n").unwrap();
    let bad = line.replace("IneyaQM=", "IneyaQA=");
    for note in [format!("{text}\n\n{bad}"), format!("{text}\n\n{line}{bad}")] {
        assert_eq!(key().open(&note), Err(NoteError::Signature(VKEY.into())));
    }
    let altered = NOTE.replace("an example", "no example");
    assert_eq!(key().open(&altered), Err(NoteError::Signature(VKEY.into())));
}

#[test]
fn l11_what_is_no_note_is_refused() {
    let long = format!("{}{NOTE}", "x".repeat(MAX_NOTE_BYTES));
    let cases = [
        "",
        TEXT,
        "This is an example message.\n\n",
        NOTE.trim_end(),
        &NOTE.replace("— ", "- "),
        &NOTE.replace("QM=\n", "QM\n"),
        // The same bytes in another spelling of base64: the last digit has bits that nobody reads.
        &NOTE.replace("QM=\n", "QN=\n"),
        &NOTE.replace("message", "mess\tage"),
        &NOTE.replace('\n', "\r\n"),
        "text\n\n— name AAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        &long,
    ];
    for note in cases {
        assert!(matches!(key().open(note), Err(NoteError::Form(_))), "{note:?}");
    }
}

#[test]
fn l11_a_public_key_has_one_spelling() {
    let cases = [
        "",
        "example.com/foo",
        &VKEY.replace("530d903a", "530d903b"),
        &VKEY.replace("530d903a", "530D903A"),
        &VKEY.replace("+AekyeR", "+AukyeR"),
        &VKEY.replace("example.com/foo", "example.com/bar"),
        &VKEY.replace("example.com/foo", "example.com foo"),
        &format!("{VKEY}\n"),
    ];
    for text in cases {
        assert_eq!(text.parse::<VerifierKey>(), Err(NotAKey), "{text}");
    }
}

#[test]
fn a_published_crate_reads_what_we_write_and_the_other_way_round() {
    use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
    let (signing, public) = other();
    let note = format!("{TEXT}\n{}", witnessed(TEXT));
    let theirs = StandardVerifier::new(&public.to_string()).unwrap();
    assert_eq!(theirs.key_id().to_be_bytes(), public.id());
    let known = VerifierList::new(vec![Box::new(theirs)]);
    let opened = Note::from_bytes(note.as_bytes()).unwrap();
    assert_eq!(opened.verify(&known).unwrap().0.len(), 1);

    let secret = STANDARD.encode([&[ED25519][..], signing.as_bytes()].concat());
    let id: String = public.id().iter().map(|byte| format!("{byte:02x}")).collect();
    let secret = format!("PRIVATE+KEY+{}+{id}+{secret}", public.name());
    let signer = signed_note::StandardSigner::new(&secret).unwrap();
    let mut note = Note::new(TEXT.as_bytes(), &[]).unwrap();
    note.add_sigs(&[&signer]).unwrap();
    let theirs = String::from_utf8(note.to_bytes()).unwrap();
    assert_eq!(public.open(&theirs), Ok(TEXT));
    assert_eq!(theirs, format!("{TEXT}\n{}", witnessed(TEXT)), "Ed25519 has one signature");
}

#[test]
fn a_key_that_signs_anything_is_none() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(VerifierKey::new("w", &neutral), None);
}
