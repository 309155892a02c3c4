//! People: who can review, and in which groups they are.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::{PeopleView, PersonRow};

use crate::components::card::Card;
use crate::components::confirm::Confirm;
use crate::components::when::When;

/// Every person; an administrator adds people.
#[component]
pub fn People(view: PeopleView, administrator: bool, now: Timestamp) -> impl IntoView {
    let PeopleView { people, groups } = view;
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
                <p class="hint">"You get a one-time link to hand to them. It is shown once."</p>
            </form>
        </Card>
    }
}
