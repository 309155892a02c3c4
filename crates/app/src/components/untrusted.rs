//! Text that an agent supplied.
//!
//! SECURITY: the only way such text reaches a page. Everything in it that could not be seen is
//! shown as a chip, and its reading direction cannot reach what stands around it.

use leptos::prelude::*;

use crate::text::{Segment, code_point, hidden_name, visible, visible_preformatted};

/// Agent-supplied text, with hidden characters made visible.
#[component]
pub fn Untrusted(
    #[prop(into)] text: String,
    /// Lines and tabs are layout, not surprises: prose, logs, code.
    #[prop(optional)]
    preformatted: bool,
    /// A line break is shown as a chip, and breaks the line as well.
    #[prop(optional)]
    breaks: bool,
) -> impl IntoView {
    let segments = if preformatted { visible_preformatted(&text) } else { visible(&text) };
    let class = if preformatted { "said pre" } else { "said" };
    let shown = segments.into_iter().map(|part| segment(part, breaks)).collect_view();
    view! { <bdi class=class>{shown}</bdi> }
}

fn segment(segment: Segment, breaks: bool) -> AnyView {
    match segment {
        Segment::Plain(text) => text.into_any(),
        Segment::Hidden(c) => {
            let broken = (breaks && c == '\n').then(|| view! { <br/> });
            view! { <span class="cp" title=hidden_name(c)>{code_point(c)}</span>{broken} }
                .into_any()
        }
        Segment::Spaces(count) => {
            view! { <span class="cp" title="a run of spaces">{format!("{count} spaces")}</span> }
                .into_any()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_stays_text_and_hidden_characters_are_chips() {
        let text = "<img src=x onerror=alert(1)>\u{202e}".to_owned();
        let html = view! { <Untrusted text/> }.to_html();
        assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;"), "{html}");
        assert!(html.contains(">U+202E</span>"), "{html}");
        assert!(!html.contains('\u{202e}'), "{html}");
    }

    #[test]
    fn a_long_run_of_spaces_is_one_mark() {
        let html = view! { <Untrusted text=" ".repeat(10_000)/> }.to_html();
        assert!(html.contains("10000 spaces") && html.len() < 300, "{html}");
    }
}
