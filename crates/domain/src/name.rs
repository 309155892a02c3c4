//! Names of people, agents and groups, and when two of them look the same.
//!
//! Identity is always the id. A name is what people see, so two that could be mistaken for each
//! other are refused: they are compared by their skeleton (UTS #39 §4) after case folding.

use unicode_security::skeleton;

/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 80;

/// Why a name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("a name has 1 to 80 characters")]
    Length,
    #[error("a name has a letter or a digit, and no control, invisible or direction characters")]
    Invisible,
    #[error("a name neither starts nor ends with a space, nor has two in a row")]
    Spaces,
}

/// Checks a name that people will read.
///
/// # Errors
/// [`BadName`] says which rule it breaks.
pub fn check(name: &str) -> Result<(), BadName> {
    let count = name.chars().count();
    if count == 0 || count > MAX_NAME_CHARS {
        return Err(BadName::Length);
    }
    if name.trim() != name || name.contains("  ") {
        return Err(BadName::Spaces);
    }
    let visible = |c: char| {
        c == ' '
            || unicode_security::GeneralSecurityProfile::identifier_allowed(c)
            || "'’.-_@+".contains(c)
    };
    let letters = name.chars().any(char::is_alphanumeric);
    if letters && name.chars().all(visible) { Ok(()) } else { Err(BadName::Invisible) }
}

/// What a name looks like: equal for names that people would take for one another.
pub fn lookalike(name: &str) -> String {
    let folded: String = skeleton(&name.to_lowercase()).collect();
    skeleton(&folded.to_lowercase()).filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b11_names_that_look_the_same_have_one_lookalike() {
        for other in ["bob", "BOB", "b\u{43e}b", "B ob"] {
            assert_eq!(lookalike("Bob"), lookalike(other), "{other}");
        }
        assert_ne!(lookalike("Bob"), lookalike("Rob"));
    }

    #[test]
    fn b11_names_with_hidden_characters_are_refused() {
        for bad in
            ["", " bob", "bob ", "bo\u{200b}b", "b\u{202e}ob", "bob\n", "a  b", "...", "\u{301}"]
        {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for good in ["Mia Okafor", "ledger-close", "José O’Neil", "李雷"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check(&"a".repeat(81)), Err(BadName::Length));
    }
}
