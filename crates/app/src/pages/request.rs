//! The request: the page on which people decide.
//!
//! Facts before the agent's own words, in the order a careful reader wants them; the decision is
//! always one step away.

mod action;
mod alarm;
mod amendment;
mod asked;
mod band;
mod content;
mod decision;
mod evidence;
mod form;
mod glass;
mod notices;
mod outcome;
mod over;
mod proposal;
mod requirements;
mod risk;
mod rollback;
mod says;
mod secrets;
mod stop;
mod timeline;
mod way;

use domain::{State, Timestamp};
use leptos::prelude::*;

use crate::components::watched::Watched;
use crate::components::when::{Relative, When};
use crate::islands::draft_keeper::DraftKeeper;
use crate::page::{Chrome, RequestPage};
use crate::wording::{person, risk as words};
use service::view::{DecisionView, RequestView};

/// Who reads the page, as far as its sections need it.
#[derive(Clone, Debug)]
struct Reader {
    /// Their name, to say `you` where it stands.
    name: Option<String>,
    /// Other requests that wait for them.
    waiting: u64,
}

/// The whole page of one request.
pub fn page(chrome: &Chrome, page: RequestPage) -> AnyView {
    let RequestPage { view, draft, recorded } = page;
    let viewer = chrome.viewer.as_ref();
    let reader = Reader {
        name: viewer.map(|viewer| viewer.name.clone()),
        waiting: viewer.map_or(0, |viewer| viewer.waiting),
    };
    let address = format!("/requests/{}", view.id);
    // A draft belongs to one person, one request, one revision.
    let person = viewer.map(|viewer| viewer.person.to_string()).unwrap_or_default();
    let draft_key = format!("{person}.{}.{}", view.id, view.revision);
    let recorded_note = recorded.then(|| notices::recorded(&view, &reader, &draft_key)).flatten();
    let unrecorded_note = draft.as_ref().map(notices::unrecorded);
    let level = words::class(view.risk.level);
    let way_back = || rollback::section(&view);
    let first = alarm::rollback_first(&view);
    view! {
        <Watched
            url=format!("{address}/version")
            seen=view.version.to_string()
            message="This request changed since you opened it."
            link=(address, "Reload")
        />
        <main id="main" tabindex="-1" class=format!("request {level}")>
            {recorded_note}
            {unrecorded_note}
            {band::band(&view)}
            {alarm::bars(&view, &reader)}
            <div class="record">
                {first.then(|| (outcome::section(&view), way_back()))}
                {asked::section(&view, &reader)}
                {amendment::section(&view, &reader)}
                {proposal::section(&view)}
                {risk::section(&view)}
                {action::section(&view)}
                {evidence::section(&view)}
                {(!first).then(way_back)}
                {says::section(&view)}
                {(!first).then(|| outcome::section(&view))}
                {timeline::section(&view, &reader)}
            </div>
            {thumb(&view)}
            <aside id="decide" aria-label="Decision">
                {decision::card(&view, draft.as_ref(), draft_key, &reader)}
                {glass::card(&view, draft.as_ref(), &reader)}
                {requirements::card(&view, &reader)}
            </aside>
        </main>
        <DraftKeeper/>
    }
    .into_any()
}

/// On a phone: the next deadline and the way to what one can do, within reach of a thumb.
fn thumb(view: &RequestView) -> Option<AnyView> {
    let (at, label) = within_reach(view)?;
    let now = view.now;
    let note = if view.stop.freezes.is_empty() || !view.state.name().is_live() {
        let (filled, seats) = person::seats(&view.requirements);
        let open = view.state.name().is_open();
        open.then(|| format!(" · {filled} of {seats} reviews").into_any())
    } else {
        Some(view! { " · "<b class="bad">"frozen"</b> }.into_any())
    };
    Some(
        view! {
            <p class="thumb">
                <span><When at now zone=true/><br/><Relative at now/>{note}</span>
                <a class="btn act" href="#decide">{label}</a>
            </p>
        }
        .into_any(),
    )
}

/// The next deadline, and what the viewer can do before it.
fn within_reach(view: &RequestView) -> Option<(Timestamp, &'static str)> {
    if let Some(broken) = view.break_glass.as_ref().filter(|broken| broken.shown.is_some()) {
        return Some((broken.review_by, "Second review"));
    }
    match &view.state {
        State::Pending => {
            let open = matches!(view.decision, DecisionView::Open(_));
            Some((view.review_deadline, if open { "Decide" } else { "Reviews" }))
        }
        State::ChangesRequested { .. } => Some((view.review_deadline, "Decision")),
        State::Approved { approved_until, .. } => {
            Some((*approved_until, if view.stop.may_revoke { "Revoke…" } else { "Approval" }))
        }
        State::Executing { release, .. } => {
            Some((release.lease_until, if view.stop.may_halt { "Halt…" } else { "Execution" }))
        }
        State::Denied { .. }
        | State::Expired { .. }
        | State::Withdrawn { .. }
        | State::Revoked { .. }
        | State::Lapsed { .. }
        | State::Succeeded { .. }
        | State::Failed { .. }
        | State::Halted { .. }
        | State::OutcomeUnknown { .. }
        | State::RolledBack { .. }
        | State::RollbackFailed { .. } => None,
    }
}
