//! What happened, in order: one line an entry of the ledger.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::{RequestView, TimelineFact, TimelineItem};

use super::Reader;
use crate::components::card::Card;
use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::wording::{number, state};

/// The timeline, oldest first.
pub fn section(view: &RequestView, reader: &Reader) -> AnyView {
    let lines = folded(&view.timeline)
        .into_iter()
        .map(|(item, beats)| line(item, beats, view, reader.name.as_deref()))
        .collect_view();
    view! {
        <Card id="timeline" title="Timeline" note="from the ledger".into_any()>
            <ol class="in time" role="list">{lines}</ol>
        </Card>
    }
    .into_any()
}

/// The lines, a run of heartbeats as its last one with how many there were.
fn folded(items: &[TimelineItem]) -> Vec<(&TimelineItem, usize)> {
    let beats = |item: &TimelineItem| matches!(item.what, TimelineFact::Heartbeat { .. });
    let mut out: Vec<(&TimelineItem, usize)> = Vec::new();
    for item in items {
        match out.last_mut() {
            Some((last, count)) if beats(last) && beats(item) => {
                *last = item;
                *count += 1;
            }
            _ => out.push((item, 1)),
        }
    }
    out
}

fn line(item: &TimelineItem, beats: usize, view: &RequestView, viewer: Option<&str>) -> AnyView {
    let now = view.now;
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
                <span>{said}{more(&item.what, beats, view)}</span>
                <small class="index" title="Index in the ledger">{format!(" #{}", item.index)}</small>
                {quote(item)}
            </div>
        </li>
    }
    .into_any()
}

fn more(fact: &TimelineFact, beats: usize, view: &RequestView) -> Option<AnyView> {
    let now = view.now;
    let when = |at: Timestamp| view! { <When at now/> };
    Some(match fact {
        TimelineFact::EvidenceOpened { name: Some(name), .. } => {
            view! { ": "<Untrusted text=name.clone()/> }.into_any()
        }
        TimelineFact::EvidenceOpened { name: None, evidence, .. } => {
            let short = number::digest_short(evidence);
            view! { " of an earlier revision: "<code class="hash">{short}</code> }.into_any()
        }
        TimelineFact::Reviewed { revision, .. } if *revision != view.revision => {
            format!(" (revision {revision})").into_any()
        }
        TimelineFact::QuorumMet { until } => {
            view! { ", to be redeemed before "{when(*until)} }.into_any()
        }
        TimelineFact::GlassBroken { until, review_by } => view! {
            ", to be redeemed before "{when(*until)}"; a second person has to look at it before "{when(*review_by)}
        }
        .into_any(),
        TimelineFact::Heartbeat { until } => {
            let count = number::count(beats, "heartbeat", "heartbeats");
            view! { {format!(" ({count}); next due before ")}{when(*until)} }.into_any()
        }
        TimelineFact::SecondReviewMissed { due } => view! { " (due "{when(*due)}")" }.into_any(),
        TimelineFact::Refused { code, .. } => view! { ": "<code>{code.clone()}</code> }.into_any(),
        TimelineFact::Staged { .. }
        | TimelineFact::Amended { .. }
        | TimelineFact::Reviewed { .. }
        | TimelineFact::SecondReview { .. }
        | TimelineFact::QuorumLost
        | TimelineFact::Expired
        | TimelineFact::Withdrawn
        | TimelineFact::Revoked
        | TimelineFact::Redeemed
        | TimelineFact::HaltRequested
        | TimelineFact::OutcomeMissed { .. }
        | TimelineFact::Lapsed
        | TimelineFact::Voided
        | TimelineFact::Reported { .. }
        | TimelineFact::RollbackReported { .. } => return None,
    })
}

fn quote(item: &TimelineItem) -> Option<AnyView> {
    match item.text.clone() {
        Some(text) => {
            Some(view! { <blockquote><Untrusted text preformatted=true/></blockquote> }.into_any())
        }
        None if state::has_text(&item.what) => {
            Some(view! { <em class="missing">"text erased"</em> }.into_any())
        }
        None => None,
    }
}
