//! What another policy would have asked of the newest requests, beside what the one in force asks.

use domain::{Requirement, kind};
use leptos::prelude::*;
use service::view::{ReplayRow, ReplayView};

use crate::text::spelled;
use crate::wording::number;

/// In a sentence how much would have changed, then each request that would have.
#[component]
pub fn Replay(
    replay: ReplayView,
    #[prop(default = "")] note: &'static str,
    /// Each request is in sight at once.
    #[prop(optional)]
    open: bool,
) -> impl IntoView {
    let ReplayView { replayed, laxer, rows } = replay;
    let differing = rows.len();
    let summary = match (differing, laxer) {
        (0, _) => {
            format!("It would have asked the same of each of the {replayed} newest requests.")
        }
        (_, 0) => format!(
            "Of the {replayed} newest requests {differing} would have fared differently; none would have needed fewer people."
        ),
        _ => format!(
            "Of the {replayed} newest requests {differing} would have fared differently; {laxer} would have needed fewer people."
        ),
    };
    let class = if laxer > 0 { "notice bad" } else { "notice" };
    let rows = rows.into_iter().map(row).collect_view();
    let table = (differing > 0).then(|| {
        view! {
            <details class="whole" open=open>
                <summary>{number::count(differing, "request", "requests")}</summary>
                <table class="stacks">
                    <caption class="sr">"What it would have changed"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Request"</th>
                            <th scope="col">"Asked now"</th>
                            <th scope="col">"It would ask"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        }
    });
    view! {
        <div class="in"><p class=class>{summary}" "{note}</p></div>
        {table}
    }
}

fn row(row: ReplayRow) -> AnyView {
    let sentence = spelled(&kind::sentence(&row.effect));
    let asked = |needs: Vec<Requirement>, refused: Option<String>| {
        let need = |need: Requirement| {
            let fresh = if need.reauth_s.is_some() { ", signed in anew" } else { "" };
            let seats = need.seats;
            view! { <li>{format!("{seats} of {}{fresh}", need.group)}</li> }
        };
        let refused = refused.map(|why| view! { <li class="bad">"Refused: "{why}</li> });
        view! { <ul class="asked-of" role="list">{needs.into_iter().map(need).collect_view()}{refused}</ul> }
    };
    let (before, after): (Vec<_>, Vec<_>) = row.changed.into_iter().unzip();
    let now = asked([row.removed, before].concat(), row.refused);
    let then = asked([row.added, after].concat(), row.would_be_refused);
    view! {
        <tr>
            <td data-label="Request"><a href=format!("/requests/{}", row.request)>{sentence}</a></td>
            <td data-label="Asked now">{now}</td>
            <td data-label="It would ask">{then}</td>
        </tr>
    }
    .into_any()
}
