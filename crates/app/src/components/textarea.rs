//! The only `<textarea>`.
//!
//! SECURITY: Leptos 0.8 does not escape the children of a textarea, so the text is escaped here.
//! No other file may write the element.

use leptos::prelude::*;

/// A text field of several lines that holds `text`.
#[component]
pub fn TextArea(
    #[prop(into)] id: String,
    name: &'static str,
    text: String,
    min: usize,
    max: usize,
    /// The id of the element that explains the field.
    #[prop(into)]
    described_by: String,
    #[prop(default = 5)] rows: u8,
    /// The text is for a machine: fixed width, no spelling marked.
    #[prop(optional)]
    code: bool,
    /// It may stay empty.
    #[prop(optional)]
    optional: bool,
) -> impl IntoView {
    view! {
        <textarea
            id=id
            name=name
            rows=rows.to_string()
            class=code.then_some("code")
            spellcheck=code.then_some("false")
            required=!optional
            minlength=min.to_string()
            maxlength=max.to_string()
            aria-describedby=described_by
        >
            {content(&text)}
        </textarea>
    }
}

/// The text as the element's content: escaped, and after the one line break that HTML drops.
fn content(text: &str) -> String {
    format!("\n{}", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        view! {
            <TextArea id="j" name="j" text=text.to_owned() min=3 max=9 described_by="h"/>
        }
        .to_html()
    }

    #[test]
    fn typed_text_cannot_leave_the_field() {
        let html = html("</textarea><script>alert(1)</script>&amp;");
        assert_eq!(html.matches("</textarea>").count(), 1, "{html}");
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("\n&lt;/textarea&gt;&lt;script&gt;"), "{html}");
        assert!(html.contains("&amp;amp;</textarea>"), "{html}");
    }

    #[test]
    fn an_empty_field_is_empty() {
        assert!(html("").ends_with(">\n</textarea>"));
    }
}
