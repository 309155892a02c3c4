//! What an author is told about a body that is staged all the same: so far, what looks like a secret.
//!
//! A warning stops nothing: it says what people will see, while it can still be left out.

use domain::Digest;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::StageAnswer;
use crate::caller::AgentCaller;
use crate::evidence::is_searched;
use crate::secret::{self, Finding};
use crate::{Failure, Service};

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    pub code: &'static str,
    /// JSON Pointer (RFC 6901) into the body.
    pub pointer: String,
    pub detail: String,
}

/// The sorts in words, with how often and where.
fn listed(findings: &[Finding]) -> String {
    let one = |finding: &Finding| {
        let lines: Vec<String> = finding.lines.iter().take(5).map(usize::to_string).collect();
        let more = if finding.lines.len() > lines.len() { ", …" } else { "" };
        let word = if finding.lines.len() == 1 { "line" } else { "lines" };
        format!("{} ({word} {}{more})", finding.sort, lines.join(", "))
    };
    findings.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl Service {
    /// The answer with its warnings: of the body, so that a retry is told the same.
    ///
    /// It is staged by now: where nothing can be read, nothing is said, rather than that it failed.
    pub(super) async fn warned(
        &self,
        caller: &AgentCaller,
        mut answer: StageAnswer,
        body: &Value,
    ) -> StageAnswer {
        match self.warnings(caller, body).await {
            Ok(warnings) => answer.request.warnings = warnings,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "no warnings given");
            }
        }
        answer
    }

    /// What a body that holds has in it that its author should look at.
    pub(super) async fn warnings(
        &self,
        caller: &AgentCaller,
        body: &Value,
    ) -> Result<Vec<Warning>, Failure> {
        let mut warnings = Vec::new();
        for (pointer, findings) in secret::find_in(body) {
            let in_content = pointer.starts_with("/evidence/") && pointer.ends_with("/content");
            warnings.push(if in_content {
                in_evidence(pointer, &findings)
            } else {
                in_request(pointer, &findings)
            });
        }
        let items = body["evidence"].as_array().into_iter().flatten();
        for (index, item) in items.enumerate() {
            let findings = self.found_in_upload(caller, item).await?;
            if !findings.is_empty() {
                warnings.push(in_evidence(format!("/evidence/{index}/digest"), &findings));
            }
        }
        Ok(warnings)
    }

    async fn found_in_upload(
        &self,
        caller: &AgentCaller,
        item: &Value,
    ) -> Result<Vec<Finding>, Failure> {
        let digest = item["digest"].as_str().and_then(|text| text.parse::<Digest>().ok());
        let Some(digest) = digest else { return Ok(Vec::new()) };
        let media_type = item["media_type"].as_str().unwrap_or_default();
        let size = self.store.evidence_size(caller.agent, digest).await?;
        if !size.is_some_and(|size| is_searched(media_type, size)) {
            return Ok(Vec::new());
        }
        let bytes = self.store.evidence_bytes(digest).await?.unwrap_or_default();
        Ok(std::str::from_utf8(&bytes).map(secret::find).unwrap_or_default())
    }
}

fn in_evidence(pointer: String, findings: &[Finding]) -> Warning {
    let detail = format!(
        "holds what looks like a secret: {}. People are shown it masked, and can have it unmasked. \
         Leave it out, and replace it if it is real: the original is stored",
        listed(findings)
    );
    Warning { code: "secret_in_evidence", pointer, detail }
}

fn in_request(pointer: String, findings: &[Finding]) -> Warning {
    let sorts: Vec<&str> = findings.iter().map(|finding| finding.sort).collect();
    let detail = format!(
        "looks like a secret: {}. It is part of what people approve, so they are shown it as it is, \
         and it stays on record. Name where the executor finds it instead",
        sorts.join(", ")
    );
    Warning { code: "secret_in_request", pointer, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_says_what_and_where_and_never_the_secret() {
        let text = format!("x\n{}", "password: \"hunter2 hunter2\"\n".repeat(7));
        let warning = in_evidence("/evidence/0/content".into(), &secret::find(&text));
        assert!(warning.detail.contains("password or key (lines 2, 3, 4, 5, 6, …)"), "{warning:?}");
        assert!(!warning.detail.contains("hunter2"), "{warning:?}");
    }
}
