//! `/ledger`: the record, and proofs of its entries, for auditors and administrators.

use app::Page;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::desk::{Desk, Trouble, page, read};

const NOT_YOURS: &str =
    "The ledger is for auditors and administrators. Each request has its own timeline.";

/// Entries below this index.
#[derive(Default, Deserialize)]
pub(super) struct Params {
    before: Option<u64>,
}

/// A page of the ledger.
pub(super) async fn ledger(desk: Desk, params: Result<Query<Params>, QueryRejection>) -> Response {
    let before = params.ok().and_then(|Query(params)| params.before);
    desk.answer(async {
        let view = desk.visitor.state.service.ledger_view(&desk.caller, before).await?;
        page(Page::Ledger(view.ok_or(Trouble::Forbidden(NOT_YOURS))?))
    })
    .await
}

/// The proof of one entry under the newest checkpoint, as a file.
pub(super) async fn proof(desk: Desk, Path(index): Path<String>) -> Response {
    let proved = async {
        let index: u64 = read(&index)?;
        let proof = desk.visitor.state.service.ledger_proof_view(&desk.caller, index).await?;
        let proof = proof.ok_or(Trouble::Forbidden(NOT_YOURS))?.ok_or(Trouble::NotFound)?;
        Ok((index, proof.to_text()))
    };
    match proved.await {
        Ok((index, text)) => {
            let disposition = format!("attachment; filename=\"entry-{index}.tlog-proof\"");
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ];
            (headers, text).into_response()
        }
        Err(trouble) => desk.visitor.trouble(trouble).await,
    }
}
