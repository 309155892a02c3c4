//! Why an approved request has not run yet: what stands between it and its redemption.

use domain::State;
use domain::state::Basis;
use leptos::prelude::*;
use service::view::RequestView;

use crate::components::freeze::Scope;
use crate::components::untrusted::Untrusted;
use crate::components::when::{Relative, When};
use crate::wording::person;

/// Every obstacle in a sentence; that there is none, otherwise.
pub fn obstacles(view: &RequestView) -> AnyView {
    let lines: Vec<AnyView> = [window(view), lost(view), suspended(view)]
        .into_iter()
        .flatten()
        .chain(view.stop.freezes.iter().map(frozen))
        .collect();
    if lines.is_empty() {
        return view! { <p class="hint">"Nothing stands in its way: it waits for its executor."</p> }
            .into_any();
    }
    view! {
        <h3>"Why not yet"</h3>
        <ul class="obstacles">{lines}</ul>
    }
    .into_any()
}

fn window(view: &RequestView) -> Option<AnyView> {
    let (now, window) = (view.now, view.window?);
    (now < window.not_before).then(|| {
        let at = window.not_before;
        view! { <li>"Its window opens "<When at now zone=true/>" ("<Relative at now/>")."</li> }
            .into_any()
    })
}

/// Approvals that no longer count: at redemption it goes back to pending.
fn lost(view: &RequestView) -> Option<AnyView> {
    let by_quorum = matches!(view.state, State::Approved { basis: Basis::Quorum, .. });
    let needed = person::still_needed(&view.requirements)?;
    by_quorum.then(|| {
        view! {
            <li>
                {format!("An approval no longer counts ({needed}): whoever gave it may not review this any more, or the policy asks for more. When the agent redeems it, it goes back to pending.")}
            </li>
        }
        .into_any()
    })
}

fn suspended(view: &RequestView) -> Option<AnyView> {
    let who = [&view.agent, &view.executor].into_iter().find(|agent| agent.suspended)?;
    let text = who.name.clone();
    Some(view! { <li>"The agent "<Untrusted text/>" is suspended."</li> }.into_any())
}

fn frozen(freeze: &service::view::FreezeRow) -> AnyView {
    let scope = freeze.scope.clone();
    view! {
        <li>"A freeze on "<Scope scope/>", by "{freeze.by.clone()}". "<a href="/freezes">"Freezes"</a></li>
    }
    .into_any()
}
