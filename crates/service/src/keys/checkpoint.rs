//! The key that signs checkpoints, its successor, and the newest checkpoint: what a database cannot
//! take back.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use domain::Checkpoint;
use domain::note::VerifierKey;
use ed25519_dalek::{Signer, SigningKey};

use super::{CHECKPOINT, KeyError, KeyRing, key_file, put, read_key, synced};
use crate::entropy::Entropy;

/// The key that takes over once an entry names it.
const NEXT: &str = "checkpoint.key.next";
/// The newest checkpoint that was issued: a signed note.
const NEWEST: &str = "newest.checkpoint";

/// A checkpoint key at work: it signs under an origin.
#[derive(Clone)]
pub(crate) struct CheckpointKey {
    signing: SigningKey,
    public: VerifierKey,
}

impl CheckpointKey {
    fn new(signing: &SigningKey, origin: &str) -> Result<Self, KeyError> {
        let public = VerifierKey::new(origin, signing.verifying_key().as_bytes());
        let public = public.ok_or(KeyError::Encoding)?;
        Ok(Self { signing: signing.clone(), public })
    }

    pub(crate) fn public(&self) -> &VerifierKey {
        &self.public
    }

    pub(crate) fn sign(&self, text: &str) -> [u8; 64] {
        self.signing.sign(text.as_bytes()).to_bytes()
    }

    /// The signed note of a checkpoint.
    pub(crate) fn note(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text();
        let line = self.public.signature_line(&self.sign(&text));
        format!("{text}\n{line}")
    }
}

impl KeyRing {
    /// The checkpoint key under the origin of an installation.
    pub(crate) fn checkpoint(&self, origin: &str) -> Result<CheckpointKey, KeyError> {
        CheckpointKey::new(&self.checkpoint, origin)
    }

    /// The key that will follow, made on first use.
    pub(crate) fn next_checkpoint(
        &self,
        origin: &str,
        entropy: &dyn Entropy,
    ) -> Result<CheckpointKey, KeyError> {
        let next = key_file(&self.directory.join(NEXT), entropy)?;
        CheckpointKey::new(&SigningKey::from_bytes(&next), origin)
    }

    /// Goes over to the key in force, where the directory has it: as the next one, which takes the place
    /// of the present one then, or in that place already. Answers whether it has.
    pub(crate) fn adopt_checkpoint(
        &mut self,
        in_force: &VerifierKey,
        origin: &str,
    ) -> Result<bool, KeyError> {
        // Of servers that begin at once one puts it there, and the others find it.
        let _lock = self.lock()?;
        for name in [CHECKPOINT, NEXT] {
            let path = self.directory.join(name);
            let Some(bytes) = read_key(&path)? else { continue };
            let signing = SigningKey::from_bytes(&bytes);
            if CheckpointKey::new(&signing, origin)?.public() != in_force {
                continue;
            }
            if name == NEXT {
                std::fs::rename(&path, self.directory.join(CHECKPOINT))
                    .and_then(|()| synced(&self.directory))
                    .map_err(|error| self.failed("", error))?;
            }
            self.checkpoint = signing;
            return Ok(true);
        }
        Ok(false)
    }

    /// The newest checkpoint that was ever issued under these keys.
    pub(crate) fn newest_checkpoint(&self) -> Result<Option<String>, KeyError> {
        match std::fs::read_to_string(self.directory.join(NEWEST)) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(NEWEST, error)),
        }
    }

    /// Remembers a checkpoint beside the keys, unless a larger one is remembered: whole or not at
    /// all, and on the disk when this answers.
    pub(crate) fn keep_newest_checkpoint(&self, size: u64, note: &str) -> Result<(), KeyError> {
        // Nodes share the directory: whoever is slower must not bring an older one back.
        let _lock = self.lock()?;
        let kept = self.newest_checkpoint()?.and_then(|kept| Checkpoint::unverified(&kept).ok());
        if kept.is_some_and(|kept| kept.size >= size) {
            return Ok(());
        }
        self.put_newest_checkpoint(note)
    }

    /// Remembers a checkpoint in the place of whatever was remembered: the ledger goes on from a
    /// backup.
    pub(crate) fn replace_newest_checkpoint(&self, note: &str) -> Result<(), KeyError> {
        let _lock = self.lock()?;
        self.put_newest_checkpoint(note)
    }

    fn lock(&self) -> Result<File, KeyError> {
        let lock = File::open(&self.directory).map_err(|error| self.failed("", error))?;
        lock.lock().map_err(|error| self.failed("", error))?;
        Ok(lock)
    }

    fn put_newest_checkpoint(&self, note: &str) -> Result<(), KeyError> {
        let newest = self.directory.join(NEWEST);
        put(&newest, note.as_bytes(), |file| file.persist(&newest))
            .map_err(|error| self.failed(NEWEST, error))
    }

    /// The directory, as messages name it.
    pub(crate) fn place(&self) -> String {
        self.directory.display().to_string()
    }

    fn failed(&self, name: &str, source: io::Error) -> KeyError {
        let path: PathBuf = self.directory.join(name);
        KeyError::File { path: path.display().to_string(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    const ORIGIN: &str = "gate.example/audit";

    fn note(ring: &KeyRing, size: u64) -> String {
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size, root: [7; 32] };
        ring.checkpoint(ORIGIN).unwrap().note(&checkpoint)
    }

    #[test]
    fn l10_the_newest_checkpoint_is_kept_and_never_becomes_older() {
        let dir = tempfile::tempdir().unwrap();
        let ring = KeyRing::open(&dir.path().join("keys"), &OsEntropy).unwrap();
        assert_eq!(ring.newest_checkpoint().unwrap(), None);
        for (size, kept) in [(5, 5), (9, 9), (7, 9), (9, 9)] {
            ring.keep_newest_checkpoint(size, &note(&ring, size)).unwrap();
            assert_eq!(ring.newest_checkpoint().unwrap(), Some(note(&ring, kept)));
        }
        let again = KeyRing::open(&dir.path().join("keys"), &OsEntropy).unwrap();
        assert_eq!(again.newest_checkpoint().unwrap(), Some(note(&ring, 9)));
        // Only a restore goes back.
        ring.replace_newest_checkpoint(&note(&ring, 4)).unwrap();
        assert_eq!(ring.newest_checkpoint().unwrap(), Some(note(&ring, 4)));
        // What a crash left half-written is in nobody's way.
        std::fs::write(dir.path().join("keys/.tmpAbCdEf"), "ha").unwrap();
        ring.keep_newest_checkpoint(10, &note(&ring, 10)).unwrap();
        assert_eq!(ring.newest_checkpoint().unwrap(), Some(note(&ring, 10)));
    }

    #[test]
    fn l09_the_next_key_waits_until_it_is_adopted_by_all_who_begin_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let ring = KeyRing::open(&path, &OsEntropy).unwrap();
        let first = ring.checkpoint(ORIGIN).unwrap();
        assert!(!path.join(NEXT).exists());
        let next = ring.next_checkpoint(ORIGIN, &OsEntropy).unwrap();
        assert_ne!(first.public(), next.public());
        assert_eq!(ring.next_checkpoint(ORIGIN, &OsEntropy).unwrap().public(), next.public());
        let open = || KeyRing::open(&path, &OsEntropy).unwrap();
        assert_eq!(open().checkpoint(ORIGIN).unwrap().public(), first.public());

        let mut rings: Vec<KeyRing> = (0..8).map(|_| open()).collect();
        std::thread::scope(|scope| {
            for ring in &mut rings {
                scope.spawn(|| assert!(ring.adopt_checkpoint(next.public(), ORIGIN).unwrap()));
            }
        });
        rings.push(open());
        for ring in &mut rings {
            assert_eq!(ring.checkpoint(ORIGIN).unwrap().public(), next.public());
            assert!(!ring.adopt_checkpoint(first.public(), ORIGIN).unwrap(), "it is gone");
        }
        assert!(!path.join(NEXT).exists());
    }
}
