//! Hidden characters made visible.
//!
//! An agent can write text that shows one thing and says another: direction overrides, zero-width
//! characters, blank runs that push words out of sight. Here every such character becomes a
//! segment of its own, so that a page shows it as `U+202E` in its place.

use domain::hidden::is_hidden;
use serde_json::Value;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The longest run of spaces that is shown as it is.
pub const MAX_SPACES: usize = 8;
/// The deepest indentation that is shown as it is in preformatted text.
pub const MAX_INDENT: usize = 64;

/// A stretch of text, or one thing in it that could not be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Shown as it is.
    Plain(String),
    /// Shown as its code point.
    Hidden(char),
    /// A run of spaces long enough to hide something, with its length.
    Spaces(usize),
}

/// The segments of a name, a value or a sentence: line breaks and tabs count as hidden.
pub fn visible(text: &str) -> Vec<Segment> {
    segments(text, false)
}

/// The segments of text whose lines and tabs are shown: prose, logs, code.
pub fn visible_preformatted(text: &str) -> Vec<Segment> {
    segments(text, true)
}

/// How many hidden characters `text` holds, line breaks and tabs aside.
pub fn hidden_count(text: &str) -> usize {
    text.chars().filter(|c| is_hidden(*c) && !matches!(c, '\n' | '\t')).count()
}

/// How many hidden characters the keys and strings of a JSON value hold.
pub fn hidden_in(value: &Value) -> usize {
    match value {
        Value::String(text) => hidden_count(text),
        Value::Array(items) => items.iter().map(hidden_in).sum(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| hidden_count(key) + hidden_in(value)).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// The written form of a code point, such as `U+202E`.
pub fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// The text with every hidden character spelled out, for places that take no markup.
pub fn spelled(text: &str) -> String {
    let word = |segment| match segment {
        Segment::Plain(text) => text,
        Segment::Hidden(c) => format!("[{}]", code_point(c)),
        Segment::Spaces(count) => format!("[{count} spaces]"),
    };
    visible(text).into_iter().map(word).collect()
}

/// What a hidden character is, in words that help.
pub fn hidden_name(c: char) -> &'static str {
    match c {
        '\n' => "line break",
        '\r' => "carriage return",
        '\t' => "tab",
        '\u{1b}' => "escape: starts a terminal command",
        '\u{a0}' | '\u{202f}' => "no-break space",
        '\u{ad}' => "soft hyphen",
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => "zero width",
        '\u{61c}' | '\u{200e}' | '\u{200f}' => "direction mark",
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "changes the reading direction",
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => "variation selector",
        '\u{e0000}'..='\u{e007f}' => "tag character",
        _ => match c.general_category() {
            GeneralCategory::Control => "control character",
            GeneralCategory::PrivateUse => "private-use character",
            GeneralCategory::SpaceSeparator => "unusual space",
            GeneralCategory::Unassigned => "unassigned code point",
            _ => "invisible character",
        },
    }
}

fn segments(text: &str, preformatted: bool) -> Vec<Segment> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    let mut line_start = true;
    while let Some(c) = chars.next() {
        if c == ' ' {
            let mut run = 1;
            while chars.next_if_eq(&' ').is_some() {
                run += 1;
            }
            let limit = if preformatted && line_start { MAX_INDENT } else { MAX_SPACES };
            if run > limit {
                flush(&mut plain, &mut out);
                out.push(Segment::Spaces(run));
            } else {
                plain.extend(std::iter::repeat_n(' ', run));
            }
            line_start = false;
            continue;
        }
        let layout = preformatted && matches!(c, '\n' | '\t');
        if is_hidden(c) && !layout {
            flush(&mut plain, &mut out);
            out.push(Segment::Hidden(c));
        } else {
            plain.push(c);
        }
        line_start = c == '\n';
    }
    flush(&mut plain, &mut out);
    out
}

fn flush(plain: &mut String, out: &mut Vec<Segment>) {
    if !plain.is_empty() {
        out.push(Segment::Plain(std::mem::take(plain)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Segment {
        Segment::Plain(text.to_owned())
    }

    #[test]
    fn what_cannot_be_seen_is_made_visible_in_its_place() {
        let text = "s3://fin/\u{202e}sremotsuc";
        let shown = vec![plain("s3://fin/"), Segment::Hidden('\u{202e}'), plain("sremotsuc")];
        assert_eq!(visible(text), shown);
        assert_eq!(hidden_count(text), 1);
    }

    #[test]
    fn what_is_hidden_is_a_segment_of_its_own_also_where_lines_are_shown() {
        for c in ['\0', '\u{1b}', '\u{a0}', '\u{200b}', '\u{2028}', '\u{202e}', '\u{e0041}'] {
            assert_eq!(visible(&c.to_string()), vec![Segment::Hidden(c)]);
            assert_eq!(visible_preformatted(&c.to_string()), vec![Segment::Hidden(c)]);
        }
        for text in ["orders-prod", "é ü 李雷 Ω", "😀", "−→✓", "عربى"] {
            assert_eq!(visible(text), vec![plain(text)]);
        }
    }

    #[test]
    fn line_breaks_and_tabs_are_layout_only_in_preformatted_text() {
        assert_eq!(visible("a\nb").len(), 3);
        assert_eq!(visible_preformatted("a\n\tb"), vec![plain("a\n\tb")]);
        assert_eq!(visible_preformatted("a\r\n").len(), 3);
    }

    #[test]
    fn long_runs_of_spaces_are_counted() {
        let wide = " ".repeat(9);
        assert_eq!(visible(&wide), vec![Segment::Spaces(9)]);
        assert_eq!(visible(&" ".repeat(8)), vec![plain("        ")]);
        assert_eq!(visible_preformatted(&format!("{wide}x\n{wide}y")).len(), 1);
        assert_eq!(visible_preformatted(&format!("x{wide}y")).len(), 3);
        assert_eq!(visible_preformatted(&" ".repeat(10_000)), vec![Segment::Spaces(10_000)]);
    }

    #[test]
    fn hidden_characters_of_a_payload_are_counted_in_keys_and_values() {
        let value = serde_json::json!({"a\u{200b}": ["x\u{202e}", {"b": "one\ntwo"}], "n": 1});
        assert_eq!(hidden_in(&value), 2);
    }
}
