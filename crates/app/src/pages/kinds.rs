//! The catalogue: what agents may ask for, and how to ask.

use domain::Kind;
use domain::kind::{EvidenceRule, is_change};
use leptos::prelude::*;
use service::view::{KindView, KindsView};

use crate::components::card::Card;
use crate::components::problems::Problems;
use crate::components::reason::Reason;
use crate::components::risk_badge::RiskBadge;
use crate::components::textarea::TextArea;
use crate::page::{KindsPage, TextDraft};
use crate::schema::{self, Parameter};
use crate::wording::kind as wording;

/// The longest text of a kind that the form takes.
const MAX_CHARS: usize = 65_536;

/// Every kind in its newest version.
#[component]
pub fn Kinds(page: KindsPage, administrator: bool) -> impl IntoView {
    let KindsPage { view: KindsView { kinds, public_url }, draft } = page;
    let put = administrator.then(|| put(draft.unwrap_or_default()));
    let (of_the_house, of_agents): (Vec<_>, Vec<_>) =
        kinds.into_iter().partition(|view| is_change(&view.kind.name));
    let contents = of_agents
        .iter()
        .map(|view| {
            let name = view.kind.name.clone();
            view! { <li><a href=format!("#{name}")><code>{name.clone()}</code><span>{view.kind.title.clone()}</span></a></li> }
        })
        .collect_view();
    let card = |view: KindView, of_agents: bool| {
        let offers = Offers { staging: of_agents, change: of_agents && administrator };
        view! { <KindCard view public_url=public_url.clone() offers/> }
    };
    let sections = of_agents.into_iter().map(|view| card(view, true)).collect_view();
    let house = of_the_house.into_iter().map(|view| card(view, false)).collect_view();
    view! {
        <main id="main" tabindex="-1" class="page">
            <h1>"Kinds"</h1>
            <p class="lead">
                "What agents may ask for. Each kind fixes its parameters, its effect sentence, the evidence it needs and its deadlines."
            </p>
            <ul class="contents" role="list">{contents}</ul>
            {sections}
            {put}
            <h2 class="chapter" id="house">"Changes to the house itself"</h2>
            <p class="lead">
                "These come with the product and nobody replaces them. Administrators stage them, on the pages of policy, kinds and people; no agent can."
            </p>
            {house}
        </main>
    }
}

/// The form that puts a kind: a change to the house.
fn put(draft: TextDraft) -> AnyView {
    view! {
        <Card id="put" title="Put a kind into the catalogue">
            <form class="in" method="post" action="/kinds#put">
                <Problems problems=draft.problems/>
                <label class="l" for="definition">"The whole kind, as JSON"</label>
                <TextArea id="definition" name="text" text=draft.text min=1 max=MAX_CHARS described_by="definition-hint" rows=16 code=true/>
                <p class="hint" id="definition-hint">
                    "Press “Change it” above to start from what is there. The fields are those of "
                    <code>"GET /api/v1/kinds/NAME"</code>
                    ". Requests that are staged already keep their version."
                </p>
                <Reason
                    id="put-reason"
                    name="reason"
                    hint="Kept for ever with your name. Whoever approves it reads this."
                    text=draft.reason
                    rows=3
                />
                <p class="do"><button class="act">"Propose this kind"</button></p>
            </form>
        </Card>
    }
    .into_any()
}

/// What can be done with a kind from here.
#[derive(Clone, Copy)]
struct Offers {
    /// Agents stage it.
    staging: bool,
    /// The viewer may change it.
    change: bool,
}

#[component]
fn KindCard(view: KindView, public_url: String, offers: Offers) -> impl IntoView {
    let KindView { kind, version } = view;
    let change = offers.change.then(|| {
        let address = format!("/kinds?change={}#put", kind.name);
        view! { <p class="row-do"><a class="btn" href=address>"Change it"<span class="sr">" ("{kind.name.clone()}")"</span></a></p> }
    });
    let staging = offers.staging.then(|| staging(&kind, &public_url));
    let heading = format!("{}-title", kind.name);
    view! {
        <section class="card kind" id=kind.name.clone() aria-labelledby=heading.clone()>
            <header>
                <h2 id=heading.clone()>{kind.title.clone()}</h2>
                <small><code>{kind.name.clone()}</code>{format!(" · version {version}")}</small>
            </header>
            <div class="in">
                <p>{kind.description.clone()}</p>
                <p class="template">{template(&kind.effect)}</p>
                <Rules kind=kind.clone()/>
            </div>
            {change}
            <Parameters rows=schema::parameters(&kind.parameters_schema)/>
            {staging}
        </section>
    }
}

/// A complete example, and the commands that stage it.
fn staging(kind: &Kind, public_url: &str) -> AnyView {
    let example = serde_json::to_string_pretty(&kind.example).unwrap_or_default();
    let read = wording::curl_kind(public_url, &kind.name);
    let stage = wording::curl(public_url);
    view! {
        <details class="try">
            <summary>"Try it: a complete example and the command that stages it"</summary>
            <div class="in">
                <p class="hint">"Read the kind, with its schema and this example:"</p>
                <pre class="copy" tabindex="0" role="region" aria-label="Command that reads the kind"><code>{read}</code></pre>
                <p class="hint">"Save as "<code>"request.json"</code>":"</p>
                <pre class="copy" tabindex="0" role="region" aria-label="Example"><code>{example}</code></pre>
                <p class="hint">"Stage it. The answer holds the address of the page to review it on:"</p>
                <pre class="copy" tabindex="0" role="region" aria-label="Command that stages it"><code>{stage}</code></pre>
            </div>
        </details>
    }
    .into_any()
}

#[component]
fn Rules(kind: Kind) -> impl IntoView {
    let rule = |rule: &EvidenceRule| view! { <li><code>{rule.evidence_type.clone()}</code>{wording::evidence(rule)}</li> };
    let evidence = match kind.required_evidence.as_slice() {
        [] => "None required".into_any(),
        rules => view! { <ul role="list">{rules.iter().map(rule).collect_view()}</ul> }.into_any(),
    };
    let size = kind.size.as_ref().map(|size| {
        view! { <div><dt>"Size"</dt><dd><code>{size.parameter.clone()}</code>{wording::size(size)}</dd></div> }
    });
    let hours = kind.working_hours_utc.map(|hours| {
        view! { <div><dt>"Working hours"</dt><dd>{wording::hours(hours)}</dd></div> }
    });
    let undone = if kind.reversible { "Yes" } else { "No" };
    let rollback = if kind.rollback_plan_required { "Required" } else { "Optional" };
    let command =
        kind.command_required.then(|| view! { <div><dt>"Command"</dt><dd>"Required"</dd></div> });
    let deadlines =
        wording::deadlines(&kind).into_iter().map(|text| view! { <li>{text}</li> }).collect_view();
    view! {
        <dl class="facts plain">
            <div><dt>"Risk in itself"</dt><dd><RiskBadge level=kind.base_risk/></dd></div>
            <div>
                <dt>"Can it be undone?"</dt>
                <dd>{undone}<small>{kind.reversal_note.clone()}</small></dd>
            </div>
            {size}
            {hours}
            <div><dt>"Evidence"</dt><dd>{evidence}</dd></div>
            <div><dt>"Rollback plan"</dt><dd>{rollback}</dd></div>
            {command}
            <div class="wide"><dt>"Deadlines"</dt><dd><ul role="list">{deadlines}</ul></dd></div>
        </dl>
    }
}

#[component]
fn Parameters(rows: Vec<Parameter>) -> impl IntoView {
    let filled = |text: String| (!text.is_empty()).then_some(text);
    let row = move |row: Parameter| {
        let optional = (!row.required).then(|| view! { " "<small>"optional"</small> });
        view! {
            <tr>
                <td data-label="Parameter"><code>{row.name}</code>{optional}</td>
                <td data-label="Type">{row.sort}</td>
                <td data-label="Limits">{filled(row.limits)}</td>
                <td data-label="Meaning">{filled(row.description)}</td>
            </tr>
        }
    };
    (!rows.is_empty()).then(|| {
        view! {
            <table class="stacks">
                <caption class="sr">"Parameters"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Parameter"</th>
                        <th scope="col">"Type"</th>
                        <th scope="col">"Limits"</th>
                        <th scope="col">"Meaning"</th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        }
    })
}

/// The effect template with its parameters marked.
fn template(effect: &str) -> Vec<AnyView> {
    let mut parts = Vec::new();
    let mut rest = effect;
    while let Some((words, (name, tail))) =
        rest.split_once('{').and_then(|(words, tail)| Some((words, tail.split_once('}')?)))
    {
        parts.push(words.to_owned().into_any());
        parts.push(view! { <code class="value">{name.to_owned()}</code> }.into_any());
        rest = tail;
    }
    parts.push(rest.to_owned().into_any());
    parts
}
