//! Why: the text that every deed of a person asks for.

use leptos::prelude::*;
use service::review::{MAX_JUSTIFICATION_CHARS, MIN_JUSTIFICATION_CHARS};

use super::textarea::TextArea;

/// The labelled field, what is done with the text, and what was typed before.
#[component]
pub fn Reason(
    #[prop(into)] id: String,
    /// The name of the form field.
    name: &'static str,
    #[prop(default = "Why")] label: &'static str,
    hint: &'static str,
    text: String,
    #[prop(default = 5)] rows: u8,
) -> impl IntoView {
    let hint_id = format!("{id}-hint");
    view! {
        <label class="l" for=id.clone()>{label}</label>
        <TextArea
            id
            name
            text
            min=MIN_JUSTIFICATION_CHARS
            max=MAX_JUSTIFICATION_CHARS
            described_by=hint_id.clone()
            rows
        />
        <p class="hint" id=hint_id>{hint}</p>
    }
}

/// The viewer's own password, to prove again who they are.
#[component]
pub fn Proof(
    id: &'static str,
    label: &'static str,
    /// Why it is asked for.
    hint: &'static str,
    /// The form cannot be sent without it.
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    let hint_id = format!("{id}-hint");
    view! {
        <div class="proof">
            <label class="l" for=id>{label}</label>
            <input
                id=id
                name="password"
                type="password"
                autocomplete="current-password"
                required=required
                aria-describedby=hint_id.clone()
            />
            <p class="hint" id=hint_id>{hint}</p>
        </div>
    }
}
