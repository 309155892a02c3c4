//! Freezes: what is stopped now, how to stop something, and how to end it.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::{FreezeRow, FreezesView};

use crate::components::card::Card;
use crate::components::deed::Deed;
use crate::components::freeze::Scope;
use crate::components::reason::Reason;
use crate::components::untrusted::Untrusted;
use crate::components::when::{Relative, When};
use crate::page::{FreezeDraft, FreezesPage};
use crate::wording::freeze;

/// The freezes that are on, and the form for another.
#[component]
pub fn Freezes(page: FreezesPage) -> impl IntoView {
    let FreezesPage { view, draft } = page;
    let (now, may_thaw) = (view.now, view.may_thaw);
    let thawing = draft.clone().filter(|draft| draft.thaw.is_some());
    let freezing = draft.filter(|draft| draft.thaw.is_none());
    let gone = thawing
        .clone()
        .filter(|draft| view.freezes.iter().all(|freeze| draft.thaw != Some(freeze.id)))
        .map(|draft| view! { <p class="alert" role="alert">{draft.problem}</p> });
    let unrecorded = freezing.as_ref().map(|draft| {
        view! {
            <p class="notice bad">
                <b>"Nothing more is frozen."</b>" "{draft.problem.clone()}" "
                <a href="#freeze">"What you wrote is kept"</a>
            </p>
        }
    });
    let standing = if view.freezes.is_empty() {
        view! {
            <div class="card empty">
                <p><b>"Nothing is frozen."</b>" What is approved can be redeemed."</p>
            </div>
        }
        .into_any()
    } else {
        view.freezes
            .iter()
            .map(|row| standing(row, now, may_thaw, thawing.as_ref()))
            .collect_view()
            .into_any()
    };
    let form = if view.may_freeze {
        form(&view, freezing)
    } else {
        view! {
            <p class="hint">"Reviewers and administrators can freeze. Ask one of them if something has to stop now."</p>
        }
        .into_any()
    };
    view! {
        <main id="main" tabindex="-1" class="page">
            {unrecorded}
            <h1>"Freeze"</h1>
            <p class="lead">
                "A freeze stops releases at once: nothing that is approved can be redeemed until it ends. Reviews go on."
            </p>
            {gone}
            {standing}
            {form}
        </main>
    }
}

fn standing(
    row: &FreezeRow,
    now: Timestamp,
    may_thaw: bool,
    draft: Option<&FreezeDraft>,
) -> AnyView {
    let row = row.clone();
    let (words, name) = freeze::scope(&row.scope);
    let typed = draft
        .filter(|draft| draft.thaw == Some(row.id))
        .map(|draft| (draft.problem.clone(), draft.reason.clone()));
    let of = format!("{words}{}", crate::text::spelled(&name.unwrap_or_default()));
    let end = if may_thaw {
        view! {
            <Deed
                action=format!("/freezes/{}/thaw", row.id)
                id=format!("thaw-{}", row.id)
                label="End this freeze"
                of=of
                consequence="From then on what is approved can be redeemed again, if nothing else stops it. What was told to halt stays halted."
                hint="Kept for ever with your name."
                typed
            />
        }
        .into_any()
    } else {
        view! { <p class="hint">"An administrator ends it."</p> }.into_any()
    };
    view! {
        <section class="card freeze" aria-label="Frozen">
            <header>
                <h2>"Frozen: "<Scope scope=row.scope/></h2>
                <small>{freeze::running(row.halts)}</small>
            </header>
            <div class="in">
                <p>{row.by}", "<When at=row.at now/>" ("<Relative at=row.at now/>")"</p>
                <blockquote><Untrusted text=row.reason preformatted=true/></blockquote>
                {end}
            </div>
        </section>
    }
    .into_any()
}

fn form(view: &FreezesView, draft: Option<FreezeDraft>) -> AnyView {
    let draft = draft.unwrap_or_default();
    let alert = (!draft.problem.is_empty())
        .then(|| view! { <p class="alert" role="alert">{draft.problem.clone()}</p> });
    let scopes = scopes(view, &draft.scope);
    let chosen = draft.halts;
    let running = move |halts: bool, label: &'static str, hint: &'static str| {
        let (id, word) = if halts { ("halt", "halt") } else { ("go-on", "go_on") };
        let hint_id = format!("{id}-hint");
        view! {
            <div class="choice">
                <label class="pick">
                    <input
                        type="radio"
                        name="running"
                        value=word
                        required=true
                        checked=chosen == Some(halts)
                        aria-describedby=hint_id.clone()
                    />
                    {label}
                </label>
                <p class="hint" id=hint_id>{hint}</p>
            </div>
        }
    };
    view! {
        <Card id="freeze" title="Freeze something">
            <form class="in" method="post" action="/freezes">
                {alert}
                <label class="l" for="scope">"What"</label>
                {scopes}
                <fieldset class="running">
                    <legend class="l">"What runs already"</legend>
                    {running(false, "Goes on", "Executions that have begun run to their end.")}
                    {running(true, "Is told to halt", "Each executor hears it at its next heartbeat, stops, and follows its rollback plan. What it has done by then is done.")}
                </fieldset>
                <Reason
                    id="reason"
                    name="reason"
                    hint="Everybody reads it here, and on every request that waits because of it. Kept for ever with your name."
                    text=draft.reason.clone()
                    rows=3
                />
                <p class="do"><button class="stops">"Freeze now"</button></p>
                <p class="hint">
                    "It works at once. A release token that was handed out before can still be used offline for up to five minutes. Approvals lapse at their time as ever. Only an administrator ends a freeze."
                </p>
            </form>
        </Card>
    }
    .into_any()
}

/// One choice for all sorts of scope, so that it works the same without scripts and by thumb.
fn scopes(view: &FreezesView, chosen: &str) -> AnyView {
    let option = |value: String, label: String| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{crate::text::spelled(&label)}</option> }
    };
    let group = |label: &'static str, options: Vec<(String, String)>| {
        (!options.is_empty()).then(|| {
            let options = options.into_iter().map(|(value, name)| option(value, name));
            view! { <optgroup label=label>{options.collect_view()}</optgroup> }
        })
    };
    let named = |sort: &str, names: &[String]| -> Vec<(String, String)> {
        names.iter().map(|name| (format!("{sort}:{name}"), name.clone())).collect()
    };
    let agents =
        view.agents.iter().map(|(id, name)| (format!("agent:{id}"), name.clone())).collect();
    view! {
        <select id="scope" name="scope" required=true>
            <option value="">"Choose what to freeze"</option>
            {option("all".to_owned(), "Everything".to_owned())}
            {group("One environment", named("environment", &view.environments))}
            {group("One agent", agents)}
            {group("One kind", named("kind", &view.kinds))}
        </select>
    }
    .into_any()
}
