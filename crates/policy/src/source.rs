//! A policy's text before Cedar reads it: limits, and where things stand.
//!
//! SECURITY: Cedar's reader and the trees that it builds recurse. What nests is bounded here, on
//! the plain text, so that no text can exhaust the stack of the thread that reads it.

use crate::PolicyError;
use crate::rule::shown;

/// The longest text of a policy, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;
/// The most rules in one policy.
pub const MAX_POLICIES: usize = 200;
/// How deep brackets may stand in one another.
pub const MAX_NESTING: usize = 16;
/// The most names, numbers and signs in one rule; strings and commas do not count.
pub const MAX_WORDS_PER_POLICY: usize = 300;

/// The text with comments and the insides of strings blanked, byte for byte as long.
pub struct Source<'a> {
    text: &'a str,
    bare: String,
}

impl<'a> Source<'a> {
    /// Holds the text against the limits.
    ///
    /// # Errors
    /// Names the limit, and where it is passed.
    pub fn read(text: &'a str) -> Result<Self, PolicyError> {
        let source = Self { text, bare: String::new() };
        if text.len() > MAX_TEXT_BYTES {
            let message = format!("the text has {} bytes; at most {MAX_TEXT_BYTES}", text.len());
            return Err(source.error(0, None, message));
        }
        let source = Self { text, bare: blanked(text) };
        source.check_sizes()?;
        Ok(source)
    }

    /// An error at a byte of the text.
    pub fn error(&self, offset: usize, id: Option<&str>, message: String) -> PolicyError {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        PolicyError {
            line: count(before.matches('\n').count() + 1),
            column: count(before.get(line_start..).unwrap_or("").chars().count() + 1),
            policy_id: id.map(shown),
            message,
        }
    }

    /// Where each rule starts, in order. A semicolon ends a rule and stands nowhere else.
    pub fn starts(&self) -> Vec<usize> {
        let ends = self.bare.match_indices(';').map(|(at, _)| at + 1);
        std::iter::once(0).chain(ends).map(|from| self.skip_space(from)).collect()
    }

    fn skip_space(&self, from: usize) -> usize {
        let rest = self.bare.get(from..).unwrap_or("");
        from + (rest.len() - rest.trim_start().len())
    }

    /// Where an annotation stands in the rule that starts at `start`; the rule itself where it has none.
    pub fn annotation(&self, start: usize, name: &str) -> usize {
        let rule = self.bare.get(start..).unwrap_or("");
        let rule = rule.split_once(';').map_or(rule, |(rule, _)| rule);
        let wanted = format!("@{name}");
        let ends = |at: usize| rule.get(at + wanted.len()..).is_some_and(|r| !r.starts_with(word));
        let found = rule.match_indices(&wanted).map(|(at, _)| at).find(|at| ends(*at));
        start + found.unwrap_or(0)
    }

    fn check_sizes(&self) -> Result<(), PolicyError> {
        let (mut depth, mut words, mut rules, mut in_word) = (0_usize, 0, 0, false);
        for (offset, c) in self.bare.char_indices() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                ';' => (words, rules) = (0, rules + 1),
                _ => {}
            }
            let counts = !c.is_whitespace() && !matches!(c, ',' | ';' | '"') && !in_word;
            words += usize::from(counts);
            in_word = word(c);
            let broken = if depth > MAX_NESTING {
                format!("brackets stand more than {MAX_NESTING} deep in one another")
            } else if words > MAX_WORDS_PER_POLICY {
                let limit = "names, numbers and signs; make several rules of it";
                format!("a rule has at most {MAX_WORDS_PER_POLICY} {limit}")
            } else if rules > MAX_POLICIES {
                format!("a policy has at most {MAX_POLICIES} rules")
            } else {
                continue;
            };
            return Err(self.error(offset, None, broken));
        }
        Ok(())
    }
}

/// What a name or a number is made of.
fn word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn blanked(text: &str) -> String {
    #[derive(Clone, Copy, PartialEq)]
    enum In {
        Code,
        Comment,
        Text,
        Escape,
    }
    let mut bare = String::with_capacity(text.len());
    let mut inside = In::Code;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let was = inside;
        inside = match (inside, c) {
            (In::Code, '/') if chars.peek() == Some(&'/') => In::Comment,
            (In::Code, '"') | (In::Escape, _) => In::Text,
            (In::Comment, '\n' | '\r') | (In::Text, '"') => In::Code,
            (In::Text, '\\') => In::Escape,
            (same, _) => same,
        };
        let code = was == In::Code && inside != In::Comment;
        let closes = was == In::Text && inside == In::Code;
        if c == '\n' || code || closes {
            bare.push(c);
        } else {
            bare.extend(std::iter::repeat_n(' ', c.len_utf8()));
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_blanked_byte_for_byte() {
        let text = "a \"; \\\" ü\" // (\"\nb // x";
        let bare = blanked(text);
        assert_eq!(bare.len(), text.len());
        assert_eq!(bare, "a \"       \"      \nb     ");
    }

    #[test]
    fn positions_are_lines_and_characters_from_one() {
        let source = Source::read("ü;\n  @why(\"@id\") @id(\"x\") forbid").unwrap();
        let start = source.starts()[1];
        let error = source.error(start, None, String::new());
        assert_eq!((error.line, error.column), (2, 3));
        let error = source.error(source.annotation(start, "id"), None, String::new());
        assert_eq!((error.line, error.column), (2, 15));
        assert_eq!(source.annotation(start, "group"), start);
    }
}
