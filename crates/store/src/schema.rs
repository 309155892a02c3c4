//! The schema as a database has it, held against what the migrations make (threats L14).
//!
//! Its triggers and constraints are the second lock on I1 to I4 and I8. Whoever took one away, for
//! a moment or for good, finds that no server starts until it is back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// What else on one of our tables can change what a statement of ours does.
const ACTING: [&str; 2] = ["trigger", "rule"];

/// One thing that is defined in a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Definition {
    /// `table`, `trigger`, `constraint` and so on.
    pub what: String,
    /// The table that it belongs to, if it belongs to one.
    pub on: String,
    pub name: String,
    /// How the database itself writes it down.
    pub text: String,
}

impl Definition {
    fn key(&self) -> (&str, &str, &str) {
        (&self.what, &self.on, &self.name)
    }

    fn named(&self) -> String {
        match self.on.as_str() {
            "" => format!("the {} `{}`", self.what, self.name),
            on if on == self.name => format!("the {} `{on}`", self.what),
            on => format!("the {} `{}` of `{on}`", self.what, self.name),
        }
    }
}

/// Refuses a schema in which something is missing or otherwise, or acts that we do not know.
///
/// # Errors
/// `SchemaAltered` names the first that it finds.
pub(crate) fn expect_same(wanted: &[Definition], found: &[Definition]) -> Result<(), StoreError> {
    let altered = |one: &Definition, how: &str| {
        Err(StoreError::SchemaAltered(format!("{} {how}", one.named())))
    };
    let by_key: BTreeMap<_, _> = found.iter().map(|one| (one.key(), one)).collect();
    for one in wanted {
        match by_key.get(&one.key()) {
            None => return altered(one, "is missing"),
            Some(other) if other.text != one.text => {
                return altered(one, "is not as the migrations make it");
            }
            Some(_) => {}
        }
    }
    let known: BTreeSet<_> = wanted.iter().map(Definition::key).collect();
    let ours: BTreeSet<&str> = wanted.iter().map(|one| one.on.as_str()).collect();
    let strange = |one: &&Definition| {
        ACTING.contains(&one.what.as_str())
            && ours.contains(one.on.as_str())
            && !known.contains(&one.key())
    };
    match found.iter().find(strange) {
        Some(one) => altered(one, "is not of the migrations"),
        None => Ok(()),
    }
}
