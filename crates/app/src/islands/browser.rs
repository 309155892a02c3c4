//! The few things of the browser that the islands touch.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// The first element that matches, if it is an HTML element.
pub fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Every HTML element that matches.
pub fn find_all(selector: &str) -> Vec<HtmlElement> {
    let Ok(nodes) = document().query_selector_all(selector) else { return Vec::new() };
    (0..nodes.length()).filter_map(|index| nodes.get(index)?.dyn_into().ok()).collect()
}

/// A `data-` attribute, empty where it is missing.
pub fn data(element: &HtmlElement, name: &str) -> String {
    element.dataset().get(name).unwrap_or_default()
}
