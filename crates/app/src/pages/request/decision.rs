//! The decision card: the form, or in a full sentence why there is none.

use domain::Verdict;
use leptos::prelude::*;
use service::view::{DecisionView, RequestView};

use super::{Reader, over};
use crate::components::card::Card;
use crate::components::textarea::TextArea;
use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::page::Draft;
use crate::wording::person;

/// The shortest justification, in characters.
const MIN_CHARS: usize = 3;
/// The longest justification, in characters.
const MAX_CHARS: usize = 4000;

/// What the viewer may do about the request.
pub fn card(
    view: &RequestView,
    draft: Option<Draft>,
    draft_key: String,
    reader: &Reader,
) -> AnyView {
    match &view.decision {
        DecisionView::Open { shown } => form(view, shown.clone(), draft, draft_key),
        DecisionView::Reviewed { verdict, at } => {
            let (verdict, at, now) = (*verdict, *at, view.now);
            view! {
                <Card id="decision" title="Your decision">
                    <div class="in">
                        {unsent(draft)}
                        <p>"You "<b>{person::said(verdict)}</b>" this revision "<When at now/>". It stands, and it is in the ledger."</p>
                        <p class="hint">"Nothing more is asked of you. Others still have to review it."</p>
                    </div>
                </Card>
            }
            .into_any()
        }
        DecisionView::Over => {
            let story = over::told(view, reader);
            view! {
                <Card id="decision" title="What happened">
                    <div class="in">{unsent(draft)}{story}</div>
                </Card>
            }
            .into_any()
        }
        DecisionView::NotYou(why) => {
            let why = person::not_you(*why);
            view! {
                <Card id="decision" title="Not yours to decide">
                    <div class="in">{unsent(draft)}<p>{why}</p></div>
                </Card>
            }
            .into_any()
        }
    }
}

fn form(view: &RequestView, shown: String, draft: Option<Draft>, draft_key: String) -> AnyView {
    let action = format!("/requests/{}/review", view.id);
    let digest = view.digest.to_string();
    let verdict = draft.as_ref().and_then(|draft| draft.verdict);
    let problem = draft.as_ref().map(|draft| draft.problem.clone());
    let text = draft.map(|draft| draft.justification).unwrap_or_default();
    let alert = problem.map(|text| view! { <p class="alert" role="alert">{text}</p> });
    let choice = move |value: Verdict, word: &'static str, label: &'static str| {
        view! {
            <label>
                <input type="radio" name="verdict" value=word required=true checked=verdict == Some(value)/>
                {label}
            </label>
        }
    };
    view! {
        <Card id="decision" title="Your decision">
            <form class="in" method="post" action=action data-draft=draft_key>
                {alert}
                <input type="hidden" name="digest" value=digest/>
                <input type="hidden" name="shown" value=shown/>
                <fieldset class="verdicts">
                    <legend class="sr">"Verdict"</legend>
                    {choice(Verdict::Approve, "approve", "Approve")}
                    {choice(Verdict::Deny, "deny", "Deny")}
                </fieldset>
                <label class="l" for="justification">"Why"</label>
                <TextArea
                    id="justification"
                    name="justification"
                    text
                    min=MIN_CHARS
                    max=MAX_CHARS
                    described_by="kept"
                />
                <p class="hint" id="kept">"Kept for ever with your name. Auditors see it, and the agent if you deny."</p>
                <p class="alert" data-stale="" hidden=true>
                    "This request changed since you opened it. Reload the page to decide on what it is now; what you wrote is kept."
                </p>
                <p class="do"><button class="act" data-decide="">"Record decision"</button></p>
                <p class="hint">"One denial ends the request. An approval counts for exactly this revision."</p>
            </form>
        </Card>
    }
    .into_any()
}

/// What was typed although there is no form any more, so that nothing is lost.
fn unsent(draft: Option<Draft>) -> Option<AnyView> {
    draft.map(|draft| {
        view! {
            <p class="alert" role="alert">{draft.problem}</p>
            <p class="hint">"You wrote:"</p>
            <blockquote><Untrusted text=draft.justification preformatted=true/></blockquote>
        }
        .into_any()
    })
}
