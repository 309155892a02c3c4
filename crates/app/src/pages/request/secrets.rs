//! What looks like a secret: where it is masked, and where it is shown as it is.

use domain::Timestamp;
use leptos::prelude::*;
use service::secret::Finding;
use service::view::{EvidenceView, RequestView};

use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::wording::{number, pointer};

/// The most lines and fields that are named; the others are counted.
const NAMED: usize = 5;

/// Above content in which something looks like a secret: what, where, and how to see it.
pub fn notice(evidence: &EvidenceView, address: &str, now: Timestamp) -> Option<AnyView> {
    if evidence.secrets.is_empty() {
        return None;
    }
    let found = listed(&evidence.secrets);
    let said = match evidence.unmasked_at {
        Some(at) => view! {
            <b>"Shown as it is"</b>": you had it unmasked "<When at now/>". It looks like "{found}"."
        }
        .into_any(),
        None => view! {
            <b>"Masked here"</b>": "{found}". The digest is of the original. Equal marks (#) are equal secrets."
        }
        .into_any(),
    };
    let show = evidence.may_unmask.then(|| {
        view! {
            <form method="post" action=format!("{address}/unmask")>
                <button class="btn">"Show what is masked"</button>
                <small>" It is recorded that you had it shown."</small>
            </form>
        }
    });
    Some(view! { <div class="in secrets" role="note"><p>{said}</p>{show}</div> }.into_any())
}

/// In the request itself nothing is masked: people must see what they approve.
pub fn in_request(view: &RequestView) -> Option<AnyView> {
    if view.secrets.is_empty() {
        return None;
    }
    let place = |(at, findings): &(String, Vec<Finding>)| {
        let sorts: Vec<&str> = findings.iter().map(|finding| finding.sort).collect();
        let name = pointer::parts(at).join(" › ");
        view! { <li><Untrusted text=name/>": "{sorts.join(", ")}</li> }
    };
    let places = view.secrets.iter().take(NAMED).map(place).collect_view();
    let more = view.secrets.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| {
        let count = number::count(more, "more field", "more fields");
        view! { <li>{count}</li> }
    });
    Some(
        view! {
            <div class="in secrets" role="note">
                <p><b>"Something here looks like a secret."</b>" It is part of what you approve, so it is shown as it is and stays on record."</p>
                <ul>{places}{more}</ul>
            </div>
        }
        .into_any(),
    )
}

fn listed(findings: &[Finding]) -> String {
    let one = |finding: &Finding| {
        let lines: Vec<String> = finding.lines.iter().take(NAMED).map(usize::to_string).collect();
        let more = if finding.lines.len() > NAMED { ", …" } else { "" };
        let word = if finding.lines.len() == 1 { "line" } else { "lines" };
        format!("{} × {} ({word} {}{more})", finding.lines.len(), finding.sort, lines.join(", "))
    };
    findings.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_what_where_and_how_often() {
        let finding = Finding { sort: "GitHub token", lines: vec![3] };
        assert_eq!(listed(&[finding]), "1 × GitHub token (line 3)");
        let many = Finding { sort: "password or key", lines: (1..=7).collect() };
        assert_eq!(listed(&[many]), "7 × password or key (lines 1, 2, 3, 4, 5, …)");
    }
}
