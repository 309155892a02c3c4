//! The rollback plan: how it is undone, and how sure that is.

use domain::Timestamp;
use domain::stage::{CommandLine, RollbackPlan};
use leptos::prelude::*;
use service::view::RequestView;

use crate::components::card::Card;
use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::wording::elapsed;

/// The plan, or that there is none.
///
/// A change to the house has none and needs none: the gate carries it out whole or not at all.
pub fn section(view: &RequestView) -> AnyView {
    let Some(plan) = view.rollback_plan.clone() else {
        if view.staged_by.is_some() {
            return ().into_any();
        }
        return view! {
            <Card id="rollback" title="Rollback plan">
                <p class="in"><span class="bad">"There is none."</span>
                " If this goes wrong, nobody has said how to put it right."</p>
            </Card>
        }
        .into_any();
    };
    let note = note(&plan, view.now);
    let steps = plan
        .steps
        .into_iter()
        .map(|text| view! { <li><Untrusted text preformatted=true/></li> })
        .collect_view();
    let line = |term: &'static str, text: Option<String>| {
        text.map(|text| view! { <div><dt>{term}</dt><dd><Untrusted text/></dd></div> })
    };
    view! {
        <Card id="rollback" title="Rollback plan" note=note>
            <div class="in">
                <ol class="steps">{steps}</ol>
                <dl class="texts">
                    {line("Point of no return", plan.point_of_no_return)}
                    {line("Contact", plan.contact)}
                    {plan.command.map(command)}
                </dl>
            </div>
        </Card>
    }
    .into_any()
}

fn note(plan: &RollbackPlan, now: Timestamp) -> AnyView {
    let tested = match plan.tested_at {
        Some(at) => view! { "tested "<When at now/>", says the agent" }.into_any(),
        None => {
            view! { <span class="bad">"not tested, as far as the agent says"</span> }.into_any()
        }
    };
    let duration =
        plan.duration_s.map(|seconds| format!(" · takes {}", elapsed::duration(seconds.into())));
    view! { {tested}{duration} }.into_any()
}

/// An argument vector, one argument a line: no shell reads it, so none of it can hide in another.
fn command(command: CommandLine) -> AnyView {
    let arguments = command
        .argv
        .into_iter()
        .map(|text| view! { <li><code><Untrusted text/></code></li> })
        .collect_view();
    let cwd = command.cwd.map(|text| view! { <small>"in "<code><Untrusted text/></code></small> });
    let digest = command.executable_digest.map(|digest| {
        view! { <small>"executable "<code class="hash">{digest.to_string()}</code></small> }
    });
    let env = command
        .env
        .into_iter()
        .map(|(name, value)| {
            let text = format!("{name}={value}");
            view! { <small>"with "<code><Untrusted text/></code></small> }
        })
        .collect_view();
    view! {
        <div>
            <dt>"Command"</dt>
            <dd><ol class="argv" start="0">{arguments}</ol>{cwd}{env}{digest}</dd>
        </div>
    }
    .into_any()
}
