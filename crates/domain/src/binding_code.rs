//! The binding code: a short, speakable name of one digest, shown to both sides.
//!
//! Derived from the digest, so that an agent's log and the page agree without a table. It is for
//! matching by eye (CIBA's `binding_message`), never a credential: 64 × 64 × 100 values.

use crate::Digest;

const FIRST: &str = "AMBER ARID BLUE BOLD BRISK CALM CHILL CLEAR COLD COPPER CORAL CRISP DAMP DARK DEEP DENSE DRY DULL DUSTY EARLY EVEN FAINT FAIR FAR FINE FIRM FLAT FRESH FROSTY FULL GENTLE GILT GOLD GRAND GRAY GREAT GREEN HARD HAZY HIGH HOLLOW HUSKY IVORY JADE KEEN KIND LARGE LATE LEAN LIGHT LIVELY LONG LOUD LOW LUCID MELLOW MILD MINT MISTY MODEST NEAT NEW NIMBLE NOBLE";
const SECOND: &str = "ACORN ALDER ASH ASPEN BADGER BASIN BAY BEAVER BIRCH BISON BRAMBLE BROOK CANYON CEDAR CLIFF CLOUD CLOVER COVE CRANE CREEK DELTA DOVE DUNE EAGLE ELDER ELM FALCON FERN FINCH FJORD FOREST FOX GLADE GORGE GROVE GULL HARBOR HARE HAWK HAZEL HERON HILL ISLAND IVY KELP LAGOON LAKE LARCH LARK LINDEN LYNX MAPLE MARSH MEADOW MOSS OAK OTTER OWL PINE POND RAVEN REEF RIDGE RIVER";

/// The code of `digest`, such as `KEEN-OTTER-41`.
pub fn binding_code(digest: &Digest) -> String {
    let [a, b, c, d, ..] = digest.0;
    let word = |list: &'static str, byte: u8| {
        let words: Vec<&str> = list.split(' ').collect();
        words.get(usize::from(byte) % words.len().max(1)).copied().unwrap_or_default()
    };
    let number = u16::from_be_bytes([c, d]) % 100;
    format!("{}-{}-{number:02}", word(FIRST, a), word(SECOND, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_two_words_and_two_digits() {
        assert_eq!(FIRST.split(' ').count(), 64);
        assert_eq!(SECOND.split(' ').count(), 64);
        assert_eq!(binding_code(&Digest([0; 32])), "AMBER-ACORN-00");
        assert_ne!(binding_code(&Digest::of(b"a")), binding_code(&Digest::of(b"b")));
    }
}
