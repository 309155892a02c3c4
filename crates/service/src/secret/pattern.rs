//! What secrets look like: the forms that issuers gave their tokens, and assignments to names that
//! are meant for secrets. Only forms that hardly anything else has.
//!
//! SECURITY: one engine without backtracking and every repetition bounded but the last, so that no
//! text of an agent makes the search slow.

use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet, RegexSetBuilder};

use super::Stretch;

/// A form, and what has it. Where only a part is the secret, that is a group `s`.
const FORMS: [(&str, &str); 24] = [
    (
        "private key",
        r"(?s)-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    ("Countersign key", r"\bcsn_[a-z]{3}_[0-9A-Za-z]{30,}"),
    ("AWS access key id", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    (
        "AWS secret access key",
        r#"(?i)aws_?secret_?(?:access_?)?key["']?\s{0,4}[:=]\s{0,4}["']?(?<s>[0-9A-Za-z/+]{40})"#,
    ),
    ("Azure storage key", r"(?i)AccountKey=(?<s>[0-9A-Za-z+/]{86}==)"),
    ("Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("Google OAuth token", r"\bya29\.[0-9A-Za-z_-]{20,}"),
    ("GitHub token", r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{22,})"),
    ("GitLab token", r"\bglpat-[0-9A-Za-z_-]{20,}"),
    ("Slack token", r"\b(?:xox[abeoprs]-[0-9A-Za-z-]{10,}|xapp-[0-9]-[0-9A-Za-z-]{20,})"),
    ("Slack webhook", r"https://hooks\.slack\.com/services/(?<s>[0-9A-Za-z/]{20,})"),
    ("Stripe key", r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}"),
    ("webhook secret", r"\bwhsec_[0-9A-Za-z+/=]{24,}"),
    ("API key of a model", r"\bsk-(?:ant|proj|svcacct|or)-[0-9A-Za-z_-]{20,}"),
    ("npm token", r"\bnpm_[0-9A-Za-z]{36}"),
    ("PyPI token", r"\bpypi-AgEIcHlwaS5vcmc[0-9A-Za-z_-]{40,}"),
    ("Hugging Face token", r"\bhf_[A-Za-z]{34}"),
    ("SendGrid key", r"\bSG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"),
    ("Vault token", r"\bhv[sbr]\.[0-9A-Za-z_-]{24,}"),
    ("DigitalOcean token", r"\bdo[opr]_v1_[0-9a-f]{64}"),
    ("JSON Web Token", r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{16,}"),
    (
        "credential of a request",
        r#"(?i)\bauthorization["']?\s{0,4}[:=]\s{0,4}["']?(?:bearer|basic|token)\s{1,4}(?<s>[0-9A-Za-z._~+/=-]{16,})"#,
    ),
    ("password in an address", r#"://[^\s/:@"'<>]{1,100}:(?<s>[^\s/@"'<>]{3,200})@"#),
    (
        ASSIGNED,
        r#"(?i)(?:password|passwd|passphrase|client_?secret|secret_?key|secret_?token|api_?key|access_?token|auth_?token|refresh_?token)["']?\s{0,4}(?::|=|:=)\s{0,4}(?:"(?<d>[^"\n]{8,200})"|'(?<q>[^'\n]{8,200})'|(?<b>[^\s"'`,;<>(){}\[\]]{8,200}))"#,
    ),
];

const ASSIGNED: &str = "password or key";

/// Values that stand where a secret would be, and are none.
const STAND_INS: [&str; 14] = [
    "example",
    "changeme",
    "redacted",
    "masked",
    "placeholder",
    "xxxx",
    "****",
    "....",
    "your",
    "secretkeyref",
    "undefined",
    "required",
    "process.env",
    "os.environ",
];

static SEARCHES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    // Each of them compiles: a test says so. One that did not would be missing, not fatal.
    FORMS.iter().filter_map(|(sort, form)| Some((*sort, Regex::new(form).ok()?))).collect()
});

/// Whether a text has any of the forms, in one pass: most have none.
///
/// SECURITY: the boundaries are those of ASCII here, which every Unicode boundary beside one of the ASCII
/// characters of a form is too, so nothing is missed. Those of Unicode take the slow engine.
static ANY: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    let forms = FORMS.iter().map(|(_, form)| form.replace(r"\b", r"(?-u:\b)"));
    RegexSetBuilder::new(forms).size_limit(MAX_PROGRAM_BYTES).build().ok()
});

/// What the forms may take together, compiled.
const MAX_PROGRAM_BYTES: usize = 64 * 1024 * 1024;

static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = r"(?i)(?:^|[_.-])(?:password|passwd|passphrase|secret|client_?secret|secret_?key|api_?key|access_?token|auth_?token|refresh_?token|token)$";
    Regex::new(names).ok()
});

/// Everything that has one of the forms, in the order of the forms.
pub(super) fn matches(text: &str) -> Vec<Stretch> {
    match &*ANY {
        Some(any) if !any.is_match(text) => Vec::new(),
        _ => searched(text),
    }
}

fn searched(text: &str) -> Vec<Stretch> {
    let mut found = Vec::new();
    for (sort, search) in SEARCHES.iter() {
        for captures in search.captures_iter(text) {
            found.extend(stretch(sort, &captures));
        }
    }
    found
}

fn stretch(sort: &'static str, captures: &Captures<'_>) -> Option<Stretch> {
    let quoted = ["d", "q"].into_iter().find_map(|group| captures.name(group));
    let found = match (quoted, captures.name("b")) {
        (Some(quoted), _) => Some(quoted).filter(|found| !is_stand_in(found.as_str())),
        (None, Some(bare)) => Some(bare).filter(|found| is_mixed(found.as_str())),
        (None, None) => captures.name("s").or_else(|| captures.get(0)),
    }?;
    Some(Stretch { sort, start: found.start(), end: found.end() })
}

/// What `name` is set to, where the name is one of a secret and the value could be one.
pub(super) fn assigned(name: &str, value: &str) -> Option<&'static str> {
    let is_named = NAMES.as_ref().is_some_and(|names| names.is_match(name));
    let length = value.chars().count();
    let may_be = (4..=200).contains(&length) && !value.contains(char::is_whitespace);
    (is_named && may_be && !is_stand_in(value)).then_some(ASSIGNED)
}

/// Without quotes, only what no word or name is: letters and digits, and none of a reference.
fn is_mixed(value: &str) -> bool {
    let has = |of: fn(&char) -> bool| value.chars().any(|c| of(&c));
    has(char::is_ascii_digit) && has(char::is_ascii_alphabetic) && !is_stand_in(value)
}

fn is_stand_in(value: &str) -> bool {
    let lower = value.to_lowercase();
    value.starts_with(['$', '<', '%', '@', '/', '&'])
        || value.contains("${")
        || value.contains("{{")
        || STAND_INS.iter().any(|known| lower.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_over_a_text_misses_nothing_that_a_search_finds() {
        for (sort, secret) in crate::secret::tests::samples() {
            for beside in ["", " ", "_", "a", "é", "\u{301}", "\u{212a}", "ſ", "\u{2028}", "字"]
            {
                for text in [format!("{beside}{secret}"), format!("{secret}{beside}")] {
                    assert_eq!(matches(&text), searched(&text), "{sort}: {text}");
                }
            }
        }
    }

    #[test]
    fn every_form_compiles() {
        assert_eq!(SEARCHES.len(), FORMS.len());
        assert!(NAMES.is_some());
        assert!(ANY.is_some());
    }
}
