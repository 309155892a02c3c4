//! Agents: who owns them, and which of their keys live.

use domain::{AgentId, PersonId, Timestamp};
use leptos::prelude::*;
use service::view::{AgentRow, AgentsView, KeyRow};

use crate::components::card::Card;
use crate::components::confirm::Confirm;
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
    let AgentRow { agent, pending, keys } = row;
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
            <form method="post" action=action class="row-do">
                <button>"Issue a key"<span class="sr">{label}</span></button>
                <span class="hint">"Whoever is shown a key cannot review this agent while it lives."</span>
            </form>
        }
    });
    let table = if keys.is_empty() {
        view! { <p class="in soft">"No key: this agent cannot reach the gate."</p> }.into_any()
    } else {
        view! { <Keys agent=agent.id keys now administrator/> }.into_any()
    };
    let name = agent.name.clone();
    view! {
        <section class="card" aria-label=name>
            <header>
                <h2><Untrusted text=agent.name/></h2>
                <small>"owner "{agent.owner}" · "{state}</small>
            </header>
            {table}
            {issue}
            {suspend}
        </section>
    }
}

#[component]
fn Keys(agent: AgentId, keys: Vec<KeyRow>, now: Timestamp, administrator: bool) -> impl IntoView {
    let row = |key: KeyRow| {
        let used = match key.last_used_at {
            Some(at) => view! { <Relative at now/> }.into_any(),
            None => "never".into_any(),
        };
        let state = match (key.live, key.expires_at > now) {
            (true, _) => view! { <span class="good">"live"</span> }.into_any(),
            (false, true) => "revoked".into_any(),
            (false, false) => "expired".into_any(),
        };
        let revoke = (administrator && key.live).then(|| {
            view! {
                <Confirm
                    action=format!("/agents/{agent}/keys/{}/revoke", key.id)
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
