//! A token as it arrives, and what has to hold of it (RFC 7519, RFC 8725).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::trust::Terms;
use domain::{Timestamp, canonical};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// How far the issuer's clock may be from ours.
const LEEWAY_S: i64 = 60;
/// The longest life of a token: 24 hours. Whoever steals one has it for so long.
const MAX_LIFE_S: i64 = 24 * 3600;

/// A token whose signature nobody has looked at.
pub(super) struct Claimed<'a> {
    text: &'a str,
    algorithm: Algorithm,
    kid: String,
    claims: Value,
}

impl<'a> Claimed<'a> {
    /// Reads header and claims; `None` for what is no token that we would take from anybody.
    pub fn read(text: &'a str) -> Option<Self> {
        if text.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let mut parts = text.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        // `none` and whatever else is no algorithm of the library fails here.
        let header = jsonwebtoken::decode_header(text).ok()?;
        let typed = header.typ.as_deref().is_none_or(|typ| {
            ["jwt", "at+jwt", "application/at+jwt"].contains(&typ.to_ascii_lowercase().as_str())
        });
        // SECURITY: a token never says where its own key is, nor what we have to understand.
        let plain = header.crit.is_none()
            && header.jku.is_none()
            && header.x5u.is_none()
            && header.jwk.is_none()
            && header.zip.is_none()
            && header.enc.is_none();
        let kid = header.kid.filter(|kid| kid.len() <= 255)?;
        if !typed || !plain {
            return None;
        }
        // Read as strictly as all JSON here: no key twice, so that nobody reads it another way.
        let claims = canonical::parse(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        claims.is_object().then_some(Self { text, algorithm: header.alg, kid, claims })
    }

    /// What it says, whoever wrote it.
    pub fn claims(&self) -> &Value {
        &self.claims
    }

    /// By which name the issuer is asked for the key: nothing else is made of it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Until when it is good, if the key has signed it and its times hold; otherwise why not.
    pub fn verified(
        &self,
        key: &Jwk,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Timestamp, &'static str> {
        let key = DecodingKey::from_jwk(key).map_err(|_| "the issuer's key is unusable")?;
        let mut validation = Validation::new(self.algorithm);
        validation.set_issuer(&[&terms.issuer]);
        validation.set_audience(&[&terms.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // By our clock, below: the library knows only the machine's.
        validation.validate_exp = false;
        let decoded = jsonwebtoken::decode::<Value>(self.text, &key, &validation);
        #[cfg(not(planted = "a_signature_is_not_checked"))]
        decoded.map_err(|_| "signature, issuer or audience do not hold")?;
        self.times(now)
    }

    fn times(&self, now: Timestamp) -> Result<Timestamp, &'static str> {
        let now = now.seconds();
        let time = |name: &str| match self.claims.get(name) {
            None => Ok(None),
            // INVARIANT: within ±(2^53−1), as all numbers are read; so no sum below overflows.
            Some(value) => value.as_i64().map(Some).ok_or("a time is no whole number"),
        };
        let exp = time("exp")?.ok_or("it has no end")?;
        if now >= exp + LEEWAY_S {
            return Err("it has expired");
        }
        if exp > now + MAX_LIFE_S + LEEWAY_S {
            return Err("it lives for more than 24 hours");
        }
        if time("nbf")?.is_some_and(|nbf| nbf > now + LEEWAY_S) {
            return Err("it is not valid yet");
        }
        if let Some(iat) = time("iat")? {
            if iat > now + LEEWAY_S {
                return Err("it was issued in the future");
            }
            if exp - iat > MAX_LIFE_S {
                return Err("it lives for more than 24 hours");
            }
        }
        let until = (exp + LEEWAY_S).saturating_mul(1_000_000);
        Timestamp::from_micros(until).ok_or("its end is no time")
    }
}
