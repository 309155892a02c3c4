//! A secret that is shown once.

use leptos::prelude::*;

/// The secret, what it is for, and the way back.
#[component]
pub fn Secret(
    title: String,
    explanation: String,
    value: String,
    back_to: String,
    back_label: String,
) -> impl IntoView {
    view! {
        <main id="main" tabindex="-1" class="narrow wide-ish">
            <h1>{title}</h1>
            <p class="lead">{explanation}</p>
            <div class="card in">
                <code class="secret" tabindex="0" aria-label="The secret">{value}</code>
                <p class="hint">
                    "Shown once. It is not kept in a readable form, so copy it before you leave this page."
                </p>
            </div>
            <p class="do"><a class="btn" href=back_to>{back_label}</a></p>
        </main>
    }
}
