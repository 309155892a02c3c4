//! Instants: UTC from the server; an island rewrites them to the reader's zone.

use domain::Timestamp;
use leptos::prelude::*;

use crate::wording::clock;

/// An instant.
#[component]
pub fn When(
    at: Timestamp,
    now: Timestamp,
    /// Names the zone even where the instant is in the reader's own: for deadlines.
    #[prop(optional)]
    zone: bool,
) -> impl IntoView {
    let local = if zone { "zone" } else { "" };
    view! {
        <time datetime=clock::machine(at) data-local=local title=clock::exact(at)>
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
