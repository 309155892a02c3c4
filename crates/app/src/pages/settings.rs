//! The person's own settings: their password, and an auditor's keys.

use leptos::prelude::*;
use service::sign_in::MIN_PASSWORD_CHARS;
use service::view::SettingsView;

use crate::components::keys::Keys;
use crate::page::SettingsPage;

/// What a person sets for themselves.
#[component]
pub fn Settings(page: SettingsPage, administrator: bool) -> impl IntoView {
    let SettingsPage { view, problem, saved } = page;
    let saved = saved.then(|| {
        view! { <p class="note" role="status">"Saved. From now on this password signs you in."</p> }
    });
    let keys = (view.may_have_keys || !view.keys.is_empty()).then(|| view! { <OwnKeys view/> });
    let webhooks = administrator.then(|| {
        view! {
            <section class="card in" aria-labelledby="webhooks">
                <h2 id="webhooks">"Webhooks"</h2>
                <p class="hint">"Tell a chat bridge or an orchestrator when something is staged, decided or stopped."</p>
                <p class="do"><a class="btn" href="/settings/webhooks">"Keep webhooks"</a></p>
            </section>
        }
    });
    view! {
        <main id="main" tabindex="-1" class="narrow wide-ish">
            <h1>"Settings"</h1>
            {saved}
            <Password problem/>
            {keys}
            {webhooks}
        </main>
    }
}

#[component]
fn Password(problem: Option<String>) -> impl IntoView {
    let problem = problem.map(|text| view! { <p class="alert" role="alert">{text}</p> });
    view! {
        <form class="card in" method="post" action="/settings/password">
            <h2>"Your password"</h2>
            {problem}
            <label class="l" for="current">"Current password"</label>
            <input
                id="current"
                type="password"
                name="current"
                autocomplete="current-password"
                aria-describedby="current-hint"
            />
            <p class="hint" id="current-hint">"Leave empty if you never had one."</p>
            <label class="l" for="new">"New password"</label>
            <input
                id="new"
                type="password"
                name="new"
                required
                minlength=MIN_PASSWORD_CHARS
                autocomplete="new-password"
                aria-describedby="new-hint"
            />
            <p class="hint" id="new-hint">"At least "{MIN_PASSWORD_CHARS}" characters. A sentence is fine."</p>
            <p class="do"><button>"Set password"</button></p>
        </form>
    }
}

/// An auditor reads the ledger by a program, too.
#[component]
fn OwnKeys(view: SettingsView) -> impl IntoView {
    let SettingsView { now, may_have_keys, keys } = view;
    let revoke = Some("/settings/keys".to_owned());
    let table = (!keys.is_empty()).then(|| view! { <Keys keys now revoke/> });
    let issue = may_have_keys.then(|| {
        view! {
            <form method="post" action="/settings/keys" class="row-do">
                <button>"Make a key"</button>
                <span class="hint">"It lives 90 days, and no longer than you are an auditor."</span>
            </form>
        }
    });
    view! {
        <section class="card" aria-labelledby="keys">
            <header>
                <h2 id="keys">"Your keys"</h2>
                <small>"for programs that read the ledger"</small>
            </header>
            {table}
            {issue}
        </section>
    }
}
