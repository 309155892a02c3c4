//! Why the risk is what it is: our facts, each with what to check.

use domain::risk::RiskFact;
use leptos::prelude::*;
use service::view::RequestView;

use crate::components::card::Card;
use crate::wording::risk;

/// The computed facts, those that led to the level first.
pub fn section(view: &RequestView) -> AnyView {
    let level = view.risk.level;
    let title = format!("Why this is {} risk", level.as_str());
    let mut facts = view.risk.facts.clone();
    facts.sort_by_key(|fact| std::cmp::Reverse(fact.level));
    let line = |fact: RiskFact| {
        view! {
            <li class=risk::class(fact.level)>
                <span class="mark" aria-hidden="true">"▲"</span>
                <span>
                    {risk::fact(fact.code, fact.level)}
                    <span class="sr">{format!(" ({})", fact.level.as_str())}</span>
                    <small>{risk::check(fact.code)}</small>
                </span>
            </li>
        }
    };
    let lines = facts.into_iter().map(line).collect_view();
    view! {
        <Card id="risk" title=title note="computed by Countersign".into_any()>
            <ul class="in why" role="list">{lines}</ul>
        </Card>
    }
    .into_any()
}
