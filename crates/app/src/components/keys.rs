//! API keys in a table, never the keys themselves.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::KeyRow;

use crate::components::confirm::Confirm;
use crate::components::when::{Relative, When};

/// The keys; `revoke` is the path under which the viewer may revoke one, and rotate it where they
/// are an agent's.
#[component]
pub fn Keys(
    keys: Vec<KeyRow>,
    now: Timestamp,
    revoke: Option<String>,
    /// Keys of an agent: they may be limited, and are rotated.
    #[prop(optional)]
    of_agent: bool,
) -> impl IntoView {
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
        let living = revoke.as_ref().filter(|_| key.live);
        let rotate = living.filter(|_| of_agent).map(|path| {
            let action = format!("{path}/{}/rotate", key.id);
            view! { <Rotate action hint=key.hint.clone()/> }
        });
        let revoke = living.map(|path| {
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
                <td data-label="State">{state}{rotate}{revoke}</td>
                <td data-label="Issued"><When at=key.issued_at now/></td>
                <td data-label="Expires"><When at=key.expires_at now/></td>
                <td data-label="Last used">{used}</td>
                {of_agent.then(|| view! { <td data-label="Opens">{key.scope.to_string()}</td> })}
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
                    {of_agent.then(|| view! { <th scope="col">"Opens"</th> })}
                </tr>
            </thead>
            <tbody>{keys.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}

/// The next key of an agent, and when the one that it replaces ends. Two steps, as all that ends one.
#[component]
fn Rotate(action: String, hint: String) -> impl IntoView {
    view! {
        <details class="confirm">
            <summary>"Rotate"<span class="sr">" "{hint}</span>"…"</summary>
            <form method="post" action=action>
                <p class="hint">"A new key with the same limits, shown to you once. When does this one end?"</p>
                <button class="quiet" name="old" value="day">"In 24 hours: time to move over"</button>
                <button class="quiet" name="old" value="now">"Now: it may have leaked"</button>
            </form>
        </details>
    }
}
