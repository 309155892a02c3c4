//! `/people`: people, their groups, and links that let them in.

use app::{GroupDraft, Page, PeoplePage};
use axum::Form;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use domain::PersonId;
use serde::Deserialize;
use service::change::{Membership, Proposed};

use super::change::{Fields, answered, explained, problems, unchanged};
use super::desk::{Answer, Desk, Trouble, page, read, see_other, steward};

/// Everybody.
pub(super) async fn list(desk: Desk) -> Response {
    desk.answer(async { page(people(&desk, None).await?) }).await
}

async fn people(desk: &Desk, draft: Option<GroupDraft>) -> Result<Page, Trouble> {
    let view = desk.visitor.state.service.people_view(&desk.caller).await?;
    Ok(Page::People(Box::new(PeoplePage { view, draft })))
}

/// Who is to be in which group, or no longer.
#[derive(Default, Deserialize)]
pub(super) struct GroupFields {
    #[serde(default)]
    person: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    change: String,
    #[serde(default)]
    reason: String,
}

/// Proposes a change of a group.
pub(super) async fn change_group(
    desk: Desk,
    form: Result<Form<GroupFields>, FormRejection>,
) -> Response {
    desk.answer(group_changed(&desk, form)).await
}

async fn group_changed(desk: &Desk, form: Result<Form<GroupFields>, FormRejection>) -> Answer {
    let steward = steward(desk)?;
    let Form(fields) = form?;
    let change = match fields.change.as_str() {
        "add" => Some(Membership::Add),
        "remove" => Some(Membership::Remove),
        _ => None,
    };
    let draft = GroupDraft {
        person: fields.person.clone(),
        group: fields.group.clone(),
        add: change.map(|change| change == Membership::Add),
        reason: fields.reason.clone(),
        problems: Vec::new(),
    };
    let (Ok(person), Some(change)) = (fields.person.parse::<PersonId>(), change) else {
        let problems = vec!["Choose a person, and whether to add or to remove them.".to_owned()];
        return unchanged(people(desk, Some(GroupDraft { problems, ..draft })).await?);
    };
    let (group, reason) = (fields.group.trim(), &fields.reason);
    let service = &desk.visitor.state.service;
    match service.change_group(&steward, change, person, group, reason).await {
        Ok(proposed) => answered(proposed, "/people"),
        Err(error) => {
            let draft = GroupDraft { problems: problems(error)?, ..draft };
            unchanged(people(desk, Some(draft)).await?)
        }
    }
}

/// Adds a person and shows the one-time link that lets them in.
pub(super) async fn add(desk: Desk, body: Bytes) -> Response {
    desk.answer(async {
        let steward = steward(&desk)?;
        let fields = Fields::read(&body)?;
        let name = fields.one("name").trim();
        let groups: Vec<&str> = fields.all("groups").collect();
        match desk.visitor.state.service.add_person(&steward, name, &groups).await {
            Ok((person, proposed)) => {
                let waits = proposed.iter().any(|change| matches!(change, Proposed::Staged(_)));
                invitation(&desk, person, name, waits).await
            }
            Err(error) => explained(error, "/people"),
        }
    })
    .await
}

/// A new one-time link for a person.
pub(super) async fn invite(desk: Desk, Path(id): Path<String>) -> Response {
    desk.answer(async {
        steward(&desk)?;
        let person: PersonId = read(&id)?;
        let found = desk.visitor.state.service.person_name(person).await?;
        let name = found.ok_or(Trouble::NotFound)?;
        invitation(&desk, person, &name, false).await
    })
    .await
}

/// A link to hand over; `waits`, if a second administrator has to approve the groups first.
async fn invitation(desk: &Desk, person: PersonId, name: &str, waits: bool) -> Answer {
    let link = match desk.visitor.state.service.sign_in_link(&steward(desk)?, person).await {
        Ok(link) => link,
        Err(error) => return explained(error, "/people"),
    };
    let groups =
        if waits { " Their groups wait in the inbox for another administrator." } else { "" };
    page(Page::Secret {
        title: format!("A link for {name}"),
        explanation: format!(
            "{}{groups}",
            "Hand it over on a channel you trust. It signs them in once, within 60 minutes; then they can set a password under Settings."
        ),
        value: link,
        back_to: "/people".to_owned(),
        back_label: "Back to people".to_owned(),
    })
}

/// Disables a person.
pub(super) async fn disable(desk: Desk, Path(id): Path<String>) -> Response {
    desk.answer(async {
        let (steward, person) = (steward(&desk)?, read(&id)?);
        match desk.visitor.state.service.disable_person(&steward, person).await {
            Ok(()) => see_other("/people"),
            Err(error) => explained(error, "/people"),
        }
    })
    .await
}
