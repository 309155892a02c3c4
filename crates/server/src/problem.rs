//! Errors of the API: RFC 9457 `application/problem+json` with a closed `code`.

pub mod codes;

use std::any::Any;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::scope::OutsideScope;
use domain::stage::FieldError;
use domain::{Refusal, RequestId, StateName, Timestamp};
use serde::Serialize;
use service::act::ActError;
use service::admission::NotAdmitted;
use service::stage::StageError;
use service::{Failure, describe};
use utoipa::ToSchema;
use utoipa::openapi::{Array, ArrayBuilder, ObjectBuilder, Type};

/// An answer that is no, in the form of RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:countersign:problem:` and the code.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The name of the status.
    pub title: &'static str,
    pub status: u16,
    /// Go by this: the set is closed.
    pub code: &'static str,
    /// What to do about it.
    pub detail: String,
    /// The rules that are broken, where fields are at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = field_errors)]
    pub errors: Vec<FieldError>,
    /// When the release was redeemed, where that is the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = describe::Time)]
    pub redeemed_at: Option<Timestamp>,
    /// The state that the request is in, where that is the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = describe::State)]
    pub state: Option<StateName>,
    /// The request that stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = describe::Id)]
    pub request: Option<RequestId>,
    /// Where to read that request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    pub status_url: Option<String>,
    /// When the same content was denied, where that is the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = describe::Time)]
    pub denied_at: Option<Timestamp>,
    /// The limit that is reached, where that is the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64)]
    pub limit: Option<u64>,
    /// For `Retry-After`, where it is not the same for all answers of this status.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) retry_after_s: Option<u64>,
}

fn field_errors() -> Array {
    let text =
        |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
    let error = ObjectBuilder::new()
        .property(
            "pointer",
            text("The field, as a JSON pointer (RFC 6901); empty for the whole body."),
        )
        .property("detail", text("The rule that it breaks."))
        .property("limit", text("The limit that was passed, where there is one."))
        .required("pointer")
        .required("detail");
    ArrayBuilder::new()
        .description(Some("The rules that are broken, where fields are at fault."))
        .items(error)
        .build()
}

impl Problem {
    /// A problem with a code of its own.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            problem_type: format!("urn:countersign:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            errors: Vec::new(),
            redeemed_at: None,
            state: None,
            request: None,
            status_url: None,
            denied_at: None,
            limit: None,
            retry_after_s: None,
        }
    }

    /// The same, with the time after which the call may be answered otherwise.
    #[must_use]
    pub fn again_in(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// No key, or one that opens nothing; not told which.
    pub fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Send a living key, or a token of a trusted issuer, as `Authorization: Bearer …`. Both are given on the dashboard's Agents page.",
        )
    }

    /// No such thing, or not the caller's.
    pub fn not_found() -> Self {
        let detail = "There is no such thing here, or it is not yours. See GET /api/v1/kinds and GET /api/v1/requests; /reference describes every call.";
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// No checkpoint covers what was asked for.
    pub fn no_checkpoint() -> Self {
        let detail = "No checkpoint covers it yet; one is issued within seconds of the ledger's growth. GET /api/v1/ledger/checkpoint gives the newest.";
        Self::new(StatusCode::NOT_FOUND, "no_checkpoint", detail)
    }

    /// Fields that break rules.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let first = errors.first().map(|error| format!("`{}` {}", error.pointer, error.detail));
        let detail = format!(
            "{}. Nothing was stored. GET /api/v1/kinds/{{name}} has the schema and an example that works.",
            first.unwrap_or_else(|| "The body breaks a rule".to_owned())
        );
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail);
        Self { errors, ..problem }
    }

    /// A query parameter that cannot be understood.
    pub fn bad_query(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
    }

    /// The store is away.
    pub fn unavailable() -> Self {
        let detail = "The database is not available. Nothing was done, or a retry with the same Idempotency-Key will tell.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// A defect of ours.
    pub fn internal() -> Self {
        let detail =
            "A defect on our side; the server's log has it under this answer's x-request-id.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry = match (self.retry_after_s, status) {
            (Some(seconds), _) => Some(HeaderValue::from(seconds)),
            (None, StatusCode::SERVICE_UNAVAILABLE) => Some(HeaderValue::from_static("1")),
            (None, StatusCode::TOO_MANY_REQUESTS) => {
                Some(HeaderValue::from_static(service::sign_in::RETRY_AFTER_S))
            }
            (None, _) => None,
        };
        let challenge = status == StatusCode::UNAUTHORIZED;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(seconds) = retry {
            headers.insert(header::RETRY_AFTER, seconds);
        }
        if challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        tracing::error!(error = &failure as &dyn std::error::Error, "a call failed");
        if failure.is_temporary() { Self::unavailable() } else { Self::internal() }
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NotFound => Self::not_found(),
            ActError::Refused(refusal) => refusal.into(),
            ActError::KeyReused => key_reused(),
            ActError::KeyDead => Self::unauthenticated(),
            ActError::OutsideScope(outside) => outside.into(),
            ActError::Failed(failure) => failure.into(),
        }
    }
}

impl From<StageError> for Problem {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Malformed(malformed) => {
                let detail = format!("{malformed}. Nothing was stored.");
                let problem = Self::new(StatusCode::BAD_REQUEST, "malformed_json", detail);
                let errors =
                    vec![FieldError::new(malformed.pointer.clone(), malformed.problem.to_string())];
                Self { errors, ..problem }
            }
            StageError::Invalid(errors) => Self::invalid(errors),
            StageError::NotAdmitted(reason) => reason.into(),
            StageError::Policy(failure) => {
                tracing::error!(error = &failure as &dyn std::error::Error, "nothing staged");
                let detail = "The policy in force has no answer for this action, so nobody could approve it. Nothing was stored. Ask an administrator to look at the policy.";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "policy_failed", detail)
            }
            StageError::Act(error) => error.into(),
        }
    }
}

impl From<NotAdmitted> for Problem {
    fn from(reason: NotAdmitted) -> Self {
        let no = |code, advice: &str| {
            Self::new(StatusCode::CONFLICT, code, format!("{reason}. {advice}"))
        };
        match &reason {
            NotAdmitted::TooManyPending { limit, .. } => {
                let advice = "Nothing was stored. Wait until people have decided, or withdraw what is not needed any more: GET /api/v1/requests?state=pending lists them.";
                Self { limit: Some((*limit).into()), ..no("too_many_pending", advice) }
            }
            NotAdmitted::Duplicate { request, state, status_url } => {
                let advice = match state {
                    StateName::Approved => {
                        "Nothing was stored. Redeem that one; you can stage it anew once it is redeemed or has lapsed."
                    }
                    _ => {
                        "Nothing was stored. Wait for that one, amend it (POST status_url/revisions), or withdraw it (POST status_url/withdraw) and stage anew."
                    }
                };
                let problem = no("duplicate", advice);
                let (request, status_url) = (Some(*request), Some(status_url.clone()));
                Self { request, status_url, state: Some(*state), ..problem }
            }
            NotAdmitted::JustDenied { request, denied_at, retry_after_s, status_url } => {
                let advice = "Nothing was stored. Do not act. Read `denial` at status_url; stage again only if what was objected to has changed, not before Retry-After is over.";
                let problem = no("just_denied", advice).again_in(*retry_after_s);
                let (request, status_url) = (Some(*request), Some(status_url.clone()));
                Self { request, status_url, denied_at: Some(*denied_at), ..problem }
            }
            NotAdmitted::EvidenceQuota { .. } => no(
                "evidence_quota",
                "Nothing was stored. Name in a stage body what you have uploaded; what no request refers to goes after 24 hours.",
            ),
        }
    }
}

fn key_reused() -> Problem {
    let detail =
        "This Idempotency-Key was used with another body. Use a new key for a new request.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
}

impl From<OutsideScope> for Problem {
    fn from(outside: OutsideScope) -> Self {
        let detail = format!(
            "{outside}. Nothing was done. Use a credential of the agent that reaches as far; an administrator issues them."
        );
        Self::new(StatusCode::FORBIDDEN, OutsideScope::CODE, detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (redeemed_at, state) = match &refusal {
            Refusal::AlreadyRedeemed { at } => (Some(*at), None),
            Refusal::NotPending { state }
            | Refusal::NotApproved { state }
            | Refusal::NotExecuting { state }
            | Refusal::NothingToRollBack { state } => (None, Some(*state)),
            _ => (None, None),
        };
        let problem = Self::new(status(&refusal), refusal.code(), advice(&refusal));
        Self { redeemed_at, state, ..problem }
    }
}

/// The status of a refusal, for agents and people alike.
pub(crate) fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NotStaged => StatusCode::NOT_FOUND,
        Refusal::NotExecutor | Refusal::NotStager | Refusal::Suspended => StatusCode::FORBIDDEN,
        Refusal::NotEligible { .. }
        | Refusal::ReauthenticationNeeded { .. }
        | Refusal::PolicyForbids
        | Refusal::MayNotStop
        | Refusal::NotByBreakGlass
        | Refusal::NoBreakGlassRight
        | Refusal::NotAChange
        | Refusal::OwnBreakGlass => StatusCode::FORBIDDEN,
        Refusal::NoRequirement | Refusal::DeadlinePassed => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::PolicyFailed => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::AlreadyStaged
        | Refusal::NotPending { .. }
        | Refusal::Changed { .. }
        | Refusal::AlreadyReviewed { .. }
        | Refusal::ShownTooLongAgo
        | Refusal::NotApproved { .. }
        | Refusal::DigestMismatch { .. }
        | Refusal::OutsideWindow { .. }
        | Refusal::AlreadyRedeemed { .. }
        | Refusal::NotExecuting { .. }
        | Refusal::WrongLease
        | Refusal::TooManyRevisions { .. }
        | Refusal::Frozen { .. }
        | Refusal::AlreadyHalting { .. }
        | Refusal::NothingToRollBack { .. }
        | Refusal::NothingOwed
        | Refusal::NotDue => StatusCode::CONFLICT,
    }
}

fn advice(refusal: &Refusal) -> String {
    let what = match refusal {
        Refusal::NotApproved { .. } => "Do not act; read the request for what is missing.",
        Refusal::AlreadyRedeemed { .. } => {
            "A release is redeemed once. Retry with the first call's Idempotency-Key to get its token again."
        }
        Refusal::DigestMismatch { .. } => "Read the request and redeem with its `digest`.",
        Refusal::OutsideWindow { .. } => "Come back inside the window.",
        Refusal::NotExecutor => "Redeem with the key of the agent that the kind names as executor.",
        Refusal::WrongLease => "Report with the `lease_id` that redeeming answered.",
        Refusal::Suspended => "Ask an administrator.",
        Refusal::Frozen { .. } => {
            "Do not act. Wait for the freeze to end; the approval lapses at approved_until as ever."
        }
        Refusal::TooManyRevisions { .. } => "Withdraw it, and stage a new request.",
        Refusal::PolicyFailed => "Nothing is released until an administrator mends the policy.",
        _ => "Read the request for its present state.",
    };
    format!("{refusal}. {what}")
}

/// Answers a panic in a handler: 500, and the next request is served as ever (threats K19).
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(panic = text, "a handler panicked");
    Problem::internal().into_response()
}
