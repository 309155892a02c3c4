//! The review form: a verdict, a reason, and the password where approving asks for it.

use domain::Verdict;
use leptos::prelude::*;
use service::view::{DecisionForm, RequestView};

use crate::components::reason::{Proof, Reason};
use crate::page::{Act, Draft};
use crate::wording::person;

/// What the form says about the password.
const FRESH: &str = "The policy asks for a sign-in that is fresher than yours, for approving only. Any other verdict needs none.";
/// Who reads the reason.
const KEPT: &str =
    "Kept for ever with your name. Auditors see it, and so does whoever proposed this.";
/// The same, where an agent staged it.
const KEPT_FOR_AGENT: &str =
    "Kept for ever with your name. Auditors see it, and the agent if you deny or request changes.";

/// The order in which the verdicts stand: yes and no side by side, of one size.
const ORDER: [Verdict; 4] =
    [Verdict::Approve, Verdict::Deny, Verdict::RequestChanges, Verdict::Pass];

/// The form with the verdicts that are offered; where only one is, its button says so.
pub fn review(
    view: &RequestView,
    form: &DecisionForm,
    draft: Option<&Draft>,
    draft_key: String,
) -> AnyView {
    let typed = draft.and_then(|draft| match draft.act {
        Act::Review(verdict) => Some((verdict, draft)),
        Act::BreakGlass | Act::SecondReview(_) | Act::Revoke | Act::Halt | Act::Withdraw => None,
    });
    let verdict = typed.and_then(|(verdict, _)| verdict);
    let alert = typed.map(|(_, draft)| alert(draft));
    let text = typed.map(|(_, draft)| draft.text.clone()).unwrap_or_default();
    let (choices, button) = match form.verdicts.as_slice() {
        [only] => {
            let hidden = view! { <input type="hidden" name="verdict" value=only.as_str()/> };
            (hidden.into_any(), person::choice(*only))
        }
        _ => (choices(&form.verdicts, verdict), "Record decision"),
    };
    let kept = if view.staged_by.is_some() { KEPT } else { KEPT_FOR_AGENT };
    let approves = form.verdicts.contains(&Verdict::Approve);
    let proof = (form.approve_needs_password && approves).then(|| {
        view! { <Proof id="password" label="Your password, to approve" hint=FRESH/> }
    });
    view! {
        <form class="in review" method="post" action=address(view) data-draft=draft_key>
            {alert}
            {shown(view, form)}
            {choices}
            <Reason id="justification" name="justification" hint=kept text/>
            {proof}
            <p class="alert" data-stale="" hidden=true>
                "This request changed since you opened it. Reload the page to decide on what it is now; what you wrote is kept."
            </p>
            <p class="do"><button class="act" data-decide="">{button}</button></p>
            {follows(view, &form.verdicts)}
        </form>
    }
    .into_any()
}

/// Where every verdict goes.
pub fn address(view: &RequestView) -> String {
    format!("/requests/{}/review", view.id)
}

/// What ties the verdict to what was shown.
pub fn shown(view: &RequestView, form: &DecisionForm) -> AnyView {
    view! {
        <input type="hidden" name="digest" value=view.digest.to_string()/>
        <input type="hidden" name="shown" value=form.shown.clone()/>
    }
    .into_any()
}

/// Why the last try was not recorded.
pub fn alert(draft: &Draft) -> AnyView {
    view! { <p class="alert" role="alert">{draft.problem.clone()}</p> }.into_any()
}

fn offered(verdicts: &[Verdict]) -> impl Iterator<Item = Verdict> {
    ORDER.into_iter().filter(|verdict| verdicts.contains(verdict))
}

fn choices(verdicts: &[Verdict], chosen: Option<Verdict>) -> AnyView {
    let choice = |verdict: Verdict| {
        view! {
            <label>
                <input
                    type="radio"
                    name="verdict"
                    value=verdict.as_str()
                    required=true
                    checked=chosen == Some(verdict)
                />
                {person::choice(verdict)}
            </label>
        }
    };
    view! {
        <fieldset class="verdicts">
            <legend class="sr">"Verdict"</legend>
            {offered(verdicts).map(choice).collect_view()}
        </fieldset>
    }
    .into_any()
}

/// What follows from each verdict; the style sheet leaves the chosen one standing.
fn follows(view: &RequestView, verdicts: &[Verdict]) -> AnyView {
    let proposed = view.staged_by.is_some();
    let line = |verdict: Verdict| {
        view! {
            <li data-verdict=verdict.as_str()>
                <b>{person::choice(verdict)}</b>" "{person::follows(verdict, proposed)}
            </li>
        }
    };
    view! { <ul class="hint follows" role="list">{offered(verdicts).map(line).collect_view()}</ul> }
        .into_any()
}
