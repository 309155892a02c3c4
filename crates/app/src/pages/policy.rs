//! The policy: what it says now, what another would have changed, and how it came to be.

use domain::{Requirement, kind};
use leptos::prelude::*;
use service::view::{PolicyVersion, PolicyView, ReplayRow, ReplayView};

use crate::components::card::Card;
use crate::components::problems::Problems;
use crate::components::reason::Reason;
use crate::components::textarea::TextArea;
use crate::components::when::When;
use crate::page::{PolicyPage, TextDraft};
use crate::text::spelled;

/// The longest policy: 64 KiB.
const MAX_CHARS: usize = 65_536;

/// The policy in force, the form for another, and the versions before it.
#[component]
pub fn Policy(page: PolicyPage) -> impl IntoView {
    let PolicyPage { view, draft, replay } = page;
    let PolicyView { now, current, versions, may_propose, needs_second_person } = view;
    let replay = replay.map(replayed);
    let lead = if needs_second_person {
        "A new policy waits for a second administrator, like every change of kinds and groups."
    } else {
        "Until there is a second administrator a new policy holds at once, and the ledger marks it as changed by one person alone."
    };
    let form = may_propose.then(|| form(&current, draft.unwrap_or_default()));
    let note = view! { "since "<When at=current.at now/> }.into_any();
    let past = versions.into_iter().skip(1).map(|version| {
        view! {
            <details>
                <summary>{format!("Version {}", version.version)}", "<When at=version.at now/></summary>
                <pre class="copy" tabindex="0" role="region" aria-label="Policy text"><code>{version.text}</code></pre>
            </details>
        }
    });
    let past = past.collect_view();
    view! {
        <main id="main" tabindex="-1" class="page">
            <h1>"Policy"</h1>
            <p class="lead">"Which reviews every action needs, and who may give them. "{lead}</p>
            {replay}
            <Card id="current" title=format!("Version {} is in force", current.version) note>
                <div class="in">
                    <pre class="copy" tabindex="0" role="region" aria-label="Policy text"><code>{current.text.clone()}</code></pre>
                    <p class="hint">"SHA-256 "<code>{current.digest.hex()}</code></p>
                </div>
            </Card>
            {form}
            <Card id="versions" title="Versions before it"><div class="in">
                {past}
                <p class="hint">"Every version is kept for ever; the ledger names each by its digest."</p>
            </div></Card>
        </main>
    }
}

fn form(current: &PolicyVersion, draft: TextDraft) -> AnyView {
    let replaces = current.version.to_string();
    let text = if draft.text.is_empty() { current.text.clone() } else { draft.text };
    view! {
        <Card id="draft" title="Write another">
            <form class="in" method="post" action="/policy#draft">
                <Problems problems=draft.problems/>
                <input type="hidden" name="replaces" value=replaces/>
                <label class="l" for="policy-text">"The whole policy, in Cedar"</label>
                <TextArea id="policy-text" name="text" text=text min=1 max=MAX_CHARS described_by="policy-hint" rows=24 code=true/>
                <p class="hint" id="policy-hint">
                    "Each forbid on Release is a requirement; its "<code>"@why"</code>" is what approvers read."
                </p>
                <Reason
                    id="policy-reason"
                    name="reason"
                    hint="Kept for ever with your name. Whoever approves it reads this."
                    text=draft.reason
                    rows=3
                />
                <p class="do">
                    <button name="do" value="try" formnovalidate=true>"Try it on past requests"</button>
                    <button class="act" name="do" value="propose">"Propose this policy"</button>
                </p>
            </form>
        </Card>
    }
    .into_any()
}

fn replayed(replay: ReplayView) -> AnyView {
    let ReplayView { replayed, laxer, rows } = replay;
    let differing = rows.len();
    let summary = match (differing, laxer) {
        (0, _) => {
            format!("It would have asked the same of each of the {replayed} newest requests.")
        }
        (_, 0) => format!(
            "Of the {replayed} newest requests {differing} would have fared differently; none would have needed fewer people."
        ),
        _ => format!(
            "Of the {replayed} newest requests {differing} would have fared differently; {laxer} would have needed fewer people."
        ),
    };
    let class = if laxer > 0 { "notice bad" } else { "notice" };
    let rows = rows.into_iter().map(row).collect_view();
    let table = (differing > 0).then(|| {
        view! {
            <table class="stacks">
                <caption class="sr">"What the draft would have changed"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Request"</th>
                        <th scope="col">"Asked now"</th>
                        <th scope="col">"The draft would ask"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
    });
    view! {
        <section class="card" id="replay" aria-label="Tried on past requests">
            <div class="in"><p class=class>{summary}" Nothing was changed."</p></div>
            {table}
        </section>
    }
    .into_any()
}

fn row(row: ReplayRow) -> AnyView {
    let sentence = spelled(&kind::sentence(&row.effect));
    let asked = |needs: Vec<Requirement>, refused: Option<String>| {
        let need = |need: Requirement| {
            let fresh = if need.reauth_s.is_some() { ", signed in anew" } else { "" };
            let seats = need.seats;
            view! { <li>{format!("{seats} of {}{fresh}", need.group)}</li> }
        };
        let refused = refused.map(|why| view! { <li class="bad">"Refused: "{why}</li> });
        view! { <ul role="list">{needs.into_iter().map(need).collect_view()}{refused}</ul> }
    };
    let (before, after): (Vec<_>, Vec<_>) = row.changed.into_iter().unzip();
    let now = asked([row.removed, before].concat(), row.refused);
    let then = asked([row.added, after].concat(), row.would_be_refused);
    view! {
        <tr>
            <td data-label="Request"><a href=format!("/requests/{}", row.request)>{sentence}</a></td>
            <td data-label="Asked now">{now}</td>
            <td data-label="The draft would ask">{then}</td>
        </tr>
    }
    .into_any()
}
