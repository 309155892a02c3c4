//! The ledger: every fact in order, with its canonical bytes.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::{CheckpointView, LedgerRow, LedgerView};

use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::wording::number;

/// A page of entries, newest first.
#[component]
pub fn Ledger(view: LedgerView) -> impl IntoView {
    let LedgerView { now, size, root, checkpoint, rows, older, newer } = view;
    let covered = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
    let page = |before: Option<u64>, label: &'static str, rel: &'static str| {
        before.map(|before| {
            view! { <a class="btn" rel=rel href=format!("/ledger?before={before}")>{label}</a> }
        })
    };
    let entries = rows.into_iter().map(|row| view! { <Entry row now covered/> }).collect_view();
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
            <NewestCheckpoint checkpoint now/>
            <ol class="card entries" reversed=true role="list">{entries}</ol>
            <nav class="pager" aria-label="Pages of the ledger">
                {page(newer, "Newer entries", "prev")}
                {page(older, "Older entries", "next")}
            </nav>
        </main>
    }
}

/// What vouches for the entries, and how somebody else checks that.
#[component]
fn NewestCheckpoint(checkpoint: Option<CheckpointView>, now: Timestamp) -> impl IntoView {
    let Some(CheckpointView { size, root, issued_at, key }) = checkpoint else {
        return view! { <p class="hint">"No checkpoint was issued yet."</p> }.into_any();
    };
    let export = "countersign ledger export --output ledger.jsonl";
    let verify = format!("countersign ledger verify ledger.jsonl --key {key}");
    view! {
        <section aria-labelledby="checkpoint">
            <h2 id="checkpoint">"Newest checkpoint"</h2>
            <dl class="facts plain">
                <div><dt>"Entries covered"</dt><dd>{number::grouped(size)}</dd></div>
                <div><dt>"Issued"</dt><dd><When at=issued_at now/></dd></div>
                <div class="wide">
                    <dt>"Signed root (sha256)"</dt>
                    <dd><code class="hash">{number::digest_groups(&root)}</code></dd>
                </div>
                <div class="wide">
                    <dt>"Public key"</dt>
                    <dd><code>{key}</code></dd>
                </div>
            </dl>
            <details>
                <summary>"How to verify"</summary>
                <p>
                    "Keep the public key and a checkpoint where nobody who can write this database can write. Export the ledger on the server, and check the file on any machine:"
                </p>
                <pre class="payload" tabindex="0" role="region" aria-label="Commands to verify"><code>{export}"\n"{verify}</code></pre>
                <p>
                    "With "<code>"--checkpoint FILE"</code>" the export must also go on from the checkpoint that you kept."
                </p>
            </details>
        </section>
    }
    .into_any()
}

#[component]
fn Entry(row: LedgerRow, now: Timestamp, covered: u64) -> impl IntoView {
    let index = row.index;
    let proof = (index < covered).then(|| {
        view! {
            <p><a href=format!("/ledger/proof/{index}") download="">"Download its proof"</a></p>
        }
    });
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
                    {proof}
                </div>
            </details>
        </li>
    }
}
