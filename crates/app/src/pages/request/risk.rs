//! Why the risk is what it is: our facts, each with what to check.

use domain::risk::RiskFact;
use leptos::prelude::*;
use service::view::RequestView;

use crate::components::card::Card;
use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::wording::risk::{self, Part};

/// The computed facts, those that led to the level first.
pub fn section(view: &RequestView) -> AnyView {
    let level = view.risk.level;
    let title = format!("Why this is {} risk", level.as_str());
    let line = |fact: &RiskFact| {
        view! {
            <li class=risk::class(fact.level)>
                <span class="mark" aria-hidden="true">"▲"</span>
                <span>
                    {sentence(view, fact)}
                    <span class="sr">{format!(" ({})", fact.level.as_str())}</span>
                    <small>{risk::check(fact.code)}</small>
                </span>
            </li>
        }
    };
    let lines = view.risk.facts.iter().map(line).collect_view();
    view! {
        <Card id="risk" title=title note="computed by Countersign".into_any()>
            <ul class="in why" role="list">{lines}</ul>
        </Card>
    }
    .into_any()
}

fn sentence(view: &RequestView, fact: &RiskFact) -> AnyView {
    let now = view.now;
    let part = |part| match part {
        Part::Words(text) => text.into_any(),
        Part::Target(text) => view! { <code><Untrusted text/></code> }.into_any(),
        Part::At(at) => view! { <When at now/> }.into_any(),
    };
    risk::fact(fact, &view.targets, view.size_unit.as_deref())
        .into_iter()
        .map(part)
        .collect_view()
        .into_any()
}
