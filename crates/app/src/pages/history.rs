//! Every request there ever was, newest first.

use domain::StateName;
use leptos::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use service::view::HistoryView;

use crate::components::request_row::{List, Rows};
use crate::wording::{number, state};

/// The search form, the list, and the way to older requests.
#[component]
pub fn History(view: HistoryView, viewer: Option<String>) -> impl IntoView {
    let filtered = view.state.is_some() || !view.query.is_empty();
    let next = view.next.as_deref().map(|cursor| next_address(cursor, view.state, &view.query));
    let list = if view.rows.is_empty() {
        view! { <Empty filtered/> }.into_any()
    } else {
        view! { <Rows rows=view.rows list=List::Any now=view.now viewer/> }.into_any()
    };
    view! {
        <main id="main" tabindex="-1" class="page">
            <h1>"History"</h1>
            <Search state=view.state query=view.query counts=view.counts/>
            {list}
            {next.map(|href| view! { <p class="pager"><a class="btn" href=href>"Older requests"</a></p> })}
        </main>
    }
}

#[component]
fn Search(state: Option<StateName>, query: String, counts: Vec<(StateName, u64)>) -> impl IntoView {
    let option = |(name, count): (StateName, u64)| {
        let label = format!("{} ({})", state::word(name), number::grouped(count));
        view! { <option value=name.as_str() selected=state == Some(name)>{label}</option> }
    };
    view! {
        <form class="search" method="get" action="/history" role="search">
            <div>
                <label class="l" for="state">"State"</label>
                <select id="state" name="state">
                    <option value="" selected=state.is_none()>"Any state"</option>
                    {counts.into_iter().map(option).collect_view()}
                </select>
            </div>
            <div class="grow">
                <label class="l" for="q">"Text"</label>
                <input
                    id="q"
                    name="q"
                    type="search"
                    maxlength="200"
                    value=query
                    placeholder="Agent, kind, environment, effect"
                />
            </div>
            <button>"Search"</button>
        </form>
    }
}

#[component]
fn Empty(filtered: bool) -> impl IntoView {
    if filtered {
        view! {
            <div class="card empty">
                <p><b>"No request matches."</b>" Nothing is ever removed from the history, so try fewer words."</p>
                <p><a href="/history">"Show all requests"</a></p>
            </div>
        }
        .into_any()
    } else {
        view! {
            <div class="card empty">
                <p><b>"No request yet."</b>" The first one appears when an agent stages it."</p>
                <p><a href="/kinds">"Stage a test request"</a></p>
            </div>
        }
        .into_any()
    }
}

fn next_address(cursor: &str, state: Option<StateName>, query: &str) -> String {
    let state = state.map(StateName::as_str).unwrap_or_default();
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    format!("/history?cursor={}&state={state}&q={}", encoded(cursor), encoded(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_search() {
        let address = next_address("a/b=", Some(StateName::Denied), "a&b ü");
        assert_eq!(address, "/history?cursor=a%2Fb%3D&state=denied&q=a%26b%20%C3%BC");
    }
}
