//! Opening evidence, which is recorded, and downloading what was opened.

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::{Digest, RequestId};
use service::evidence::Download;

use super::desk::{Answer, Desk, see_other};
use super::request::read;

/// Appends the fact and goes back to the page, where the content now stands.
pub(super) async fn open(desk: Desk, Path((id, digest)): Path<(String, String)>) -> Response {
    let answer = opened(&desk, &id, &digest).await;
    desk.visitor.answer(answer).await
}

async fn opened(desk: &Desk, id: &str, digest: &str) -> Answer {
    let (id, digest): (RequestId, Digest) = (read(id)?, read(digest)?);
    let position = desk.visitor.state.service.open_evidence(&desk.caller, id, digest).await?;
    see_other(format!("/requests/{id}#evidence-{}", position + 1))
}

/// What the person opened before, as an attachment.
pub(super) async fn download(desk: Desk, Path((id, digest)): Path<(String, String)>) -> Response {
    let found = async {
        let (id, digest) = (read(&id)?, read(&digest)?);
        Ok(desk.visitor.state.service.download_evidence(&desk.caller, id, digest).await?)
    };
    match found.await {
        Ok(download) => attachment(download),
        Err(trouble) => desk.visitor.answer(Err(trouble)).await,
    }
}

/// SECURITY: never shown in place, whatever its type says, and under a name of plain characters.
fn attachment(download: Download) -> Response {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = download.name.chars().map(plain).collect();
    let mut response = download.bytes.into_response();
    let headers = response.headers_mut();
    let octets = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, octets);
    let disposition = format!("attachment; filename=\"{name}\"");
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
