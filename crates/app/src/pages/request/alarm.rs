//! What somebody has to look into now, at the top of the page: an outcome that nobody knows, a
//! halt under way, an end that left something undone, a freeze that covers the request.

use domain::{State, StateName, Timestamp};
use leptos::prelude::*;
use service::view::RequestView;

use super::Reader;
use crate::components::freeze::Scope;
use crate::components::untrusted::Untrusted;
use crate::components::when::{Relative, When};
use crate::wording::person;

/// Every bar that the state of the request calls for; most have none.
pub fn bars(view: &RequestView, reader: &Reader) -> AnyView {
    view! { {state(view, reader)}{frozen(view)} }.into_any()
}

/// Whether the way back matters more than anything else on the page.
pub fn rollback_first(view: &RequestView) -> bool {
    match &view.state {
        State::Executing { halt, .. } => halt.is_some() || freeze_halts(view),
        State::Failed { .. }
        | State::Halted { .. }
        | State::OutcomeUnknown { .. }
        | State::RollbackFailed { .. } => true,
        State::Pending
        | State::ChangesRequested { .. }
        | State::Approved { .. }
        | State::Denied { .. }
        | State::Expired { .. }
        | State::Withdrawn { .. }
        | State::Revoked { .. }
        | State::Lapsed { .. }
        | State::Succeeded { .. }
        | State::RolledBack { .. } => false,
    }
}

/// A freeze that is on tells this execution to halt, whether or not somebody asked for it here.
fn freeze_halts(view: &RequestView) -> bool {
    view.stop.freezes.iter().any(|freeze| freeze.halts)
}

fn state(view: &RequestView, reader: &Reader) -> Option<AnyView> {
    let when = |at: Timestamp| view! { <When at now=view.now/> };
    match &view.state {
        State::OutcomeUnknown { at, .. } => Some(unknown(view, *at)),
        State::RollbackFailed { at, .. } => Some(
            view! {
                <section class="bar-note alarm" aria-labelledby="alarm-title">
                    <h2 id="alarm-title">"It could not be undone"</h2>
                    <p>{executor(view)}" reported "{when(*at)}" that the rollback failed. People have to put it right by hand: the plan and what was reported are below."</p>
                    {contact(view)}
                </section>
            }
            .into_any(),
        ),
        State::Executing { release, halt } if halt.is_some() || freeze_halts(view) => {
            let asked = match &view.stop.halt {
                Some((by, at)) => {
                    let by = person::all_of(std::slice::from_ref(by), reader.name.as_deref());
                    view! { "Asked by "<b>{by}</b>", "{when(*at)}". " }.into_any()
                }
                None => "A freeze that is on asks for it. ".into_any(),
            };
            Some(
                view! {
                    <section class="bar-note alarm" aria-labelledby="alarm-title">
                        <h2 id="alarm-title">"Asked to halt"</h2>
                        <p>{asked}{executor(view)}" hears it at its next heartbeat, due before "{when(release.lease_until)}" ("<Relative at=release.lease_until now=view.now/>"). Then it stops, follows the rollback plan and reports."</p>
                        <p>"Until it reports, take it as still running."</p>
                        {contact(view)}
                    </section>
                }
                .into_any(),
            )
        }
        State::Failed { .. } | State::Halted { .. } => Some(not_undone(view)),
        State::Pending
        | State::ChangesRequested { .. }
        | State::Approved { .. }
        | State::Executing { .. }
        | State::Denied { .. }
        | State::Expired { .. }
        | State::Withdrawn { .. }
        | State::Revoked { .. }
        | State::Lapsed { .. }
        | State::Succeeded { .. }
        | State::RolledBack { .. } => None,
    }
}

fn unknown(view: &RequestView, at: Timestamp) -> AnyView {
    view! {
        <section class="bar-note alarm" aria-labelledby="alarm-title">
            <h2 id="alarm-title">"Nobody knows how this ended"</h2>
            <p>
                {executor(view)}" began and fell silent: its sign of life was due "
                <When at now=view.now/>". It may have run wholly, in part, or not at all. It is never tried again by itself."
            </p>
            <ol class="steps">
                <li>"Look at the target: "{targets(view)}</li>
                <li>"Ask whoever runs "{executor(view)}". A late report still counts, and settles this."</li>
                <li>"Follow the rollback plan below if you find it half done. Stage nothing again before you know."</li>
            </ol>
            {contact(view)}
        </section>
    }
    .into_any()
}

fn not_undone(view: &RequestView) -> AnyView {
    let how = if view.state.name() == StateName::Failed { "It failed" } else { "It was halted" };
    view! {
        <section class="bar-note" aria-labelledby="alarm-title">
            <h2 id="alarm-title">{how}", and no rollback is reported"</h2>
            <p>"Part of it may be done. The rollback plan is below; what "{executor(view)}" says is with the outcome."</p>
            {contact(view)}
        </section>
    }
    .into_any()
}

/// A freeze does not keep anybody from deciding; it keeps what is decided from happening.
fn frozen(view: &RequestView) -> Option<AnyView> {
    let waits = view.state.name().is_open() || view.state.name() == StateName::Approved;
    let row = |freeze: &service::view::FreezeRow| {
        view! {
            <li>
                <b>"A freeze covers this: "</b><Scope scope=freeze.scope.clone()/>
                <small>" "{freeze.by.clone()}", "<When at=freeze.at now=view.now/></small>
                <blockquote><Untrusted text=freeze.reason.clone()/></blockquote>
            </li>
        }
    };
    (waits && !view.stop.freezes.is_empty()).then(|| {
        view! {
            <section class="bar-note" aria-label="Frozen">
                <ul role="list">{view.stop.freezes.iter().map(row).collect_view()}</ul>
                <p>"It can be reviewed, and even approved. It cannot be redeemed before the freeze ends, and its deadlines do not wait."</p>
            </section>
        }
        .into_any()
    })
}

fn executor(view: &RequestView) -> AnyView {
    view! { <b><Untrusted text=view.executor.name.clone()/></b> }.into_any()
}

fn targets(view: &RequestView) -> AnyView {
    if view.targets.is_empty() {
        return "the request names none; see exactly what was to run.".into_any();
    }
    let target = |text: &String| view! { <code><Untrusted text=text.clone()/></code>" " };
    view.targets.iter().map(target).collect_view().into_any()
}

fn contact(view: &RequestView) -> Option<AnyView> {
    let text = view.rollback_plan.as_ref()?.contact.clone()?;
    Some(view! { <p>"Contact in the rollback plan: "<b><Untrusted text/></b></p> }.into_any())
}
