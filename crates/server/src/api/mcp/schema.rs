//! JSON Schema (draft 2020-12) of what each tool takes and answers.
//!
//! Hints for models and clients: nothing here is enforced here. Arguments are checked by the tool,
//! a stage body by the use case, whose own schema is shown.

use rmcp::model::JsonObject;
use serde_json::{Map, Value, json};
use service::execution::MAX_SUMMARY_CHARS;
use service::schema::STAGE_BODY;

use super::run::MAX_WAIT_S;
use super::tool::Tool;

/// What the tool takes: these arguments and no others.
pub(super) fn input(tool: Tool) -> JsonObject {
    let id = json!({"type": "string", "description": "the `id` of the request"});
    let lease =
        json!({"type": "string", "description": "the `lease_id` that redeem_release answered"});
    let digest = json!({"type": "string", "pattern": "^sha256:[0-9a-f]{64}$", "description": "the `digest` that was approved"});
    let key = json!({"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,128}$", "description": "make one up for this piece of work, and send the same again with every retry of it"});
    let summary = json!({"type": "string", "minLength": 1, "maxLength": MAX_SUMMARY_CHARS});
    let body = json!({"description": "the whole action, exactly as it will be shown, approved and released", "$ref": "#/$defs/body"});
    let seconds =
        json!({"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S, "default": MAX_WAIT_S});
    let mut schema = match tool {
        Tool::ListKinds => taking(&[], json!({})),
        Tool::GetKind => taking(&["name"], json!({"name": {"type": "string"}})),
        Tool::AddEvidence => {
            taking(&["content"], json!({"content": {"type": "string", "minLength": 1}}))
        }
        Tool::ValidateRequest => taking(&["body"], json!({"body": body})),
        Tool::StageRequest => {
            taking(&["body", "idempotency_key"], json!({"body": body, "idempotency_key": key}))
        }
        Tool::AmendRequest => taking(
            &["id", "body", "idempotency_key"],
            json!({"id": id, "body": body, "idempotency_key": key}),
        ),
        Tool::ListRequests => taking(
            &[],
            json!({"state": {"type": "string"}, "cursor": {"type": "string", "description": "`next_cursor` of the page before"}}),
        ),
        Tool::GetRequest | Tool::WithdrawRequest => taking(&["id"], json!({"id": id})),
        Tool::WaitForDecision => taking(&["id"], json!({"id": id, "seconds": seconds})),
        Tool::RedeemRelease => taking(
            &["id", "digest", "idempotency_key"],
            json!({"id": id, "digest": digest, "idempotency_key": key}),
        ),
        Tool::SendHeartbeat => taking(&["id", "lease_id"], json!({"id": id, "lease_id": lease})),
        Tool::ReportOutcome => taking(
            &["id", "lease_id", "status", "summary"],
            json!({"id": id, "lease_id": lease, "status": {"enum": ["succeeded", "failed", "halted"]}, "summary": summary}),
        ),
        Tool::ReportRollback => taking(
            &["id", "lease_id", "status", "summary"],
            json!({"id": id, "lease_id": lease, "status": {"enum": ["rolled_back", "rollback_failed"]}, "summary": summary}),
        ),
    };
    if schema.get("properties").is_some_and(|properties| properties.get("body").is_some()) {
        schema.insert("$defs".to_owned(), stage_body());
    }
    schema
}

fn taking(required: &[&str], properties: Value) -> JsonObject {
    let mut schema = object(required, properties);
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// The definitions of the stage body's schema, and that schema itself as one of them.
fn stage_body() -> Value {
    let mut body: Map<String, Value> = serde_json::from_str(STAGE_BODY).unwrap_or_default();
    let mut definitions = body.remove("$defs").unwrap_or_else(|| json!({}));
    body.remove("$schema");
    definitions["body"] = body.into();
    definitions
}

/// What the tool answers, where it does not refuse.
pub(super) fn output(tool: Tool) -> JsonObject {
    match tool {
        Tool::ListKinds => object(
            &["kinds"],
            json!({"kinds": {"type": "array", "items": object(
                &["name", "version", "title", "description"],
                json!({"name": {"type": "string"}, "version": {"type": "integer"}, "title": {"type": "string"}, "description": {"type": "string"}}),
            )}}),
        ),
        Tool::GetKind => kind(),
        Tool::AddEvidence => object(
            &["digest", "size_bytes"],
            json!({"digest": {"type": "string"}, "size_bytes": {"type": "integer"}}),
        ),
        Tool::ValidateRequest => preview(),
        Tool::ListRequests => object(
            &["requests"],
            json!({"requests": {"type": "array", "items": request()}, "next_cursor": {"type": "string"}}),
        ),
        Tool::RedeemRelease => object(
            &["release_token", "lease_id", "digest", "lease_until", "report_by"],
            json!({
                "release_token": {"type": "string", "description": "a secret: for the system that carries the action out, and nobody else"},
                "lease_id": {"type": "string"}, "digest": {"type": "string"}, "redeemed_at": time(),
                "token_expires_at": time(), "lease_until": time(), "report_by": time(),
            }),
        ),
        Tool::SendHeartbeat => object(
            &["signal", "lease_until", "report_by"],
            json!({"signal": {"enum": ["continue", "halt"]}, "lease_until": time(), "report_by": time()}),
        ),
        Tool::StageRequest
        | Tool::GetRequest
        | Tool::WaitForDecision
        | Tool::AmendRequest
        | Tool::WithdrawRequest
        | Tool::ReportOutcome
        | Tool::ReportRollback => request(),
    }
}

fn object(required: &[&str], properties: Value) -> JsonObject {
    let schema = json!({"type": "object", "required": required, "properties": properties});
    schema.as_object().cloned().unwrap_or_default()
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn kind_ref() -> Value {
    json!({"type": "object", "properties": {"name": {"type": "string"}, "version": {"type": "integer"}}})
}

fn risk() -> Value {
    json!({"type": "object", "properties": {"level": {"enum": ["low", "medium", "high"]}, "facts": {"type": "array"}}})
}

fn warnings() -> Value {
    json!({"type": "array", "description": "what people will be shown masked or marked; nothing was refused for it",
    "items": {"type": "object", "properties": {
        "code": {"type": "string"}, "pointer": {"type": "string"}, "detail": {"type": "string"},
    }}})
}

fn requirements() -> Value {
    json!({"type": "array", "description": "what people have to fill", "items": {"type": "object", "properties": {
        "id": {"type": "string"}, "group": {"type": "string"}, "seats": {"type": "integer"}, "met": {"type": "boolean"},
        "missing": {"type": "integer"}, "who_could": {"type": "integer"}, "why": {"type": "string"},
    }}})
}

fn request() -> JsonObject {
    let objection = json!({"type": "object", "properties": {
        "at": time(), "justification": {"type": ["string", "null"], "description": "a reviewer's words"}, "retry": {"type": "string"},
    }});
    object(
        &[
            "id",
            "revision",
            "digest",
            "state",
            "kind",
            "binding_code",
            "review_url",
            "review_deadline",
            "requirements",
            "next",
        ],
        json!({
            "id": {"type": "string"}, "revision": {"type": "integer"}, "digest": {"type": "string"},
            "content_digest": {"type": "string"}, "state": {"type": "string"}, "kind": kind_ref(), "risk": risk(),
            "binding_code": {"type": "string", "description": "stands on the page, too: so people know that it is this request"},
            "review_url": {"type": "string", "description": "where people decide"}, "status_url": {"type": "string"},
            "staged_at": time(), "review_deadline": time(), "approved_until": time(), "redeemed_at": time(),
            "report_by": time(), "halt_requested": {"type": "boolean"}, "requirements": requirements(),
            "can_be_met": {"type": "boolean"}, "warnings": warnings(), "denial": objection, "changes_requested": objection,
            "next": {"type": "string", "description": "what to do"},
        }),
    )
}

fn preview() -> JsonObject {
    object(
        &["kind", "content_digest", "requirements", "can_be_met", "next"],
        json!({
            "kind": kind_ref(), "content_digest": {"type": "string"}, "risk": risk(), "review_deadline": time(),
            "requirements": requirements(), "can_be_met": {"type": "boolean"}, "warnings": warnings(), "next": {"type": "string"},
        }),
    )
}

fn kind() -> JsonObject {
    object(
        &["name", "version", "parameters_schema", "required_evidence", "example"],
        json!({
            "name": {"type": "string"}, "version": {"type": "integer"}, "title": {"type": "string"},
            "description": {"type": "string"}, "effect": {"type": "string"}, "parameters_schema": {"type": "object"},
            "required_evidence": {"type": "array"}, "rollback_plan_required": {"type": "boolean"}, "command_required": {"type": "boolean"},
            "reversible": {"type": "boolean"}, "reversal_note": {"type": "string"}, "base_risk": {"type": "string"},
            "size": {"type": "object"}, "working_hours_utc": {"type": "object"}, "review_deadline_s": {"type": "integer"},
            "release_ttl_s": {"type": "integer"}, "lease_ttl_s": {"type": "integer"}, "report_deadline_s": {"type": "integer"},
            "executor": {"type": "string"}, "owning_group": {"type": "string"},
            "example": {"type": "object", "description": "a complete body for stage_request"},
        }),
    )
}
