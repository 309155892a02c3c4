//! The policy: what it says now, what another would have changed, and how it came to be.

use leptos::prelude::*;
use service::view::{PolicyAsk, PolicyVersion, PolicyView};

use crate::components::card::Card;
use crate::components::problems::Problems;
use crate::components::reason::Reason;
use crate::components::replay::Replay;
use crate::components::textarea::TextArea;
use crate::components::when::When;
use crate::page::{PolicyPage, TextDraft};
use crate::wording::{elapsed, person};

/// The longest policy: 64 KiB.
const MAX_CHARS: usize = 65_536;

/// The policy in force, the form for another, and the versions before it.
#[component]
pub fn Policy(page: PolicyPage) -> impl IntoView {
    let PolicyPage { view, draft, replay } = page;
    let PolicyView { now, current, asks, versions, may_propose, needs_second_person } = view;
    let replay = replay.map(|replay| {
        view! {
            <section class="card" id="replay" aria-label="Tried on past requests">
                <Replay replay note="Nothing was changed." open=true/>
            </section>
        }
    });
    let lead = if needs_second_person {
        "A new policy waits for a second administrator, like every change of kinds and groups."
    } else {
        "Until there is a second administrator a new policy holds at once, and the ledger marks it as changed by one person alone."
    };
    let form = may_propose.then(|| form(&current, draft.unwrap_or_default()));
    let note = view! { "since "<When at=current.at now/> }.into_any();
    let past = versions.into_iter().skip(1).map(move |version| {
        view! {
            <details>
                <summary>{format!("Version {}", version.version)}", "<When at=version.at now/></summary>
                <pre class="copy" tabindex="0" role="region" aria-label="Policy text"><code>{version.text}</code></pre>
            </details>
        }
    });
    let past: Vec<_> = past.collect();
    let past = (!past.is_empty()).then(|| {
        view! {
            <Card id="versions" title="Versions before it"><div class="in">
                {past}
                <p class="hint">"Every version is kept for ever; the ledger names each by its digest."</p>
            </div></Card>
        }
    });
    view! {
        <main id="main" tabindex="-1" class="page">
            <h1>"Policy"</h1>
            <p class="lead">"Which reviews every action needs, and who may give them. "{lead}</p>
            {replay}
            {asked(asks)}
            <Card id="current" title=format!("Version {} is in force", current.version) note>
                <div class="in">
                    <pre class="copy" tabindex="0" role="region" aria-label="Policy text"><code>{current.text.clone()}</code></pre>
                    <p class="hint">"SHA-256 "<code>{current.digest.hex()}</code></p>
                </div>
            </Card>
            {form}
            {past}
        </main>
    }
}

/// What the policy may ask for, without its conditions: those stand in its text.
fn asked(asks: Vec<PolicyAsk>) -> AnyView {
    let row = |ask: PolicyAsk| {
        let group = match ask.group {
            Some(group) => view! { <b>{group}</b> }.into_any(),
            None => "the group that owns the kind".into_any(),
        };
        let fresh = ask.reauth_s.map(|age_s| {
            let age = elapsed::duration(u64::from(age_s));
            view! { <small>{format!("signed in at most {age} ago")}</small> }
        });
        view! {
            <tr>
                <td data-label="Because">{ask.why}</td>
                <td data-label="Who">{person::number_word(ask.seats)}" of "{group}{fresh}</td>
                <td data-label="Rule"><code>{ask.id}</code></td>
            </tr>
        }
    };
    let rows = asks.into_iter().map(row).collect_view();
    view! {
        <Card id="asks" title="What it asks for" note="when: see its text".into_any()>
            <table class="stacks">
                <caption class="sr">"Requirements of the policy"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Because"</th>
                        <th scope="col">"Who"</th>
                        <th scope="col">"Rule"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </Card>
    }
    .into_any()
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
