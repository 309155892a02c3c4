//! The inbox: what waits for the viewer, what waits for others, what was done lately.

use leptos::prelude::*;
use service::view::{InboxView, RequestRow};

use crate::components::request_row::{List, Rows};
use crate::components::watched::Watched;
use crate::wording::state;

/// Three groups of requests; the viewer's turn first.
#[component]
pub fn Inbox(view: InboxView, viewer: Option<String>) -> impl IntoView {
    let InboxView { now, your_turn, waiting, done, all_looked_at, more, fingerprint } = view;
    let list = |rows, list| view! { <Rows rows list now viewer=viewer.clone()/> }.into_any();
    let turn = if your_turn.is_empty() {
        view! { <Nothing waiting=waiting.len() all_looked_at/> }.into_any()
    } else {
        list(your_turn.clone(), List::YourTurn)
    };
    let more = more.then(|| {
        view! {
            <p class="hint">
                "More requests are pending than are listed here. "
                <a href="/history?state=pending">"All pending requests"</a>
            </p>
        }
    });
    let (alarms, waiting): (Vec<RequestRow>, Vec<RequestRow>) =
        waiting.into_iter().partition(|row| state::is_alarm(row.state));
    let group = |title: &'static str, rows: Vec<RequestRow>| {
        (!rows.is_empty()).then(|| {
            let count = rows.len();
            view! {
                <section class="group">
                    <h2>{title}" "<span class="count">{count}</span></h2>
                    {list(rows, List::Any)}
                </section>
            }
        })
    };
    view! {
        <Watched
            url="/inbox/fingerprint".to_owned()
            seen=fingerprint
            message="The inbox changed."
            link=("/inbox".to_owned(), "Show")
        />
        <main id="main" tabindex="-1" class="page">
            <h1>"Your turn"</h1>
            {turn}
            {more}
            {group("Nobody knows how it ended", alarms)}
            {group("Waiting for others", waiting)}
            {group("Done in the last 24 hours", done)}
        </main>
    }
}

/// Nothing needs the viewer: says so, and what one could do instead.
#[component]
fn Nothing(waiting: usize, all_looked_at: bool) -> impl IntoView {
    let none = match all_looked_at {
        true => "Nothing needs you.",
        false => "None of the most urgent requests needs you.",
    };
    let others = match waiting {
        0 => "Nothing is waiting for anyone else either.",
        1 => "One request below is running or waits for others.",
        _ => "The requests below are running or wait for others.",
    };
    view! {
        <div class="card empty">
            <p><b>{none}</b>" "{others}</p>
            <p>
                <a href="/history">"See what was decided"</a>
                " · "
                <a href="/kinds">"Stage a test request"</a>
            </p>
        </div>
    }
}
