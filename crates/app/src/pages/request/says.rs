//! The agent's own words: last of what is read, boxed, and marked as a claim.

use leptos::prelude::*;
use service::view::RequestView;

use crate::components::untrusted::Untrusted;
use crate::wording::risk;

/// Summary, justification, claimed risk and ticket, none of it verified.
pub fn section(view: &RequestView) -> AnyView {
    if let Some(name) = view.staged_by.clone() {
        return view! {
            <section class="says" aria-labelledby="says-title">
                <h2 id="says-title">{name}" says"</h2>
                <p><Untrusted text=view.justification.clone() preformatted=true/></p>
            </section>
        }
        .into_any();
    }
    let claimed = view.claimed_risk.level.map(|level| {
        view! { <p>"It calls the risk "<b>{risk::word(level).to_lowercase()}</b>"."</p> }
    });
    let factors = view
        .claimed_risk
        .factors
        .iter()
        .map(|factor| {
            view! {
                <div>
                    <dt><Untrusted text=factor.name.clone()/></dt>
                    <dd><Untrusted text=factor.detail.clone() preformatted=true/></dd>
                </div>
            }
        })
        .collect_view();
    let ticket = view.ticket.clone().map(|text| view! { <p>"Ticket "<Untrusted text/></p> });
    view! {
        <section class="says" aria-labelledby="says-title">
            <h2 id="says-title">"The agent says · not verified"</h2>
            <p class="summary"><Untrusted text=view.summary.clone() preformatted=true/></p>
            <p><Untrusted text=view.justification.clone() preformatted=true/></p>
            {claimed}
            <dl class="texts">{factors}</dl>
            {ticket}
        </section>
    }
    .into_any()
}
