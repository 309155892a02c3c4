//! The rules of a kind in words.

use domain::Kind;

use super::elapsed::duration;

/// The three deadlines of a kind, as one sentence each.
pub fn deadlines(kind: &Kind) -> [String; 3] {
    [
        format!("Decided within {}, or it expires.", duration(kind.review_deadline_s.into())),
        format!(
            "Redeemed within {} of approval, or it lapses.",
            duration(kind.release_ttl_s.into())
        ),
        format!("Reported within {} of redemption.", duration(kind.report_deadline_s.into())),
    ]
}

/// The command that stages the example of a kind, to be copied.
pub fn curl(public_url: &str) -> String {
    format!(
        "curl -sS -X POST {}/api/v1/requests \\\n  -H \"Authorization: Bearer $COUNTERSIGN_KEY\" \\\n  -H 'Content-Type: application/json' \\\n  -H 'Idempotency-Key: my-first' \\\n  -d @request.json",
        public_url.trim_end_matches('/')
    )
}

/// The command that reads one kind with its schema and example.
pub fn curl_kind(public_url: &str, name: &str) -> String {
    format!(
        "curl -sS {}/api/v1/kinds/{name} -H \"Authorization: Bearer $COUNTERSIGN_KEY\"",
        public_url.trim_end_matches('/')
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_one_that_works_when_pasted() {
        let command = curl("http://127.0.0.1:8080/");
        assert!(command.starts_with("curl -sS -X POST http://127.0.0.1:8080/api/v1/requests \\\n"));
        assert!(command.ends_with("-d @request.json"));
    }
}
