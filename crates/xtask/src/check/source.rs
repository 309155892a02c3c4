//! Rules about the pages' source text that no compiler knows.
//!
//! A plain text search, line by line, without comments. The page's security policy forbids inline
//! styles, text from agents must never become markup, and a text area has one place where its
//! content is escaped rightly.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::report;
use crate::workspace::Workspace;

/// Where views are written.
const VIEWS: &str = "crates/app/src";

/// The one file that may write a text area.
const TEXT_AREA: &str = "crates/app/src/components/textarea.rs";

/// Searches every Rust file of the pages.
///
/// # Errors
/// With file, line and reason of every finding.
pub fn check(workspace: &Workspace) -> Result<()> {
    let files =
        rust_files(&workspace.path(VIEWS)).with_context(|| format!("cannot read {VIEWS}"))?;
    ensure!(!files.is_empty(), "{VIEWS} has no Rust files, so nothing was checked");
    let mut found = Vec::new();
    for path in files {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        found.extend(findings(&workspace.relative(&path), &text));
    }
    report(&found)
}

fn findings(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let broken = lines.flat_map(|(index, line)| {
        reasons(path, line).map(move |reason| format!("{path}:{}: {reason}", index + 1))
    });
    broken.collect()
}

fn reasons(path: &str, line: &str) -> impl Iterator<Item = &'static str> {
    let text_area = path != TEXT_AREA && line.contains("<textarea");
    let rules = [
        (text_area, "write text areas with the component of components/textarea.rs"),
        (line.contains("inner_html"), "text must not become markup: no inner_html"),
        (has_inline_style(line), "inline styles are forbidden by the page's policy: use a class"),
    ];
    rules.into_iter().filter_map(|(broken, reason)| broken.then_some(reason))
}

/// Finds the attribute `style=` and the directive `style:name=`, but not `data-style=` or `style ==`.
fn has_inline_style(line: &str) -> bool {
    line.match_indices("style").any(|(index, word)| {
        let before = line[..index].chars().next_back();
        let after = &line[index + word.len()..];
        let is_whole_word = !before.is_some_and(|c| c.is_alphanumeric() || "-_.".contains(c));
        let is_attribute = after.starts_with('=') && !after.starts_with("==");
        let is_directive = after.strip_prefix(':').is_some_and(|rest| {
            let name_ends = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-');
            name_ends.is_some_and(|end| end > 0 && rest[end..].starts_with('='))
        });
        is_whole_word && (is_attribute || is_directive)
    })
}

fn rust_files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "crates/app/src/pages/inbox.rs";

    #[test]
    fn each_rule_is_found_with_its_line() {
        let text =
            "view! {\n  <textarea name=\"a\"/>\n  <p inner_html=text/>\n  <p style=\"x\"/>\n}";
        let found = findings(PAGE, text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("crates/app/src/pages/inbox.rs:2: write text areas"));
        assert!(found[1].starts_with("crates/app/src/pages/inbox.rs:3: text must not"));
        assert!(found[2].starts_with("crates/app/src/pages/inbox.rs:4: inline styles"));
    }

    #[test]
    fn the_text_area_has_one_place() {
        assert_eq!(findings(TEXT_AREA, "<textarea>").len(), 0);
        assert_eq!(findings(TEXT_AREA, "<textarea style=\"x\">").len(), 1);
    }

    #[test]
    fn comments_and_other_words_are_left_alone() {
        for line in
            ["// <textarea", "/// inner_html", "let style = 1;", "style == x", "data-style=\"x\""]
        {
            assert_eq!(findings(PAGE, line).len(), 0, "{line}");
        }
        assert!(!has_inline_style("use style::Colour; Row { style: Plain }"));
    }

    #[test]
    fn every_way_to_write_an_inline_style_is_found() {
        for line in ["<p style=\"x\">", "<p style=move || x>", "style:width=\"1px\"", "<p style=x>"]
        {
            assert!(has_inline_style(line), "{line}");
        }
    }

    #[test]
    fn a_search_that_reads_nothing_fails() {
        let root = tempfile::tempdir().unwrap();
        assert!(check(&Workspace::at(root.path())).is_err());
        fs::create_dir_all(root.path().join(VIEWS)).unwrap();
        assert!(check(&Workspace::at(root.path())).is_err());
        fs::write(root.path().join(VIEWS).join("lib.rs"), "").unwrap();
        check(&Workspace::at(root.path())).unwrap();
    }
}
