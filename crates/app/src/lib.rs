//! The dashboard: what people see and post.
//!
//! Every page is plain HTML that works without JavaScript; a few islands make it kinder. Data is
//! loaded before a page is rendered, so nothing here waits, queries or decides.
//! INVARIANT: text that an agent supplied reaches a page only through
//! [`components::untrusted::Untrusted`].

#[cfg(feature = "ssr")]
pub mod action;
#[cfg(feature = "ssr")]
pub mod components;
#[cfg(feature = "ssr")]
pub mod document;
pub mod islands;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod schema;
#[cfg(feature = "ssr")]
pub mod text;
pub mod wording;

#[cfg(feature = "ssr")]
pub use document::render;
#[cfg(feature = "ssr")]
pub use page::{
    Act, Assets, Chrome, Draft, FreezeDraft, FreezesPage, GroupDraft, KindsPage, Page, PeoplePage,
    PolicyPage, ProblemPage, RequestPage, SettingsPage, SignInPage, TextDraft, WebhookDraft,
    WebhooksPage,
};
