//! The whole HTML document around a page.
//!
//! SECURITY: no inline script and no inline style, so that a strict content security policy holds.

use leptos::prelude::*;

use crate::components::frame::{Footer, Header};
use crate::components::freeze::FreezeBar;
use crate::components::glass::GlassBar;
use crate::islands::local_times::LocalTimes;
use crate::page::{Assets, Chrome, Page};
use crate::pages;

/// The document of `page`.
fn document(chrome: Chrome, page: Page) -> impl IntoView {
    let title = format!("{} · Countersign", page.title());
    let place = page.place();
    let scripts = scripts(&chrome.assets, &chrome.nonce);
    let islands = (!chrome.assets.boot.is_empty()).then(|| view! { <LocalTimes/> });
    let demo = chrome
        .demo
        .then(|| view! { <aside class="demo" aria-label="Demo">"Demo: throwaway data"</aside> });
    let Chrome { assets, viewer, now, .. } = chrome.clone();
    let freezes = viewer.as_ref().map(|viewer| viewer.freezes.clone()).unwrap_or_default();
    let broken = viewer.as_ref().map(|viewer| viewer.broken_glass.clone()).unwrap_or_default();
    let footer = viewer.is_some().then(|| view! { <Footer/> });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title}</title>
                <link rel="icon" href=assets.favicon/>
                <link rel="stylesheet" href=assets.css/>
                {scripts}
            </head>
            <body data-now=now.seconds().to_string()>
                <a class="skip" href="#main">"Skip to content"</a>
                {demo}
                <Header viewer=viewer place=place/>
                <FreezeBar freezes now/>
                <GlassBar broken now/>
                {pages::body(&chrome, page)}
                {footer}
                {islands}
            </body>
        </html>
    }
}

/// The document of `page` as a string, rendered at once.
///
/// Nothing in a page waits, so nothing has to be streamed; and nothing but the page comes out.
pub fn render(chrome: Chrome, page: Page) -> String {
    let owner = Owner::new();
    let html = owner.with(|| document(chrome, page).into_view().to_html());
    owner.cleanup();
    html
}

fn scripts(assets: &Assets, nonce: &str) -> Option<impl IntoView + use<>> {
    let Assets { boot, js, wasm, .. } = assets.clone();
    let nonce = nonce.to_owned();
    if boot.is_empty() || js.is_empty() || wasm.is_empty() {
        return None;
    }
    Some(view! {
        <link rel="modulepreload" href=js.clone() nonce=nonce.clone()/>
        <script type="module" src=boot nonce=nonce data-js=js data-wasm=wasm></script>
    })
}
