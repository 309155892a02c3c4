//! A titled section.

use leptos::prelude::*;

/// A section with a heading, and a quiet note beside it.
#[component]
pub fn Card(
    /// Unique on the page; links lead here.
    id: &'static str,
    #[prop(into)] title: String,
    #[prop(optional)] note: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-title");
    view! {
        <section class="card" id=id aria-labelledby=heading.clone()>
            <header>
                <h2 id=heading.clone()>{title}</h2>
                {note.map(|note| view! { <small>{note}</small> })}
            </header>
            {children()}
        </section>
    }
}
