//! What people asked the agent to change, while it is the agent's turn.

use domain::{StateName, Verdict};
use leptos::prelude::*;
use service::view::{RequestView, TimelineFact, TimelineItem};

use super::Reader;
use super::amendment::asked_for;
use crate::components::card::Card;
use crate::components::when::When;

/// The requests for changes to the present revision, while they are not met.
pub fn section(view: &RequestView, reader: &Reader) -> Option<AnyView> {
    if view.state.name() != StateName::ChangesRequested {
        return None;
    }
    let wanted = |item: &&TimelineItem| match item.what {
        TimelineFact::Reviewed { verdict: Verdict::RequestChanges, revision } => {
            revision == view.revision
        }
        _ => false,
    };
    let lines =
        view.timeline.iter().filter(wanted).map(|item| asked_for(item, reader)).collect_view();
    let (deadline, now) = (view.review_deadline, view.now);
    Some(
        view! {
            <Card id="asked" title="Changes requested">
                <div class="in asked">
                    {lines}
                    <p class="hint">
                        "The agent amends it before "<When at=deadline now zone=true/>
                        ", or it expires. Then everybody sees what changed."
                    </p>
                </div>
            </Card>
        }
        .into_any(),
    )
}
