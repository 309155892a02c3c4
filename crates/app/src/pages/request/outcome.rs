//! What the executor reported: how it ended, and how undoing it ended.

use domain::{Outcome, RollbackOutcome, Timestamp};
use leptos::prelude::*;
use service::view::RequestView;

use super::evidence;
use crate::components::card::Card;
use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::wording::state;

/// The outcome and the rollback, if they were reported.
pub fn section(view: &RequestView) -> AnyView {
    view! { {outcome(view)}{rollback(view)} }.into_any()
}

fn outcome(view: &RequestView) -> Option<AnyView> {
    let reported = view.outcome.clone()?;
    let class = match reported.outcome {
        Outcome::Succeeded => "good",
        Outcome::Failed | Outcome::Halted => "bad",
    };
    let shown = evidence::list(view, &reported.evidence, view.evidence.len());
    let note = note(reported.at, view.now);
    Some(
        view! {
            <Card id="outcome" title="Outcome" note=note>
                <div class="in">
                    <p><b class=class>{state::outcome(reported.outcome)}</b>", says the executor"</p>
                    <p>{summary(reported.summary)}</p>
                </div>
                {shown}
            </Card>
        }
        .into_any(),
    )
}

fn rollback(view: &RequestView) -> Option<AnyView> {
    let reported = view.rollback.clone()?;
    let before = view.outcome.as_ref().map_or(0, |outcome| outcome.evidence.len());
    let class = match reported.outcome {
        RollbackOutcome::RolledBack => "good",
        RollbackOutcome::RollbackFailed => "bad",
    };
    let shown = evidence::list(view, &reported.evidence, view.evidence.len() + before);
    let note = note(reported.at, view.now);
    Some(
        view! {
            <Card id="rolled-back" title="Rollback" note=note>
                <div class="in">
                    <p><b class=class>{state::rollback(reported.outcome)}</b>", says the executor"</p>
                    <p>{summary(reported.summary)}</p>
                </div>
                {shown}
            </Card>
        }
        .into_any(),
    )
}

fn note(at: Timestamp, now: Timestamp) -> AnyView {
    view! { "reported "<When at now/> }.into_any()
}

fn summary(text: Option<String>) -> AnyView {
    match text {
        Some(text) => view! { <Untrusted text preformatted=true/> }.into_any(),
        None => view! { <em class="missing">"its text was erased"</em> }.into_any(),
    }
}
