//! The policy, and a change to it that waits for a second person.

use app::{PolicyPage, TextDraft};
use domain::{Digest, KindRef, Requirement};
use serde_json::json;
use service::view::{
    FieldChange, PolicyAsk, PolicyVersion, PolicyView, ProposalView, ReplayRow, ReplayView,
    RequestView,
};

use super::request::pending;
use super::{HOSTILE, at, now, request_id, words};

/// A policy of many lines.
fn text() -> String {
    let rule = |number: u32| {
        format!(
            "@id(\"need.{number}\")\n@quorum(\"{number}\")\nforbid (principal, action, resource);\n"
        )
    };
    (1..9).map(rule).collect()
}

fn need(seats: u32, reauth_s: Option<u32>) -> Requirement {
    Requirement {
        id: "need.one".into(),
        group: "approvers".into(),
        seats,
        reauth_s,
        why: "every staged action needs one person".into(),
    }
}

fn replay() -> ReplayView {
    let row = ReplayRow {
        request: request_id(7),
        effect: vec![words("Export "), words(HOSTILE)],
        added: vec![],
        removed: vec![],
        changed: vec![(need(2, None), need(1, Some(300)))],
        refused: None,
        would_be_refused: Some("nobody may release it".into()),
    };
    ReplayView { replayed: 20, laxer: 1, rows: vec![row] }
}

/// Proposed by a person: what it replaces is held against it.
pub fn proposed() -> RequestView {
    let after = text().replace("@quorum(\"5\")", &format!("@quorum(\"1\") // {HOSTILE}"));
    let change = FieldChange {
        pointer: "/policy".into(),
        before: Some(json!(text())),
        after: Some(json!(after.clone())),
    };
    RequestView {
        kind: KindRef { name: "countersign.policy".into(), version: 1 },
        staged_by: Some("Ada Lind".into()),
        action: json!({"parameters": {"text": after, "replaces": 1}}),
        rollback_plan: None,
        evidence: vec![],
        proposal: Some(ProposalView { replaces: 1, changes: vec![change], replay: Some(replay()) }),
        ..pending()
    }
}

/// A draft that was tried, and one that is wrong.
pub fn policy() -> PolicyPage {
    let version = |version: u32| PolicyVersion {
        version,
        digest: Digest::of(&version.to_be_bytes()),
        at: at("22T14:00"),
        text: text(),
    };
    let ask = |group: Option<&str>, reauth_s| PolicyAsk {
        id: "need.one".into(),
        group: group.map(Into::into),
        seats: 2,
        reauth_s,
        why: "production needs two people".into(),
    };
    let problem = "line 2, column 1: rule `need.1`: @quorum(\"one\") is not a number".to_owned();
    PolicyPage {
        view: PolicyView {
            now: now(),
            current: version(2),
            asks: vec![ask(Some("approvers"), None), ask(None, Some(300))],
            versions: vec![version(2), version(1)],
            may_propose: true,
            needs_second_person: true,
        },
        draft: Some(TextDraft {
            text: HOSTILE.into(),
            reason: HOSTILE.into(),
            problems: vec![problem],
        }),
        replay: Some(replay()),
    }
}
