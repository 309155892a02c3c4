//! Why a text is no policy, and why a policy could not decide.

use serde::Serialize;

/// One thing that is wrong with a policy's text, where it stands, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PolicyError {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// The `@id` of the rule, where it has one.
    pub policy_id: Option<String>,
    pub message: String,
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if let Some(id) = &self.policy_id {
            write!(f, "rule `{id}`: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for PolicyError {}

/// Why a policy gave no answer. Whoever gets one denies (I5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFailure {
    #[error("the policy asks for no review of this action, so it can never be approved")]
    NoRequirement,
    #[error(
        "rule `{rule}` asks for the owning group, but the kind `{kind}` names none; give the kind \
         an `owning_group`, or let the rule hold only when `resource.kind has owning_group`"
    )]
    NoOwningGroup { rule: String, kind: String },
    #[error("rule `{rule}` could not be evaluated: {message}")]
    Evaluation { rule: String, message: String },
    #[error("`{field}` of the revision cannot be put before the policy: {message}")]
    Subject { field: &'static str, message: String },
    #[error("the policy engine failed: {0}")]
    Engine(String),
}
