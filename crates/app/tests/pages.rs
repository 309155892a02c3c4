//! What must hold of every page, whatever it shows.
//!
//! Each page is also written to the test's scratch directory, to be looked at.

mod sample;

use std::fs;
use std::path::Path;

use app::{Page, PeoplePage, render};
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
        let mut shown = html.clone();
        for typed in between(&html, "<textarea", "</textarea>") {
            shown = shown.replace(typed, "");
        }
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
    assert_eq!(radios.len(), 4, "approve, deny, request changes, pass on");
    assert!(radios.iter().all(|radio| !radio.contains("checked")), "{radios:?}");
    assert!(html.contains("name=\"digest\" value=\"sha256:"));
    assert!(html.contains("name=\"shown\" value=\"signed-token\""));
}

#[test]
fn nothing_is_ever_preselected() {
    for (name, html) in rendered() {
        let checked =
            between(&html, "<input", ">").iter().filter(|i| i.contains("checked")).count();
        let typed = matches!(name, "draft-deny" | "draft-second" | "freezes-draft");
        assert_eq!(checked, usize::from(typed), "{name}");
    }
}

#[test]
fn a_review_that_was_not_recorded_keeps_verdict_and_text() {
    let html = page("draft-deny");
    let radios = between(&html, "<input", ">");
    let checked: Vec<_> = radios.iter().filter(|input| input.contains("checked")).collect();
    assert!(matches!(checked.as_slice(), [one] if one.contains("value=\"deny\"")), "{checked:?}");
    assert!(html.contains("&lt;/textarea&gt;&lt;script&gt;"));
    assert!(html.contains("role=\"alert\""));
}

#[test]
fn whatever_was_typed_is_kept_in_its_form_or_beside_it_and_the_problem_is_said() {
    for (name, html) in rendered().into_iter().filter(|(name, _)| name.starts_with("draft-")) {
        assert_eq!(html.matches("role=\"alert\"").count(), 1, "{name}: said once");
        let kept = between(&html, "<textarea", "</textarea>").concat().contains("&lt;script&gt;");
        let beside = html.contains("You wrote:");
        assert_eq!(kept, !name.ends_with("-lost"), "{name}");
        assert_eq!(beside, name.ends_with("-lost"), "{name}");
        assert!(html.contains("notice bad"), "{name}: said at the top as well");
    }
}

#[test]
fn only_an_open_decision_has_a_form() {
    for (name, html) in rendered() {
        let open = matches!(
            name,
            "request"
                | "request-low"
                | "request-password"
                | "request-never"
                | "request-frozen"
                | "request-amended"
                | "request-proposed"
                | "request-reviewed"
                | "request-recorded"
                | "request-made-up"
                | "request-passed"
                | "request-changes-requested"
                | "draft-deny"
                | "draft-glass"
        );
        assert_eq!(html.contains("/review\""), open, "{name}");
    }
}

#[test]
fn a_password_is_asked_for_only_where_something_needs_it() {
    for (name, html) in rendered() {
        let fields = html.matches("name=\"password\"").count();
        let wanted = match name {
            "request-password" | "draft-glass" => 2,
            "sign-in" => 1,
            _ => 0,
        };
        assert_eq!(fields, wanted, "{name}");
    }
}

#[test]
fn breaking_the_glass_is_closed_and_says_what_follows_before_it_is_done() {
    let html = page("request-password");
    let glass = html.split("Break the glass…").nth(1).unwrap();
    for said in ["You approve alone", "marked for ever", "72 hours", "lose the right", "freeze"] {
        assert!(glass.contains(said), "{said}");
    }
    assert!(html.contains("<details class=\"deed glass\">"), "closed");
    assert!(!page("request").contains("Break the glass"), "only for those who may");
    for name in ["glass-owed", "glass-missed", "glass-done"] {
        assert!(page(name).contains("class=\"glass-mark\""), "{name}");
        assert_eq!(page(name).contains("/second-review"), name == "glass-owed", "{name}");
    }
}

#[test]
fn stopping_is_offered_to_those_who_may_and_where_there_is_something_to_stop() {
    for (name, html) in rendered() {
        let offers =
            |what: &str| html.contains(&format!("/{what}\"")) && html.contains("id=\"decide\"");
        assert_eq!(
            offers("revoke"),
            matches!(name, "request-approved-blocked" | "draft-revoke"),
            "{name}"
        );
        assert_eq!(offers("halt"), matches!(name, "request-executing" | "draft-halt"), "{name}");
        assert_eq!(offers("withdraw"), name == "request-own", "{name}");
    }
}

#[test]
fn i4_an_amendment_shows_every_field_that_changed_before_and_after() {
    let html = page("request-amended");
    let panel = html.split("id=\"changes\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(panel.contains("Changed since you reviewed revision 1"), "{panel}");
    for said in [
        "row_limit",
        "2000000",
        "1240318",
        "U+202E",
        "balance",
        "22 Nov 18:40",
        "it is gone",
        "Limit it to October.",
    ] {
        assert!(panel.contains(said), "{said}: {panel}");
    }
    assert_eq!(panel.matches("<dt>").count(), 10, "none left out");
    assert!(
        panel.contains("<del>") && panel.contains("<ins>"),
        "prose is compared sentence by sentence"
    );
    assert!(panel.contains("<details class=\"long\">"), "what is long stands folded");
    assert!(!page("request").contains("id=\"changes\""));
}

#[test]
fn i4_a_change_to_the_policy_shows_its_lines_and_what_it_would_have_asked() {
    let html = page("request-proposed");
    let panel = html.split("id=\"proposal\"").nth(1).unwrap().split("</section>").next().unwrap();
    for said in ["@quorum(\"5\")", "@quorum(\"1\")", "U+202E", "10 lines as before"] {
        assert!(panel.contains(said), "{said}: {panel}");
    }
    for said in
        ["1 would have needed fewer people", "2 of approvers", "1 of approvers, signed in anew"]
    {
        assert!(html.contains(said), "{said}");
    }
    assert!(html.contains("id=\"says-title\">Ada Lind"));
    assert!(html.contains("Whoever proposed it reads why."));
    for of_agents in ["The agent says", "The agent reads why", "The agent gave", "id=\"rollback\""]
    {
        assert!(!html.contains(of_agents), "no agent staged it: {of_agents}");
    }
    assert!(!page("request").contains("id=\"proposal\""));
}

#[test]
fn the_policy_says_in_words_what_it_asks() {
    let html = page("policy");
    let asks = html.split("id=\"asks\"").nth(1).unwrap().split("</section>").next().unwrap();
    for said in ["production needs two people", "<b>approvers</b>", "owns the kind", "5 min ago"] {
        assert!(asks.contains(said), "{said}: {asks}");
    }
    assert!(html.contains("line 2, column 1"));
}

#[test]
fn an_outcome_that_nobody_knows_is_the_first_thing_on_its_page() {
    let html = page("request-outcome-unknown");
    let (alarm, plan) = (html.find("Nobody knows how this ended"), html.find("id=\"rollback\""));
    let risk = html.find("id=\"risk\"");
    assert!(alarm < plan && plan < risk, "the alarm, the way back, then the rest");
    assert!(html.contains("A late report still"));
    for name in ["request-halting", "request-freeze-halts", "request-rollback-failed"] {
        assert!(page(name).contains("bar-note alarm"), "{name}");
    }
    assert!(!page("request-executing").contains("bar-note"), "nothing wrong, nothing loud");
}

#[test]
fn why_an_approved_request_has_not_run_is_said() {
    let html = page("request-approved-blocked");
    for said in ["Its window opens", "no longer counts", "A freeze on "] {
        assert!(html.contains(said), "{said}");
    }
    assert!(page("request-approved").contains("Nothing stands in its way"));
    assert!(page("request-never").contains("this can never be approved"));
}

#[test]
fn w13_an_address_alone_never_says_recorded() {
    assert!(page("request-recorded").contains("Recorded."));
    assert!(!page("request-made-up").contains("Recorded."));
}

#[test]
fn a_freeze_stands_on_every_page_of_whoever_is_signed_in() {
    for (name, page) in pages() {
        let mut chrome = chrome();
        let nobody = matches!(page, Page::SignIn(_) | Page::SignInLink { .. });
        match chrome.viewer.as_mut() {
            Some(viewer) if !nobody => viewer.freezes = sample::freezes(),
            _ => chrome.viewer = None,
        }
        let html = render(chrome, page);
        assert_eq!(html.contains("class=\"frozen\""), !nobody, "{name}");
        assert_eq!(html.contains("and 1 more"), !nobody, "{name}: as many as it does not name");
    }
    assert!(!page("inbox").contains("class=\"frozen\""), "and nothing while nothing is frozen");
}

#[test]
fn who_may_not_freeze_is_told_whom_to_ask() {
    let html = page("freezes-reader");
    let forms = between(&html, "<form", ">");
    assert!(forms.iter().all(|form| form.contains("/sign-out")), "{forms:?}");
    assert!(html.contains("Reviewers and administrators can freeze"));
    assert!(html.contains("An administrator ends it."));
}

#[test]
fn heartbeats_are_one_line_with_how_many_there_were() {
    let html = page("request-executing");
    assert_eq!(html.matches("heartbeat").count(), 2, "the line, and what halting means");
    assert!(html.contains("(3 heartbeats)"), "{html}");
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
    for page in [
        Page::Agents(sample::agents()),
        Page::People(Box::new(PeoplePage { view: sample::people(), draft: None })),
    ] {
        let html = render(chrome.clone(), page);
        let forms = between(&html, "<form", ">");
        assert!(forms.iter().all(|form| form.contains("/sign-out")), "{forms:?}");
    }
}
