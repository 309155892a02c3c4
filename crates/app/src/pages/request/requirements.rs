//! Why it is not approved yet: each requirement, who fills it, who could, who cannot.

use domain::StateName;
use leptos::prelude::*;
use service::view::{RequestView, RequirementView};

use super::Reader;
use crate::components::card::Card;
use crate::components::when::When;
use crate::wording::person;

/// The requirements; while pending, with what is missing.
pub fn card(view: &RequestView, reader: &Reader) -> AnyView {
    let pending = view.state.name() == StateName::Pending;
    let title = if pending { "Why not yet" } else { "Reviews" };
    let items = view
        .requirements
        .iter()
        .map(|requirement| item(requirement, view, reader, pending))
        .collect_view();
    let cannot = pending.then(|| cannot(view, reader)).flatten();
    let never = (pending && !view.attainable).then(|| never(view));
    view! {
        <Card id="requirements" title=title>
            {never}
            <ul class="in need" role="list">{items}</ul>
            {cannot}
        </Card>
    }
    .into_any()
}

/// Too few people may fill the seats: nobody should wait for what cannot come.
fn never(view: &RequestView) -> AnyView {
    let open = view.requirements.iter().filter(|need| person::missing(need) > 0);
    let mut groups: Vec<String> = open.map(|need| need.group.clone()).collect();
    groups.dedup();
    let groups = person::any_of(&groups, None);
    view! {
        <div class="in">
            <p class="alert never">
                <b>"As things are, this can never be approved."</b>
                {format!(" Too few people may fill its seats. An administrator can add somebody to {groups}; otherwise it expires.")}
            </p>
        </div>
    }
    .into_any()
}

fn item(
    requirement: &RequirementView,
    view: &RequestView,
    reader: &Reader,
    pending: bool,
) -> AnyView {
    let missing = person::missing(requirement);
    let (mark, class, word) =
        if missing == 0 { ("✓", "good", "met") } else { ("○", "soft", "missing") };
    let filled = requirement
        .filled_by
        .iter()
        .map(|(name, at)| {
            let name = person::all_of(std::slice::from_ref(name), reader.name.as_deref());
            view! { <small>{name}", "<When at=*at now=view.now/></small> }
        })
        .collect_view();
    let could = (pending && missing > 0).then(|| {
        let names = person::any_of(&requirement.could_fill, reader.name.as_deref());
        if names.is_empty() {
            view! { <small class="bad">"nobody left who could"</small> }.into_any()
        } else {
            view! { <small>{format!("could be {names}")}</small> }.into_any()
        }
    });
    view! {
        <li>
            <span class=class aria-hidden="true">{mark}</span>
            <div>
                {person::number_word(requirement.seats)}" of "<b>{requirement.group.clone()}</b>
                <span class="sr">{format!(", {word}")}</span>
                {filled}
                {could}
                <small>{requirement.why.clone()}</small>
            </div>
        </li>
    }
    .into_any()
}

fn cannot(view: &RequestView, reader: &Reader) -> Option<AnyView> {
    let line = |(name, why): &(String, domain::Ineligible)| {
        let who = if reader.name.as_ref() == Some(name) { "You".to_owned() } else { name.clone() };
        let why = if who == "You" { person::not_you(*why) } else { person::cannot(*why) };
        let said = if who == "You" {
            format!("You cannot. {why}")
        } else {
            format!("{who} cannot: {why}.")
        };
        view! { <li>{said}</li> }
    };
    (!view.excluded.is_empty()).then(|| {
        let lines = view.excluded.iter().map(line).collect_view();
        view! { <ul class="in cannot" role="list">{lines}</ul> }.into_any()
    })
}
