//! What a model should do next, in the names of tools; the API says the same in those of routes.

use domain::{Signal, StateName};
use service::query::AgentRequest;

/// What a reviewer's wish for changes leads to.
const AMEND: &str = "Call amend_request with the whole changed body, or withdraw_request.";

/// The request, with advice for a model.
pub(super) fn advised(mut request: AgentRequest) -> AgentRequest {
    request.next = after_state(request.state);
    if let Some(objection) = &mut request.changes_requested {
        objection.retry = AMEND;
    }
    request
}

fn after_state(state: StateName) -> &'static str {
    match state {
        StateName::Pending => {
            "People decide, at review_url: give it and binding_code to whoever you work for. Call wait_for_decision, again while it is pending; do not act yet."
        }
        StateName::ChangesRequested => {
            "Read changes_requested.justification, then call amend_request. Do not act."
        }
        StateName::Approved => {
            "The executor may call redeem_release with this digest, before approved_until. Do not act before that."
        }
        StateName::Executing => {
            "Carry exactly this out. Call send_heartbeat well before lease_until, stop on `halt`, then call report_outcome."
        }
        StateName::Denied => "Do not act, and do not route around it. Read denial.justification.",
        StateName::Expired => "Nobody decided in time, which is a no. Do not act.",
        StateName::Withdrawn => "It was withdrawn. Do not act.",
        StateName::Revoked => "The approval was revoked. Do not act.",
        StateName::Lapsed => {
            "The approval was not used in time and is dead. Do not act; stage again if it is still needed."
        }
        StateName::Succeeded => {
            "Nothing: the outcome is recorded. If it has to be undone, call report_rollback afterwards."
        }
        StateName::Failed | StateName::Halted => {
            "Follow the rollback plan, then call report_rollback with how that ended."
        }
        StateName::OutcomeUnknown => {
            "The lease ended without a report. Find out what happened, then call report_outcome. Never do it again blindly."
        }
        StateName::RolledBack | StateName::RollbackFailed => {
            "Nothing: the outcome and its rollback are recorded."
        }
    }
}

/// After a heartbeat.
pub(super) fn on(signal: Signal) -> &'static str {
    match signal {
        Signal::Continue => "Go on. Send the next heartbeat well before lease_until.",
        Signal::Halt => {
            "Stop now, follow the rollback plan, then call report_outcome with status `halted`."
        }
    }
}

/// Which tool helps after a refusal, where the problem itself speaks of routes.
pub(super) fn after(code: &str) -> &'static str {
    match code {
        "invalid_body" | "malformed_json" => {
            "Mend the arguments and call again; get_kind has the schema of the parameters and an example that works."
        }
        "not_found" => "list_kinds and list_requests tell what there is.",
        "unavailable" => "Call again with the same arguments.",
        _ => "",
    }
}
