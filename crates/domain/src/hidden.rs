//! Characters that a reader cannot see, or could take for something else.
//!
//! SECURITY: text that shows one thing and says another is how an agent fools a person. What is
//! hidden is decided here alone; pages, terminals, file names and policies all ask.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Whether a reader could not see `c`, or could take it for something else.
pub fn is_hidden(c: char) -> bool {
    if c == ' ' || c.is_ascii_graphic() {
        return false;
    }
    match c.general_category() {
        GeneralCategory::Control
        | GeneralCategory::Format
        | GeneralCategory::PrivateUse
        | GeneralCategory::Surrogate
        | GeneralCategory::Unassigned
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::SpaceSeparator => true,
        _ => is_blank(c),
    }
}

/// Characters that show nothing although their category says letter, mark or symbol.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{fffc}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g06_g07_every_sort_of_hidden_character_is_found_and_no_other() {
        for c in [
            '\0',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{200b}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{feff}',
            '\u{e000}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{fe0f}',
            '\u{3000}',
            '\u{2003}',
            '\u{3164}',
            '\u{2800}',
            '\u{ffff}',
            '\u{378}',
            '\u{10ffff}',
        ] {
            assert!(is_hidden(c), "{c:?}");
        }
        for text in ["orders-prod", "é ü 李雷 Ω", "😀", "−→✓", "عربى"] {
            assert!(!text.chars().any(is_hidden), "{text}");
        }
    }
}
