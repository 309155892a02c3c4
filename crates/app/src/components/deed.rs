//! A grave deed with a reason, in two deliberate steps: open, then say why and do. Works without
//! JavaScript.

use leptos::prelude::*;

use super::reason::Reason;

/// A post behind a disclosure that asks for a reason.
#[component]
pub fn Deed(
    action: String,
    /// Unique on the page.
    #[prop(into)]
    id: String,
    /// What stands there closed, and on the button.
    label: &'static str,
    /// To whom or what it is done, where the page has several.
    #[prop(optional, into)]
    of: String,
    /// What follows, said before it is done.
    consequence: &'static str,
    hint: &'static str,
    /// Why it was not recorded, and what was typed: then it is open.
    typed: Option<(String, String)>,
    /// It stops something, and looks like it.
    #[prop(optional)]
    stops: bool,
) -> impl IntoView {
    let open = typed.is_some();
    let (problem, text) = typed.unzip();
    let alert = problem.map(|text| view! { <p class="alert" role="alert">{text}</p> });
    let class = if stops { "stops" } else { "act" };
    let of = (!of.is_empty()).then(|| view! { <span class="sr">" "{of}</span> });
    view! {
        <details class="deed" open=open>
            <summary class="btn">{label}{of.clone()}"…"</summary>
            <form method="post" action=action>
                {alert}
                <p>{consequence}</p>
                <Reason id name="reason" hint text=text.unwrap_or_default() rows=3/>
                <p class="do"><button class=class>{label}{of}</button></p>
            </form>
        </details>
    }
}
