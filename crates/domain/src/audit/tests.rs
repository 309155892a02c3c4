//! Exports that hold, and every way in which one may not.

use ed25519_dalek::{Signer, SigningKey};
use uuid::Uuid;

use super::*;
use crate::checkpoint::rotation_text;
use crate::entry::{Actor, Entry, HouseFact};
use crate::export::{Header, Line};
use crate::{Fact, PersonId, RequestId};

const INSTANCE: InstanceId = InstanceId(Uuid::from_u128(1));
/// The entry that names the second key.
const ROTATED_AT: u64 = 12;

fn key(seed: u8) -> (SigningKey, VerifierKey) {
    let signing = SigningKey::from_bytes(&[seed; 32]);
    let origin = checkpoint::origin(INSTANCE);
    let public = VerifierKey::new(&origin, signing.verifying_key().as_bytes()).unwrap();
    (signing, public)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The fact of each entry: the first key at 1, the second at 12, people elsewhere.
fn fact(index: u64, keys: &[(SigningKey, VerifierKey); 2]) -> HouseFact {
    let person = PersonId(Uuid::from_u128(u128::from(index)));
    match index {
        0 => HouseFact::InstanceCreated { product_version: "ü".into() },
        1 => HouseFact::CheckpointKeyNamed { key: keys[0].1.to_string(), signature: None },
        ROTATED_AT => {
            let text = rotation_text(&keys[0].1, &keys[1].1);
            let signature = Some(base64(&keys[0].0.sign(text.as_bytes()).to_bytes()));
            HouseFact::CheckpointKeyNamed { key: keys[1].1.to_string(), signature }
        }
        _ => HouseFact::PersonAdded { person, name: Commitment::new(&[7; 16], "Olga Owner") },
    }
}

fn entry(index: u64, fact: HouseFact) -> Vec<u8> {
    let entry = Entry {
        format: crate::entry::FORMAT.into(),
        instance: INSTANCE,
        index,
        at: Timestamp::from_micros(1_800_000_000_000_000 + index as i64).unwrap(),
        actor: Actor::System,
        request: index.is_multiple_of(3).then_some(RequestId(Uuid::from_u128(9))),
        fact: Fact::House(fact),
    };
    entry.seal().unwrap().0
}

/// What an export is made of, before it is written: to be changed by tests.
struct Ledger {
    bodies: Vec<Vec<u8>>,
    keys: [(SigningKey, VerifierKey); 2],
    signed_at: Vec<u64>,
}

impl Ledger {
    fn of(size: u64) -> Self {
        let keys = [key(1), key(2)];
        let bodies = (0..size).map(|index| entry(index, fact(index, &keys))).collect();
        let signed_at = [5, ROTATED_AT, size].into_iter().filter(|at| *at <= size).collect();
        Self { bodies, keys, signed_at }
    }

    fn note(&self, size: u64) -> String {
        let mut frontier = Frontier::default();
        self.bodies.iter().take(size as usize).for_each(|b| frontier.push(merkle::leaf_hash(b)));
        let origin = checkpoint::origin(INSTANCE);
        let text = Checkpoint { origin, size, root: frontier.root() }.text();
        let (signing, public) = &self.keys[usize::from(size > ROTATED_AT)];
        let line = public.signature_line(&signing.sign(text.as_bytes()).to_bytes());
        format!("{text}\n{line}")
    }

    /// The lines, without their newlines.
    fn lines(&self) -> Vec<Vec<u8>> {
        let size = self.bodies.len() as u64;
        let named = if size > ROTATED_AT { 2 } else { 1 };
        let keys = self.keys.iter().take(named).map(|(_, key)| key.to_string()).collect();
        let mut lines = vec![Header::new(INSTANCE, keys, size).to_line().unwrap()];
        for (index, body) in (1..).zip(&self.bodies) {
            let leaf = merkle::leaf_hash(body);
            lines.push(Line::Entry { body, leaf }.to_line().unwrap());
            if index == 3 {
                let text = ExportedText::new(2, "name", &[7; 16], "Olga Owner");
                lines.push(Line::Text(text).to_line().unwrap());
            }
            if self.signed_at.contains(&index) {
                lines.push(Line::Checkpoint(self.note(index)).to_line().unwrap());
            }
        }
        for line in &mut lines {
            assert_eq!(line.pop(), Some(b'\n'));
        }
        lines
    }

    fn check(&self) -> Result<Verified, Broken> {
        check(&self.lines(), &self.keys[0].1, &[])
    }
}

fn check(lines: &[Vec<u8>], key: &VerifierKey, held: &[String]) -> Result<Verified, Broken> {
    let mut audit = ExportAudit::new(key.clone(), held.to_vec());
    for line in lines {
        audit.line(line)?;
    }
    audit.finish()
}

fn broken_at(found: Result<Verified, Broken>) -> Option<u64> {
    found.unwrap_err().index
}

#[test]
fn i8_an_export_holds_under_each_key_that_its_ledger_has_named() {
    let ledger = Ledger::of(20);
    for (_, key) in &ledger.keys {
        let verified = check(&ledger.lines(), key, &[]).unwrap();
        assert_eq!((verified.size, verified.signed_to), (20, 20));
        assert_eq!(verified.keys.newest(), Some(&ledger.keys[1].1));
        assert_eq!(verified.at, Timestamp::from_micros(1_800_000_000_000_019).unwrap());
    }
    let stranger = check(&ledger.lines(), &key(3).1, &[]).unwrap_err();
    assert_eq!(stranger, Broken::nowhere("the key you gave is none that these entries name"));
}

#[test]
fn l01_one_flipped_bit_anywhere_in_an_export_is_found_at_its_entry() {
    let ledger = Ledger::of(14);
    let lines = ledger.lines();
    let mut entries = 0;
    for (number, line) in lines.iter().enumerate() {
        let is_entry = line.starts_with(b"{\"entry\"");
        for at in 0..line.len() {
            let mut changed = lines.clone();
            changed[number][at] ^= 1 << (at % 8);
            let found = check(&changed, &ledger.keys[0].1, &[]);
            let index = broken_at(found);
            if is_entry {
                assert_eq!(index, Some(entries), "line {number}, byte {at}");
            }
        }
        entries += u64::from(is_entry);
    }
}

#[test]
fn l02_l03_l04_deleted_moved_repeated_and_inserted_lines_are_found_where_they_are() {
    let ledger = Ledger::of(14);
    let lines = ledger.lines();
    let is_entry = |line: &Vec<u8>| line.starts_with(b"{\"entry\"");
    let entry_lines: Vec<usize> = (0..lines.len()).filter(|at| is_entry(&lines[*at])).collect();
    for (index, at) in (0..).zip(&entry_lines) {
        let mut deleted = lines.clone();
        deleted.remove(*at);
        assert_eq!(broken_at(check(&deleted, &ledger.keys[0].1, &[])), Some(index), "{index}");
        let mut repeated = lines.clone();
        repeated.insert(*at, lines[*at].clone());
        let second = Some(index + 1);
        assert_eq!(broken_at(check(&repeated, &ledger.keys[0].1, &[])), second, "{index}");
        if let Some(next) = entry_lines.get(index as usize + 1) {
            let mut swapped = lines.clone();
            swapped.swap(*at, *next);
            assert_eq!(broken_at(check(&swapped, &ledger.keys[0].1, &[])), Some(index));
        }
    }
}

#[test]
fn l04_l07_entries_changed_and_hashed_anew_are_found_by_the_next_signature() {
    let ledger = Ledger::of(20);
    let notes: Vec<String> = ledger.signed_at.iter().map(|at| ledger.note(*at)).collect();
    for (index, from) in [(3, 0), (7, 5), (19, ROTATED_AT)] {
        let mut forged = Ledger::of(20);
        let person = PersonId(Uuid::from_u128(77));
        forged.bodies[index] = entry(index as u64, HouseFact::PersonDisabled { person });
        let mut lines = forged.lines();
        let mut notes = notes.iter();
        for line in &mut lines {
            if line.starts_with(b"{\"checkpoint\"") {
                *line = Line::Checkpoint(notes.next().unwrap().clone()).to_line().unwrap();
                line.pop();
            }
        }
        // The text of entry 2 stays true in each of these.
        assert_eq!(broken_at(check(&lines, &ledger.keys[0].1, &[])), Some(from), "{index}");
    }
}

#[test]
fn l05_l08_a_rewritten_ledger_is_found_by_a_checkpoint_held_elsewhere() {
    let ledger = Ledger::of(20);
    let mut rewritten = Ledger::of(20);
    let person = PersonId(Uuid::from_u128(77));
    rewritten.bodies[7] = entry(7, HouseFact::PersonDisabled { person });
    let key = &ledger.keys[0].1;
    assert!(rewritten.check().is_ok(), "whoever has the key can sign anything");
    let held = [ledger.note(4), ledger.note(12), ledger.note(20)];
    assert!(check(&ledger.lines(), key, &held).is_ok());
    assert_eq!(broken_at(check(&rewritten.lines(), key, &held)), Some(4));
    assert_eq!(broken_at(check(&rewritten.lines(), key, &held[1..])), Some(0));
}

#[test]
fn l06_a_ledger_cut_at_a_checkpoint_is_found_by_a_later_one() {
    let (whole, cut) = (Ledger::of(20), Ledger::of(12));
    assert!(cut.check().is_ok_and(|verified| verified.size == 12));
    let found = check(&cut.lines(), &cut.keys[0].1, &[whole.note(20)]).unwrap_err();
    assert_eq!(
        found.to_string(),
        "entry 12: is missing: a checkpoint held elsewhere is of 20 entries"
    );
    // Cut elsewhere, the header or the missing signature tells.
    let lines = whole.lines();
    for end in 1..lines.len() {
        assert!(check(&lines[..end], &whole.keys[0].1, &[]).is_err(), "{end} lines");
    }
}

#[test]
fn l09_each_key_signs_its_own_range_and_no_other() {
    let ledger = Ledger::of(20);
    // The retired key goes on signing.
    let mut retired = Ledger::of(20);
    retired.keys.swap(0, 1);
    let late = Line::Checkpoint(retired.note(20)).to_line().unwrap();
    let mut lines = ledger.lines();
    *lines.last_mut().unwrap() = late[..late.len() - 1].to_vec();
    assert_eq!(broken_at(check(&lines, &ledger.keys[0].1, &[])), Some(20));
    // The new key signs what was before it.
    let early = Line::Checkpoint(retired.note(5)).to_line().unwrap();
    let mut lines = ledger.lines();
    let first = lines.iter().position(|line| line.starts_with(b"{\"checkpoint\"")).unwrap();
    lines[first] = early[..early.len() - 1].to_vec();
    assert_eq!(broken_at(check(&lines, &ledger.keys[0].1, &[])), Some(5));
    // Nobody named the new key.
    let mut unnamed = Ledger::of(20);
    unnamed.bodies[12] = entry(12, HouseFact::PersonDisabled { person: PersonId(Uuid::nil()) });
    assert_eq!(broken_at(unnamed.check()), Some(20));
    // Somebody else did.
    let mut forged = Ledger::of(20);
    let key = forged.keys[1].1.to_string();
    let signature = Some(base64(&[9; 64]));
    forged.bodies[12] = entry(12, HouseFact::CheckpointKeyNamed { key, signature });
    assert_eq!(broken_at(forged.check()), Some(12));
}

#[test]
fn l12_another_installation_s_entries_and_checkpoints_are_refused() {
    let ledger = Ledger::of(8);
    let mut lines = ledger.lines();
    let other = InstanceId(Uuid::from_u128(2));
    let keys = vec![ledger.keys[0].1.to_string()];
    let mut header = Header::new(other, keys, 8).to_line().unwrap();
    header.pop();
    lines[0] = header;
    assert_eq!(broken_at(check(&lines, &ledger.keys[0].1, &[])), Some(0));
    let foreign = ledger.note(5).replace("-000000000001", "-000000000002");
    let found = check(&ledger.lines(), &ledger.keys[0].1, &[foreign]).unwrap_err();
    assert!(found.to_string().contains("is of another ledger"), "{found}");
}

#[test]
fn l18_an_export_without_texts_holds_and_one_with_another_text_does_not() {
    let ledger = Ledger::of(8);
    let mut lines = ledger.lines();
    let at = lines.iter().position(|line| line.starts_with(b"{\"text\"")).unwrap();
    let altered = String::from_utf8(lines[at].clone()).unwrap().replace("Olga", "Olgo");
    let text = lines.remove(at);
    assert!(check(&lines, &ledger.keys[0].1, &[]).is_ok());
    lines.insert(at, altered.into_bytes());
    assert_eq!(broken_at(check(&lines, &ledger.keys[0].1, &[])), Some(2));
    lines[at] = text.clone();
    lines.insert(1, text);
    assert_eq!(broken_at(check(&lines, &ledger.keys[0].1, &[])), Some(0));
}

#[test]
fn a_tail_says_what_the_entry_says() {
    let ledger = Ledger::of(20);
    for (index, body) in (0..).zip(&ledger.bodies) {
        let tail = Tail::of(body).unwrap();
        let entry: Entry = serde_json::from_slice(body).unwrap();
        assert_eq!((tail.fact, tail.index), (entry.fact.name(), index));
        assert_eq!(tail.instance, entry.instance.to_string());
    }
    // A string that looks like a tail is escaped, a nested one closes twice.
    let inner = r#""type":"X"},"format":"countersign/entry/v1","index":5,"instance":"00000000-0000-0000-0000-000000000001"}"#;
    assert_eq!(Tail::of(format!("{{\"a\":{inner}}}").as_bytes()), None);
    assert_eq!(Tail::of(inner.replace('"', "\\\"").as_bytes()), None);
    assert_eq!(Tail::of("ü".repeat(400).as_bytes()), None);
    assert_eq!(Tail::of(b""), None);
}
