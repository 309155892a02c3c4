//! Evidence content as a page can show it: text with line numbers, a diff, a table, a log, JSON.

use domain::canonical;
use domain::kind::Presenter;
use leptos::prelude::*;

use crate::components::untrusted::Untrusted;
use crate::wording::number;

/// The most rows of a table that a page shows.
pub const MAX_ROWS: usize = 200;

/// How content is shown whose kind does not say how.
pub fn by_media_type(media_type: &str) -> Presenter {
    match media_type.split(';').next().unwrap_or_default().trim() {
        "text/csv" => Presenter::Table,
        "text/x-diff" | "text/x-patch" => Presenter::Diff,
        _ => Presenter::Text,
    }
}

/// The content in the form that its kind wants.
pub fn shown(presenter: Presenter, content: &str, name: &str) -> AnyView {
    match presenter {
        Presenter::Text => text(content, name),
        Presenter::Diff => lines(content, diff_class, "numbered", name),
        Presenter::Table => table(content, name),
        // The style turns the scrolled box over, so that its end is in sight first.
        Presenter::Log => lines(content, |_| "", "numbered log", name),
        Presenter::Json => json(content, name),
    }
}

fn text(content: &str, name: &str) -> AnyView {
    lines(content, |_| "", "numbered", name)
}

/// One value a line. Laying it out must lose nothing: what the strict reader refuses (a field that
/// is there twice, a number that would be rounded) stays as it came.
fn json(content: &str, name: &str) -> AnyView {
    let value = canonical::parse(content.as_bytes()).ok();
    match value.and_then(|value| serde_json::to_string_pretty(&value).ok()) {
        Some(laid_out) => text(&laid_out, name),
        None => view! {
            {text(content, name)}
            <p class="under">"Shown as it came: laid out as JSON, some of it would be lost."</p>
        }
        .into_any(),
    }
}

fn lines(
    content: &str,
    class: fn(&str) -> &'static str,
    form: &'static str,
    name: &str,
) -> AnyView {
    let line = |line: &str| {
        let class = class(line);
        let text = format!("{}\n", line.strip_suffix('\n').unwrap_or(line));
        view! { <span class=class><Untrusted text preformatted=true/></span> }
    };
    let label = format!("Content of {}", crate::text::spelled(name));
    let shown = content.split_inclusive('\n').map(line).collect_view();
    view! {
        <pre class=form tabindex="0" role="region" aria-label=label><code>{shown}</code></pre>
    }
    .into_any()
}

/// What a line of a unified diff is.
fn diff_class(line: &str) -> &'static str {
    if line.starts_with("+++") || line.starts_with("---") || line.starts_with("diff ") {
        "head"
    } else if line.starts_with("@@") {
        "hunk"
    } else if line.starts_with('+') {
        "add"
    } else if line.starts_with('-') {
        "del"
    } else {
        ""
    }
}

fn table(content: &str, name: &str) -> AnyView {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(content.as_bytes());
    let mut records = reader.records();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut more = 0_usize;
    for record in records.by_ref() {
        let Ok(record) = record else { return text(content, name) };
        if rows.len() > MAX_ROWS {
            more += 1;
        } else {
            rows.push(record.iter().map(str::to_owned).collect());
        }
    }
    let mut rows = rows.into_iter();
    let head = rows.next().unwrap_or_default();
    let cell = |text: String| view! { <td><Untrusted text/></td> };
    let body = rows
        .map(|row| view! { <tr>{row.into_iter().map(cell).collect_view()}</tr> })
        .collect_view();
    let head = head
        .into_iter()
        .map(|text| view! { <th scope="col"><Untrusted text/></th> })
        .collect_view();
    let label = format!("Content of {}", crate::text::spelled(name));
    let rest = (more > 0).then(|| {
        let count = number::count(more, "more row is", "more rows are");
        view! { <p class="under bad">{format!("{count} not shown here: download the file to see all.")}</p> }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label=label>
            <table class="data"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>
        </div>
        {rest}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_is_marked_line_by_line() {
        let html = shown(
            by_media_type("text/x-diff"),
            "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same",
            "d",
        )
        .to_html();
        for class in ["head", "hunk", "del", "add"] {
            assert!(html.contains(&format!("class=\"{class}\"")), "{class}: {html}");
        }
    }

    #[test]
    fn a_table_says_how_many_rows_it_leaves_out() {
        let rows: String = (0..250).map(|row| format!("{row},\"a,b\"\n")).collect();
        let presenter = by_media_type("text/csv; charset=utf-8");
        let html = shown(presenter, &format!("id,text\n{rows}"), "d").to_html();
        assert_eq!(html.matches("<tr>").count(), 1 + MAX_ROWS);
        assert!(html.contains("50 more rows are not shown here"), "{html}");
        assert!(html.contains("a,b"));
    }

    #[test]
    fn markup_in_evidence_stays_text() {
        use Presenter::{Diff, Json, Log, Table, Text};
        for presenter in [Text, Diff, Table, Log, Json] {
            let html = shown(presenter, "\"<script>x</script>\u{202e}\"", "n").to_html();
            assert!(!html.contains("<script>") && html.contains("U+202E"), "{html}");
        }
    }

    #[test]
    fn json_is_laid_out_only_if_nothing_is_lost() {
        let html = |content| shown(Presenter::Json, content, "n").to_html();
        let laid_out = html(r#"{"b":[1,2],"a":"x"}"#);
        assert_eq!(laid_out.matches("<span class").count(), 7, "{laid_out}");
        assert!(!laid_out.contains("as it came"), "{laid_out}");
        for lossy in [r#"{"a":1,"a":2}"#, "0.10", "{", "9007199254740993"] {
            assert!(html(lossy).contains("as it came"), "{lossy}");
        }
        let twice = html(r#"{"a":1,"a":2}"#).replace("&quot;", "\"");
        assert!(twice.contains(r#""a":1,"a":2"#), "{twice}");
    }

    #[test]
    fn a_log_is_a_box_of_its_own_with_every_line() {
        let log: String = (0..300).map(|line| format!("line {line}\n")).collect();
        let html = shown(Presenter::Log, &log, "n").to_html();
        assert!(html.contains("class=\"numbered log\""), "{html}");
        assert!(html.contains("line 0\n") && html.contains("line 299\n"));
    }
}
