//! The public keys of issuers: asked for when a token needs one, and kept for a while.
//!
//! SECURITY: only issuers of a trust are asked, at most once a minute each, whatever tokens arrive
//! (10 s after a failure). An issuer that is away is believed until its keys are too old; then its
//! tokens open nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use async_trait::async_trait;
use domain::Timestamp;
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use serde::Deserialize;
use serde_json::Value;

/// Keys are kept for as long as the issuer says, within these bounds: 5 minutes and 24 hours.
const KEPT_S: std::ops::RangeInclusive<i64> = 300..=24 * 3600;
/// An issuer is asked again for a key that it did not have after this long.
const ASKED_AGAIN_S: i64 = 60;
/// An issuer that did not answer is asked again after this long.
const TRIED_AGAIN_S: i64 = 10;
/// The most keys of one issuer.
const MAX_KEYS: usize = 100;
/// Sizes of RSA moduli, in base64url characters: 2,048 to 4,096 bits.
const RSA_CHARS: std::ops::RangeInclusive<usize> = 342..=684;
/// The `use` of keys in a SPIFFE bundle that sign JWT-SVIDs.
const JWT_SVID: &str = "jwt-svid";

/// What an address gave.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub body: Vec<u8>,
    /// `max-age` of its Cache-Control (RFC 9111 §5.2.2.1).
    pub max_age_s: Option<i64>,
}

/// Why an address gave nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotFetched(pub String);

/// Asks for public documents: bounded in size and time, without redirects, and only where the
/// operator lets it.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Asks for one.
    async fn fetch(&self, url: &str) -> Result<Fetched, NotFetched>;
}

/// The start of an issuer's metadata (OpenID Connect Discovery 1.0 §3).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// An issuer's keys, and until when they count.
struct Known {
    keys: Vec<Jwk>,
    until: Timestamp,
}

#[derive(Default)]
struct Issuer {
    known: RwLock<Option<Arc<Known>>>,
    /// Held by whoever asks the issuer: when it was asked last, and whether it answered.
    asked: tokio::sync::Mutex<Option<(Timestamp, bool)>>,
}

/// What is known of every issuer.
#[derive(Default)]
pub(crate) struct Issuers {
    fetch: OnceLock<Arc<dyn Fetch>>,
    by_name: Mutex<HashMap<String, Arc<Issuer>>>,
}

impl Issuers {
    pub fn ask_by(&self, fetch: Arc<dyn Fetch>) {
        // Whoever came first is kept.
        let _ = self.fetch.set(fetch);
    }

    /// The issuer's key of this name for this algorithm.
    pub async fn key(
        &self,
        name: &str,
        kid: &str,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Option<Jwk> {
        let issuer = {
            let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(by_name.entry(name.to_owned()).or_default())
        };
        if let Some(key) = issuer.find(kid, algorithm, now) {
            return Some(key);
        }
        let mut asked = issuer.asked.lock().await;
        // Somebody may have asked while this one waited.
        if let Some(key) = issuer.find(kid, algorithm, now) {
            return Some(key);
        }
        let too_soon = asked.is_some_and(|(at, answered)| {
            let pause = if answered { ASKED_AGAIN_S } else { TRIED_AGAIN_S };
            (0..pause).contains(&now.seconds_since(at))
        });
        if too_soon {
            return None;
        }
        // Before it is asked: a caller who hangs up in between does not make it be asked again.
        *asked = Some((now, false));
        let answer = self.ask(name, now).await;
        *asked = Some((now, answer.is_ok()));
        match answer {
            Ok(known) => issuer.learn(known),
            Err(error) => {
                tracing::warn!(
                    issuer = name,
                    error = &error as &dyn std::error::Error,
                    "an issuer of tokens gave no keys"
                );
            }
        }
        issuer.find(kid, algorithm, now)
    }

    async fn ask(&self, name: &str, now: Timestamp) -> Result<Known, NotFetched> {
        let broken = |what: &str| NotFetched(format!("`{name}` {what}"));
        let fetch =
            self.fetch.get().ok_or_else(|| broken("is asked for nothing by this process"))?;
        let url = format!("{}/.well-known/openid-configuration", name.trim_end_matches('/'));
        let found = fetch.fetch(&url).await?;
        let discovery: Discovery = serde_json::from_slice(&found.body)
            .map_err(|_| broken("has no metadata with `issuer` and `jwks_uri`"))?;
        // SECURITY: metadata of another issuer vouches for nothing here (Discovery 1.0 §4.3).
        if discovery.issuer != name {
            return Err(broken("has the metadata of another issuer"));
        }
        let found = fetch.fetch(&discovery.jwks_uri).await?;
        let keys = usable_keys(&found.body).ok_or_else(|| broken("has no usable keys"))?;
        let kept = found.max_age_s.unwrap_or(0).clamp(*KEPT_S.start(), *KEPT_S.end());
        Ok(Known { keys, until: now.plus_seconds(kept) })
    }
}

impl Issuer {
    fn find(&self, kid: &str, algorithm: Algorithm, now: Timestamp) -> Option<Jwk> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        if now < known.until { find(&known.keys, kid, algorithm) } else { None }
    }

    fn learn(&self, known: Known) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(known));
    }
}

/// The key of this name that verifies this algorithm.
pub(crate) fn find(keys: &[Jwk], kid: &str, algorithm: Algorithm) -> Option<Jwk> {
    let named = |key: &&Jwk| key.common.key_id.as_deref() == Some(kid);
    keys.iter().filter(named).find(|key| verifies(key, algorithm)).cloned()
}

/// The keys of a JWKS that can verify anything; those that cannot are passed over. `None` where
/// there is none, or more than anybody has.
pub(crate) fn usable_keys(jwks: &[u8]) -> Option<Vec<Jwk>> {
    let document: Value = serde_json::from_slice(jwks).ok()?;
    let listed = document.get("keys")?.as_array()?;
    if listed.len() > MAX_KEYS {
        return None;
    }
    let read = |key: &Value| serde_json::from_value::<Jwk>(key.clone()).ok();
    let usable = |key: &Jwk| key.common.key_id.is_some() && !algorithms(key).is_empty();
    let keys: Vec<Jwk> = listed.iter().filter_map(read).filter(usable).collect();
    (!keys.is_empty()).then_some(keys)
}

/// SECURITY: RFC 8725 §3.1. The key says which algorithms there are, never the token alone. A shared
/// secret is no key here, so that no public key can be taken for one.
fn verifies(key: &Jwk, algorithm: Algorithm) -> bool {
    let named = key.common.key_algorithm;
    algorithms(key).contains(&algorithm)
        && named.is_none_or(|named| named == KeyAlgorithm::from(algorithm))
}

fn algorithms(key: &Jwk) -> &'static [Algorithm] {
    let signs = match &key.common.public_key_use {
        None | Some(PublicKeyUse::Signature) => true,
        Some(PublicKeyUse::Other(other)) => other == JWT_SVID,
        Some(PublicKeyUse::Encryption) => false,
    };
    match &key.algorithm {
        _ if !signs => &[],
        AlgorithmParameters::RSA(rsa) if RSA_CHARS.contains(&rsa.n.len()) => &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(ec) => match ec.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            &[Algorithm::EdDSA]
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a09_the_algorithms_are_those_of_the_key_and_a_secret_is_no_key() {
        let (modulus, short) = ("A".repeat(342), "A".repeat(171));
        let rsa = |n: &str| json!({"kty": "RSA", "kid": "k", "n": n, "e": "AQAB"});
        let ec = |curve: &str| json!({"kty": "EC", "kid": "k", "crv": curve, "x": "AA", "y": "AA"});
        let usable = |key: Value| {
            let keys = usable_keys(json!({"keys": [key]}).to_string().as_bytes());
            keys.map(|keys| algorithms(&keys[0]).to_vec()).unwrap_or_default()
        };
        assert_eq!(usable(rsa(&modulus)).len(), 6);
        assert_eq!(usable(ec("P-256")), [Algorithm::ES256]);
        assert_eq!(usable(ec("P-384")), [Algorithm::ES384]);
        let okp = json!({"kty": "OKP", "kid": "k", "crv": "Ed25519", "x": "AA"});
        assert_eq!(usable(okp), [Algorithm::EdDSA]);
        let mut svid = rsa(&modulus);
        svid["use"] = json!("jwt-svid");
        assert_eq!(usable(svid.clone()).len(), 6);
        svid["use"] = json!("enc");
        for bad in [
            svid,
            rsa(&short),
            ec("P-521"),
            json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0"}),
            json!({}),
        ] {
            assert!(usable(bad.clone()).is_empty(), "{bad}");
        }
        let mut named = rsa(&modulus);
        named["alg"] = json!("RS256");
        let keys = usable_keys(json!({"keys": [named]}).to_string().as_bytes()).unwrap();
        assert!(find(&keys, "k", Algorithm::RS256).is_some());
        for algorithm in [Algorithm::PS256, Algorithm::HS256, Algorithm::ES256] {
            assert!(find(&keys, "k", algorithm).is_none(), "{algorithm:?}");
        }
        assert!(find(&keys, "K", Algorithm::RS256).is_none());
    }
}
