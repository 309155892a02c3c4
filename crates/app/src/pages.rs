//! A module a page. Each takes its data and gives the `<main>` of the document.

pub mod agents;
pub mod freezes;
pub mod history;
pub mod inbox;
pub mod kinds;
pub mod ledger;
pub mod people;
pub mod policy;
pub mod problem;
pub mod request;
pub mod secret;
pub mod settings;
pub mod sign_in;
pub mod webhooks;

use leptos::prelude::*;

use crate::page::{Chrome, Page};

/// The main part of `page`.
pub fn body(chrome: &Chrome, page: Page) -> AnyView {
    let administrator = chrome.viewer.as_ref().is_some_and(|viewer| viewer.administrator);
    let name = chrome.viewer.as_ref().map(|viewer| viewer.name.clone());
    let now = chrome.now;
    match page {
        Page::SignIn(page) => view! { <sign_in::SignIn page/> }.into_any(),
        Page::SignInLink { token, person } => {
            view! { <sign_in::SignInLink token person/> }.into_any()
        }
        Page::Inbox(view) => view! { <inbox::Inbox view viewer=name/> }.into_any(),
        Page::Request(page) => request::page(chrome, *page),
        Page::History(view) => view! { <history::History view viewer=name/> }.into_any(),
        Page::Ledger(view) => view! { <ledger::Ledger view/> }.into_any(),
        Page::Agents(view) => view! { <agents::Agents view administrator/> }.into_any(),
        Page::People(page) => view! { <people::People page=*page administrator now/> }.into_any(),
        Page::Kinds(page) => view! { <kinds::Kinds page=*page administrator/> }.into_any(),
        Page::Policy(page) => view! { <policy::Policy page=*page/> }.into_any(),
        Page::Freezes(page) => view! { <freezes::Freezes page=*page/> }.into_any(),
        Page::Secret { title, explanation, value, back_to, back_label } => {
            view! { <secret::Secret title explanation value back_to back_label/> }.into_any()
        }
        Page::Settings(page) => view! { <settings::Settings page administrator/> }.into_any(),
        Page::Webhooks(page) => view! { <webhooks::Webhooks page=*page/> }.into_any(),
        Page::Problem(problem) => view! { <problem::Problem problem/> }.into_any(),
    }
}
