//! Agents: who owns them, and which of their keys live.

use domain::{PersonId, Timestamp};
use leptos::prelude::*;
use service::view::{AgentRow, AgentsView, TrustRow};

use crate::components::card::Card;
use crate::components::confirm::Confirm;
use crate::components::keys::Keys;
use crate::components::untrusted::Untrusted;
use crate::components::when::{Relative, When};
use crate::wording::number;

/// Every agent with its keys; an administrator adds agents and issues keys.
#[component]
pub fn Agents(view: AgentsView, administrator: bool) -> impl IntoView {
    let AgentsView { now, agents, people } = view;
    let add = administrator.then(|| view! { <AddAgent people/> });
    let list = if agents.is_empty() {
        view! {
            <div class="card empty">
                <p><b>"No agent yet."</b>" An agent is a non-human identity with an owner. It stages; it can never decide."</p>
            </div>
        }
        .into_any()
    } else {
        agents
            .into_iter()
            .map(|agent| view! { <Agent row=agent now administrator/> })
            .collect_view()
            .into_any()
    };
    view! {
        <main id="main" tabindex="-1" class="page">
            <h1>"Agents"</h1>
            <p class="lead">
                "Non-human identities that stage and execute. Each has an owner, who never reviews what it stages."
            </p>
            {list}
            {add}
        </main>
    }
}

#[component]
fn Agent(row: AgentRow, now: Timestamp, administrator: bool) -> impl IntoView {
    let AgentRow { agent, pending, keys, trusts } = row;
    let state = if agent.suspended {
        view! { <span class="bad">"suspended"</span> }.into_any()
    } else {
        number::count(
            usize::try_from(pending).unwrap_or(usize::MAX),
            "pending request",
            "pending requests",
        )
        .into_any()
    };
    let suspend = (administrator && !agent.suspended).then(|| {
        view! {
            <div class="row-do">
                <Confirm
                    action=format!("/agents/{}/suspend", agent.id)
                    label="Suspend"
                    name=agent.name.clone()
                    consequence="It stages and redeems nothing from then on. It cannot be undone."
                />
            </div>
        }
    });
    let issue = (administrator && !agent.suspended).then(|| {
        let action = format!("/agents/{}/keys", agent.id);
        let label = format!(" for {}", agent.name);
        view! {
            <div class="row-do"><details class="confirm">
                <summary>"Issue a key"<span class="sr">{label.clone()}</span>"…"</summary>
                <form class="fields" method="post" action=action>
                    <Limits of=agent.id.to_string()/>
                    <button>"Issue a key"<span class="sr">{label}</span></button>
                    <p class="hint">
                        "At most two keys live at once. Whoever is shown a key cannot review this agent while it lives."
                    </p>
                </form>
            </details></div>
        }
    });
    let revoke = administrator.then(|| format!("/agents/{}/keys", agent.id));
    let table = keys.map(|keys| {
        if keys.is_empty() {
            view! { <p class="in soft">"No key."</p> }.into_any()
        } else {
            view! { <Keys keys now revoke of_agent=true/> }.into_any()
        }
    });
    let trusts = trusts.filter(|trusts| !trusts.is_empty()).map(|trusts| {
        let remove = administrator.then(|| format!("/agents/{}/trusts", agent.id));
        view! { <Trusts trusts now remove/> }
    });
    let trust = (administrator && !agent.suspended)
        .then(|| view! { <AddTrust id=agent.id.to_string() name=agent.name.clone()/> });
    let name = agent.name.clone();
    view! {
        <section class="card" aria-label=name>
            <header>
                <h2><Untrusted text=agent.name/></h2>
                <small>"owner "{agent.owner}" · "{state}</small>
            </header>
            {table}
            {trusts}
            {issue}
            {trust}
            {suspend}
        </section>
    }
}

/// Whose tokens speak as the agent; `remove` is the path under which the viewer may remove one.
#[component]
fn Trusts(trusts: Vec<TrustRow>, now: Timestamp, remove: Option<String>) -> impl IntoView {
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

#[component]
fn AddTrust(id: String, name: String) -> impl IntoView {
    let field = |field: &str| format!("{field}-{id}");
    let (issuer, audience) = (field("issuer"), field("audience"));
    let (claims, jwks) = (field("claims"), field("jwks"));
    view! {
        <div class="row-do"><details class="confirm">
            <summary>"Trust tokens"<span class="sr">" for "{name.clone()}</span>"…"</summary>
            <form class="fields" method="post" action=format!("/agents/{id}/trusts")>
                <p class="hint">
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
                    <label class="l" for=claims.clone()>"Claims, as name=value, one a line"</label>
                    <textarea
                        id=claims
                        name="claims"
                        required=true
                        rows="3"
                        placeholder="repository_id=123456789"
                        spellcheck="false"
                    ></textarea>
                </div>
                <div class="wide">
                    <label class="l" for=jwks.clone()>"The issuer's keys (JWKS), only where it cannot be asked"</label>
                    <textarea id=jwks name="jwks" rows="2" spellcheck="false"></textarea>
                </div>
                <Limits of=format!("trust-{id}")/>
                <button>"Trust tokens"<span class="sr">" for "{name}</span></button>
            </form>
        </details></div>
    }
}

/// What a credential may be limited to. `of` tells the fields of one form from those of another.
#[component]
fn Limits(of: String) -> impl IntoView {
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

#[component]
fn AddAgent(people: Vec<(PersonId, String)>) -> impl IntoView {
    let owner =
        |(id, name): (PersonId, String)| view! { <option value=id.to_string()>{name}</option> };
    view! {
        <Card id="add" title="Add an agent">
            <form class="in fields" method="post" action="/agents">
                <div>
                    <label class="l" for="name">"Name"</label>
                    <input id="name" name="name" type="text" required=true maxlength="80" autocomplete="off"/>
                </div>
                <div>
                    <label class="l" for="owner">"Owner"</label>
                    <select id="owner" name="owner" required=true>
                        <option value="">"Choose a person"</option>
                        {people.into_iter().map(owner).collect_view()}
                    </select>
                </div>
                <button class="act">"Add agent"</button>
                <p class="hint">"The owner answers for the agent and never reviews what it stages."</p>
            </form>
        </Card>
    }
}
