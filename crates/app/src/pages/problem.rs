//! An answer that is no, or a failure: what happened, and what to do next.

use leptos::prelude::*;

use crate::page::ProblemPage;

/// The problem and the way out.
#[component]
pub fn Problem(problem: ProblemPage) -> impl IntoView {
    let (href, label) = problem.way_out;
    let reference = problem.reference.map(|reference| {
        view! {
            <p class="hint">"If you ask for help, say this reference: "<code>{reference}</code></p>
        }
    });
    view! {
        <main id="main" tabindex="-1" class="narrow">
            <p class="eyebrow">{format!("Status {}", problem.status)}</p>
            <h1>{problem.title}</h1>
            <p class="lead">{problem.detail}</p>
            <p class="do"><a class="btn act" href=href>{label}</a></p>
            {reference}
        </main>
    }
}
