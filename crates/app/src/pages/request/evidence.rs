//! Evidence: what the agent shows for its case. Opening a piece is recorded.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::{EvidenceContent, EvidenceView, RequestView};

use super::{content, secrets};
use crate::components::card::Card;
use crate::components::untrusted::Untrusted;
use crate::components::when::{Relative, When};
use crate::text;
use crate::wording::number;

/// Every piece of evidence; those that the viewer opened show their content.
pub fn section(view: &RequestView) -> AnyView {
    let opened = view.evidence.iter().filter(|item| item.opened_at.is_some()).count();
    let note = format!("{opened} of {} opened by you", view.evidence.len());
    if view.evidence.is_empty() {
        return view! {
            <Card id="evidence" title="Evidence">
                <p class="in soft">"None was given, and this kind asks for none."</p>
            </Card>
        }
        .into_any();
    }
    let items = list(view, &view.evidence, 0);
    view! {
        <Card id="evidence" title="Evidence" note=note.into_any()>
            {items}
        </Card>
    }
    .into_any()
}

/// Pieces of evidence, the first of which has `before` others of this request before it.
pub fn list(view: &RequestView, evidence: &[EvidenceView], before: usize) -> Option<AnyView> {
    if evidence.is_empty() {
        return None;
    }
    let base = format!("/requests/{}/evidence", view.id);
    let items = evidence
        .iter()
        .enumerate()
        .map(|(index, evidence)| item(evidence, before + index + 1, &base, view.now))
        .collect_view();
    Some(view! { <ul class="evidence" role="list">{items}</ul> }.into_any())
}

fn item(evidence: &EvidenceView, position: usize, base: &str, now: Timestamp) -> AnyView {
    let id = format!("evidence-{position}");
    let address = format!("{base}/{}", evidence.digest);
    let body = match &evidence.content {
        None => view! { {closed(evidence, &address, now)} }.into_any(),
        Some(EvidenceContent::Text(shown)) => opened(evidence, shown, &id, &address, now),
        Some(EvidenceContent::Download) => view! {
            <div class="ev">
                <b class="name"><Untrusted text=evidence.name.clone()/></b>
                {status(evidence)}
                <small>{about(evidence, now)}" · not text, or too long for a page, and not searched for secrets: "{download(&address)}</small>
            </div>
        }
        .into_any(),
    };
    let anchor =
        if matches!(evidence.content, Some(EvidenceContent::Text(_))) { None } else { Some(id) };
    view! { <li id=anchor>{body}</li> }.into_any()
}

/// Not opened yet: a button that records the opening.
fn closed(evidence: &EvidenceView, address: &str, now: Timestamp) -> AnyView {
    view! {
        <form class="ev" method="post" action=format!("{address}/open")>
            <button class="link name"><span class="sr">"Open "</span><Untrusted text=evidence.name.clone()/></button>
            {status(evidence)}
            <small>{about(evidence, now)}</small>
        </form>
    }
    .into_any()
}

/// Opened: the content in place.
fn opened(
    evidence: &EvidenceView,
    shown: &str,
    id: &str,
    address: &str,
    now: Timestamp,
) -> AnyView {
    let presenter =
        evidence.presenter.unwrap_or_else(|| content::by_media_type(&evidence.media_type));
    let hidden = text::hidden_count(shown);
    let hidden = (hidden > 0).then(|| {
        let count = number::count(hidden, "hidden character", "hidden characters");
        view! { <span class="bad">{format!(" · {count} made visible")}</span> }
    });
    // What is masked to this person is not given to them as a file either.
    let is_masked = !evidence.secrets.is_empty() && evidence.unmasked_at.is_none();
    let file = (!is_masked).then(|| view! { " · "{download(address)} });
    view! {
        <details open=true id=id.to_owned()>
            <summary class="ev">
                <b class="name"><Untrusted text=evidence.name.clone()/></b>
                {status(evidence)}
                <small>{about(evidence, now)}</small>
            </summary>
            {secrets::notice(evidence, address, now)}
            {content::shown(presenter, shown, &evidence.name)}
            <p class="under">
                <code class="hash">{number::digest_short(&evidence.digest)}</code>
                {is_masked.then_some(" of the original")}
                {hidden}{file}
            </p>
        </details>
    }
    .into_any()
}

fn status(evidence: &EvidenceView) -> AnyView {
    if evidence.opened_at.is_some() {
        view! { <span class="good">"✓ opened"</span> }.into_any()
    } else {
        view! { <span class="not-yet">"○ not opened"</span> }.into_any()
    }
}

fn about(evidence: &EvidenceView, now: Timestamp) -> AnyView {
    let required = evidence.required.then_some("required · ");
    let collected = evidence.collected_at.map(|at| {
        view! { " · collected "<When at now/>", "<Relative at now/> }
    });
    let source = evidence.source.clone().map(|source| view! { " · from "<Untrusted text=source/> });
    view! {
        {required}
        <Untrusted text=evidence.evidence_type.clone()/>
        " · "{number::size(evidence.size_bytes)}
        {collected}
        {source}
    }
    .into_any()
}

fn download(address: &str) -> AnyView {
    view! { <a href=format!("{address}/download") download="">"Download"</a> }.into_any()
}
