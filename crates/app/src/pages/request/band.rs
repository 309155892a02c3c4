//! The head of the page: how risky, what it does, and the facts that a decision starts from.

use domain::{RiskLevel, State, StateName, Timestamp};
use leptos::prelude::*;
use service::view::{AgentRef, DecisionView, RequestView};

use crate::components::effect::Effect;
use crate::components::risk_badge::RiskBadge;
use crate::components::untrusted::Untrusted;
use crate::components::when::{Relative, When};
use crate::text;
use crate::wording::{clock, number, person, state};

/// The band: for high risk it is built differently, not only coloured.
pub fn band(view: &RequestView) -> AnyView {
    let waits = view.state.name() == StateName::ChangesRequested;
    let your_turn = !waits && matches!(view.decision, DecisionView::Open(_));
    let turn = match &view.decision {
        _ if waits => " · the agent’s turn",
        DecisionView::Open(_) => " · your turn",
        DecisionView::Reviewed { .. } => " · you have reviewed it",
        DecisionView::Over | DecisionView::NotYou { .. } => "",
    };
    let stop = (view.risk.level == RiskLevel::High && your_turn).then(|| {
        view! { <p class="stop">"Read to the end before you decide. Nobody expects you to be quick."</p> }
    });
    let broken = view.break_glass.as_ref().map(|_| {
        view! { <a class="glass-mark" href="#glass">"Broken glass"</a> }
    });
    let name = view.state.name();
    let word = state::word(name);
    let word = if state::is_alarm(name) {
        view! { <b class="bad">{word}</b> }.into_any()
    } else {
        word.into_any()
    };
    view! {
        <div class="band">
            <p class="eyebrow">
                <RiskBadge level=view.risk.level long=true/>
                {broken}
                <span>{word}{turn}{format!(" · revision {}", view.revision)}</span>
                <span title="The same code stands in the agent’s log">
                    "code "<code class="binding">{view.binding_code.clone()}</code>
                </span>
            </p>
            <h1><Effect parts=view.effect.clone()/></h1>
            {stop}
            {hidden_note(view)}
            <dl class="facts">
                {agents(view)}
                {fact("Environment", view! { <Untrusted text=view.environment.clone()/> }.into_any(), None)}
                {undone(view)}
                {due(view)}
                {reviews(view)}
            </dl>
        </div>
    }
    .into_any()
}

fn fact(term: &'static str, value: AnyView, note: Option<AnyView>) -> AnyView {
    let note = note.map(|note| view! { <small>{note}</small> });
    view! { <div><dt>{term}</dt><dd>{value}{note}</dd></div> }.into_any()
}

fn agents(view: &RequestView) -> AnyView {
    if let Some(name) = view.staged_by.clone() {
        return fact(
            "Proposed by",
            name.into_any(),
            Some("a change to the house itself".into_any()),
        );
    }
    let named = |agent: &AgentRef| view! { <Untrusted text=agent.name.clone()/> }.into_any();
    let owner = |agent: &AgentRef| {
        let suspended = agent.suspended.then(|| view! { <span class="bad">" · suspended"</span> });
        view! { "owner "{agent.owner.clone()}{suspended} }.into_any()
    };
    let behalf = view.on_behalf_of.clone().map(|name| {
        fact(
            "On behalf of",
            view! { <Untrusted text=name/> }.into_any(),
            Some("not verified".into_any()),
        )
    });
    let executor = (view.executor.id != view.agent.id)
        .then(|| fact("Executor", named(&view.executor), Some(owner(&view.executor))));
    let agent = fact("Agent", named(&view.agent), Some(owner(&view.agent)));
    view! { {agent}{behalf}{executor} }.into_any()
}

fn undone(view: &RequestView) -> AnyView {
    let answer = if view.reversible { "Yes" } else { "No" };
    let note = (!view.reversal_note.is_empty()).then(|| view.reversal_note.clone().into_any());
    fact("Can it be undone?", answer.into_any(), note)
}

fn due(view: &RequestView) -> AnyView {
    let now = view.now;
    let when = |at: Timestamp| view! { <When at now zone=true/> }.into_any();
    let near = |at: Timestamp| {
        let class = if clock::is_urgent(at, now) { "soon" } else { "" };
        view! { <span class=class><Relative at now/></span> }.into_any()
    };
    let ahead = |term, at| fact(term, when(at), Some(near(at)));
    // Without the colour of a deadline: over already, or a lease, which is always short.
    let plain = |term, at| fact(term, when(at), Some(view! { <Relative at now/> }.into_any()));
    let window = view.window.map(|window| {
        let note = view! { "until "<When at=window.not_after now/> }.into_any();
        fact("Only from", when(window.not_before), Some(note))
    });
    let deadline = match &view.state {
        State::Pending => ahead("Decide before", view.review_deadline),
        State::ChangesRequested { .. } => ahead("Amend before", view.review_deadline),
        State::Approved { approved_until, .. } => ahead("Redeem before", *approved_until),
        State::Executing { release, .. } => view! {
            {plain("Sign of life before", release.lease_until)}
            {ahead("Outcome expected by", release.report_by)}
        }
        .into_any(),
        State::Denied { at, .. } => plain("Denied", *at),
        State::Expired { at } => plain("Expired", *at),
        State::Withdrawn { at, .. } => plain("Withdrawn", *at),
        State::Revoked { at, .. } => plain("Revoked", *at),
        State::Lapsed { at } => plain("Lapsed", *at),
        State::Succeeded { at, .. } => plain("Succeeded", *at),
        State::Failed { at, .. } => plain("Failed", *at),
        State::Halted { at, .. } => plain("Halted", *at),
        State::OutcomeUnknown { at, .. } => plain("Unknown since", *at),
        State::RolledBack { at, .. } => plain("Rolled back", *at),
        State::RollbackFailed { at, .. } => plain("Rollback failed", *at),
    };
    view! { {deadline}{window} }.into_any()
}

fn reviews(view: &RequestView) -> AnyView {
    if let Some(broken) = &view.break_glass
        && !view.state.name().is_open()
    {
        let note = format!("{} alone, by breaking the glass", broken.by);
        return fact("Reviews", "1, in place of all".into_any(), Some(note.into_any()));
    }
    let (filled, seats) = person::seats(&view.requirements);
    let pending = matches!(view.state, State::Pending);
    let note = person::still_needed(&view.requirements).filter(|_| pending).map(IntoAny::into_any);
    fact("Reviews", format!("{filled} of {seats}").into_any(), note)
}

/// Says how many hidden characters the payload holds.
fn hidden_note(view: &RequestView) -> Option<AnyView> {
    let payload = serde_json::from_str(&view.canonical).unwrap_or(serde_json::Value::Null);
    let hidden = text::hidden_in(&payload);
    (hidden > 0).then(|| {
        let count = number::count(hidden, "hidden character", "hidden characters");
        view! {
            <p class="hidden-note">
                <span class="cp">"U+"</span>
                {format!(" {count} made visible. Honest requests rarely hold any: look where they stand.")}
            </p>
        }
        .into_any()
    })
}
