//! The bar that tells everybody at once that somebody broke the glass.

use domain::Timestamp;
use leptos::prelude::*;
use service::view::BrokenGlassRow;

use super::effect::Effect;
use super::when::When;

/// How many the bar names; the inbox of whoever may look at them has all.
const NAMED: usize = 3;

/// The bar under the header: what one person approved alone, until a second one has looked at it.
#[component]
pub fn GlassBar(broken: Vec<BrokenGlassRow>, now: Timestamp) -> Option<AnyView> {
    let more = broken.len().saturating_sub(NAMED);
    let line = |row: BrokenGlassRow| {
        let href = format!("/requests/{}", row.id);
        view! {
            <li>
                <b>"Broken glass: "</b><a href=href><Effect parts=row.effect/></a>
                <small>
                    {row.by}" alone, "<When at=row.at now/>"; a second person looks at it by "
                    <When at=row.review_by now/>
                </small>
            </li>
        }
    };
    let more = (more > 0).then(|| view! { <li>{format!("and {more} more")}</li> });
    (!broken.is_empty()).then(|| {
        view! {
            <aside class="frozen" aria-label="Broken glass">
                <ul role="list">{broken.into_iter().take(NAMED).map(line).collect_view()}{more}</ul>
            </aside>
        }
        .into_any()
    })
}
