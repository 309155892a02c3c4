//! What must hold of every page, whatever it shows.
//!
//! Each page is also written to the test's scratch directory, to be looked at.

mod sample;

use std::fs;
use std::path::Path;

use app::{Page, render};
use sample::{chrome, pages};

fn rendered() -> Vec<(&'static str, String)> {
    let nobody = |page: &Page| matches!(page, Page::SignIn(_) | Page::SignInLink { .. });
    let html = |page: Page| {
        let mut chrome = chrome();
        if nobody(&page) {
            chrome.viewer = None;
        }
        render(chrome, page)
    };
    pages().into_iter().map(|(name, page)| (name, html(page))).collect()
}

/// The text between each `open` and the next `close`.
fn between<'a>(html: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    html.split(open).skip(1).filter_map(|rest| rest.split(close).next()).collect()
}

#[test]
fn every_page_is_a_whole_document_with_one_heading() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gallery");
    fs::create_dir_all(&folder).unwrap();
    for (name, html) in rendered() {
        fs::write(folder.join(format!("{name}.html")), &html).unwrap();
        assert!(html.starts_with("<!DOCTYPE html>"), "{name}");
        assert!(html.contains("<html lang=\"en\">"), "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert_eq!(html.matches("<main id=\"main\"").count(), 1, "{name}");
        assert!(html.trim_end().ends_with("</html>"), "{name}");
    }
}

#[test]
fn b4_no_page_has_inline_script_or_style() {
    for (name, html) in rendered() {
        let scripts = between(&html, "<script", "</script>");
        assert_eq!(scripts.len(), 1, "{name}: {scripts:?}");
        for script in scripts {
            assert!(script.ends_with('>') && script.contains("nonce="), "{name}: {script}");
        }
        for word in ["<style", " style=", " onclick=", " onload=", "javascript:"] {
            assert!(!html.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn hidden_characters_never_reach_a_page() {
    for (name, html) in rendered() {
        // What a person typed is given back to them as it was.
        let typed = between(&html, "<textarea", "</textarea>").concat();
        let shown = html.replace(&typed, "");
        for hidden in ['\u{202e}', '\u{200b}'] {
            assert!(!shown.contains(hidden), "{name}");
        }
    }
}

#[test]
fn every_form_that_changes_something_is_a_post() {
    for (name, html) in rendered() {
        for form in between(&html, "<form", ">") {
            let reads = form.contains("method=\"get\"") && form.contains("/history");
            assert!(reads || form.contains("method=\"post\""), "{name}: {form}");
        }
    }
}

#[test]
fn ids_are_unique_and_labels_lead_somewhere() {
    for (name, html) in rendered() {
        let mut ids = between(&html, " id=\"", "\"");
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}");
        for label in ["<label for=\"", "aria-labelledby=\"", "aria-describedby=\"", "href=\"#"] {
            for target in between(&html, label, "\"") {
                assert!(ids.contains(&target), "{name}: {target}");
            }
        }
    }
}

fn page(name: &str) -> String {
    rendered().into_iter().find(|(known, _)| *known == name).map(|(_, html)| html).unwrap()
}

#[test]
fn the_review_form_preselects_nothing_and_names_what_was_shown() {
    let html = page("request");
    let radios: Vec<_> =
        between(&html, "<input", ">").into_iter().filter(|i| i.contains("\"radio\"")).collect();
    assert_eq!(radios.len(), 2);
    assert!(radios.iter().all(|radio| !radio.contains("checked")), "{radios:?}");
    assert!(html.contains("name=\"digest\" value=\"sha256:"));
    assert!(html.contains("name=\"shown\" value=\"signed-token\""));
}

#[test]
fn a_review_that_was_not_recorded_keeps_verdict_and_text() {
    let html = page("request-draft");
    let radios = between(&html, "<input", ">");
    let checked: Vec<_> = radios.iter().filter(|input| input.contains("checked")).collect();
    assert!(matches!(checked.as_slice(), [one] if one.contains("value=\"deny\"")), "{checked:?}");
    assert!(html.contains("&lt;/textarea&gt;&lt;script&gt;"));
    assert!(html.contains("role=\"alert\""));
}

#[test]
fn only_an_open_decision_has_a_form() {
    for (name, html) in rendered() {
        let open = matches!(name, "request" | "request-low" | "request-draft");
        assert_eq!(html.contains("/review\""), open, "{name}");
    }
}

#[test]
fn without_scripts_no_island_is_named() {
    let mut chrome = chrome();
    chrome.assets.boot.clear();
    let html = render(chrome, Page::Inbox(sample::inbox(false)));
    assert!(!html.contains("<script") && !html.contains("modulepreload"));
}

#[test]
fn who_is_no_administrator_sees_no_form_to_change_things() {
    let mut chrome = chrome();
    if let Some(viewer) = chrome.viewer.as_mut() {
        viewer.administrator = false;
        viewer.auditor = false;
    }
    for page in [Page::Agents(sample::agents()), Page::People(sample::people())] {
        let html = render(chrome.clone(), page);
        let forms = between(&html, "<form", ">");
        assert!(forms.iter().all(|form| form.contains("/sign-out")), "{forms:?}");
    }
}
