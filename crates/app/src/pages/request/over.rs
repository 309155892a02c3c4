//! What happened to a request that is not pending any more, by whom, and what is next.

use domain::{Actor, State, Timestamp};
use leptos::prelude::*;
use service::view::{RequestView, TimelineFact};

use super::Reader;
use crate::components::untrusted::Untrusted;
use crate::components::when::{Relative, When};
use crate::wording::person;

/// The story in two sentences.
pub fn told(view: &RequestView, reader: &Reader) -> AnyView {
    let now = view.now;
    let when = |at: Timestamp| view! { <When at now/> };
    let approved_by = by(view, reader, &TimelineFact::Approved);
    let executor = || view! { <Untrusted text=view.executor.name.clone()/> };
    match &view.state {
        State::Pending => view! { <p>"It waits for reviews."</p> }.into_any(),
        State::Approved { approved_at, approved_until } => view! {
            <p><b class="good">"Approved"</b>{approved_by}" "{when(*approved_at)}"."</p>
            <p>{executor()}" may redeem it once, until "{when(*approved_until)}" ("<Relative at=*approved_until now/>"). Unused by then, it lapses."</p>
        }
        .into_any(),
        State::Denied { at, .. } => view! {
            <p><b class="bad">"Denied"</b>{by(view, reader, &TimelineFact::Denied)}" "{when(*at)}"."</p>
            <p>"Nothing ran, and nothing can: the agent sees the reason and has to stage a new request."</p>
        }
        .into_any(),
        State::Expired { at } => view! {
            <p><b>"Expired"</b>" "{when(*at)}": the reviews were not complete in time."</p>
            <p>"Silence is never a yes. Nothing ran."</p>
        }
        .into_any(),
        State::Withdrawn { at, by } => {
            let who = match by {
                Actor::Agent(_) => "by its agent",
                Actor::Person(_) => "by a person",
                Actor::System => "by the gate",
            };
            view! {
                <p><b>"Withdrawn"</b>" "{who}" "{when(*at)}", before it was decided."</p>
                <p>"Nothing ran."</p>
            }
            .into_any()
        }
        State::Lapsed { at } => view! {
            <p><b>"Lapsed"</b>" "{when(*at)}": approved"{approved_by}", but not redeemed in time."</p>
            <p>"Nothing ran. To do it after all, the agent stages it again."</p>
        }
        .into_any(),
        State::Executing { release } => view! {
            <p><b>"Running"</b>" since "{when(release.redeemed_at)}". Approved"{approved_by}"."</p>
            <p>{executor()}" reports the outcome by "{when(release.report_by)}"."</p>
        }
        .into_any(),
        State::Succeeded { release, at } => view! {
            <p>"Redeemed "{when(release.redeemed_at)}", reported as "<b class="good">"succeeded"</b>" "{when(*at)}"."</p>
            <p>"Approved"{approved_by}". The release is spent; nothing more can run under it."</p>
        }
        .into_any(),
        State::Failed { release, at } => view! {
            <p>"Redeemed "{when(release.redeemed_at)}", reported as "<b class="bad">"failed"</b>" "{when(*at)}"."</p>
            <p>"Approved"{approved_by}". The release is spent: trying again needs a new request. Read the rollback plan."</p>
        }
        .into_any(),
    }
}

/// ` by Ada Lind and you`: whose facts of this sort stand in the timeline.
fn by(view: &RequestView, reader: &Reader, fact: &TimelineFact) -> String {
    let wanted = std::mem::discriminant(fact);
    let mut names: Vec<String> = view
        .timeline
        .iter()
        .filter(|item| std::mem::discriminant(&item.what) == wanted)
        .map(|item| item.actor.clone())
        .collect();
    names.dedup();
    let names = person::all_of(&names, reader.name.as_deref());
    if names.is_empty() { names } else { format!(" by {names}") }
}
