//! The decision card: the form, or in a full sentence why there is none.

use domain::{StateName, Verdict};
use leptos::prelude::*;
use service::view::{DecisionForm, DecisionView, RequestView};

use super::{Reader, form, glass, over, stop};
use crate::components::card::Card;
use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::page::{Act, Draft};
use crate::wording::person;

/// What the viewer may do about the request.
pub fn card(
    view: &RequestView,
    draft: Option<&Draft>,
    draft_key: String,
    reader: &Reader,
) -> AnyView {
    let lost = unsent(view, draft);
    let waits = view.state.name() == StateName::ChangesRequested;
    match &view.decision {
        DecisionView::Open(offer) if waits => {
            let other = other_verdicts(view, offer, draft, draft_key, "Deny it instead…");
            waiting_for_changes(view, draft, reader, lost, Some(other))
        }
        DecisionView::Open(offer) => {
            let form = form::review(view, offer, draft, draft_key);
            let more = more(view, Some(offer), draft);
            view! { <Card id="decision" title="Your decision">{lost}{form}{more}</Card> }.into_any()
        }
        DecisionView::Reviewed { verdict, at, form: offer } => {
            let verdict = *verdict;
            let summary = if waits { "Deny it instead…" } else { "Change your mind…" };
            let other = other_verdicts(view, offer, draft, draft_key, summary);
            if waits {
                return waiting_for_changes(view, draft, reader, lost, Some(other));
            }
            let (at, now) = (*at, view.now);
            let more = more(view, Some(offer), draft);
            view! {
                <Card id="decision" title="Your decision">
                    <div class="in">
                        {lost}
                        <p>"You "<b>{person::said_of(verdict)}</b>" this revision "<When at now/>". It stands, and it is in the ledger."</p>
                        <p class="hint">{asked_of_you(verdict)}</p>
                    </div>
                    {other}
                    {more}
                </Card>
            }
            .into_any()
        }
        DecisionView::Over => {
            let (story, more) = (over::told(view, reader), more(view, None, draft));
            view! {
                <Card id="decision" title="What happened">
                    <div class="in">{lost}{story}</div>
                    {more}
                </Card>
            }
            .into_any()
        }
        DecisionView::NotYou { .. } if waits => {
            waiting_for_changes(view, draft, reader, lost, None)
        }
        DecisionView::NotYou { why, form } => {
            let (why, more) = (person::not_you(*why), more(view, form.as_ref(), draft));
            view! {
                <Card id="decision" title="Not yours to decide">
                    <div class="in">{lost}<p>{why}</p></div>
                    {more}
                </Card>
            }
            .into_any()
        }
    }
}

fn asked_of_you(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "Nothing more is asked of you. Others still have to review it.",
        Verdict::Pass => "It is left to the others.",
        Verdict::RequestChanges | Verdict::Deny => "Nothing more is asked of you.",
    }
}

/// The verdicts that are not the viewer's, one step away.
fn other_verdicts(
    view: &RequestView,
    offer: &DecisionForm,
    draft: Option<&Draft>,
    draft_key: String,
    summary: &'static str,
) -> AnyView {
    if offer.verdicts.is_empty() {
        return ().into_any();
    }
    let open = draft.is_some_and(|draft| matches!(draft.act, Act::Review(_)));
    view! {
        <details class="deed" open=open>
            <summary class="btn">{summary}</summary>
            {form::review(view, offer, draft, draft_key)}
        </details>
    }
    .into_any()
}

/// It is the agent's turn: what it was asked for stands at the top of the page.
fn waiting_for_changes(
    view: &RequestView,
    draft: Option<&Draft>,
    reader: &Reader,
    lost: Option<AnyView>,
    other: Option<AnyView>,
) -> AnyView {
    let (story, more) = (over::told(view, reader), more(view, None, draft));
    view! {
        <Card id="decision" title="Waiting for the agent">
            <div class="in">{lost}{story}</div>
            {other}
            {more}
        </Card>
    }
    .into_any()
}

/// What is rarer than a verdict: breaking the glass, and stopping.
fn more(view: &RequestView, offer: Option<&DecisionForm>, draft: Option<&Draft>) -> AnyView {
    let glass = offer.and_then(|offer| glass::way_in(view, offer, draft));
    view! { {glass}{stop::ways(view, draft)} }.into_any()
}

/// What was typed although the form for it is not there any more, so that nothing is lost.
fn unsent(view: &RequestView, draft: Option<&Draft>) -> Option<AnyView> {
    let draft = draft.filter(|draft| !has_form(view, draft.act))?;
    let text = draft.text.clone();
    let wrote = (!text.is_empty()).then(|| {
        view! {
            <p class="hint">"You wrote:"</p>
            <blockquote><Untrusted text preformatted=true/></blockquote>
        }
    });
    Some(view! { {form::alert(draft)}{wrote} }.into_any())
}

/// Whether the page has the form that `act` came from, which then says what was wrong itself.
fn has_form(view: &RequestView, act: Act) -> bool {
    let offer = match &view.decision {
        DecisionView::Open(offer) | DecisionView::Reviewed { form: offer, .. } => Some(offer),
        DecisionView::NotYou { form, .. } => form.as_ref(),
        DecisionView::Over => None,
    };
    match act {
        Act::Review(_) => offer.is_some_and(|offer| !offer.verdicts.is_empty()),
        Act::BreakGlass => offer.is_some_and(|offer| offer.break_glass),
        Act::SecondReview(_) => {
            view.break_glass.as_ref().is_some_and(|broken| broken.shown.is_some())
        }
        Act::Revoke => view.stop.may_revoke,
        Act::Halt => view.stop.may_halt,
        // It asks for no text, so there is nothing to keep in it.
        Act::Withdraw => false,
    }
}
