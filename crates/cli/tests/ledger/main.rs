//! Our verifier and an independent one, written from `docs/ledger.md` alone, on the same exports:
//! good ones, and every sort of broken one. They must agree, down to the first bad entry.

mod damage;
mod forge;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use domain::checkpoint::Checkpoint;
use service::ledger::{self, LedgerError};
use service::{KeyRing, OsEntropy, Service, Steward};
use store::{SqliteStore, Store, SystemClock};

use forge::{Export, Signer};

const BINARY: &str = env!("CARGO_BIN_EXE_countersign");
const INDEPENDENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../end2end/ledger_verifier.py");

/// What a verifier says of an export: its size, or where it breaks.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Holds(u64),
    Broken(Option<u64>),
}

/// A ledger with two keys and four checkpoints, exported, with everything that was ever secret.
struct Scene {
    directory: tempfile::TempDir,
    export: Export,
    /// The keys in their order; the first one is retired.
    signers: [Signer; 2],
    /// The notes that were issued, the oldest first.
    issued: Vec<String>,
}

async fn open(directory: &Path) -> Service {
    let mut keys = KeyRing::open(&directory.join("keys"), &OsEntropy).unwrap();
    let clock = Arc::new(SystemClock::default());
    let store = SqliteStore::open(&directory.join("a.db"), clock).await.unwrap();
    ledger::check_against_keys(&store, &mut keys).await.unwrap();
    under(keys, store)
}

fn under(keys: KeyRing, store: SqliteStore) -> Service {
    let (clock, url) = (Arc::new(SystemClock::default()), "http://localhost".to_owned());
    Service::new(Arc::new(store), clock, Arc::new(OsEntropy), keys, url).unwrap()
}

async fn people(service: &Service, names: [&str; 4]) {
    for name in names {
        service.add_person(&Steward::Operator, name, &["approvers"]).await.unwrap();
    }
    service.issue_checkpoint().await.unwrap();
}

impl Scene {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key_file = directory.path().join("keys/checkpoint.key");
        let service = open(directory.path()).await;
        service.initialise().await.unwrap();
        people(&service, ["Ada Lind", "Zoë O'Hara", "Łukasz Żal", "Bo"]).await;
        people(&service, ["Cy Young", "Di Prince", "Ed Norton", "Flo Rida"]).await;
        service.close().await;
        drop(service);
        let first = Signer::read(&key_file);
        let rotated = run(&["ledger", "rotate-key"], directory.path());
        assert!(rotated.status.success(), "{rotated:?}");
        let second = Signer::read(&key_file);
        let service = open(directory.path()).await;
        people(&service, ["Gus Fring", "Hal Jordan", "Ida Wells", "Jo March"]).await;
        service.close().await;
        drop(service);

        let export = directory.path().join("good.jsonl");
        let to = export.display().to_string();
        let exported =
            run(&["ledger", "export", "--with-texts", "--output", &to], directory.path());
        assert!(exported.status.success(), "{exported:?}");
        let store = SqliteStore::open_to_read(&directory.path().join("a.db")).await.unwrap();
        let issued = store.checkpoints(0, 100).await.unwrap();
        let issued = issued.into_iter().map(|checkpoint| checkpoint.note).collect();
        let export = Export::read(&std::fs::read(export).unwrap());
        Self { directory, export, signers: [first, second], issued }
    }

    fn vkey(&self, which: usize) -> String {
        self.signers[which].public(self.export.instance()).to_string()
    }

    /// Both verifiers' word on an export; they must not differ.
    fn judge(&self, what: &str, bytes: &[u8], key: &str, held: &[&str]) -> Found {
        let file = |name: String, content: &[u8]| -> PathBuf {
            let path = self.directory.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let name = what.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let export = file(format!("{name}.jsonl"), bytes);
        let held: Vec<PathBuf> = (0..held.len())
            .map(|at| file(format!("{name}.{at}.checkpoint"), held[at].as_bytes()))
            .collect();
        let mut ours = Command::new(BINARY);
        ours.args(["ledger", "verify"]).arg(&export).args(["--key", key]);
        for path in &held {
            ours.arg("--checkpoint").arg(path);
        }
        let mut theirs = Command::new("python3");
        theirs.arg(INDEPENDENT).arg(&export).arg(key).args(&held);
        let (ours, theirs) = (ours.output().unwrap(), theirs.output().unwrap());
        let (found, also_found) = (our_word(&ours), their_word(&theirs));
        assert_eq!(found, also_found, "{what}:\n{ours:?}\n{theirs:?}");
        found
    }
}

fn run(arguments: &[&str], directory: &Path) -> Output {
    run_on(arguments, directory, "a.db")
}

/// Runs a command on the database of this name in a directory, with the keys beside it.
fn run_on(arguments: &[&str], directory: &Path, database: &str) -> Output {
    let database = format!("sqlite://{}", directory.join(database).display());
    Command::new(BINARY)
        .args(arguments)
        .env("COUNTERSIGN_DATABASE", database)
        .env("COUNTERSIGN_KEYS", directory.join("keys"))
        .output()
        .unwrap()
}

fn our_word(output: &Output) -> Found {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        let size = text.strip_prefix("The export holds: ").unwrap().split(' ').next().unwrap();
        return Found::Holds(size.parse().unwrap());
    }
    assert_eq!(text, "", "a failure says nothing on standard output");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = error.strip_prefix("countersign: the export does not hold: ").expect(&error);
    let index = line.strip_prefix("entry ").map(|rest| rest.split(':').next().unwrap());
    Found::Broken(index.map(|index| index.parse().unwrap()))
}

fn their_word(output: &Output) -> Found {
    let found = word(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.status.success(), matches!(found, Found::Holds(_)), "{output:?}");
    found
}

/// What the independent verifier prints.
fn word(text: &str) -> Found {
    let mut words = text.split_whitespace();
    let (word, number) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match word {
        "ok" => Found::Holds(number.parse().unwrap()),
        "bad" => Found::Broken(number.parse().ok()),
        _ => panic!("{text}"),
    }
}

#[tokio::test]
async fn i8_l01_to_l12_two_verifiers_agree_on_good_and_broken_exports() {
    let scene = Scene::new().await;
    let (old, new) = (scene.vkey(0), scene.vkey(1));
    let export = &scene.export;
    let size = export.size();
    let good = export.bytes();
    let held: Vec<&str> = scene.issued.iter().map(String::as_str).collect();
    let broken = |index: u64| Found::Broken(Some(index));

    assert_eq!(scene.judge("good, by the first key", &good, &old, &[]), Found::Holds(size));
    assert_eq!(scene.judge("good, by the second key", &good, &new, &held), Found::Holds(size));
    let stranger = Signer::of([9; 32]).public(export.instance()).to_string();
    let unknown = scene.judge("a key of nobody", &good, &stranger, &[]);
    assert_eq!(unknown, Found::Broken(None));

    // L01: one bit, at places all over the file.
    for at in (0..good.len()).step_by(good.len() / 60) {
        let mut flipped = good.clone();
        flipped[at] ^= 1 << (at % 8);
        let found = scene.judge(&format!("bit flipped in byte {at}"), &flipped, &old, &[]);
        let expected = export.entry_at_byte(at);
        assert_eq!(found, expected.map_or(found_nowhere(&found), broken), "byte {at}");
    }
    // L02, L03, L04: lines gone, moved, repeated, cut.
    for index in [0, 1, 7, size / 2, size - 1] {
        let judge = |what: &str, other: &Export| {
            scene.judge(&format!("entry {index} {what}"), &other.bytes(), &old, &[])
        };
        assert_eq!(judge("gone", &export.without(index)), broken(index));
        assert_eq!(judge("twice", &export.repeated(index)), broken(index + 1));
        if index + 1 < size {
            assert_eq!(judge("swapped with the next", &export.swapped(index)), broken(index));
        }
        assert_eq!(judge("the last", &export.cut_before(index)), broken(index));
    }
    for cut in [1, 80, 2000] {
        let found =
            scene.judge(&format!("cut by {cut} bytes"), &good[..good.len() - cut], &old, &[]);
        assert!(matches!(found, Found::Broken(Some(_))), "{found:?}");
    }
    assert_eq!(scene.judge("empty", b"", &old, &[]), Found::Broken(None));
    assert_eq!(scene.judge("no export", b"{}\n", &old, &[]), Found::Broken(None));

    // L07: changed and hashed anew, with the signatures as they were.
    let signed: Vec<u64> = export.checkpoints();
    let forged = export.rewritten(size - 3);
    let found = scene.judge("rewritten, not signed", &forged.bytes(), &old, &[]);
    assert_eq!(found, broken(signed[signed.len() - 2]));
    // L08: and signed anew, by whoever has the keys.
    let resigned = forged.signed_by(&scene.signers);
    let found = scene.judge("rewritten and signed", &resigned.bytes(), &old, &[]);
    assert_eq!(found, Found::Holds(size), "only a checkpoint held elsewhere can tell");
    let sizes: Vec<u64> =
        held.iter().map(|note| Checkpoint::unverified(note).unwrap().size).collect();
    let found = scene.judge("rewritten against held checkpoints", &resigned.bytes(), &old, &held);
    assert_eq!(found, broken(sizes[sizes.len() - 2]));
    let last = &held[held.len() - 1..];
    let found = scene.judge("rewritten against the last", &resigned.bytes(), &old, last);
    assert_eq!(found, broken(0));
    // L05, L06: cut at a checkpoint, and gone on otherwise.
    let short = export.shortened(signed[0]);
    let found = scene.judge("cut at a checkpoint", &short.bytes(), &old, &[]);
    assert_eq!(found, Found::Holds(signed[0]), "complete up to there");
    let found = scene.judge("cut, against a later one", &short.bytes(), &old, last);
    assert_eq!(found, broken(signed[0]));
    // L09: a key signs what is not its.
    let [first, second] = &scene.signers;
    let found = scene.judge(
        "signed by the retired key",
        &export.signed_by(&[first.clone(), first.clone()]).bytes(),
        &old,
        &[],
    );
    assert_eq!(found, broken(size));
    let found = scene.judge(
        "signed by the next key",
        &export.signed_by(&[second.clone(), second.clone()]).bytes(),
        &new,
        &[],
    );
    assert_eq!(found, broken(signed[0]));
    let other = Signer::of([9; 32]);
    let found = scene.judge(
        "signed by a stranger",
        &export.signed_by(&[other.clone(), other]).bytes(),
        &old,
        &[],
    );
    assert_eq!(found, broken(signed[0]));
    // L12: another ledger's checkpoint.
    let foreign =
        held[0].replace(&export.instance().to_string(), "00000000-0000-0000-0000-000000000001");
    let found = scene.judge("a foreign checkpoint", &good, &old, &[&foreign]);
    assert_eq!(found, Found::Broken(None));
    // L11: a held checkpoint with another signature of the same key.
    let spoiled = held[0].replace("\u{2014} ", "\u{2014}  ");
    assert_eq!(scene.judge("a spoiled checkpoint", &good, &old, &[&spoiled]), Found::Broken(None));
}

/// Where a flipped bit is in no entry's line, both only have to say that something is wrong.
fn found_nowhere(found: &Found) -> Found {
    match found {
        Found::Broken(index) => Found::Broken(*index),
        Found::Holds(_) => Found::Broken(None),
    }
}

#[tokio::test]
async fn l10_an_older_or_another_database_is_not_opened_under_the_keys() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let service = open(directory.path()).await;
    service.initialise().await.unwrap();
    people(&service, ["Ada Lind", "Bo", "Cy Young", "Di Prince"]).await;
    service.close().await;
    drop(service);
    std::fs::copy(at("a.db"), at("old.db")).unwrap();
    std::fs::create_dir(at("old-keys")).unwrap();
    let files = std::fs::read_dir(at("keys")).unwrap().map(|file| file.unwrap().path());
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(at("old-keys"), private).unwrap();
    files.for_each(|file| {
        std::fs::copy(&file, at("old-keys").join(file.file_name().unwrap())).unwrap();
    });
    let service = open(directory.path()).await;
    people(&service, ["Ed Norton", "Flo Rida", "Gus Fring", "Hal Jordan"]).await;
    service.close().await;
    drop(service);
    // The copy goes on by itself, under a copy of the keys: a fork.
    let serve = |database: &str, keys: &str| {
        let database = format!("sqlite://{}", at(database).display());
        let keys = at(keys).display().to_string();
        let listen = ["--listen", "127.0.0.1:0", "--database", &database, "--keys", &keys];
        let output = Command::new(BINARY).arg("serve").args(listen).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let behind = serve("old.db", "keys");
    assert!(
        behind.contains("is an older copy") && behind.contains("countersign restore"),
        "{behind}"
    );
    let empty = serve("new.db", "keys");
    assert!(empty.contains("the database is empty") && empty.contains("--keys"), "{empty}");

    std::fs::rename(at("a.db"), at("newest.db")).unwrap();
    std::fs::rename(at("keys"), at("newest-keys")).unwrap();
    std::fs::rename(at("old.db"), at("a.db")).unwrap();
    std::fs::rename(at("old-keys"), at("keys")).unwrap();
    let service = open(directory.path()).await;
    people(&service, ["Ida Wells", "Jo March", "Kit Carson", "Lou Reed"]).await;
    people(&service, ["Max Born", "Ned Kelly", "Ola Nord", "Pia Zad"]).await;
    service.close().await;
    drop(service);
    let forked = serve("a.db", "newest-keys");
    assert!(
        forked.contains("another database") && forked.contains("countersign restore"),
        "{forked}"
    );

    std::fs::write(at("keys/checkpoint.key"), [7; 32]).unwrap();
    let other = serve("a.db", "keys");
    assert!(other.contains("another checkpoint key"), "{other}");
    std::fs::write(at("keys/newest.checkpoint"), "nonsense").unwrap();
    let spoiled = serve("a.db", "keys");
    assert!(
        spoiled.contains("newest checkpoint") && spoiled.contains("no signed note"),
        "{spoiled}"
    );
}

#[tokio::test]
async fn l10_a_server_under_which_the_database_went_back_vouches_for_nothing_any_more() {
    let directory = tempfile::tempdir().unwrap();
    let older = directory.path().join("older.db");
    let service = open(directory.path()).await;
    service.initialise().await.unwrap();
    people(&service, ["Ada Lind", "Bo", "Cy Young", "Di Prince"]).await;
    service.close().await;
    drop(service);
    std::fs::copy(directory.path().join("a.db"), &older).unwrap();
    let service = open(directory.path()).await;
    people(&service, ["Ed Norton", "Flo Rida", "Gus Fring", "Hal Jordan"]).await;
    service.close().await;
    drop(service);
    let newest = directory.path().join("keys/newest.checkpoint");
    let vouched = std::fs::read(&newest).unwrap();

    // A server goes on, on what a standby has that took over.
    let keys = KeyRing::open(&directory.path().join("keys"), &OsEntropy).unwrap();
    let store = SqliteStore::open(&older, Arc::new(SystemClock::default())).await.unwrap();
    let service = under(keys, store);
    let behind = service.issue_checkpoint().await.unwrap_err();
    assert!(matches!(behind, LedgerError::Behind { .. }) && behind.is_final(), "{behind}");
    for name in ["Ida Wells", "Jo March", "Kit Carson", "Lou Reed", "Max Born"] {
        service.add_person(&Steward::Operator, name, &["approvers"]).await.unwrap();
    }
    let forked = service.issue_checkpoint().await.unwrap_err();
    assert!(matches!(forked, LedgerError::Forked { .. }) && forked.is_final(), "{forked}");
    assert_eq!(std::fs::read(&newest).unwrap(), vouched);
}

#[tokio::test]
async fn l09_a_change_of_keys_that_was_interrupted_is_ended_at_the_next_opening() {
    let directory = tempfile::tempdir().unwrap();
    let service = open(directory.path()).await;
    service.initialise().await.unwrap();
    let named = service.name_next_key().await.unwrap();
    service.add_person(&Steward::Operator, "Ada Lind", &[]).await.unwrap();
    let retired = service.issue_checkpoint().await;
    assert!(matches!(retired, Err(LedgerError::OtherKey { .. })), "{retired:?}");
    // Killed here: the entry is written, the key is not yet in its place.
    service.close().await;
    drop(service);
    let leftover = directory.path().join("keys/checkpoint.key.next");
    assert!(leftover.exists());
    let service = open(directory.path()).await;
    assert!(!leftover.exists());
    let issued = service.issue_checkpoint().await.unwrap().unwrap();
    Checkpoint::open(&issued.note, &named).unwrap();
}

#[tokio::test]
async fn i8_proofs_made_by_one_command_are_checked_by_another_without_the_database() {
    let scene = Scene::new().await;
    let at = |name: &str| scene.directory.path().join(name).display().to_string();
    let ledger = |arguments: &[&str]| {
        let output = run(&[&["ledger"], arguments].concat(), scene.directory.path());
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    let (old, new) = (scene.vkey(0), scene.vkey(1));
    let entry = scene.export.line(4);
    std::fs::write(at("entry"), entry).unwrap();
    std::fs::write(at("other"), scene.export.line(5)).unwrap();
    assert!(ledger(&["proof", "4", "--output", &at("4.tlog-proof")]).0);
    let check = |entry: &str, key: &str| {
        ledger(&["proof", "--check", &at("4.tlog-proof"), "--entry", &at(entry), "--key", key])
    };
    assert_eq!(
        check("entry", &new),
        (true, format!("The proof holds: this is entry 4 of {}\n", scene.export.size()))
    );
    assert!(check("other", &new).1.contains("does not lead from this entry"));
    assert!(check("entry", &old).1.contains("is not signed by the key"));
    assert!(ledger(&["proof", "9999"]).1.contains("no checkpoint covers entry 9999"));

    std::fs::write(at("old.checkpoint"), &scene.issued[0]).unwrap();
    assert!(ledger(&["checkpoint", "--output", &at("new.checkpoint")]).0);
    assert!(ledger(&["checkpoint", "--since", &at("old.checkpoint"), "--output", &at("proof")]).0);
    let check = |from: &str, proof: &str, keys: &[&str]| {
        let (from, proof, to) = (at(from), at(proof), at("new.checkpoint"));
        let mut arguments = vec!["checkpoint", "--check", &to, "--since", &from, "--proof", &proof];
        keys.iter().for_each(|key| arguments.extend(["--key", key]));
        ledger(&arguments)
    };
    let (holds, said) = check("old.checkpoint", "proof", &[&old, &new]);
    assert!(holds, "{said}");
    assert!(check("old.checkpoint", "proof", &[&new]).1.contains("is not signed by the key"));
    std::fs::write(at("later.checkpoint"), &scene.issued[1]).unwrap();
    let (holds, said) = check("later.checkpoint", "proof", &[&old, &new]);
    assert!(!holds && said.contains("the proof does not hold"), "{said}");
}

#[tokio::test]
async fn l09_the_retired_key_is_gone_and_the_ledger_goes_on_under_the_next() {
    let scene = Scene::new().await;
    let checked = run(&["ledger", "verify", "--key", &scene.vkey(0)], scene.directory.path());
    assert!(checked.status.success(), "{checked:?}");
    let printed = run(&["ledger", "checkpoint", "--vkey"], scene.directory.path());
    let keys = String::from_utf8(printed.stdout).unwrap();
    assert_eq!(keys, format!("{}\n{}\n", scene.vkey(0), scene.vkey(1)));
    let leftover = scene.directory.path().join("keys/checkpoint.key.next");
    assert!(!leftover.exists());
}
