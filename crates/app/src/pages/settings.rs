//! The person's own settings: their password.

use leptos::prelude::*;

/// The form for a password of one's own.
#[component]
pub fn Settings(problem: Option<String>, saved: bool) -> impl IntoView {
    let problem = problem.map(|text| view! { <p class="alert" role="alert">{text}</p> });
    let saved = saved.then(|| {
        view! { <p class="note" role="status">"Saved. From now on this password signs you in."</p> }
    });
    view! {
        <main id="main" tabindex="-1" class="narrow">
            <h1>"Settings"</h1>
            {saved}
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
                    minlength="12"
                    autocomplete="new-password"
                    aria-describedby="new-hint"
                />
                <p class="hint" id="new-hint">"At least 12 characters. A sentence is fine."</p>
                <p class="do"><button>"Set password"</button></p>
            </form>
        </main>
    }
}
