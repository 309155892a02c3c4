//! `GET /api/v1/ledger/…`: for auditors' programs.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::{Checkpoint, Digest};
use serde::{Deserialize, Serialize};
use service::ledger::Consistency;
use service::query::{LedgerEntry, LedgerHead, MAX_ENTRIES};
use service::{Failure, describe};
use utoipa::{IntoParams, ToSchema};

use super::authn::Auditor;
use super::input::{Id, Params};
use crate::AppState;
use crate::problem::Problem;

/// Notes and proofs are text, as their specifications write them.
const TEXT: &str = "text/plain; charset=utf-8";

/// Where to begin, and how many.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EntriesParams {
    /// The index of the first entry.
    #[serde(default)]
    #[param(value_type = describe::Index, inline)]
    from: u64,
    /// How many entries at most.
    #[serde(default = "all_at_once")]
    #[param(minimum = 1, maximum = 500)]
    limit: u32,
}

fn all_at_once() -> u32 {
    MAX_ENTRIES
}

/// Entries in order of their index; an empty page is the end.
#[derive(Serialize, ToSchema)]
pub(super) struct Entries {
    /// How many entries there are, and the root of the Merkle tree over them.
    #[serde(flatten)]
    head: LedgerHead,
    entries: Vec<LedgerEntry>,
}

/// Entries of the ledger, in order of their index.
///
/// An empty list is the end. `size` and `root` are those of the whole tree, read after the entries.
#[utoipa::path(get, path = "/api/v1/ledger/entries", operation_id = "ledger_entries", tag = "Ledger",
    security(("auditor_key" = [])), params(EntriesParams),
    responses((status = 200, description = "Up to 500 entries.", body = Entries)))]
pub(super) async fn entries(
    State(state): State<AppState>,
    Auditor(auditor): Auditor,
    Params(params): Params<EntriesParams>,
) -> Result<Json<Entries>, Problem> {
    if !(1..=MAX_ENTRIES).contains(&params.limit) {
        return Err(Problem::bad_query(format!("`limit` is 1 to {MAX_ENTRIES}.")));
    }
    let entries = state.service.ledger_entries(&auditor, params.from, params.limit).await?;
    let head = state.service.ledger_head().await?;
    Ok(Json(Entries { head, entries }))
}

/// The newest checkpoint.
#[utoipa::path(get, path = "/api/v1/ledger/checkpoint", operation_id = "ledger_checkpoint",
    tag = "Ledger", security(("auditor_key" = [])),
    responses((status = 200, description = "A signed note.", body = String, content_type = "text/plain")),
    extensions(("x-problems" = json!(["no_checkpoint"]))))]
pub(super) async fn checkpoint(
    State(state): State<AppState>,
    Auditor(auditor): Auditor,
) -> Result<Response, Problem> {
    let newest = state.service.ledger_checkpoint(&auditor).await?;
    let newest = newest.ok_or_else(Problem::no_checkpoint)?;
    Ok(([(header::CONTENT_TYPE, TEXT)], newest.note).into_response())
}

/// In which form to answer.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ProofFormat {
    #[default]
    Json,
    TlogProof,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ProofParams {
    /// `tlog-proof` answers a `.tlog-proof` file.
    #[serde(default)]
    #[param(inline)]
    format: ProofFormat,
}

/// The inclusion of one entry in the tree of the newest checkpoint.
#[derive(Serialize, ToSchema)]
struct Inclusion {
    index: u64,
    size: u64,
    #[schema(value_type = describe::Digest)]
    root: Digest,
    /// RFC 6962 §2.1.1, the leaf's sibling first.
    #[schema(value_type = Vec<describe::Digest>)]
    proof: Vec<Digest>,
    /// The signed note.
    checkpoint: String,
}

/// The proof that one entry is in the tree of the newest checkpoint.
#[utoipa::path(get, path = "/api/v1/ledger/proof/{index}", operation_id = "ledger_proof",
    tag = "Ledger", security(("auditor_key" = [])),
    params(("index" = inline(describe::Index), Path, description = "The index of the entry."), ProofParams),
    responses((status = 200, description = "The proof, as JSON or as a `.tlog-proof` file.",
        content((Inclusion = "application/json"), (String = "text/plain")))),
    extensions(("x-problems" = json!(["no_checkpoint"]))))]
pub(super) async fn proof(
    State(state): State<AppState>,
    Auditor(auditor): Auditor,
    Id(index): Id<u64>,
    Params(params): Params<ProofParams>,
) -> Result<Response, Problem> {
    let proof = state.service.ledger_proof(&auditor, index).await?;
    let proof = proof.ok_or_else(Problem::no_checkpoint)?;
    Ok(match params.format {
        ProofFormat::TlogProof => ([(header::CONTENT_TYPE, TEXT)], proof.to_text()).into_response(),
        ProofFormat::Json => {
            let head = Checkpoint::unverified(&proof.checkpoint);
            let head = head.map_err(|error| Failure::Defect(error.to_string()))?;
            let path = proof.path.into_iter().map(Digest).collect();
            let (size, root) = (head.size, Digest(head.root));
            let checkpoint = proof.checkpoint;
            Json(Inclusion { index, size, root, proof: path, checkpoint }).into_response()
        }
    })
}

/// Between which sizes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsistencyParams {
    /// The smaller size, 1 or more.
    #[param(value_type = describe::Size, inline)]
    from: u64,
    /// The larger size, at most the ledger's; without it the newest checkpoint's.
    #[param(value_type = Option<describe::Size>, inline)]
    to: Option<u64>,
}

/// The proof that the ledger only grew between two sizes.
#[utoipa::path(get, path = "/api/v1/ledger/consistency", operation_id = "ledger_consistency",
    tag = "Ledger", security(("auditor_key" = [])), params(ConsistencyParams),
    responses((status = 200, description = "The proof (RFC 6962 §2.1.2).", body = Consistency)),
    extensions(("x-problems" = json!(["no_checkpoint"]))))]
pub(super) async fn consistency(
    State(state): State<AppState>,
    Auditor(auditor): Auditor,
    Params(params): Params<ConsistencyParams>,
) -> Result<Json<Consistency>, Problem> {
    let to = match params.to {
        Some(to) => to,
        None => {
            let newest = state.service.ledger_checkpoint(&auditor).await?;
            newest.ok_or_else(Problem::no_checkpoint)?.size
        }
    };
    let proof = state.service.ledger_consistency(&auditor, params.from, to).await?;
    let range = "`from` is 1 or more and not above `to`; `to` is not above the ledger's size.";
    proof.map(Json).ok_or_else(|| Problem::bad_query(range))
}
