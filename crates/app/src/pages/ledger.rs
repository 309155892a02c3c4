//! The ledger: every fact in order, with its canonical bytes.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::{LedgerRow, LedgerView};

use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::wording::number;

/// A page of entries, newest first.
#[component]
pub fn Ledger(view: LedgerView) -> impl IntoView {
    let LedgerView { now, size, root, rows, older, newer } = view;
    let page = |before: Option<u64>, label: &'static str, rel: &'static str| {
        before.map(|before| {
            view! { <a class="btn" rel=rel href=format!("/ledger?before={before}")>{label}</a> }
        })
    };
    let entries = rows.into_iter().map(|row| view! { <Entry row now/> }).collect_view();
    view! {
        <main id="main" tabindex="-1" class="page">
            <h1>"Ledger"</h1>
            <p class="lead">
                "Every fact, in order, append-only. Free text stands in it as a salted commitment, so it can be erased without breaking the tree."
            </p>
            <dl class="facts plain">
                <div><dt>"Entries"</dt><dd>{number::grouped(size)}</dd></div>
                <div class="wide">
                    <dt>"Root of the tree (sha256)"</dt>
                    <dd><code class="hash">{number::digest_groups(&root)}</code></dd>
                </div>
            </dl>
            <ol class="card entries" reversed=true role="list">{entries}</ol>
            <nav class="pager" aria-label="Pages of the ledger">
                {page(newer, "Newer entries", "prev")}
                {page(older, "Older entries", "next")}
            </nav>
        </main>
    }
}

#[component]
fn Entry(row: LedgerRow, now: Timestamp) -> impl IntoView {
    let request = row.request.map(|id| {
        view! { <p><a href=format!("/requests/{id}")>"Open the request"</a></p> }
    });
    let texts = row
        .texts
        .into_iter()
        .map(|(field, text)| {
            let shown = match text {
                Some(text) => view! { <Untrusted text preformatted=true/> }.into_any(),
                None => view! { <em class="missing">"erased"</em> }.into_any(),
            };
            view! { <div><dt>{field}</dt><dd>{shown}</dd></div> }
        })
        .collect_view();
    view! {
        <li id=format!("entry-{}", row.index)>
            <details>
                <summary>
                    <span class="index">{row.index}</span>
                    <b>{row.fact}</b>
                    <span class="by"><Untrusted text=row.actor/></span>
                    <When at=row.at now/>
                </summary>
                <div class="in">
                    {request}
                    <dl class="texts">{texts}</dl>
                    <p class="hint">"Canonical bytes"</p>
                    <pre class="payload" tabindex="0" role="region" aria-label="Canonical bytes"><code><Untrusted text=row.canonical/></code></pre>
                    <p class="hint">
                        "Leaf "<code class="hash">{number::digest_groups(&row.leaf)}</code>
                    </p>
                </div>
            </details>
        </li>
    }
}
