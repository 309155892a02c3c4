//! The rules of a kind in words.

use domain::Kind;
use domain::kind::{EvidenceRule, Presenter, Size, WorkingHours};

use super::elapsed::duration;
use super::number::grouped;

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

/// What a kind asks of evidence, after its type.
pub fn evidence(rule: &EvidenceRule) -> String {
    let age = rule.max_age_s.map(|age| format!(", at most {} old", duration(age.into())));
    let form = rule.presenter.map(|presenter| match presenter {
        Presenter::Text => ", shown as text",
        Presenter::Diff => ", shown as a diff",
        Presenter::Table => ", shown as a table",
        Presenter::Log => ", shown as a log",
        Presenter::Json => ", shown as JSON",
    });
    format!("{}{}", age.unwrap_or_default(), form.unwrap_or_default())
}

/// From when on a size counts, after the name of its parameter.
pub fn size(size: &Size) -> String {
    let number = |value: i64| {
        let sign = if value < 0 { "−" } else { "" };
        format!("{sign}{}", grouped(value.unsigned_abs()))
    };
    let (medium, high) = (number(size.medium), number(size.high));
    format!(" ({}): medium risk from {medium} on, high from {high}", size.unit)
}

/// Hours of every day: `06:00 to 18:00 UTC`.
pub fn hours(hours: WorkingHours) -> String {
    format!("{:02}:00 to {:02}:00 UTC, every day", hours.from, hours.to)
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
    fn a_rule_is_said_with_its_units() {
        let rule = EvidenceRule {
            evidence_type: "plan".into(),
            max_age_s: Some(86_400),
            presenter: Some(Presenter::Table),
        };
        assert_eq!(evidence(&rule), ", at most 1 day old, shown as a table");
        let size_of =
            Size { parameter: "rows".into(), unit: "rows".into(), medium: 1000, high: 5000 };
        assert_eq!(size(&size_of), " (rows): medium risk from 1,000 on, high from 5,000");
        assert_eq!(hours(WorkingHours { from: 22, to: 7 }), "22:00 to 07:00 UTC, every day");
    }

    #[test]
    fn the_command_is_one_that_works_when_pasted() {
        let command = curl("http://127.0.0.1:8080/");
        assert!(command.starts_with("curl -sS -X POST http://127.0.0.1:8080/api/v1/requests \\\n"));
        assert!(command.ends_with("-d @request.json"));
    }
}
