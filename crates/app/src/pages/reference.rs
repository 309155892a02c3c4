//! The API's reference: every call with what it takes and what it can answer.

use leptos::prelude::*;

use crate::components::parameters::Parameters;
use crate::page::ReferencePage;
use crate::reference::{Answer, Body, Call, Group, groups};

/// The document as a page.
#[component]
pub fn Reference(page: ReferencePage) -> impl IntoView {
    let ReferencePage { document, public_url } = page;
    let about = document["info"]["description"].as_str().unwrap_or_default();
    let groups = groups(document);
    let contents = groups.iter().flat_map(|group| &group.calls).map(entry).collect_view();
    let chapters = groups.into_iter().map(|group| chapter(group, &public_url)).collect_view();
    view! {
        <main id="main" tabindex="-1" class="page reference">
            <h1>"API reference"</h1>
            <div class="lead">{prose(about)}</div>
            <p class="lead">
                "The same for programs: "<a href="/api/v1/openapi.json">"openapi.json"</a>
                " (OpenAPI 3.1). What can be staged: "<a href="/kinds">"Kinds"</a>"."
            </p>
            <ul class="contents" role="list">{contents}</ul>
            {chapters}
        </main>
    }
}

fn entry(call: &Call) -> impl IntoView + use<> {
    view! { <li><a href=format!("#{}", call.id)><code>{format!("{} {}", call.method, call.path)}</code><span>{call.summary.clone()}</span></a></li> }
}

fn chapter(group: Group, public_url: &str) -> impl IntoView + use<> {
    let Group { name, about, calls } = group;
    let calls = calls.into_iter().map(|call| section(call, public_url)).collect_view();
    view! {
        <h2 class="chapter">{name}</h2>
        <p class="lead">{about}</p>
        {calls}
    }
}

fn section(call: Call, public_url: &str) -> impl IntoView + use<> {
    let command = call.command(public_url);
    let Call { id, method, path, summary, about, key, parameters, body, answers, problems, .. } =
        call;
    let heading = format!("{id}-title");
    let key = key.unwrap_or("no key");
    view! {
        <section class="card call" id=id aria-labelledby=heading.clone()>
            <header>
                <h3 id=heading.clone()>{summary}</h3>
                <small><code>{format!("{method} {path}")}</code>" · "{key}</small>
            </header>
            <div class="in">
                {prose(&about)}
                <pre class="copy" tabindex="0" role="region" aria-label=format!("Command: {method} {path}")><code>{command}</code></pre>
            </div>
            <Parameters caption="Parameters" rows=parameters/>
            {body.map(sent)}
            {answers.into_iter().map(answered).collect_view()}
            {refused(problems)}
        </section>
    }
}

fn sent(body: Body) -> impl IntoView {
    let Body { media_type, about, fields, example } = body;
    view! {
        <details class="whole">
            <summary>"Body: "<code>{media_type}</code></summary>
            <div class="in">{prose(&about)}</div>
            <Parameters caption="Fields of the body" rows=fields/>
            {example.map(shown)}
        </details>
    }
}

fn answered(answer: Answer) -> AnyView {
    let Answer { status, about, headers, fields, example } = answer;
    let label = view! { <b class="status">{status}</b> };
    if fields.is_empty() && example.is_none() {
        let rows =
            (!headers.is_empty()).then(|| view! { <Parameters caption="Headers" rows=headers/> });
        return view! { <div class="in answer">{label}<div>{prose(&about)}</div></div>{rows} }
            .into_any();
    }
    view! {
        <details class="whole">
            <summary>{label}" "{words(&about)}</summary>
            <Parameters caption="Headers of the answer" rows=headers/>
            <Parameters caption="Fields of the answer" rows=fields/>
            {example.map(shown)}
        </details>
    }
    .into_any()
}

/// The answers that say no.
fn refused(problems: Vec<(String, String)>) -> impl IntoView {
    let statuses: Vec<&str> = problems.iter().map(|(status, _)| status.as_str()).collect();
    let label = format!("Problems: {}", statuses.join(", "));
    let row = |(status, codes): (String, String)| {
        view! { <div class="in answer"><b class="status">{status}</b><div>{prose(&codes)}</div></div> }
    };
    view! {
        <details class="whole">
            <summary>{label}</summary>
            {problems.into_iter().map(row).collect_view()}
        </details>
    }
}

fn shown(example: serde_json::Value) -> impl IntoView {
    let text = match example {
        serde_json::Value::String(text) => text,
        other => serde_json::to_string_pretty(&other).unwrap_or_default(),
    };
    view! { <div class="in"><pre class="copy" tabindex="0" role="region" aria-label="Example"><code>{text}</code></pre></div> }
}

/// Our own words: a paragraph, or a list where lines begin with a hyphen; code in backticks.
fn prose(text: &str) -> AnyView {
    if text.starts_with("- ") {
        let line = |line: &str| view! { <li>{words(line.trim_start_matches("- "))}</li> };
        return view! { <ul role="list">{text.lines().map(line).collect_view()}</ul> }.into_any();
    }
    (!text.is_empty()).then(|| view! { <p>{words(text)}</p> }).into_any()
}

fn words(text: &str) -> Vec<AnyView> {
    let part = |(index, part): (usize, &str)| match index % 2 {
        0 => part.to_owned().into_any(),
        _ => view! { <code>{part.to_owned()}</code> }.into_any(),
    };
    text.split('`').enumerate().map(part).collect()
}
