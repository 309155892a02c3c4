//! `/reference`: what agents and auditors' programs can call, for their authors.
//!
//! Open to anybody, as the document that it shows: it says what the product is, nothing of this
//! installation but its address.

use app::{Page, ReferencePage};
use axum::response::Response;

use super::desk::{Visitor, page};
use crate::api::openapi::document;

/// The OpenAPI document, to be read.
pub(super) async fn show(visitor: Visitor) -> Response {
    let public_url = visitor.state.service.public_url().to_owned();
    let shown = Page::Reference(ReferencePage { document: document(), public_url });
    visitor.answer(async { page(shown) }).await
}
