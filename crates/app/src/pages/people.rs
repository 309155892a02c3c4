//! People: who can review, and in which groups they are.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::{PeopleView, PersonRow};

use crate::components::card::Card;
use crate::components::confirm::Confirm;
use crate::components::problems::Problems;
use crate::components::reason::Reason;
use crate::components::when::When;
use crate::page::{GroupDraft, PeoplePage};

/// Every person; an administrator adds people.
#[component]
pub fn People(page: PeoplePage, administrator: bool, now: Timestamp) -> impl IntoView {
    let PeoplePage { view: PeopleView { people, groups }, draft } = page;
    let draft = draft.unwrap_or_default();
    let change = administrator.then(|| change(&people, &groups, draft));
    let add = administrator.then(|| view! { <AddPerson groups/> });
    view! {
        <main id="main" tabindex="-1" class="page">
            <h1>"People"</h1>
            <p class="lead">"Who decides. A requirement names a group; only its active members can fill a seat."</p>
            <section class="card" aria-label="Everybody">
                <table class="stacks">
                    <caption class="sr">"People and their groups"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Groups"</th>
                            <th scope="col">"Signs in with"</th>
                            <th scope="col">"Added"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {people
                            .into_iter()
                            .map(|row| view! { <Person row administrator now/> })
                            .collect_view()}
                    </tbody>
                </table>
            </section>
            {change}
            {add}
        </main>
    }
}

#[component]
fn Person(row: PersonRow, administrator: bool, now: Timestamp) -> impl IntoView {
    let disabled = (!row.active).then(|| view! { " "<span class="bad">"disabled"</span> });
    let groups = if row.groups.is_empty() { "none".to_owned() } else { row.groups.join(", ") };
    let with = if row.has_password { "password" } else { "one-time link" };
    let invite = (administrator && row.active && !row.has_password).then(|| {
        view! {
            <form method="post" action=format!("/people/{}/invite", row.id)>
                <button class="link">"New link"<span class="sr">" for "{row.name.clone()}</span></button>
            </form>
        }
    });
    let disable = (administrator && row.active).then(|| {
        view! {
            <Confirm
                action=format!("/people/{}/disable", row.id)
                label="Disable"
                name=row.name.clone()
                consequence="Signed out at once; approvals not yet redeemed no longer count. It cannot be undone."
            />
        }
    });
    view! {
        <tr>
            <td data-label="Name"><b>{row.name}</b>{disabled}{disable}</td>
            <td data-label="Groups">{groups}</td>
            <td data-label="Signs in with">{with}{invite}</td>
            <td data-label="Added"><When at=row.added_at now/></td>
        </tr>
    }
}

#[component]
fn AddPerson(groups: Vec<String>) -> impl IntoView {
    let group = |name: String| {
        view! {
            <label class="pick">
                <input type="checkbox" name="groups" value=name.clone()/>
                {name}
            </label>
        }
    };
    view! {
        <Card id="add" title="Add a person">
            <form class="in" method="post" action="/people">
                <label class="l" for="name">"Name"</label>
                <input id="name" name="name" type="text" required=true maxlength="80" autocomplete="off"/>
                <fieldset class="picks">
                    <legend>"Groups"</legend>
                    {groups.into_iter().map(group).collect_view()}
                </fieldset>
                <p class="do"><button class="act">"Add person"</button></p>
                <p class="hint">"You get a one-time link to hand to them. It is shown once. From the second administrator on, each group waits for another administrator's approval."</p>
            </form>
        </Card>
    }
}

/// The form that changes who is in a group: a change to the house.
fn change(people: &[PersonRow], groups: &[String], draft: GroupDraft) -> AnyView {
    let person = |row: &PersonRow| {
        let id = row.id.to_string();
        let chosen = id == draft.person;
        view! { <option value=id selected=chosen>{row.name.clone()}</option> }
    };
    let people = people.iter().filter(|row| row.active).map(person).collect_view();
    let known = groups.iter().map(|name| view! { <option value=name.clone()></option> });
    let known = known.collect_view();
    let pick = |add: bool, label: &'static str| {
        let word = if add { "add" } else { "remove" };
        let checked = draft.add == Some(add);
        view! {
            <label class="pick">
                <input type="radio" name="change" value=word required=true checked=checked/>
                {label}
            </label>
        }
    };
    let (add, remove) = (pick(true, "Add to the group"), pick(false, "Remove from the group"));
    view! {
        <Card id="group" title="Change who is in a group">
            <form class="in" method="post" action="/people/groups#group">
                <Problems problems=draft.problems/>
                <label class="l" for="group-person">"Person"</label>
                <select id="group-person" name="person" required=true>
                    <option value="">"Choose a person"</option>
                    {people}
                </select>
                <label class="l" for="group-name">"Group"</label>
                <input
                    id="group-name"
                    name="group"
                    type="text"
                    list="group-names"
                    required=true
                    maxlength="40"
                    autocomplete="off"
                    value=draft.group
                    aria-describedby="group-hint"
                />
                <datalist id="group-names">{known}</datalist>
                <p class="hint" id="group-hint">
                    "Members of "<code>"break-glass"</code>" may approve alone in an emergency. A new name makes a new group, for the policy or a kind to name."
                </p>
                <fieldset class="picks">
                    <legend>"Change"</legend>
                    {add}
                    {remove}
                </fieldset>
                <Reason
                    id="group-reason"
                    name="reason"
                    hint="Kept for ever with your name. Whoever approves it reads this."
                    text=draft.reason
                    rows=3
                />
                <p class="do"><button class="act">"Propose this change"</button></p>
            </form>
        </Card>
    }
    .into_any()
}
