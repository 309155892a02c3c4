//! Evidence content as a page can show it: a diff, a table, or text with line numbers.

use leptos::prelude::*;

use crate::components::untrusted::Untrusted;
use crate::wording::number;

/// The most rows of a table that a page shows.
pub const MAX_ROWS: usize = 200;

/// The content in the form that its media type suggests.
pub fn shown(media_type: &str, content: &str, name: &str) -> AnyView {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    match essence {
        "text/csv" => table(content, name),
        "text/x-diff" | "text/x-patch" => lines(content, diff_class, name),
        _ => lines(content, |_| "", name),
    }
}

fn lines(content: &str, class: fn(&str) -> &'static str, name: &str) -> AnyView {
    let line = |line: &str| {
        let class = class(line);
        let text = format!("{}\n", line.strip_suffix('\n').unwrap_or(line));
        view! { <span class=class><Untrusted text preformatted=true/></span> }
    };
    let label = format!("Content of {}", crate::text::spelled(name));
    let shown = content.split_inclusive('\n').map(line).collect_view();
    view! {
        <pre class="numbered" tabindex="0" role="region" aria-label=label><code>{shown}</code></pre>
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
        let Ok(record) = record else { return lines(content, |_| "", name) };
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
        let html =
            shown("text/x-diff", "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same", "d").to_html();
        for class in ["head", "hunk", "del", "add"] {
            assert!(html.contains(&format!("class=\"{class}\"")), "{class}: {html}");
        }
    }

    #[test]
    fn a_table_says_how_many_rows_it_leaves_out() {
        let rows: String = (0..250).map(|row| format!("{row},\"a,b\"\n")).collect();
        let html = shown("text/csv; charset=utf-8", &format!("id,text\n{rows}"), "d").to_html();
        assert_eq!(html.matches("<tr>").count(), 1 + MAX_ROWS);
        assert!(html.contains("50 more rows are not shown here"), "{html}");
        assert!(html.contains("a,b"));
    }

    #[test]
    fn markup_in_evidence_stays_text() {
        for media_type in ["text/csv", "text/x-diff", "text/html", "application/json"] {
            let html = shown(media_type, "<script>x</script>\n\u{202e}", "n").to_html();
            assert!(!html.contains("<script>") && html.contains("U+202E"), "{html}");
        }
    }
}
