//! Tokens that speak as an agent: the trusts that stand, and the form that adds one.

use domain::Timestamp;
use domain::trust::MAX_JWKS_BYTES;
use leptos::prelude::*;
use service::view::TrustRow;

use crate::components::confirm::Confirm;
use crate::components::textarea::TextArea;
use crate::components::when::{Relative, When};

/// Whose tokens speak as the agent; `remove` is the path under which the viewer may remove one.
#[component]
pub fn Trusts(trusts: Vec<TrustRow>, now: Timestamp, remove: Option<String>) -> impl IntoView {
    let row = move |trust: TrustRow| {
        let used = match trust.last_used_at {
            Some(at) => view! { <Relative at now/> }.into_any(),
            None => "never".into_any(),
        };
        let claim = |(name, value): (String, String)| {
            view! { <li><code>{name}</code>" = "<code>{value}</code></li> }
        };
        let remove = remove.as_ref().map(|path| {
            view! {
                <Confirm
                    action=format!("{path}/{}/remove", trust.id)
                    label="Remove"
                    name="this trust".to_owned()
                    consequence="Its tokens open nothing from then on, nor what they have under way."
                />
            }
        });
        let keys = trust.has_keys.then_some(" with the keys that came with it");
        view! {
            <tr>
                <td data-label="Issuer" class="value"><code>{trust.issuer}</code>{keys}{remove}</td>
                <td data-label="Audience" class="value"><code>{trust.audience}</code></td>
                <td data-label="Claims" class="value">
                    <ul role="list">{trust.claims.into_iter().map(claim).collect_view()}</ul>
                </td>
                <td data-label="Added"><When at=trust.added_at now/></td>
                <td data-label="Last used">{used}</td>
                <td data-label="Opens">{trust.scope.to_string()}</td>
            </tr>
        }
    };
    view! {
        <table class="stacks">
            <caption class="sr">"Trusted tokens"</caption>
            <thead>
                <tr>
                    <th scope="col">"Tokens of"</th>
                    <th scope="col">"Audience"</th>
                    <th scope="col">"Claims"</th>
                    <th scope="col">"Added"</th>
                    <th scope="col">"Last used"</th>
                    <th scope="col">"Opens"</th>
                </tr>
            </thead>
            <tbody>{trusts.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}

/// The form that has tokens trusted.
#[component]
pub fn AddTrust(id: String, name: String) -> impl IntoView {
    let field = |field: &str| format!("{field}-{id}");
    let (issuer, audience) = (field("issuer"), field("audience"));
    let (claims, jwks, how) = (field("claims"), field("jwks"), field("trust-how"));
    view! {
        <div class="row-do"><details class="confirm">
            <summary>"Trust tokens"<span class="sr">" for "{name.clone()}</span>"…"</summary>
            <form class="fields" method="post" action=format!("/agents/{id}/trusts")>
                <p class="hint" id=how.clone()>
                    "A workload that shows a token of this issuer, for this audience and with these claims, speaks as this agent and needs no key. While the trust stands, you do not count as a reviewer of the agent's requests."
                </p>
                <div>
                    <label class="l" for=issuer.clone()>"Issuer"</label>
                    <input
                        id=issuer
                        name="issuer"
                        type="url"
                        required=true
                        maxlength="255"
                        placeholder="https://token.actions.githubusercontent.com"
                        autocomplete="off"
                    />
                </div>
                <div>
                    <label class="l" for=audience.clone()>"Audience"</label>
                    <input
                        id=audience
                        name="audience"
                        type="text"
                        required=true
                        maxlength="255"
                        placeholder="the address of this gate"
                        autocomplete="off"
                        spellcheck="false"
                    />
                </div>
                <div class="wide">
                    <label class="l" for=claims.clone()>"Claims, one a line, such as repository_id=123456789"</label>
                    <TextArea id=claims name="claims" text=String::new() min=3 max=8000 described_by=how.clone() rows=3 code=true/>
                </div>
                <div class="wide">
                    <label class="l" for=jwks.clone()>"The issuer's keys (JWKS), only where it cannot be asked"</label>
                    <TextArea id=jwks name="jwks" text=String::new() min=0 max=MAX_JWKS_BYTES described_by=how.clone() rows=2 code=true optional=true/>
                </div>
                <Limits of=format!("trust-{id}")/>
                <button>"Trust tokens"<span class="sr">" for "{name}</span></button>
            </form>
        </details></div>
    }
}

/// What a credential may be limited to. `of` tells the fields of one form from those of another.
#[component]
pub fn Limits(of: String) -> impl IntoView {
    let (kinds, environments) = (format!("kinds-{of}"), format!("environments-{of}"));
    view! {
        <div>
            <label class="l" for=kinds.clone()>"Only these kinds"</label>
            <input id=kinds name="kinds" type="text" placeholder="all" autocomplete="off" spellcheck="false"/>
        </div>
        <div>
            <label class="l" for=environments.clone()>"Only these environments"</label>
            <input
                id=environments
                name="environments"
                type="text"
                placeholder="all"
                autocomplete="off"
                spellcheck="false"
            />
        </div>
        <p class="hint">"Exact names with commas between them. Empty means all that the agent may do."</p>
    }
}
