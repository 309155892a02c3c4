//! Freezes: what they stop, and the bar that no page with one on is without.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::{FreezeRow, FreezeScopeView};

use super::untrusted::Untrusted;
use super::when::When;
use crate::wording::freeze;

/// How many freezes the bar names; the page of freezes has all.
const NAMED: usize = 3;

/// What a freeze stops.
#[component]
pub fn Scope(scope: FreezeScopeView) -> impl IntoView {
    let (words, name) = freeze::scope(&scope);
    view! { {words}{name.map(|text| view! { <b><Untrusted text/></b> })} }
}

/// The bar under the header: what is frozen, since when, by whom. Nothing while nothing is.
#[component]
pub fn FreezeBar(freezes: Vec<FreezeRow>, now: Timestamp) -> Option<AnyView> {
    let more = freezes.len().saturating_sub(NAMED);
    let line = |freeze: FreezeRow| {
        view! {
            <li>
                <b>"Frozen: "</b><Scope scope=freeze.scope/>
                <small>{freeze.by}", "<When at=freeze.at now/></small>
            </li>
        }
    };
    let more = (more > 0).then(|| view! { <li>{format!("and {more} more")}</li> });
    (!freezes.is_empty()).then(|| {
        view! {
            <aside class="frozen" aria-label="Freeze">
                <ul role="list">{freezes.into_iter().take(NAMED).map(line).collect_view()}{more}</ul>
                <a href="/freezes">"What that means"</a>
            </aside>
        }
        .into_any()
    })
}
