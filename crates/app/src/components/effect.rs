//! The effect sentence: our words, with the agent's values marked.

use domain::kind::EffectPart;
use leptos::prelude::*;

use super::untrusted::Untrusted;

/// What the action does, in one sentence.
#[component]
pub fn Effect(parts: Vec<EffectPart>) -> impl IntoView {
    parts.into_iter().map(part).collect_view()
}

fn part(part: EffectPart) -> AnyView {
    match part {
        EffectPart::Words(words) => words.into_any(),
        EffectPart::Value(value) => {
            view! { <code class="value"><Untrusted text=value/></code> }.into_any()
        }
        EffectPart::Missing(name) => {
            view! { <em class="missing">{format!("(no {name})")}</em> }.into_any()
        }
    }
}
