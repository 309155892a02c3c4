//! API keys and one-time tokens: how they look, and what is kept of them.
//!
//! `csn_agt_` (agents) or `csn_aud_` (auditors), 30 base62 characters (178 bits), and their CRC-32
//! in 6 more, so that a scanner finds a leaked key and a typing error is seen without a look-up.
//! A key of that entropy needs no slow hash: what is kept is HMAC-SHA-256 under the pepper.

use crate::entropy::Entropy;
use crate::{Failure, KeyRing};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_CHARS: usize = 30;
const CHECK_CHARS: usize = 6;

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyClass {
    Agent,
    Auditor,
}

impl KeyClass {
    fn prefix(self) -> &'static str {
        match self {
            Self::Agent => "csn_agt_",
            Self::Auditor => "csn_aud_",
        }
    }
}

/// A key in clear: exists to be shown once, or to be checked.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainKey {
    text: String,
    class: KeyClass,
}

impl std::fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.class.prefix())?;
        f.write_str("[redacted]")
    }
}

impl PlainKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// When there is no entropy.
    pub fn new(class: KeyClass, entropy: &dyn Entropy) -> Result<Self, Failure> {
        let random = base62(RANDOM_CHARS, entropy)?;
        let text = format!("{}{random}{}", class.prefix(), check(&random));
        Ok(Self { text, class })
    }

    /// Reads a key as it arrives; `None` for anything that was never one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let class = [KeyClass::Agent, KeyClass::Auditor]
            .into_iter()
            .find(|class| text.starts_with(class.prefix()))?;
        let body = text.strip_prefix(class.prefix())?;
        let (random, sum) = body.split_at_checked(RANDOM_CHARS)?;
        let sound = body.bytes().all(|byte| ALPHABET.contains(&byte)) && sum == check(random);
        sound.then(|| Self { text: text.to_owned(), class })
    }

    /// The key itself, to show it once.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Whose key it is.
    pub fn class(&self) -> KeyClass {
        self.class
    }

    /// What tells this key from others on a page: prefix and the first four characters.
    pub fn hint(&self) -> String {
        self.text.chars().take(self.class.prefix().len() + 4).collect()
    }

    /// What is kept.
    pub(crate) fn hash(&self, keys: &KeyRing) -> [u8; 32] {
        keys.pepper(b"api-key", self.text.as_bytes())
    }
}

/// A one-time token of 43 base62 characters (256 bits), for sign-in links.
pub(crate) fn one_time_token(entropy: &dyn Entropy) -> Result<String, Failure> {
    base62(43, entropy)
}

fn base62(count: usize, entropy: &dyn Entropy) -> Result<String, Failure> {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let mut bytes = [0; 64];
        entropy.fill(&mut bytes)?;
        // Only bytes below 4 × 62 are used: each character is equally likely.
        let even = bytes.iter().filter(|byte| **byte < 248).map(|byte| usize::from(*byte) % 62);
        let wanted = count - text.len();
        text.extend(even.filter_map(|at| ALPHABET.get(at)).take(wanted).map(|b| char::from(*b)));
    }
    Ok(text)
}

fn check(random: &str) -> String {
    let mut sum = crc32fast::hash(random.as_bytes()) as usize;
    let mut digits = [b'0'; CHECK_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET.get(sum % 62).copied().unwrap_or(b'0');
        sum /= 62;
    }
    digits.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    #[test]
    fn the_check_characters_are_crc32_in_base62() {
        assert_eq!(check("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"), "0mLq17");
        assert_eq!(check("abcdefghijABCDEFGHIJ0123456789"), "2C2O59");
    }

    #[test]
    fn d10_a_new_key_is_read_back_and_shows_itself_nowhere_else() {
        let key = PlainKey::new(KeyClass::Agent, &OsEntropy).unwrap();
        assert_eq!(PlainKey::parse(key.reveal()), Some(key.clone()));
        assert_eq!(format!("{key:?}"), "csn_agt_[redacted]");
        let other = PlainKey::new(KeyClass::Agent, &OsEntropy).unwrap();
        assert_ne!(key, other);
    }

    #[test]
    fn a08_anything_else_is_no_key() {
        let key = PlainKey::new(KeyClass::Auditor, &OsEntropy).unwrap();
        let good = key.reveal();
        let wrong_sum = format!("{}000000", &good[..good.len() - 6]);
        for bad in ["", "csn_agt_", &good[1..], &good[..good.len() - 1], &wrong_sum, "csn_agt_ü"] {
            assert_eq!(PlainKey::parse(bad), None, "{bad}");
        }
        assert_eq!(PlainKey::parse(&good.to_uppercase()), None);
    }
}
