//! Instants: UTC from the server; an island rewrites them to the reader's zone.

use domain::Timestamp;
use leptos::prelude::*;

use crate::wording::clock;

/// An instant.
#[component]
pub fn When(at: Timestamp, now: Timestamp) -> impl IntoView {
    view! {
        <time datetime=clock::machine(at) data-local="" title=clock::exact(at)>
            {clock::absolute(at, now)}
        </time>
    }
}

/// Where an instant lies from now.
#[component]
pub fn Relative(at: Timestamp, now: Timestamp) -> impl IntoView {
    view! {
        <span class="relative" data-relative=at.seconds().to_string()>
            {clock::relative(at, now)}
        </span>
    }
}
