//! `GET /api/v1/ledger/entries`: for auditors' programs.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use service::query::{LedgerEntry, LedgerHead};

use super::authn::Auditor;
use super::input::Params;
use crate::AppState;
use crate::problem::Problem;

/// Where to begin.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntriesParams {
    #[serde(default)]
    from: u64,
}

/// Entries in order of their index; an empty page is the end.
#[derive(Serialize)]
pub(super) struct Entries {
    /// How many entries there are, and the root of the Merkle tree over them.
    #[serde(flatten)]
    head: LedgerHead,
    entries: Vec<LedgerEntry>,
}

/// Up to 500 entries from `from`.
pub(super) async fn entries(
    State(state): State<AppState>,
    Auditor(auditor): Auditor,
    Params(params): Params<EntriesParams>,
) -> Result<Json<Entries>, Problem> {
    let entries = state.service.ledger_entries(&auditor, params.from).await?;
    let head = state.service.ledger_head().await?;
    Ok(Json(Entries { head, entries }))
}
