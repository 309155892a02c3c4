//! A change to the policy or to a kind: what it replaces, held against what it proposes.

use leptos::prelude::*;
use service::view::RequestView;

use super::amendment;
use crate::components::card::Card;
use crate::components::replay::Replay;

/// What would change, and for a policy what it would have asked of the newest requests.
pub fn section(view: &RequestView) -> Option<AnyView> {
    let proposal = view.proposal.clone()?;
    let note = format!("against version {}", proposal.replaces);
    let changes =
        proposal.changes.iter().map(|found| amendment::change(found, view)).collect_view();
    let none = proposal.changes.is_empty().then(|| {
        view! { <p class="in">"Nothing: it says what the version before it says."</p> }
    });
    let replay = proposal.replay.map(|replay| {
        view! {
            <section class="card" id="replay" aria-labelledby="replay-title">
                <header>
                    <h2 id="replay-title">"What it would have asked"</h2>
                    <small>"tried on past requests"</small>
                </header>
                <Replay replay/>
            </section>
        }
    });
    Some(
        view! {
            <Card id="proposal" title="What would change" note=note.into_any()>
                <dl class="changes">{changes}</dl>
                {none}
                <p class="in hint">"Everything else stays as it is. Your decision is on the whole: "<a href="#action">"exactly what will run"</a></p>
            </Card>
            {replay}
        }
        .into_any(),
    )
}
