//! The keys that sign release tokens: the one in force, and the one that follows or preceded it.
//!
//! Two files and the time say which is which, and they are read at every use. So servers that share
//! the directory go over to a new key at one instant, without being told or started anew. The rules
//! that must hold: a key is public before it signs, and stays so for as long as what it signed lives.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::apply::TOKEN_LIFE_S;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};

use super::{KEY_BYTES, KeyError, key_file, private, put, thumbprint};
use crate::entropy::Entropy;

/// The seed of the key in force; after a rotation with the time from which it is.
const PRESENT: &str = "release.key";
/// The seed of the key that follows, and the time from which it signs. It stays here, in force, until
/// the rotation after it.
const NEXT: &str = "release.key.next";
/// How long a key is public before it signs: longer than those who check tokens should keep a key set.
const PUBLIC_BEFORE_S: i64 = 600;
/// How long a key stays public after its last signature: a token's life, and clocks that differ.
const PUBLIC_AFTER_S: i64 = TOKEN_LIFE_S + 60;

/// One key with the time from which it signs.
pub(crate) struct ReleaseKey {
    seed: SigningKey,
    from: Timestamp,
}

/// The keys of one moment.
pub(crate) struct ReleaseKeys {
    present: ReleaseKey,
    next: Option<ReleaseKey>,
}

/// A rotation under way.
#[derive(Debug)]
pub struct Rotation {
    /// The id of the key that follows.
    pub key_id: String,
    /// From when it signs.
    pub from: Timestamp,
    /// From when its predecessor is no longer public.
    pub until: Timestamp,
}

impl ReleaseKey {
    fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        let failed = |source| KeyError::File { path: path.display().to_string(), source };
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        private(path, 0o600)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let length = || KeyError::Length { path: path.display().to_string() };
        let (seed, from) = bytes.split_first_chunk::<KEY_BYTES>().ok_or_else(length)?;
        let from = match from {
            [] => 0,
            from => i64::from_be_bytes(from.try_into().map_err(|_| length())?),
        };
        let from = Timestamp::from_micros(from).ok_or_else(length)?;
        Ok(Some(Self { seed: SigningKey::from_bytes(seed), from }))
    }

    fn public(&self) -> [u8; KEY_BYTES] {
        self.seed.verifying_key().to_bytes()
    }

    pub(crate) fn id(&self) -> String {
        thumbprint(&self.public())
    }

    pub(crate) fn signing(&self) -> Result<EncodingKey, KeyError> {
        let der = self.seed.to_pkcs8_der().map_err(|_| KeyError::Encoding)?;
        Ok(EncodingKey::from_ed_der(der.as_bytes()))
    }

    /// Until when its predecessor is public.
    fn predecessor_until(&self) -> Timestamp {
        self.from.plus_seconds(PUBLIC_AFTER_S)
    }
}

impl ReleaseKeys {
    /// Makes the first key where there is none.
    pub(super) fn open(directory: &Path, entropy: &dyn Entropy) -> Result<(), KeyError> {
        if !directory.join(PRESENT).exists() {
            key_file(&directory.join(PRESENT), entropy)?;
        }
        Self::read(directory).map(drop)
    }

    pub(super) fn read(directory: &Path) -> Result<Self, KeyError> {
        // The next one first: where it takes the other's place in between, it is both.
        let next = ReleaseKey::read(&directory.join(NEXT))?;
        let path = directory.join(PRESENT);
        let missing = || KeyError::File {
            path: path.display().to_string(),
            source: io::ErrorKind::NotFound.into(),
        };
        Ok(Self { present: ReleaseKey::read(&path)?.ok_or_else(missing)?, next })
    }

    /// The key that signs what was redeemed at `at`: a retry after a rotation gets the same bytes for
    /// as long as they are worth anything.
    pub(crate) fn at(&self, at: Timestamp) -> &ReleaseKey {
        self.next.as_ref().filter(|next| next.from <= at).unwrap_or(&self.present)
    }

    /// Those that are public at `now`.
    fn public(&self, now: Timestamp) -> impl Iterator<Item = &ReleaseKey> {
        let over = self.next.as_ref().is_some_and(|next| next.predecessor_until() <= now);
        let same = self.next.as_ref().is_some_and(|next| next.public() == self.present.public());
        Some(&self.present).filter(|_| !over && !same).into_iter().chain(&self.next)
    }

    /// The public key of this id, for checking what it signed.
    pub(crate) fn verifying(&self, id: &str, now: Timestamp) -> Option<DecodingKey> {
        let key = self.public(now).find(|key| key.id() == id)?;
        Some(DecodingKey::from_ed_der(&key.public()))
    }

    /// The public keys as a JWK Set (RFC 7517, RFC 8037).
    pub(crate) fn jwks(&self, now: Timestamp) -> Value {
        let jwk = |key: &ReleaseKey| {
            let x = URL_SAFE_NO_PAD.encode(key.public());
            json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                   "kid": key.id(), "x": x})
        };
        json!({"keys": self.public(now).map(jwk).collect::<Vec<_>>()})
    }
}

/// Makes the key that follows, public from now on, and puts away the one before the present.
///
/// # Errors
/// `Rotating` while an earlier rotation is under way; otherwise [`KeyError`] names the file.
pub fn rotate_release(
    directory: &Path,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Rotation, KeyError> {
    private(directory, 0o700)?;
    let failed = |source| KeyError::File { path: directory.display().to_string(), source };
    // Held until the end: of two who rotate at once the second is refused.
    let place = File::open(directory).map_err(failed)?;
    place.lock().map_err(failed)?;
    if let Some(next) = ReleaseKeys::read(directory)?.next {
        let until = next.predecessor_until();
        if now < until {
            return Err(KeyError::Rotating { from: next.from, until });
        }
        std::fs::rename(directory.join(NEXT), directory.join(PRESENT)).map_err(failed)?;
        place.sync_all().map_err(failed)?;
    }
    let mut seed = [0; KEY_BYTES];
    entropy.fill(&mut seed).map_err(|_| KeyError::Entropy)?;
    let key =
        ReleaseKey { seed: SigningKey::from_bytes(&seed), from: now.plus_seconds(PUBLIC_BEFORE_S) };
    let bytes = [seed.as_slice(), &key.from.micros().to_be_bytes()].concat();
    let next = directory.join(NEXT);
    put(&next, &bytes, |file| file.persist(&next)).map_err(failed)?;
    Ok(Rotation { key_id: key.id(), from: key.from, until: key.predecessor_until() })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::{KeyRing, OsEntropy};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000).unwrap().plus_seconds(second)
    }

    fn public(directory: &Path, second: i64) -> Vec<String> {
        let keys = ReleaseKeys::read(directory).unwrap();
        keys.public(at(second)).map(ReleaseKey::id).collect()
    }

    fn signing(directory: &Path, second: i64) -> String {
        ReleaseKeys::read(directory).unwrap().at(at(second)).id()
    }

    #[test]
    fn a_key_is_public_before_it_signs_and_for_as_long_as_what_it_signed_lives() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        KeyRing::open(&path, &OsEntropy).unwrap();
        let first = signing(&path, 0);
        assert_eq!(public(&path, 0), std::slice::from_ref(&first));
        let rotation = rotate_release(&path, at(0), &OsEntropy).unwrap();
        assert_eq!((rotation.from, rotation.until), (at(600), at(960)));
        let second = rotation.key_id;
        let both = [first.clone(), second.clone()];
        for (time, signs, shown) in [
            (0, &first, &both[..]),
            (599, &first, &both),
            (600, &second, &both),
            (959, &second, &both),
            (960, &second, &both[1..]),
        ] {
            assert_eq!(signing(&path, time), *signs, "{time}");
            assert_eq!(public(&path, time), shown, "{time}");
        }
        // What was redeemed before is signed by the key of then, whenever it is asked for again.
        assert_eq!(signing(&path, 599), first);

        // The one after it, which leaves no trace of the first; and no two at once.
        for early in [0, 959] {
            let refused = rotate_release(&path, at(early), &OsEntropy);
            assert!(matches!(refused, Err(KeyError::Rotating { .. })), "{early}");
        }
        let third = rotate_release(&path, at(960), &OsEntropy).unwrap().key_id;
        assert_eq!(public(&path, 960), [second.clone(), third.clone()]);
        assert_eq!((signing(&path, 960), signing(&path, 1560)), (second, third));
        for name in [PRESENT, NEXT] {
            let mode = std::fs::metadata(path.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        KeyRing::open(&path, &OsEntropy).unwrap();
    }

    #[test]
    fn what_a_crash_leaves_of_a_rotation_is_in_nobodys_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        KeyRing::open(&path, &OsEntropy).unwrap();
        // Half of the next key.
        std::fs::write(path.join(".tmpAbCdEf"), "ha").unwrap();
        let second = rotate_release(&path, at(0), &OsEntropy).unwrap().key_id;
        // The second has taken the first one's place, and there is no third yet.
        std::fs::rename(path.join(NEXT), path.join(PRESENT)).unwrap();
        assert_eq!((signing(&path, 700), public(&path, 700)), (second.clone(), vec![second]));
        rotate_release(&path, at(700), &OsEntropy).unwrap();

        std::fs::write(path.join(NEXT), [0; 33]).unwrap();
        assert!(matches!(KeyRing::open(&path, &OsEntropy), Err(KeyError::Length { .. })));
    }

    #[test]
    fn o06_a_next_key_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        KeyRing::open(&path, &OsEntropy).unwrap();
        rotate_release(&path, at(0), &OsEntropy).unwrap();
        let open = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(path.join(NEXT), open).unwrap();
        assert!(matches!(ReleaseKeys::read(&path), Err(KeyError::Open { .. })));
        assert!(matches!(KeyRing::open(&path, &OsEntropy), Err(KeyError::Open { .. })));
    }
}
