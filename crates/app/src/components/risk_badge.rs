//! The computed risk as a word on its colour.

use domain::RiskLevel;
use leptos::prelude::*;

use crate::wording::risk;

/// The badge: `High`, or `High risk` where nothing beside it says what it is.
#[component]
pub fn RiskBadge(level: RiskLevel, #[prop(optional)] long: bool) -> impl IntoView {
    let word = risk::word(level);
    let text = if long { format!("{word} risk") } else { word.to_owned() };
    let rest = (!long).then(|| view! { <span class="sr">" risk"</span> });
    view! { <span class=format!("risk {}", risk::class(level))>{text}{rest}</span> }
}
