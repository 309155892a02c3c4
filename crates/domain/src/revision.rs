//! The revision: the immutable content that is shown, approved and released.
//!
//! INVARIANT: I4. The digest is SHA-256 of the canonical bytes, and the canonical bytes are what
//! is stored; pages, reviews, ledger and token all start from them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical::{self, NotCanonical};
use crate::stage::{ClaimedRisk, CommandLine, RollbackPlan, StageBody, Window};
use crate::{AgentId, Digest, InstanceId, KindRef, PersonId, RequestId, Timestamp};

/// The version of the canonical form. Another form is another string, so old digests keep their rule.
pub const FORMAT: &str = "countersign/revision/v1";
/// The version of the content form.
pub const CONTENT_FORMAT: &str = "countersign/content/v1";

/// Who stages what, under which kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    pub format: String,
    pub instance: InstanceId,
    pub request_id: RequestId,
    pub revision: u32,
    pub agent: AgentId,
    pub executor: AgentId,
    pub kind: KindRef,
    pub parameters: Map<String, Value>,
    pub targets: Vec<String>,
    pub environment: String,
    pub summary: String,
    pub justification: String,
    pub evidence: Vec<EvidenceDescriptor>,
    pub risk: ClaimedRisk,
    pub rollback_plan: Option<RollbackPlan>,
    pub command: Option<CommandLine>,
    pub window: Option<Window>,
    pub on_behalf_of: Option<PersonId>,
    pub ticket: Option<String>,
    pub review_deadline: Option<Timestamp>,
}

/// A piece of evidence as it stands in the revision: never its content, always its digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceDescriptor {
    #[serde(rename = "type")]
    pub evidence_type: String,
    pub name: String,
    pub media_type: String,
    pub digest: Digest,
    pub size_bytes: u64,
    pub source: Option<String>,
    pub collected_at: Option<Timestamp>,
}

/// Where a stage body becomes a revision.
#[derive(Clone, Debug)]
pub struct Identity {
    pub instance: InstanceId,
    pub request_id: RequestId,
    pub revision: u32,
    pub agent: AgentId,
    pub executor: AgentId,
    pub kind: KindRef,
}

/// A revision with its canonical bytes and digests.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    pub revision: Revision,
    pub bytes: Vec<u8>,
    pub digest: Digest,
    pub content_digest: Digest,
}

impl Revision {
    /// Puts a checked stage body, its evidence resolved, into its final form.
    pub fn new(identity: Identity, body: StageBody, evidence: Vec<EvidenceDescriptor>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            instance: identity.instance,
            request_id: identity.request_id,
            revision: identity.revision,
            agent: identity.agent,
            executor: identity.executor,
            kind: identity.kind,
            parameters: body.parameters,
            targets: body.targets,
            environment: body.environment,
            summary: body.summary,
            justification: body.justification,
            evidence,
            risk: body.risk,
            rollback_plan: body.rollback_plan,
            command: body.command,
            window: body.window,
            on_behalf_of: body.on_behalf_of,
            ticket: body.ticket,
            review_deadline: body.review_deadline,
        }
    }

    /// Fixes the canonical bytes and the digests over them.
    ///
    /// # Errors
    /// When a value has no canonical form.
    pub fn seal(self) -> Result<Sealed, NotCanonical> {
        let bytes = canonical::to_bytes(&self)?;
        let digest = Digest::of(&bytes);
        let content_digest = Digest::of(&canonical::to_bytes(&self.content())?);
        Ok(Sealed { revision: self, bytes, digest, content_digest })
    }

    /// What the content digest covers: for recognising repeats, for nothing else.
    fn content(&self) -> Value {
        let Self { parameters, targets, environment, command, .. } = self;
        content(&self.kind.name, parameters, targets, environment, command.as_ref())
    }
}

/// The content digest that a body has once it is staged: with it a stager can tell that what people
/// approved is what it asked for.
///
/// # Errors
/// When a value has no canonical form.
pub fn content_digest(body: &StageBody) -> Result<Digest, NotCanonical> {
    let StageBody { kind, parameters, targets, environment, command, .. } = body;
    let content = content(kind, parameters, targets, environment, command.as_ref());
    Ok(Digest::of(&canonical::to_bytes(&content)?))
}

fn content(
    kind: &str,
    parameters: &Map<String, Value>,
    targets: &[String],
    environment: &str,
    command: Option<&CommandLine>,
) -> Value {
    serde_json::json!({
        "format": CONTENT_FORMAT,
        "kind": kind,
        "parameters": parameters,
        "targets": targets,
        "environment": environment,
        "command": command,
    })
}

/// Reads stored canonical bytes back and insists that they are what `digest` names.
///
/// # Errors
/// When the bytes do not hash to `digest`, are no revision, or are not in canonical form.
pub fn open(bytes: Vec<u8>, digest: Digest) -> Result<Sealed, Tampered> {
    if Digest::of(&bytes) != digest {
        return Err(Tampered);
    }
    let revision: Revision = serde_json::from_slice(&bytes).map_err(|_| Tampered)?;
    let sealed = revision.seal().map_err(|_| Tampered)?;
    if sealed.bytes == bytes { Ok(sealed) } else { Err(Tampered) }
}

/// Stored bytes are not what their digest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored revision is not what its digest names")]
pub struct Tampered;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    pub(crate) fn sample() -> Revision {
        let body: StageBody = serde_json::from_value(json!({
            "kind": "db.export", "parameters": {"rows": 3}, "targets": ["orders"],
            "environment": "production", "summary": "s", "justification": "j",
            "risk": {"factors": []}
        }))
        .unwrap();
        let identity = Identity {
            instance: InstanceId(Uuid::from_u128(1)),
            request_id: RequestId(Uuid::from_u128(2)),
            revision: 1,
            agent: AgentId(Uuid::from_u128(3)),
            executor: AgentId(Uuid::from_u128(3)),
            kind: KindRef { name: "db.export".into(), version: 1 },
        };
        Revision::new(identity, body, vec![])
    }

    #[test]
    fn the_canonical_form_of_version_1_does_not_drift() {
        insta::assert_snapshot!(String::from_utf8(sample().seal().unwrap().bytes).unwrap());
    }

    #[test]
    fn i4_every_field_moves_the_digest() {
        let original = serde_json::to_value(sample()).unwrap();
        let digest = sample().seal().unwrap().digest;
        let other_values = [json!("other"), json!(99), json!({"x": 1}), json!(["x"])];
        for key in original.as_object().unwrap().keys() {
            let mut changed = original.clone();
            changed[key] = other_values.iter().find(|v| **v != original[key]).unwrap().clone();
            let bytes = canonical::to_bytes(&changed).unwrap();
            assert_ne!(Digest::of(&bytes), digest, "{key}");
        }
    }

    #[test]
    fn the_content_digest_ignores_words_and_identity() {
        let base = sample().seal().unwrap();
        let mut same = sample();
        same.summary = "other words".into();
        same.request_id = RequestId(Uuid::from_u128(9));
        let same = same.seal().unwrap();
        assert_eq!(same.content_digest, base.content_digest);
        assert_ne!(same.digest, base.digest);
        let mut other = sample();
        other.environment = "staging".into();
        assert_ne!(other.seal().unwrap().content_digest, base.content_digest);
    }

    #[test]
    fn e11_altered_bytes_are_not_opened() {
        let sealed = sample().seal().unwrap();
        assert_eq!(open(sealed.bytes.clone(), sealed.digest), Ok(sealed.clone()));
        let altered = String::from_utf8(sealed.bytes).unwrap().replace("production", "Production");
        assert_eq!(open(altered.into_bytes(), sealed.digest), Err(Tampered));
    }
}
