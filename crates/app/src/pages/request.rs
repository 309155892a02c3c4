//! The request: the page on which people decide.
//!
//! Facts before the agent's own words, in the order a careful reader wants them; the decision is
//! always one step away.

mod action;
mod band;
mod content;
mod decision;
mod evidence;
mod notices;
mod outcome;
mod over;
mod requirements;
mod risk;
mod rollback;
mod says;
mod timeline;

use domain::StateName;
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
    let recorded_note = recorded.then(|| notices::recorded(&view, &reader, &draft_key));
    let unrecorded_note = draft.as_ref().map(|draft| notices::unrecorded(&draft.problem));
    let level = words::class(view.risk.level);
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
            {band::band(&view, &reader)}
            <div class="record">
                {risk::section(&view)}
                {action::section(&view)}
                {evidence::section(&view)}
                {rollback::section(&view)}
                {says::section(&view)}
                {outcome::section(&view)}
                {timeline::section(&view, &reader)}
            </div>
            {thumb(&view)}
            <aside id="decide" aria-label="Decision">
                {decision::card(&view, draft, draft_key, &reader)}
                {requirements::card(&view, &reader)}
            </aside>
        </main>
        <DraftKeeper/>
    }
    .into_any()
}

/// On a phone: the deadline and the way to the decision, within reach of a thumb.
fn thumb(view: &RequestView) -> Option<AnyView> {
    let open = matches!(view.decision, DecisionView::Open { .. });
    (view.state.name() == StateName::Pending).then(|| {
        let (filled, seats) = person::seats(&view.requirements);
        let (at, now) = (view.review_deadline, view.now);
        let label = if open { "Decide" } else { "Reviews" };
        view! {
            <p class="thumb">
                <span>
                    <When at now zone=true/>
                    <br/>
                    <Relative at now/>
                    {format!(" · {filled} of {seats} reviews")}
                </span>
                <a class="btn act" href="#decide">{label}</a>
            </p>
        }
        .into_any()
    })
}
