//! Break-glass: the way to approve alone, its mark, and the look that it owes.

use domain::{SecondVerdict, StateName};
use leptos::prelude::*;
use service::view::{BreakGlassView, DecisionForm, RequestView, SecondReviewView};

use super::{Reader, form};
use crate::components::card::Card;
use crate::components::reason::{Proof, Reason};
use crate::components::when::{Relative, When};
use crate::page::{Act, Draft};
use crate::wording::{person, state};

/// Closed until somebody means it: what breaking the glass does, and the form for it.
pub fn way_in(view: &RequestView, offer: &DecisionForm, draft: Option<&Draft>) -> Option<AnyView> {
    if !offer.break_glass {
        return None;
    }
    let typed = draft.filter(|draft| draft.act == Act::BreakGlass);
    let alert = typed.map(form::alert);
    let open = typed.is_some();
    let text = typed.map(|draft| draft.text.clone()).unwrap_or_default();
    let (_, seats) = person::seats(&view.requirements);
    let reviews = if seats == 1 { "review" } else { "reviews" };
    let proof = offer.break_glass_needs_password.then(|| {
        view! {
            <Proof
                id="glass-password"
                label="Your password"
                hint="Breaking the glass asks for a sign-in not older than five minutes."
                required=true
            />
        }
    });
    Some(
        view! {
            <details class="deed glass" open=open>
                <summary>"Break the glass…"</summary>
                <form method="post" action=form::address(view)>
                    {alert}
                    <p>"For when waiting does more harm than being wrong."</p>
                    <ul class="consequences">
                        <li>{format!("You approve alone, in place of the {seats} {reviews} it needs.")}</li>
                        <li>"It is marked for ever: here, in the history and in the ledger, with your name."</li>
                        <li>"Everybody who reviews sees it at once in their inbox."</li>
                        <li>"A second person has to look at it within 72 hours and say whether it was right. If nobody does, you lose the right to do this."</li>
                        <li>"It does not lift a denial, the window or a freeze."</li>
                    </ul>
                    {form::shown(view, offer)}
                    <input type="hidden" name="verdict" value="approve"/>
                    <input type="hidden" name="break_glass" value="yes"/>
                    <Reason
                        id="glass-justification"
                        name="justification"
                        label="Why it cannot wait"
                        hint="The second person reads it first."
                        text
                    />
                    {proof}
                    <p class="do"><button class="stops" data-decide="">"Approve alone"</button></p>
                </form>
            </details>
        }
        .into_any(),
    )
}

/// The mark that stays, and the form of the second person while their look is owed.
pub fn card(view: &RequestView, draft: Option<&Draft>, reader: &Reader) -> Option<AnyView> {
    let broken = view.break_glass.as_ref()?;
    let by = person::all_of(std::slice::from_ref(&broken.by), reader.name.as_deref());
    let second = second_review(broken, view, reader);
    let form = broken.shown.as_ref().map(|shown| second_form(view, (broken, shown), draft));
    let (at, now) = (broken.at, view.now);
    Some(
        view! {
            <Card id="glass" title="Broken glass">
                <div class="in">
                    <p><b>{by}</b>" approved this alone, "<When at now/>", in place of every review. This mark stays."</p>
                    {second}
                </div>
                {form}
            </Card>
        }
        .into_any(),
    )
}

fn second_review(broken: &BreakGlassView, view: &RequestView, reader: &Reader) -> AnyView {
    let now = view.now;
    match &broken.second_review {
        SecondReviewView::Owed => view! {
            <p>"A second person has to look at it before "<When at=broken.review_by now zone=true/>" ("<Relative at=broken.review_by now/>")."</p>
        }
        .into_any(),
        SecondReviewView::Missed => view! {
            <p><b class="bad">"Nobody looked at it in time."</b>" It was due "<When at=broken.review_by now/>". The right to break the glass is lost; the look is still owed."</p>
        }
        .into_any(),
        SecondReviewView::Done { by, at, verdict } => {
            let by = person::all_of(std::slice::from_ref(by), reader.name.as_deref());
            let class = match verdict {
                SecondVerdict::Justified => "good",
                SecondVerdict::Unjustified => "bad",
            };
            view! {
                <p><b>{by}</b>" looked at it as the second person, "<When at=*at now/>": "<b class=class>{state::second_verdict(*verdict)}</b>"."</p>
            }
            .into_any()
        }
    }
}

fn second_form(
    view: &RequestView,
    (broken, shown): (&BreakGlassView, &str),
    draft: Option<&Draft>,
) -> AnyView {
    let typed = draft.and_then(|draft| match draft.act {
        Act::SecondReview(verdict) => Some((verdict, draft)),
        Act::Review(_) | Act::BreakGlass | Act::Revoke | Act::Halt | Act::Withdraw => None,
    });
    let chosen = typed.and_then(|(verdict, _)| verdict);
    let alert = typed.map(|(_, draft)| form::alert(draft));
    let text = typed.map(|(_, draft)| draft.text.clone()).unwrap_or_default();
    let unused = view.state.name() == StateName::Approved;
    let hint = if unused {
        "Kept for ever with your name. It is not redeemed yet: if it was not right, its release is revoked."
    } else {
        "Kept for ever with your name. It changes nothing about what ran: it says how it is judged."
    };
    let choice = |verdict: SecondVerdict, word: &'static str, label: &'static str| {
        view! {
            <label>
                <input type="radio" name="verdict" value=word required=true checked=chosen == Some(verdict)/>
                {label}
            </label>
        }
    };
    view! {
        <form class="in" method="post" action=format!("/requests/{}/second-review", view.id)>
            {alert}
            <input type="hidden" name="shown" value=shown.to_owned()/>
            <p>{format!("Was it right that {} broke the glass?", broken.by)}</p>
            <fieldset class="verdicts">
                <legend class="sr">"Second review"</legend>
                {choice(SecondVerdict::Justified, "justified", "It was")}
                {choice(SecondVerdict::Unjustified, "unjustified", "It was not")}
            </fieldset>
            <Reason
                id="second-justification"
                name="justification"
                hint=hint
                text
            />
            <p class="do"><button class="act">"Record second review"</button></p>
        </form>
    }
    .into_any()
}
