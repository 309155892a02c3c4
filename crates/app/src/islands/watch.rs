//! Notices when the page is no longer what the server would show.
//!
//! Polls while the tab is visible; never moves or changes what is being read. On the request page
//! it takes the submit button away, because the decision would be about something else.

use leptos::prelude::*;

/// What the island has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "hydrate"),
    expect(dead_code, reason = "only the browser finds anything out")
)]
enum Notice {
    Same,
    Changed,
    SignedOut,
}

/// The bar inside [`crate::components::watched::Watched`].
#[island]
pub fn Watch() -> impl IntoView {
    let notice = RwSignal::new(Notice::Same);
    let link = RwSignal::new((String::new(), String::new(), String::new()));
    #[cfg(feature = "hydrate")]
    if cfg!(target_arch = "wasm32") {
        browser::start(notice, link);
    }
    move || match notice.get() {
        Notice::Same => None,
        Notice::Changed => {
            let (message, href, label) = link.get();
            Some(view! { <p>{message}" "<a href=href>{label}</a></p> })
        }
        Notice::SignedOut => {
            let (_, href, _) = link.get();
            let message =
                "You have been signed out. What you typed is kept in this tab.".to_owned();
            let href = format!("/sign-in?next={href}");
            Some(view! { <p>{message}" "<a href=href>{"Sign in".to_owned()}</a></p> })
        }
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::time::Duration;

    use js_sys::{JSON, Reflect};
    use leptos::prelude::{RwSignal, Set, WithUntracked, document, set_interval, window};
    use leptos::task::spawn_local;
    use wasm_bindgen::JsCast;
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{Response, VisibilityState};

    use super::Notice;
    use crate::islands::browser::{data, find, find_all};

    const EVERY: Duration = Duration::from_secs(5);

    pub fn start(notice: RwSignal<Notice>, link: RwSignal<(String, String, String)>) {
        let Some(place) = find("[data-watch]") else { return };
        link.set((data(&place, "message"), data(&place, "href"), data(&place, "label")));
        let (url, seen) = (data(&place, "watch"), data(&place, "seen"));
        set_interval(
            move || {
                let open = notice.with_untracked(|notice| *notice == Notice::Same);
                if open && document().visibility_state() == VisibilityState::Visible {
                    spawn_local(look(url.clone(), seen.clone(), notice));
                }
            },
            EVERY,
        );
    }

    async fn look(url: String, seen: String, notice: RwSignal<Notice>) {
        // A server that does not answer says nothing about the request: look again later.
        match ask(&url).await {
            Some(Answer::SignedOut) => notice.set(Notice::SignedOut),
            Some(Answer::Seen(now)) if now != seen => {
                notice.set(Notice::Changed);
                lock();
            }
            Some(Answer::Seen(_)) | None => {}
        }
    }

    enum Answer {
        Seen(String),
        SignedOut,
    }

    async fn ask(url: &str) -> Option<Answer> {
        let response = JsFuture::from(window().fetch_with_str(url)).await.ok()?;
        let response: Response = response.dyn_into().ok()?;
        if response.redirected() || response.status() == 401 {
            return Some(Answer::SignedOut);
        }
        if !response.ok() {
            return None;
        }
        let text = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
        let seen = Reflect::get(&JSON::parse(&text).ok()?, &"seen".into()).ok()?;
        seen.as_string().map(Answer::Seen)
    }

    /// Takes the submit button away and shows why.
    fn lock() {
        for button in find_all("button[data-decide]") {
            let _ = button.set_attribute("disabled", "");
        }
        for explanation in find_all("[data-stale]") {
            explanation.set_hidden(false);
        }
    }
}
