//! A step that cannot be undone, in two deliberate ones: open, then do. Works without JavaScript.

use leptos::prelude::*;

/// A post behind a disclosure: what it is called, and what it does to whom.
#[component]
pub fn Confirm(
    action: String,
    /// What stands there closed.
    label: &'static str,
    /// The name of whom or what it is done to.
    name: String,
    /// What follows, said before it is done.
    consequence: &'static str,
) -> impl IntoView {
    view! {
        <details class="confirm">
            <summary>{label}<span class="sr">" "{name.clone()}</span>"…"</summary>
            <form method="post" action=action>
                <p class="hint">{consequence}</p>
                <button class="quiet">{label}" "{name}</button>
            </form>
        </details>
    }
}
