//! The key ring: secret keys as separate files of mode 0600 in one directory of mode 0700.
//!
//! Never in the database, never in a backup of it. Created where missing; nodes share the
//! directory.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Timestamp, WebhookId};
use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, PersistError};

use crate::entropy::Entropy;

mod checkpoint;
mod release;

pub(crate) use release::ReleaseKeys;
pub use release::{Rotation, rotate_release};

const KEY_BYTES: usize = 32;
/// Signs checkpoints of the ledger.
const CHECKPOINT: &str = "checkpoint.key";

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot use the key file `{path}`: {source}")]
    File { path: String, source: io::Error },
    #[error("`{path}` can be read by others; make it private: chmod {mode:o} {path}")]
    Open { path: String, mode: u32 },
    #[error("`{path}` is no key of ours: it must hold {KEY_BYTES} bytes")]
    Length { path: String },
    #[error(
        "the release key is being changed: the next one signs from {from}; come back at {until}"
    )]
    Rotating { from: Timestamp, until: Timestamp },
    #[error("a server runs under the keys in `{place}`, or they are being changed; stop it first")]
    Held { place: String },
    #[error("no entropy to make a key")]
    Entropy,
    #[error("a key cannot be encoded")]
    Encoding,
}

/// For what the keys in a directory are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// By a server, beside others.
    Serving,
    /// By whoever puts another database under them.
    Restoring,
}

/// Keys that are held until this is dropped, or the process ends.
#[derive(Debug)]
pub struct Held {
    _lock: File,
}

impl Held {
    /// Holds the keys in `directory`, which is there.
    ///
    /// # Errors
    /// `Held` when others have them who must not be there meanwhile.
    pub fn take(directory: &Path, what: Use) -> Result<Self, KeyError> {
        let path = directory.join("servers.lock");
        let failed = |source| KeyError::File { path: path.display().to_string(), source };
        let mut options = std::fs::OpenOptions::new();
        // NFS locks for reading only what is open to read.
        let lock =
            options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let lock = lock.map_err(failed)?;
        let taken = match what {
            Use::Serving => lock.try_lock_shared(),
            Use::Restoring => lock.try_lock(),
        };
        match taken {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(KeyError::Held { place: directory.display().to_string() })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// The secret keys of one installation.
pub struct KeyRing {
    directory: PathBuf,
    checkpoint: SigningKey,
    pepper: [u8; KEY_BYTES],
    page: [u8; KEY_BYTES],
    webhook: [u8; KEY_BYTES],
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyRing({})", self.place())
    }
}

impl KeyRing {
    /// Opens the key ring in `directory`, making what is missing.
    ///
    /// # Errors
    /// [`KeyError`] names the file and what to do.
    pub fn open(directory: &Path, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let at = |source| KeyError::File { path: directory.display().to_string(), source };
        if !directory.exists() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(at)?;
            synced(&directory.join("..")).map_err(at)?;
        }
        private(directory, 0o700)?;
        let key = |name: &str| key_file(&directory.join(name), entropy);
        ReleaseKeys::open(directory, entropy)?;
        Ok(Self {
            directory: directory.to_owned(),
            checkpoint: SigningKey::from_bytes(&key(CHECKPOINT)?),
            pepper: key("api-key-pepper.key")?,
            page: key("cookie.key")?,
            webhook: key("webhook.key")?,
        })
    }

    /// The keys that sign release tokens, as they are in the directory now.
    pub(crate) fn release(&self) -> Result<ReleaseKeys, KeyError> {
        ReleaseKeys::read(&self.directory)
    }

    /// HMAC-SHA-256 under the API-key pepper, for one purpose.
    pub(crate) fn pepper(&self, purpose: &[u8], text: &[u8]) -> [u8; 32] {
        mac(&self.pepper, purpose, text)
    }

    /// HMAC-SHA-256 under the key for what pages carry, for one purpose.
    pub(crate) fn page(&self, purpose: &[u8], text: &[u8]) -> [u8; 32] {
        mac(&self.page, purpose, text)
    }

    /// The secret of an endpoint in one of its versions. It is kept nowhere: only whoever has the key
    /// knows it, and a copy of the database does not.
    pub(crate) fn webhook_secret(&self, webhook: WebhookId, version: u32) -> [u8; 32] {
        let text = [webhook.0.as_bytes().as_slice(), &version.to_be_bytes()].concat();
        mac(&self.webhook, b"webhook-secret", &text)
    }
}

fn mac(key: &[u8; KEY_BYTES], purpose: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length; for one of the block's length this cannot fail.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.chain_update(purpose).chain_update([0]).chain_update(text).finalize().into_bytes().into()
}

/// The JWK thumbprint (RFC 7638, RFC 8037 §2).
fn thumbprint(public: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(jwk))
}

/// The key in a file, which is made where it is missing.
fn key_file(path: &Path, entropy: &dyn Entropy) -> Result<[u8; KEY_BYTES], KeyError> {
    if let Some(bytes) = read_key(path)? {
        return Ok(bytes);
    }
    let mut bytes = [0; KEY_BYTES];
    entropy.fill(&mut bytes).map_err(|_| KeyError::Entropy)?;
    match put(path, &bytes, |file| file.persist_noclobber(path)) {
        Ok(()) => Ok(bytes),
        // Another server of this directory was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => key_file(path, entropy),
        Err(source) => Err(KeyError::File { path: path.display().to_string(), source }),
    }
}

/// The key in a file, if there is one.
fn read_key(path: &Path) -> Result<Option<[u8; KEY_BYTES]>, KeyError> {
    let failed = |source| KeyError::File { path: path.display().to_string(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    private(path, 0o600)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    let key =
        bytes.try_into().map_err(|_| KeyError::Length { path: path.display().to_string() })?;
    Ok(Some(key))
}

/// Puts a file of mode 0600 there, whole or not at all; it outlives a power cut when this returns.
fn put(
    path: &Path,
    bytes: &[u8],
    persist: impl FnOnce(NamedTempFile) -> Result<File, PersistError>,
) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    persist(file).map_err(|refused| refused.error)?;
    synced(directory)
}

/// What was changed in the directory outlives a power cut when this returns.
fn synced(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Refuses a file or directory that others can read.
fn private(path: &Path, mode: u32) -> Result<(), KeyError> {
    let failed = |source| KeyError::File { path: path.display().to_string(), source };
    let found = std::fs::metadata(path).map_err(failed)?.permissions().mode();
    if found & 0o077 == 0 {
        Ok(())
    } else {
        Err(KeyError::Open { path: path.display().to_string(), mode })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    #[test]
    fn rfc8037_thumbprint_vector() {
        let x = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(
            thumbprint(&x.try_into().unwrap()),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn o06_keys_are_private_made_once_and_refused_when_open_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let first = KeyRing::open(&path, &OsEntropy).unwrap();
        let again = KeyRing::open(&path, &OsEntropy).unwrap();
        let now = Timestamp::from_micros(0).unwrap();
        let jwks = |ring: &KeyRing| ring.release().unwrap().jwks(now);
        assert_eq!(jwks(&first), jwks(&again));
        assert_eq!(first.pepper(b"a", b"x"), again.pepper(b"a", b"x"));
        assert_ne!(first.pepper(b"a", b"x"), first.pepper(b"b", b"x"));
        let names =
            ["release.key", "checkpoint.key", "api-key-pepper.key", "cookie.key", "webhook.key"];
        for name in names {
            let mode = std::fs::metadata(path.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let release = path.join("release.key");
        std::fs::set_permissions(&release, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(KeyRing::open(&path, &OsEntropy), Err(KeyError::Open { .. })));
    }
    #[test]
    fn o06_servers_that_begin_at_once_have_the_same_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let rings: Vec<KeyRing> = std::thread::scope(|scope| {
            let open = || KeyRing::open(&path, &OsEntropy).unwrap();
            let all: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let mut seen: Vec<_> =
            rings.iter().map(|ring| (ring.pepper, ring.page, ring.checkpoint.to_bytes())).collect();
        seen.dedup();
        assert_eq!(seen.len(), 1);
        let files = path.read_dir().unwrap().count();
        assert_eq!(files, 5, "nothing is left over");
    }
}
