//! What stands above and below every page.

use leptos::prelude::*;
use service::view::Viewer;

use crate::page::Place;

/// The header: where one is, where one can go, who one is.
#[component]
pub fn Header(viewer: Option<Viewer>, place: Place) -> impl IntoView {
    let Some(viewer) = viewer else {
        return view! { <header class="bar"><a class="brand" href="/">"Countersign"</a></header> }
            .into_any();
    };
    let waiting = (viewer.waiting > 0).then(|| {
        view! { <span class="count">{viewer.waiting}{viewer.more.then_some("+")}<span class="sr">" waiting for you"</span></span> }
    });
    let reads_ledger = viewer.auditor || viewer.administrator;
    let link = |to: Place, href: &'static str, label: &'static str| {
        let current = (to == place).then_some("page");
        view! { <a href=href aria-current=current>{label}</a> }
    };
    let current = (place == Place::Inbox).then_some("page");
    view! {
        <header class="bar">
            <a class="brand" href="/inbox">"Countersign"</a>
            <nav aria-label="Main">
                <a href="/inbox" aria-current=current>"Inbox"{waiting}</a>
                {link(Place::Freezes, "/freezes", "Freeze")}
                {link(Place::History, "/history", "History")}
                {reads_ledger.then(|| link(Place::Ledger, "/ledger", "Ledger"))}
                {link(Place::Agents, "/agents", "Agents")}
                {link(Place::People, "/people", "People")}
                {link(Place::Kinds, "/kinds", "Kinds")}
                {link(Place::Policy, "/policy", "Policy")}
            </nav>
            <form class="who" method="post" action="/sign-out">
                <a href="/settings">{viewer.name}</a>
                <button class="link">"Sign out"</button>
            </form>
        </header>
    }
    .into_any()
}

/// The footer: what keeps every page honest, and which clock it shows.
#[component]
pub fn Footer() -> impl IntoView {
    view! {
        <footer class="foot">
            <p>"Agents stage. People decide. Silence is never a yes."</p>
            <p data-zone="">"Times are in UTC."</p>
        </footer>
    }
}
