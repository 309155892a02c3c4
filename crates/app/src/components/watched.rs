//! A polite bar that appears when the page is no longer what the server would show.

use leptos::prelude::*;

use crate::islands::watch::Watch;

/// Polls `url` and compares its answer with `seen`; says `message` when they differ.
#[component]
pub fn Watched(
    url: String,
    seen: String,
    message: &'static str,
    /// Where the link leads, and what it is called.
    link: (String, &'static str),
) -> impl IntoView {
    let (href, label) = link;
    view! {
        <div
            class="watched"
            role="status"
            data-watch=url
            data-seen=seen
            data-message=message
            data-href=href
            data-label=label
        >
            <Watch/>
        </div>
    }
}
