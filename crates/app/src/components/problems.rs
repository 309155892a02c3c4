//! What is wrong with a form: one line each, before its fields.

use leptos::prelude::*;

/// The list, announced when it appears; nothing where nothing is wrong.
#[component]
pub fn Problems(problems: Vec<String>) -> impl IntoView {
    let line = |text: String| view! { <li>{text}</li> };
    (!problems.is_empty()).then(|| {
        view! {
            <div class="alert" role="alert">
                <p><b>"Nothing was changed."</b></p>
                <ul>{problems.into_iter().map(line).collect_view()}</ul>
            </div>
        }
    })
}
