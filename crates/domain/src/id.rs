//! Identifiers. Each is a UUID in a type of its own, so that one cannot stand for another.
//!
//! An identifier names, it never authorises: whoever knows one still has to be allowed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // Only the hyphenated lower-case form: one spelling for one identifier.
                let id = Uuid::try_parse(text)?;
                if id.to_string() == text { Ok(Self(id)) } else { Uuid::try_parse("").map(Self) }
            }
        }
    )+};
}

identifiers! {
    /// One staged action, from staging to its end.
    RequestId,
    /// A non-human identity.
    AgentId,
    /// A human identity.
    PersonId,
    /// A running execution.
    LeaseId,
    /// An API key, named without revealing it.
    KeyId,
    /// A trust in tokens of somebody else.
    TrustId,
    /// A freeze.
    FreezeId,
    /// An endpoint that is told of what happens.
    WebhookId,
    /// One installation; part of every digest, so that no digest means anything elsewhere.
    InstanceId,
}

impl AgentId {
    /// The gate itself: it stages and applies the changes to the house that people ask for.
    pub const HOUSE: Self = Self(Uuid::nil());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_one_spelling() {
        let text = "0192f0a0-0000-7000-8000-00000000abcd";
        assert_eq!(text.parse::<RequestId>().unwrap().to_string(), text);
        for other in [
            "0192F0A0-0000-7000-8000-00000000ABCD",
            "0192f0a000007000800000000000abcd",
            "{0192f0a0-0000-7000-8000-00000000abcd}",
            "",
            "../x",
        ] {
            assert!(other.parse::<RequestId>().is_err(), "{other}");
        }
    }
}
