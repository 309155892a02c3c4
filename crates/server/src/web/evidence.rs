//! Opening and unmasking evidence, which is recorded, and downloading what was opened.

use axum::extract::Path;
use axum::response::Response;
use domain::{Digest, RequestId};
use service::evidence::Download;

use super::desk::{Desk, read, see_other};
use crate::download::attachment;

/// Appends the fact and goes back to the page, where the content now stands.
pub(super) async fn open(desk: Desk, Path((id, digest)): Path<(String, String)>) -> Response {
    desk.answer(async {
        let (id, digest): (RequestId, Digest) = (read(&id)?, read(&digest)?);
        let position = desk.visitor.state.service.open_evidence(&desk.caller, id, digest).await?;
        see_other(format!("/requests/{id}#evidence-{}", position + 1))
    })
    .await
}

/// Appends the fact that it was had unmasked, and goes back to the page, where it now stands so.
pub(super) async fn unmask(desk: Desk, Path((id, digest)): Path<(String, String)>) -> Response {
    desk.answer(async {
        let (id, digest): (RequestId, Digest) = (read(&id)?, read(&digest)?);
        let position = desk.visitor.state.service.unmask_evidence(&desk.caller, id, digest).await?;
        see_other(format!("/requests/{id}#evidence-{}", position + 1))
    })
    .await
}

/// What the person opened before, as an attachment.
pub(super) async fn download(desk: Desk, Path((id, digest)): Path<(String, String)>) -> Response {
    let found = async {
        let (id, digest) = (read(&id)?, read(&digest)?);
        Ok(desk.visitor.state.service.download_evidence(&desk.caller, id, digest).await?)
    };
    match found.await {
        Ok(Download { name, bytes }) => attachment(&name, bytes),
        Err(trouble) => desk.visitor.trouble(trouble).await,
    }
}
