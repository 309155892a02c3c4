//! The end of what a command printed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use crate::wire::printable;

/// So much is kept, in bytes: more than a report takes.
const KEPT_BYTES: usize = 32 << 10;

/// What both outputs of a command printed last, in the order of arrival.
#[derive(Clone, Default)]
pub struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    /// More was printed.
    pub fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.extend(bytes);
        let surplus = kept.len().saturating_sub(KEPT_BYTES);
        kept.drain(..surplus);
    }

    /// The last characters, at most so many, fit to be shown; without the secret.
    pub fn text(&self, most: usize, secret: &str) -> String {
        let kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if !secret.is_empty() {
            text = text.replace(secret, "[release token]");
        }
        let text = printable(text.trim_end());
        let surplus = text.chars().count().saturating_sub(most);
        text.chars().skip(surplus).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT_BYTES, Tail};

    #[test]
    fn the_end_is_kept_and_fit_to_be_shown() {
        let tail = Tail::default();
        tail.push(b"secret eyJx.y \x1b[31mred\n");
        assert_eq!(tail.text(100, "eyJx.y"), "secret [release token] \\u{1b}[31mred");
        assert_eq!(tail.text(3, "eyJx.y"), "red");
        tail.push(&vec![b'x'; KEPT_BYTES]);
        tail.push("größe\n".as_bytes());
        assert_eq!(tail.text(7, ""), "xxgröße");
    }
}
