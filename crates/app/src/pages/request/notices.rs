//! What just happened, at the top of the page.

use domain::{StateName, Verdict};
use leptos::prelude::*;
use service::view::{DecisionView, RequestView, TimelineFact};

use super::Reader;
use crate::page::{Act, Draft};
use crate::wording::{number, person, state};

/// What the viewer did stands: what is true now, and what is next. Nothing, if they did nothing:
/// an address that anybody can make up must not say that something was recorded (threats W13).
pub fn recorded(view: &RequestView, reader: &Reader, draft_key: &str) -> Option<AnyView> {
    let said = done(view, reader)?;
    let next = match reader.waiting {
        0 => view! { "Nothing else waits for you. "<a href="/inbox">"Inbox"</a> }.into_any(),
        waiting => {
            let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
            let label =
                format!("{} you", number::count(waiting, "request waits for", "requests wait for"));
            view! { <a href="/inbox">{label}</a> }.into_any()
        }
    };
    Some(
        view! {
            <p class="notice good" role="status" data-draft-done=draft_key.to_owned()>
                <b>"Recorded."</b>" "{said}" "{next}
            </p>
        }
        .into_any(),
    )
}

/// Something was not recorded: said where a phone lands, with the way to the form.
pub fn unrecorded(draft: &Draft) -> AnyView {
    let what = match draft.act {
        Act::Review(_) | Act::BreakGlass => "Your decision is not recorded.",
        Act::SecondReview(_) => "Your second review is not recorded.",
        Act::Revoke => "The release is not revoked.",
        Act::Halt => "It was not asked to halt.",
        Act::Withdraw => "It is not withdrawn.",
    };
    let kept = (!draft.text.is_empty())
        .then(|| view! { " "<a href="#decide">"What you wrote is kept"</a> });
    view! {
        <p class="notice bad"><b>{what}</b>" "{draft.problem.clone()}{kept}</p>
    }
    .into_any()
}

/// The last thing that the viewer did to the request, and what is true now.
fn done(view: &RequestView, reader: &Reader) -> Option<String> {
    let name = reader.name.as_deref()?;
    let own = view.timeline.iter().rev().filter(|item| item.actor == name);
    own.map(|item| &item.what).find_map(|fact| match fact {
        TimelineFact::Reviewed { .. } => Some(reviewed(view)),
        TimelineFact::GlassBroken { .. } => Some(
            "You approved it alone. It may be redeemed, and a second person has to look at it."
                .to_owned(),
        ),
        TimelineFact::SecondReview { verdict } => {
            Some(format!("You looked at it: {}.", state::second_verdict(*verdict)))
        }
        TimelineFact::Revoked => Some("You revoked the release. Nothing will run.".to_owned()),
        TimelineFact::HaltRequested => {
            Some("The executor hears at its next heartbeat that it has to halt.".to_owned())
        }
        TimelineFact::Withdrawn => Some("You withdrew it. Nothing will change.".to_owned()),
        TimelineFact::Staged { .. }
        | TimelineFact::EvidenceOpened { .. }
        | TimelineFact::Amended { .. }
        | TimelineFact::SecondReviewMissed { .. }
        | TimelineFact::QuorumMet { .. }
        | TimelineFact::QuorumLost
        | TimelineFact::Expired
        | TimelineFact::Redeemed
        | TimelineFact::Heartbeat { .. }
        | TimelineFact::OutcomeMissed { .. }
        | TimelineFact::Lapsed
        | TimelineFact::Voided
        | TimelineFact::Reported { .. }
        | TimelineFact::RollbackReported { .. }
        | TimelineFact::Refused { .. } => None,
    })
}

/// What the review led to.
fn reviewed(view: &RequestView) -> String {
    let you = match view.decision {
        DecisionView::Reviewed { verdict: Verdict::Pass, .. } => "You passed it on.".to_owned(),
        DecisionView::Reviewed { verdict, .. } => {
            format!("You {} this.", person::said_of(verdict))
        }
        DecisionView::Open(_) | DecisionView::Over | DecisionView::NotYou { .. } => String::new(),
    };
    let then = match view.state.name() {
        StateName::Pending => {
            let (filled, seats) = person::seats(&view.requirements);
            let needed = person::still_needed(&view.requirements).unwrap_or_default();
            format!("{filled} of {seats} reviews are in; {needed}.")
        }
        StateName::ChangesRequested => "The agent reads what you asked for.".to_owned(),
        StateName::Approved => "Every review is in: it is approved and may be redeemed.".to_owned(),
        StateName::Denied => "It is denied. Nothing will run.".to_owned(),
        StateName::Expired
        | StateName::Withdrawn
        | StateName::Revoked
        | StateName::Lapsed
        | StateName::Executing
        | StateName::Succeeded
        | StateName::Failed
        | StateName::Halted
        | StateName::OutcomeUnknown
        | StateName::RolledBack
        | StateName::RollbackFailed => "It has moved on since; see below.".to_owned(),
    };
    [you, then].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}
