//! Uploads: evidence that is hashed and kept piece by piece while it is received.
//!
//! The pieces go into the store beside the ledger's writer, under an id that says nothing; only once all
//! of them are there, and the agent may leave as much, does the digest name them. Whatever ends an
//! upload before that leaves nothing behind.

use domain::Digest;
use domain::digest::Digester;
use futures::{Stream, TryStreamExt};
use serde::Serialize;
use store::{CHUNK_BYTES, ContentId, Side, Upload};
use utoipa::ToSchema;

use crate::admission::NotAdmitted;
use crate::caller::AgentCaller;
use crate::{Failure, Service, describe};

/// The largest piece of evidence: 10 MiB.
pub const MAX_EVIDENCE_BYTES: u64 = 10 * 1024 * 1024;
/// Uploads of one agent that are under way at one server at a time.
pub const MAX_UPLOADS: u32 = 8;

/// Why an upload was not kept.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error("the evidence is empty")]
    Empty,
    #[error("the evidence is larger than {MAX_EVIDENCE_BYTES} bytes")]
    TooLarge,
    #[error("the evidence did not arrive whole")]
    Incomplete,
    #[error("{MAX_UPLOADS} uploads of this agent are under way already")]
    TooMany,
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What was kept.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Uploaded {
    /// To be named in `evidence[].digest` of a stage body.
    #[schema(value_type = describe::Digest)]
    pub digest: Digest,
    pub size_bytes: u64,
}

impl Service {
    /// Keeps what comes as evidence, under its digest. An agent can refer only to what it uploaded
    /// itself.
    ///
    /// # Errors
    /// [`UploadError`] says why nothing was kept.
    pub async fn upload_evidence<P: AsRef<[u8]>, E>(
        &self,
        caller: &AgentCaller,
        pieces: impl Stream<Item = Result<P, E>>,
    ) -> Result<Uploaded, UploadError> {
        let _place = self.uploads.enter(caller.agent).ok_or(UploadError::TooMany)?;
        let mut content = ContentId([0; 32]);
        self.entropy.fill(&mut content.0)?;
        let kept = self.receive(caller, content, pieces).await;
        // What no evidence was made of: all of it where something went wrong, and where the same bytes
        // were there already. What cannot be removed now is swept.
        if let Err(error) = self.store.discard(content).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an upload is left behind");
        }
        kept
    }

    async fn receive<P: AsRef<[u8]>, E>(
        &self,
        caller: &AgentCaller,
        content: ContentId,
        pieces: impl Stream<Item = Result<P, E>>,
    ) -> Result<Uploaded, UploadError> {
        let mut pieces = std::pin::pin!(pieces);
        let mut digester = Digester::default();
        let (mut size_bytes, mut seq) = (0, 0);
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        while let Some(piece) = pieces.try_next().await.map_err(|_| UploadError::Incomplete)? {
            let mut rest = piece.as_ref();
            size_bytes += rest.len() as u64;
            if size_bytes > MAX_EVIDENCE_BYTES {
                return Err(UploadError::TooLarge);
            }
            digester.update(rest);
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(CHUNK_BYTES - chunk.len()));
                chunk.extend_from_slice(now);
                rest = later;
                if chunk.len() == CHUNK_BYTES {
                    let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_BYTES));
                    self.keep_chunk(content, seq, full).await?;
                    seq += 1;
                }
            }
        }
        if size_bytes == 0 {
            return Err(UploadError::Empty);
        }
        let digest = digester.finish();
        self.admit_upload(caller, digest, size_bytes).await?;
        if !chunk.is_empty() {
            self.keep_chunk(content, seq, chunk).await?;
        }
        let upload = Upload { agent: caller.agent, digest, content, size_bytes };
        let side = Side::Evidence { upload, at: self.now() };
        self.store.side(side).await.map_err(Failure::from)?;
        Ok(Uploaded { digest, size_bytes })
    }

    async fn keep_chunk(
        &self,
        content: ContentId,
        seq: u32,
        bytes: Vec<u8>,
    ) -> Result<(), Failure> {
        Ok(self.store.keep_chunk(content, seq, bytes, self.now()).await?)
    }
}
