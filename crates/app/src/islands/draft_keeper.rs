//! Keeps a half-written review in this tab while its writer opens evidence or signs in again.
//!
//! `sessionStorage` only: it ends with the tab, and another revision has another key.

use leptos::prelude::*;

/// Restores and saves the form marked `data-draft`; forgets it where `data-draft-done` stands.
#[island]
pub fn DraftKeeper() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    if cfg!(target_arch = "wasm32") {
        browser::start();
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::window;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{HtmlElement, HtmlInputElement, HtmlTextAreaElement, Storage};

    use crate::islands::browser::{data, find, find_all};

    const FIELD: &str = "[data-draft] textarea";
    const CHOICES: &str = "[data-draft] input[type=radio]";

    pub fn start() {
        let Ok(Some(storage)) = window().session_storage() else { return };
        if let Some(done) = find("[data-draft-done]") {
            let key = data(&done, "draftDone");
            let _ = storage.remove_item(&text_key(&key));
            let _ = storage.remove_item(&verdict_key(&key));
        }
        if let Some(form) = find("[data-draft]") {
            let key = data(&form, "draft");
            restore(&storage, &key);
            save_on_input(&form, storage, key);
        }
    }

    fn text_key(key: &str) -> String {
        format!("draft:{key}:justification")
    }

    fn verdict_key(key: &str) -> String {
        format!("draft:{key}:verdict")
    }

    fn choices() -> impl Iterator<Item = HtmlInputElement> {
        find_all(CHOICES).into_iter().filter_map(|choice| choice.dyn_into().ok())
    }

    fn field() -> Option<HtmlTextAreaElement> {
        find(FIELD)?.dyn_into().ok()
    }

    /// What the server already filled in is newer than what was kept.
    fn restore(storage: &Storage, key: &str) {
        if let Some(field) = field().filter(|field| field.value().is_empty())
            && let Ok(Some(text)) = storage.get_item(&text_key(key))
        {
            field.set_value(&text);
        }
        if !choices().any(|choice| choice.checked())
            && let Ok(Some(verdict)) = storage.get_item(&verdict_key(key))
        {
            for choice in choices().filter(|choice| choice.value() == verdict) {
                choice.set_checked(true);
            }
        }
    }

    fn save_on_input(form: &HtmlElement, storage: Storage, key: String) {
        let save = Closure::<dyn FnMut()>::new(move || {
            // A full or forbidden store loses a convenience, nothing else.
            if let Some(field) = field() {
                let _ = storage.set_item(&text_key(&key), &field.value());
            }
            if let Some(choice) = choices().find(HtmlInputElement::checked) {
                let _ = storage.set_item(&verdict_key(&key), &choice.value());
            }
        });
        let _ = form.add_event_listener_with_callback("input", save.as_ref().unchecked_ref());
        // The form lives as long as the page.
        save.forget();
    }
}
