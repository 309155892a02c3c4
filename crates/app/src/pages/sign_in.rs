//! Sign-in: with a password, or with a one-time link whose button uses it up.

use leptos::prelude::*;

use crate::page::SignInPage;

/// The form with name and password.
#[component]
pub fn SignIn(page: SignInPage) -> impl IntoView {
    let wrong = page.error.is_some();
    let error = page.error.map(|error| view! { <p class="alert" role="alert">{error}</p> });
    let next = page.next.map(|next| view! { <input type="hidden" name="next" value=next/> });
    view! {
        <main id="main" tabindex="-1" class="narrow">
            <h1>"Sign in"</h1>
            <p class="lead">"Agents stage sensitive actions here. You decide whether they happen."</p>
            <form class="card in" method="post" action="/sign-in">
                {error}
                {next}
                <label class="l" for="name">"Name"</label>
                <input
                    id="name"
                    name="name"
                    type="text"
                    autocomplete="username"
                    autocapitalize="none"
                    spellcheck="false"
                    required=true
                    maxlength="80"
                    value=page.name
                    aria-invalid=wrong.then_some("true")
                />
                <label class="l" for="password">"Password"</label>
                <input
                    id="password"
                    name="password"
                    type="password"
                    autocomplete="current-password"
                    required=true
                    aria-invalid=wrong.then_some("true")
                />
                <p class="do"><button class="act">"Sign in"</button></p>
                <p class="hint">
                    "No password? Ask an administrator for a one-time link."
                </p>
            </form>
        </main>
    }
}

/// The page that a one-time link opens. Opening it uses nothing up; its button does.
#[component]
pub fn SignInLink(token: String, person: String) -> impl IntoView {
    let label = format!("Sign in as {person}");
    view! {
        <main id="main" tabindex="-1" class="narrow">
            <h1>"Sign in with a link"</h1>
            <p class="lead">"This link works once. Use it only if it was meant for you."</p>
            <form class="card in" method="post" action="/sign-in/link">
                <input type="hidden" name="token" value=token/>
                <p class="do"><button class="act">{label}</button></p>
            </form>
        </main>
    }
}
