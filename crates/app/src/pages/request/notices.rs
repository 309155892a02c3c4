//! What just happened, at the top of the page.

use domain::StateName;
use leptos::prelude::*;
use service::view::{DecisionView, RequestView};

use super::Reader;
use crate::wording::{number, person};

/// The viewer's review stands: what is true now, and what is next.
pub fn recorded(view: &RequestView, reader: &Reader, draft_key: &str) -> AnyView {
    let next = match reader.waiting {
        0 => view! { "Nothing else waits for you. "<a href="/inbox">"Inbox"</a> }.into_any(),
        waiting => {
            let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
            let label =
                format!("{} you", number::count(waiting, "request waits for", "requests wait for"));
            view! { <a href="/inbox">{label}</a> }.into_any()
        }
    };
    view! {
        <p class="notice good" role="status" data-draft-done=draft_key.to_owned()>
            <b>"Recorded."</b>" "{now_true(view)}" "{next}
        </p>
    }
    .into_any()
}

/// A review was not recorded: said where a phone lands, with the way to the form.
pub fn unrecorded(problem: &str) -> AnyView {
    view! {
        <p class="notice bad">
            <b>"Your decision is not recorded."</b>" "{problem.to_owned()}" "
            <a href="#decide">"What you wrote is kept"</a>
        </p>
    }
    .into_any()
}

/// What the review led to.
fn now_true(view: &RequestView) -> String {
    let you = match view.decision {
        DecisionView::Reviewed { verdict, .. } => format!("You {} this.", person::said(verdict)),
        DecisionView::Open { .. } | DecisionView::Over | DecisionView::NotYou(_) => String::new(),
    };
    let then = match view.state.name() {
        StateName::Pending => {
            let (filled, seats) = person::seats(&view.requirements);
            let needed = person::still_needed(&view.requirements).unwrap_or_default();
            format!("{filled} of {seats} reviews are in; {needed}.")
        }
        StateName::Approved => "Every review is in: it is approved and may be redeemed.".to_owned(),
        StateName::Denied => "It is denied. Nothing will run.".to_owned(),
        StateName::Expired
        | StateName::Withdrawn
        | StateName::Lapsed
        | StateName::Executing
        | StateName::Succeeded
        | StateName::Failed => "It has moved on since; see below.".to_owned(),
    };
    [you, then].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}
