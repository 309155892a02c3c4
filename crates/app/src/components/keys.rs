//! API keys in a table, never the keys themselves.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::KeyRow;

use crate::components::confirm::Confirm;
use crate::components::when::{Relative, When};

/// The keys; `revoke` is the path under which the viewer may revoke one.
#[component]
pub fn Keys(keys: Vec<KeyRow>, now: Timestamp, revoke: Option<String>) -> impl IntoView {
    let row = move |key: KeyRow| {
        let used = match key.last_used_at {
            Some(at) => view! { <Relative at now/> }.into_any(),
            None => "never".into_any(),
        };
        let state = match (key.live, key.expires_at > now) {
            (true, _) => view! { <span class="good">"live"</span> }.into_any(),
            (false, true) => "revoked".into_any(),
            (false, false) => "expired".into_any(),
        };
        let revoke = revoke.as_ref().filter(|_| key.live).map(|path| {
            view! {
                <Confirm
                    action=format!("{path}/{}/revoke", key.id)
                    label="Revoke"
                    name=key.hint.clone()
                    consequence="The key opens nothing from then on. It cannot be undone."
                />
            }
        });
        view! {
            <tr>
                <td data-label="Key"><code>{key.hint}</code></td>
                <td data-label="State">{state}{revoke}</td>
                <td data-label="Issued"><When at=key.issued_at now/></td>
                <td data-label="Expires"><When at=key.expires_at now/></td>
                <td data-label="Last used">{used}</td>
            </tr>
        }
    };
    view! {
        <table class="stacks">
            <caption class="sr">"Keys"</caption>
            <thead>
                <tr>
                    <th scope="col">"Key"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Issued"</th>
                    <th scope="col">"Expires"</th>
                    <th scope="col">"Last used"</th>
                </tr>
            </thead>
            <tbody>{keys.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}
