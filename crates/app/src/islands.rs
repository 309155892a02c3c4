//! What runs in the browser: three leaves, each of which the page works without.
//!
//! Islands take no properties. What they need stands in `data-` attributes of the page, so that
//! the WASM carries no JSON reader, and a reader of the HTML sees all there is.

#[cfg(feature = "hydrate")]
mod browser;
pub mod draft_keeper;
pub mod local_times;
pub mod watch;

/// Starts the reactive system. Called once, before any island is hydrated.
#[cfg(feature = "hydrate")]
pub fn prepare() {
    leptos::mount::hydrate_islands();
}
