//! What happened, in order: one line an entry of the ledger.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::{RequestView, TimelineFact, TimelineItem};

use super::Reader;
use crate::components::card::Card;
use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::wording::state;

/// The timeline, oldest first.
pub fn section(view: &RequestView, reader: &Reader) -> AnyView {
    let lines = view
        .timeline
        .iter()
        .map(|item| line(item, view.now, reader.name.as_deref()))
        .collect_view();
    view! {
        <Card id="timeline" title="Timeline" note="from the ledger".into_any()>
            <ol class="in time" role="list">{lines}</ol>
        </Card>
    }
    .into_any()
}

fn line(item: &TimelineItem, now: Timestamp, viewer: Option<&str>) -> AnyView {
    let did = state::did(&item.what);
    let said = if state::by_the_gate(&item.what) {
        let mut letters = did.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}", letters.as_str()).into_any()
    } else if viewer == Some(item.actor.as_str()) {
        view! { <b>"You"</b>" "{did} }.into_any()
    } else {
        view! { <b><Untrusted text=item.actor.clone()/></b>" "{did} }.into_any()
    };
    view! {
        <li>
            <When at=item.at now/>
            <div>
                <span>{said}{more(&item.what, now)}</span>
                <small class="index" title="Index in the ledger">{format!(" #{}", item.index)}</small>
                {quote(item)}
            </div>
        </li>
    }
    .into_any()
}

fn more(fact: &TimelineFact, now: Timestamp) -> Option<AnyView> {
    match fact {
        TimelineFact::EvidenceOpened { name } => {
            Some(view! { ": "<Untrusted text=name.clone()/> }.into_any())
        }
        TimelineFact::QuorumMet { until, .. } => {
            Some(view! { ", to be redeemed before "<When at=*until now/> }.into_any())
        }
        TimelineFact::Refused { code, .. } => {
            Some(view! { ": "<code>{code.clone()}</code> }.into_any())
        }
        TimelineFact::Staged { .. }
        | TimelineFact::Approved
        | TimelineFact::Denied
        | TimelineFact::QuorumLost
        | TimelineFact::Expired
        | TimelineFact::Withdrawn
        | TimelineFact::Redeemed
        | TimelineFact::Lapsed
        | TimelineFact::Reported { .. } => None,
    }
}

fn quote(item: &TimelineItem) -> Option<AnyView> {
    let has_text = matches!(
        item.what,
        TimelineFact::Approved | TimelineFact::Denied | TimelineFact::Reported { .. }
    );
    match item.text.clone() {
        Some(text) => {
            Some(view! { <blockquote><Untrusted text preformatted=true/></blockquote> }.into_any())
        }
        None if has_text => Some(view! { <em class="missing">"text erased"</em> }.into_any()),
        None => None,
    }
}
