//! A table of parameters or fields: name, type, limits, meaning.

use leptos::prelude::*;

use crate::schema::Parameter;

/// A row for each, with what it may be; nothing where there is none.
#[component]
pub fn Parameters(caption: &'static str, rows: Vec<Parameter>) -> impl IntoView {
    let filled = |text: String| (!text.is_empty()).then_some(text);
    let row = move |row: Parameter| {
        let optional = (!row.required).then(|| view! { " "<small>"optional"</small> });
        view! {
            <tr>
                <td data-label="Parameter"><code>{row.name}</code>{optional}</td>
                <td data-label="Type">{row.sort}</td>
                <td data-label="Limits">{filled(row.limits)}</td>
                <td data-label="Meaning">{filled(row.description)}</td>
            </tr>
        }
    };
    (!rows.is_empty()).then(|| {
        view! {
            <table class="stacks">
                <caption class="sr">{caption}</caption>
                <thead>
                    <tr>
                        <th scope="col">"Parameter"</th>
                        <th scope="col">"Type"</th>
                        <th scope="col">"Limits"</th>
                        <th scope="col">"Meaning"</th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        }
    })
}
