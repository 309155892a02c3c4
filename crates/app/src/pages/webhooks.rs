//! Webhooks: the endpoints that are told of what happens, what they were told, and how to add one.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::{DeliveryRow, WebhookRow, WebhooksView};

use crate::components::card::Card;
use crate::components::confirm::Confirm;
use crate::components::when::{Relative, When};
use crate::page::{WebhookDraft, WebhooksPage};
use crate::wording::number;

/// Every endpoint, and the form for another.
#[component]
pub fn Webhooks(page: WebhooksPage) -> impl IntoView {
    let WebhooksPage { view, draft } = page;
    let now = view.now;
    let list = if view.webhooks.is_empty() {
        view! {
            <div class="card empty">
                <p><b>"Nobody is told."</b>" Add the endpoint of a chat bridge or an orchestrator, and it hears when something is staged, decided or stopped."</p>
            </div>
        }
        .into_any()
    } else {
        view.webhooks.iter().map(|row| endpoint(row, now)).collect_view().into_any()
    };
    view! {
        <main id="main" tabindex="-1" class="page">
            <h1>"Webhooks"</h1>
            <p class="lead">
                "Endpoints that are told what happened: signed, retried, and without anything that could release an action. An endpoint hears; it has no say."
            </p>
            {list}
            {form(&view, draft.unwrap_or_default())}
            <p><a href="/settings">"Back to settings"</a></p>
        </main>
    }
}

fn endpoint(row: &WebhookRow, now: Timestamp) -> AnyView {
    let row = row.clone();
    let state = match row.disabled_at {
        Some(at) => view! { <span class="bad">"disabled "<When at now/></span> }.into_any(),
        None => view! { <span class="good">"active"</span> }.into_any(),
    };
    let gone = row.disabled_at.map(|_| {
        view! {
            <p class="in soft">"The endpoint answered that it is gone (410) and is told nothing any more. Remove it, and add it anew if that was a mistake."</p>
        }
    });
    let told = match row.events.is_empty() {
        true => "everything".to_owned(),
        false => row.events.join(", "),
    };
    let overlap = row.overlap_until.map(|at| {
        view! { <p class="hint">"Signed with the secret before, too, until "<When at now/>"."</p> }
    });
    let of = |count: u64, word: &'static str| {
        number::count(usize::try_from(count).unwrap_or(usize::MAX), word, word)
    };
    let counts = format!("{} · {}", of(row.waiting, "waiting"), of(row.dead, "dead"));
    let deliveries = deliveries(&row, now);
    let replay = row.disabled_at.is_none().then(|| replay(&row));
    let (path, name) = (format!("/settings/webhooks/{}", row.id), row.name.clone());
    let label = name.clone();
    view! {
        <section class="card" aria-label=label>
            <header>
                <h2>{row.name}</h2>
                <small>{state}" · "{counts}</small>
            </header>
            {gone}
            <div class="in">
                <p><code class="value">{row.url}</code></p>
                <p class="hint">"Told of: "{told}</p>
                {overlap}
            </div>
            {deliveries}
            {replay}
            <div class="row-do">
                <Confirm
                    action=format!("{path}/rotate")
                    label="Rotate the secret"
                    name=format!("of {name}")
                    consequence="Shows a new secret once. The one that there is signs for another 24 hours."
                />
                <Confirm
                    action=format!("{path}/remove")
                    label="Remove"
                    name=name
                    consequence="It is told nothing any more, and what waits for it goes. It cannot be undone."
                />
            </div>
        </section>
    }
    .into_any()
}

/// Tells again: what was given up, or a part of the ledger.
fn replay(row: &WebhookRow) -> AnyView {
    let action = format!("/settings/webhooks/{}/replay", row.id);
    let dead = (row.dead > 0).then(|| {
        view! {
            <form method="post" action=action.clone()>
                <button>"Try what is dead again"<span class="sr">" for "{row.name.clone()}</span></button>
            </form>
        }
    });
    let (from, to) = (format!("from-{}", row.id), format!("to-{}", row.id));
    view! {
        <div class="row-do">
            {dead}
            <details class="confirm">
                <summary>"Tell again from the ledger"<span class="sr">" to "{row.name.clone()}</span>"…"</summary>
                <form method="post" action=action>
                    <p class="hint">"Entries from one to another are told again, each under the id that it had."</p>
                    <label class="l" for=from.clone()>"From entry"</label>
                    <input id=from name="from" type="text" inputmode="numeric" required=true maxlength="16" autocomplete="off"/>
                    <label class="l" for=to.clone()>"To entry"</label>
                    <input id=to name="to" type="text" inputmode="numeric" required=true maxlength="16" autocomplete="off"/>
                    <button class="quiet">"Tell again"</button>
                </form>
            </details>
        </div>
    }
    .into_any()
}

fn deliveries(row: &WebhookRow, now: Timestamp) -> AnyView {
    if row.deliveries.is_empty() {
        return view! { <p class="in soft">"Nothing was to be told so far."</p> }.into_any();
    }
    let line = |row: DeliveryRow| {
        let class = match row.state {
            "delivered" => "good",
            "dead" => "bad",
            _ => "",
        };
        let next = row.next_at.map(|at| view! { <Relative at now/> });
        let last = row.last_at.map(|at| view! { <Relative at now/> });
        view! {
            <tr>
                <td data-label="Entry">{row.index}</td>
                <td data-label="Event"><code>{row.event}</code></td>
                <td data-label="State"><span class=class>{row.state}</span></td>
                <td data-label="Attempts">{row.attempts}</td>
                <td data-label="Answer">{row.answer}</td>
                <td data-label="Last try">{last}</td>
                <td data-label="Next try">{next}</td>
            </tr>
        }
    };
    view! {
        <table class="stacks">
            <caption class="sr">"What "{row.name.clone()}" was told last"</caption>
            <thead>
                <tr>
                    <th scope="col">"Entry"</th>
                    <th scope="col">"Event"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Attempts"</th>
                    <th scope="col">"Answer"</th>
                    <th scope="col">"Last try"</th>
                    <th scope="col">"Next try"</th>
                </tr>
            </thead>
            <tbody>{row.deliveries.iter().cloned().map(line).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

fn form(view: &WebhooksView, draft: WebhookDraft) -> AnyView {
    let alert = (!draft.problem.is_empty())
        .then(|| view! { <p class="alert" role="alert">{draft.problem.clone()}</p> });
    let event = |(word, when): &(&'static str, &'static str)| {
        let checked = draft.events.iter().any(|event| event == word);
        view! {
            <label class="pick" title=*when>
                <input type="checkbox" name="events" value=*word checked=checked/>
                <code>{*word}</code>
            </label>
        }
    };
    let events = view.events.iter().map(event).collect_view();
    view! {
        <Card id="add" title="Add an endpoint">
            <form class="in" method="post" action="/settings/webhooks#add">
                {alert}
                <label class="l" for="name">"Name"</label>
                <input id="name" name="name" type="text" required=true maxlength="80" autocomplete="off" value=draft.name.clone()/>
                <label class="l" for="url">"Address"</label>
                <input
                    id="url"
                    name="url"
                    type="url"
                    required=true
                    maxlength="2000"
                    autocomplete="off"
                    placeholder="https://"
                    value=draft.url.clone()
                    aria-describedby="url-hint"
                />
                <p class="hint" id="url-hint">"Begins with https:// and leads to a public address, or to one that the operator allows."</p>
                <fieldset class="picks" aria-describedby="events-hint">
                    <legend>"Told of"</legend>
                    {events}
                </fieldset>
                <p class="hint" id="events-hint">"Choose none to be told of everything."</p>
                <p class="do"><button class="act">"Add endpoint"</button></p>
                <p class="hint">"Its secret is shown once, on the next page. It is told of what is recorded from then on."</p>
            </form>
        </Card>
    }
    .into_any()
}
