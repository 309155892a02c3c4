//! Agents: who owns them, which of their keys live, and whose tokens speak as them.

mod trust;

use domain::{PersonId, Timestamp};
use leptos::prelude::*;
use service::view::{AgentRow, AgentsView};

use crate::components::card::Card;
use crate::components::confirm::Confirm;
use crate::components::keys::Keys;
use crate::components::untrusted::Untrusted;
use crate::wording::number;
use trust::{AddTrust, Limits, Trusts};

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
            .map(|agent| view! { <Agent row=agent now administrator/> }.into_any())
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
        view! { <Trusts trusts now remove/> }.into_any()
    });
    let trust = (administrator && !agent.suspended)
        .then(|| view! { <AddTrust id=agent.id.to_string() name=agent.name.clone()/> }.into_any());
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
