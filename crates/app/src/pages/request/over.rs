//! What happened to a request that people cannot decide now, by whom, and what is next.

use domain::{Actor, State, Timestamp, Verdict};
use leptos::prelude::*;
use service::view::{RequestView, TimelineFact};

use super::{Reader, way};
use crate::components::untrusted::Untrusted;
use crate::components::when::{Relative, When};
use crate::wording::person;

/// The story in two sentences.
pub fn told(view: &RequestView, reader: &Reader) -> AnyView {
    let now = view.now;
    let when = |at: Timestamp| view! { <When at now/> };
    match &view.state {
        State::Pending => view! { <p>"It waits for reviews."</p> }.into_any(),
        State::ChangesRequested { at, .. } => view! {
            <p><b>"Changes requested"</b>{by(view, reader, Verdict::RequestChanges)}" "{when(*at)}"."</p>
            <p>{agent(view)}" reads what was asked for. It amends the request, and everybody reviews the new revision afresh; or it withdraws it."</p>
            <p class="hint">"Neither before "<When at=view.review_deadline now zone=true/>": it expires ("<Relative at=view.review_deadline now/>")."</p>
        }
        .into_any(),
        State::Approved { approved_at, approved_until, .. } => view! {
            <p><b class="good">"Approved"</b>{approved_by(view, reader)}" "{when(*approved_at)}"."</p>
            <p>{executor(view)}" may redeem it once, until "{when(*approved_until)}" ("<Relative at=*approved_until now/>"). Unused by then, it lapses."</p>
            {way::obstacles(view)}
        }
        .into_any(),
        State::Denied { at, .. } => view! {
            <p><b class="bad">"Denied"</b>{by(view, reader, Verdict::Deny)}" "{when(*at)}"."</p>
            <p>"Nothing ran, and nothing can: "{again(view)}</p>
        }
        .into_any(),
        State::Expired { at } => view! {
            <p><b>"Expired"</b>" "{when(*at)}": it was not decided in time."</p>
            <p>"Silence is never a yes. Nothing ran."</p>
        }
        .into_any(),
        State::Withdrawn { at, by } => view! {
            <p><b>"Withdrawn"</b>{withdrawn_by(by)}" "{when(*at)}", before it was decided."</p>
            <p>"Nothing ran."</p>
        }
        .into_any(),
        State::Revoked { at, .. } => view! {
            <p><b>"Revoked"</b>{whose(view, reader, |fact| matches!(fact, TimelineFact::Revoked))}" "{when(*at)}", unused."</p>
            <p>"Approved"{approved_by(view, reader)}". Nothing ran, and nothing can: to do it after all, the agent stages it again."</p>
        }
        .into_any(),
        // Whether it ran after the backup was made is not known here.
        State::Lapsed { at } if is_voided(view) => view! {
            <p><b>"Void"</b>" since "{when(*at)}", when the gate went on from a backup. It was approved"{approved_by(view, reader)}"."</p>
            <p>"It may have run before that: ask whoever has its executor. Under this approval nothing runs any more."</p>
        }
        .into_any(),
        State::Lapsed { at } => view! {
            <p><b>"Lapsed"</b>" "{when(*at)}": approved"{approved_by(view, reader)}", but not redeemed in time."</p>
            <p>"Nothing ran. To do it after all, the agent stages it again."</p>
        }
        .into_any(),
        State::Executing { .. }
        | State::Succeeded { .. }
        | State::Failed { .. }
        | State::Halted { .. }
        | State::OutcomeUnknown { .. }
        | State::RolledBack { .. }
        | State::RollbackFailed { .. } => released(view, reader),
    }
}

/// From redemption on.
fn released(view: &RequestView, reader: &Reader) -> AnyView {
    let now = view.now;
    let when = |at: Timestamp| view! { <When at now/> };
    let redeemed = || view.state.release().map(|release| when(release.redeemed_at));
    let ended = |class: &'static str, word: &'static str, at: Timestamp| {
        view! { <p>"Redeemed "{redeemed()}", reported as "<b class=class>{word}</b>" "{when(at)}"."</p> }
    };
    let approved = || approved_by(view, reader);
    match &view.state {
        State::Executing { release, .. } => view! {
            <p><b>"Running"</b>" since "{when(release.redeemed_at)}". Approved"{approved()}"."</p>
            <p>{executor(view)}" has to give a sign of life before "{when(release.lease_until)}", and report by "{when(release.report_by)}". Otherwise the outcome is unknown."</p>
        }
        .into_any(),
        State::Succeeded { at, .. } if view.staged_by.is_some() => view! {
            <p><b class="good">"It holds"</b>" since "{when(*at)}". Approved"{approved()}"."</p>
            <p>"The gate carried it out itself. To undo it, somebody proposes the opposite."</p>
        }
        .into_any(),
        State::Succeeded { at, .. } => view! {
            {ended("good", "succeeded", *at)}
            <p>"Approved"{approved()}". The release is spent; nothing more can run under it."</p>
        }
        .into_any(),
        State::Failed { at, .. } => view! {
            {ended("bad", "failed", *at)}
            <p>"Approved"{approved()}". The release is spent: trying again needs a new request."</p>
        }
        .into_any(),
        State::Halted { at, .. } => view! {
            {ended("bad", "halted", *at)}
            <p>"Approved"{approved()}". The release is spent: trying again needs a new request."</p>
        }
        .into_any(),
        State::OutcomeUnknown { at, .. } => view! {
            <p>"Redeemed "{redeemed()}". "<b class="bad">"Outcome unknown"</b>" since "{when(*at)}"."</p>
            <p>"Approved"{approved()}". A late report still settles it."</p>
        }
        .into_any(),
        State::RolledBack { at, .. } => view! {
            {ended("good", "rolled back", *at)}
            <p>"Approved"{approved()}". The release is spent."</p>
        }
        .into_any(),
        State::RollbackFailed { at, .. } => view! {
            <p>"Redeemed "{redeemed()}". "<b class="bad">"The rollback failed"</b>", reported "{when(*at)}"."</p>
            <p>"Approved"{approved()}". The release is spent."</p>
        }
        .into_any(),
        State::Pending
        | State::ChangesRequested { .. }
        | State::Approved { .. }
        | State::Denied { .. }
        | State::Expired { .. }
        | State::Withdrawn { .. }
        | State::Revoked { .. }
        | State::Lapsed { .. } => ().into_any(),
    }
}

fn is_voided(view: &RequestView) -> bool {
    view.timeline.iter().any(|item| matches!(item.what, TimelineFact::Voided))
}

/// What it takes to do it after a denial.
fn again(view: &RequestView) -> &'static str {
    match view.staged_by {
        Some(_) => "to do it after all, somebody proposes it anew.",
        None => "the agent sees the reason and has to stage a new request.",
    }
}

fn agent(view: &RequestView) -> AnyView {
    view! { <Untrusted text=view.agent.name.clone()/> }.into_any()
}

fn executor(view: &RequestView) -> AnyView {
    view! { <Untrusted text=view.executor.name.clone()/> }.into_any()
}

fn withdrawn_by(actor: &Actor) -> &'static str {
    match actor {
        Actor::Agent(_) => " by its agent",
        Actor::Person(_) => " by whoever proposed it",
        Actor::System => " by the gate",
    }
}

/// Who approved it: everybody who did, or the one who broke the glass.
fn approved_by(view: &RequestView, reader: &Reader) -> String {
    match &view.break_glass {
        Some(broken) => {
            let by = person::all_of(std::slice::from_ref(&broken.by), reader.name.as_deref());
            format!(" by {by} alone (broken glass)")
        }
        None => by(view, reader, Verdict::Approve),
    }
}

/// ` by Ada Lind and you`: who said this of the present revision.
fn by(view: &RequestView, reader: &Reader, wanted: Verdict) -> String {
    whose(view, reader, |fact| match fact {
        TimelineFact::Reviewed { verdict, revision } => {
            *verdict == wanted && *revision == view.revision
        }
        _ => false,
    })
}

fn whose(view: &RequestView, reader: &Reader, wanted: impl Fn(&TimelineFact) -> bool) -> String {
    let mut names: Vec<String> = Vec::new();
    for item in view.timeline.iter().filter(|item| wanted(&item.what)) {
        if !names.contains(&item.actor) {
            names.push(item.actor.clone());
        }
    }
    let names = person::all_of(&names, reader.name.as_deref());
    if names.is_empty() { names } else { format!(" by {names}") }
}
