//! What the executor reported.

use domain::Outcome;
use leptos::prelude::*;
use service::view::RequestView;

use crate::components::card::Card;
use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::wording::state;

/// The outcome, if one was reported.
pub fn section(view: &RequestView) -> Option<AnyView> {
    let outcome = view.outcome.clone()?;
    let class = match outcome.outcome {
        Outcome::Succeeded => "good",
        Outcome::Failed => "bad",
    };
    let summary = match outcome.summary {
        Some(text) => view! { <Untrusted text preformatted=true/> }.into_any(),
        None => view! { <em class="missing">"its text was erased"</em> }.into_any(),
    };
    let note = view! { "reported "<When at=outcome.at now=view.now/> }.into_any();
    Some(
        view! {
            <Card id="outcome" title="Outcome" note=note>
                <div class="in">
                    <p><b class=class>{state::outcome(outcome.outcome)}</b>", says the executor"</p>
                    <p>{summary}</p>
                </div>
            </Card>
        }
        .into_any(),
    )
}
