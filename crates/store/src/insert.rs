//! Rows on their way into tables that only grow, kept until as many as there are can be written at once.
//!
//! One shape for both back ends: what a row says is decided here, how many rows of a table become one
//! statement in the back end's `insert.rs`.

use std::collections::BTreeMap;

use domain::merkle::{Hash, Node};
use domain::{AgentId, Digest, Entry, Request, RequestFact, RequestId, Timestamp, kind};
use uuid::Uuid;

use crate::change::{ContentId, Idempotency, RequestChange, Staged, Text, Upload};
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// The size of one stored piece of evidence: all but the last of a content are as large.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Id,
    Number,
    Text,
    Bytes,
}

/// A value on its way into a column.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Id(Uuid),
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A table that rows are inserted into, in the order in which the tables refer to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Requests,
    Revisions,
    Reviews,
    Releases,
    Entries,
    EntryTexts,
    TreeNodes,
    EvidenceContents,
    EvidenceChunks,
    Evidence,
    EvidenceUploads,
    EvidenceUsed,
    RequestTargets,
    Idempotency,
}

/// How rows of a table are inserted.
pub(crate) struct Shape {
    pub table: &'static str,
    pub columns: &'static [(&'static str, Type)],
    /// What becomes of a row that is there already; empty where that is an error.
    pub on_conflict: &'static str,
}

impl Table {
    pub(crate) fn shape(self) -> Shape {
        use Type::{Bytes, Id, Number, Text};
        let (table, columns, on_conflict): (_, &[_], _) = match self {
            Self::Requests => (
                "requests",
                &[
                    ("id", Id),
                    ("version", Number),
                    ("state", Text),
                    ("agent_id", Id),
                    ("executor_id", Id),
                    ("kind_name", Text),
                    ("kind_version", Number),
                    ("environment", Text),
                    ("risk", Text),
                    ("revision", Number),
                    ("digest", Bytes),
                    ("content_digest", Bytes),
                    ("staged_at", Number),
                    ("due_at", Number),
                    ("changed_at", Number),
                    ("effect", Text),
                    ("search", Text),
                    ("document", Text),
                ],
                "",
            ),
            Self::Revisions => (
                "revisions",
                &[("request_id", Id), ("number", Number), ("digest", Bytes), ("body", Bytes)],
                "",
            ),
            // Of one person and revision only the last counts.
            Self::Reviews => (
                "reviews",
                &[
                    ("request_id", Id),
                    ("revision", Number),
                    ("person_id", Id),
                    ("verdict", Text),
                    ("at", Number),
                ],
                "ON CONFLICT (request_id, revision, person_id) \
                 DO UPDATE SET verdict = excluded.verdict, at = excluded.at",
            ),
            Self::Releases => {
                ("releases", &[("request_id", Id), ("lease_id", Id), ("redeemed_at", Number)], "")
            }
            Self::Entries => (
                "entries",
                &[
                    ("idx", Number),
                    ("at", Number),
                    ("fact", Text),
                    ("request_id", Id),
                    ("body", Bytes),
                    ("leaf", Bytes),
                ],
                "",
            ),
            Self::EntryTexts => (
                "entry_texts",
                &[("idx", Number), ("field", Text), ("salt", Bytes), ("text", Text)],
                "",
            ),
            Self::TreeNodes => {
                ("tree_nodes", &[("level", Number), ("idx", Number), ("hash", Bytes)], "")
            }
            Self::EvidenceContents => (
                "evidence_contents",
                &[("id", Bytes), ("begun_at", Number)],
                "ON CONFLICT (id) DO NOTHING",
            ),
            Self::EvidenceChunks => (
                "evidence_chunks",
                &[("content_id", Bytes), ("seq", Number), ("bytes", Bytes)],
                "ON CONFLICT (content_id, seq) DO NOTHING",
            ),
            // An upload that is there already is stored anew, with the content that it has: a sweep
            // under way finds it young.
            Self::Evidence => (
                "evidence",
                &[
                    ("digest", Bytes),
                    ("content_id", Bytes),
                    ("size_bytes", Number),
                    ("stored_at", Number),
                ],
                "ON CONFLICT (digest) DO UPDATE SET stored_at = excluded.stored_at",
            ),
            Self::EvidenceUploads => (
                "evidence_uploads",
                &[("digest", Bytes), ("agent_id", Id), ("at", Number)],
                "ON CONFLICT (digest, agent_id) DO UPDATE SET at = excluded.at",
            ),
            Self::EvidenceUsed => (
                "evidence_used",
                &[("request_id", Id), ("digest", Bytes)],
                "ON CONFLICT (request_id, digest) DO NOTHING",
            ),
            Self::RequestTargets => (
                "request_targets",
                &[
                    ("request_id", Id),
                    ("target", Text),
                    ("agent_id", Id),
                    ("kind_name", Text),
                    ("named_at", Number),
                ],
                // What a request named once, it named.
                "ON CONFLICT (request_id, target) DO NOTHING",
            ),
            Self::Idempotency => (
                "idempotency",
                &[
                    ("scope", Text),
                    ("key", Text),
                    ("fingerprint", Bytes),
                    ("request_id", Id),
                    ("at", Number),
                ],
                "",
            ),
        };
        Shape { table, columns, on_conflict }
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<u64> for Value {
    /// The ledger never reaches 2^63 entries.
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Number(at.micros())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Digest> for Value {
    fn from(digest: Digest) -> Self {
        Self::Bytes(digest.0.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Rows that wait. By a key within each table where two changes of a batch may bring the same row,
/// which one statement must not do; the later one counts.
#[derive(Default)]
pub(crate) struct Inserts(BTreeMap<Table, Rows>);

#[derive(Default)]
struct Rows {
    keyed: BTreeMap<Vec<u8>, Vec<Value>>,
    plain: Vec<Vec<Value>>,
}

impl Inserts {
    /// Everything that waits, table by table; nothing waits afterwards.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (Shape, Vec<Vec<Value>>)> + use<> {
        let tables = std::mem::take(&mut self.0).into_iter();
        tables.map(|(table, rows)| {
            (table.shape(), rows.keyed.into_values().chain(rows.plain).collect())
        })
    }

    fn add<const N: usize>(&mut self, table: Table, row: [Value; N]) {
        self.0.entry(table).or_default().plain.push(row.into());
    }

    fn put<const N: usize>(&mut self, table: Table, key: Vec<u8>, row: [Value; N]) {
        self.0.entry(table).or_default().keyed.insert(key, row.into());
    }

    /// An entry of the ledger, and the nodes of the tree that it completes.
    pub(crate) fn entry(&mut self, entry: &Entry, body: Vec<u8>, leaf: &Hash, nodes: &[Node]) {
        let row = [
            entry.index.into(),
            entry.at.into(),
            entry.fact.name().into(),
            entry.request.map(|id| id.0).into(),
            Value::Bytes(body),
            leaf.as_slice().into(),
        ];
        self.add(Table::Entries, row);
        for node in nodes {
            let row =
                [u32::from(node.level).into(), node.index.into(), node.hash.as_slice().into()];
            self.add(Table::TreeNodes, row);
        }
    }

    /// The clear text behind a commitment of the entry at `index`.
    pub(crate) fn text(&mut self, index: u64, text: &Text) {
        let row =
            [index.into(), text.field.into(), text.salt.as_slice().into(), (&*text.text).into()];
        self.add(Table::EntryTexts, row);
    }

    /// What a fact of a request brings beside the request's own row: a review, a spent release, the
    /// evidence of a report.
    pub(crate) fn fact(&mut self, id: RequestId, fact: &RequestFact, at: Timestamp) {
        match fact {
            RequestFact::ReviewRecorded { reviewer, verdict, revision, .. } => {
                let key =
                    [&id.0.as_bytes()[..], &revision.to_be_bytes(), reviewer.0.as_bytes()].concat();
                let (revision, person) = ((*revision).into(), reviewer.0.into());
                let row = [id.0.into(), revision, person, verdict.as_str().into(), at.into()];
                self.put(Table::Reviews, key, row);
            }
            RequestFact::ReleaseRedeemed { release, .. } => {
                let row = [id.0.into(), release.lease_id.0.into(), release.redeemed_at.into()];
                self.add(Table::Releases, row);
            }
            RequestFact::RequestStaged(_)
            | RequestFact::RequestAmended(_)
            | RequestFact::ChangesRequested { .. }
            | RequestFact::RequestApproved { .. }
            | RequestFact::QuorumLost { .. }
            | RequestFact::GlassBroken { .. }
            | RequestFact::SecondReviewRecorded { .. }
            | RequestFact::SecondReviewMissed { .. }
            | RequestFact::RequestDenied { .. }
            | RequestFact::RequestExpired { .. }
            | RequestFact::RequestWithdrawn { .. }
            | RequestFact::ReleaseRevoked { .. }
            | RequestFact::ReleaseLapsed { .. }
            | RequestFact::ReleaseVoided
            | RequestFact::LeaseRenewed { .. }
            | RequestFact::HaltRequested { .. }
            | RequestFact::OutcomeMissed { .. } => {}
            // Kept for as long as the request is.
            RequestFact::OutcomeReported { evidence, .. }
            | RequestFact::RollbackReported { evidence, .. } => {
                evidence.iter().for_each(|evidence| self.used(id, evidence.digest));
            }
        }
    }

    /// What a new request or an amendment brings: the request's first row, the revision, the evidence
    /// it refers to, and the targets it names as of `staged_at`.
    pub(crate) fn stage(
        &mut self,
        change: &RequestChange,
        staged_at: Timestamp,
        changed_at: Timestamp,
    ) -> Answer<()> {
        let Some(staged) = &change.staged else { return Ok(()) };
        let request = &change.after;
        if change.before.is_none() {
            self.request(request, staged, changed_at)?;
        }
        let (id, revision) = (request.id.0, &staged.sealed.revision);
        let body = staged.sealed.bytes.as_slice().into();
        self.add(
            Table::Revisions,
            [id.into(), request.revision.into(), request.digest.into(), body],
        );
        for target in &revision.targets {
            let row = [
                id.into(),
                target.as_str().into(),
                request.agent.0.into(),
                request.kind.name.as_str().into(),
                staged_at.into(),
            ];
            self.add(Table::RequestTargets, row);
        }
        for evidence in &revision.evidence {
            self.used(request.id, evidence.digest);
        }
        Ok(())
    }

    fn used(&mut self, id: RequestId, digest: Digest) {
        let key = [id.0.as_bytes().as_slice(), &digest.0].concat();
        self.put(Table::EvidenceUsed, key, [id.0.into(), digest.into()]);
    }

    fn request(&mut self, request: &Request, staged: &Staged, at: Timestamp) -> Answer<()> {
        let row = [
            request.id.0.into(),
            1_u32.into(),
            request.state.name().as_str().into(),
            request.agent.0.into(),
            request.executor.0.into(),
            request.kind.name.as_str().into(),
            request.kind.version.into(),
            request.environment.as_str().into(),
            request.risk.level.as_str().into(),
            request.revision.into(),
            request.digest.into(),
            request.content_digest.into(),
            request.staged_at.into(),
            request.due_at().into(),
            at.into(),
            json(&staged.effect)?.into(),
            search_text(staged).into(),
            json(request)?.into(),
        ];
        self.add(Table::Requests, row);
        Ok(())
    }

    /// One piece of a content; the first one begins it.
    pub(crate) fn chunk(&mut self, content: ContentId, seq: u32, bytes: Vec<u8>, at: Timestamp) {
        let id = content.0.as_slice();
        self.put(Table::EvidenceContents, id.to_vec(), [id.into(), at.into()]);
        let key = [id, &seq.to_be_bytes()].concat();
        self.put(Table::EvidenceChunks, key, [id.into(), seq.into(), Value::Bytes(bytes)]);
    }

    /// That a content is evidence, and that this agent may refer to it.
    pub(crate) fn evidence(&mut self, upload: &Upload, at: Timestamp) {
        let Upload { agent, digest, content, size_bytes } = *upload;
        let row = [digest.into(), content.0.as_slice().into(), size_bytes.into(), at.into()];
        self.put(Table::Evidence, digest.0.to_vec(), row);
        let key = [&digest.0[..], agent.0.as_bytes()].concat();
        self.put(Table::EvidenceUploads, key, [digest.into(), agent.0.into(), at.into()]);
    }

    /// Evidence that came whole, and that this agent may refer to it.
    pub(crate) fn whole_evidence(
        &mut self,
        agent: AgentId,
        digest: Digest,
        bytes: &[u8],
        at: Timestamp,
    ) {
        let content = ContentId::from(digest);
        for (seq, chunk) in (0_u32..).zip(bytes.chunks(CHUNK_BYTES)) {
            self.chunk(content, seq, chunk.to_vec(), at);
        }
        self.evidence(&Upload { agent, digest, content, size_bytes: bytes.len() as u64 }, at);
    }

    /// The record under which a retry finds the answer again.
    pub(crate) fn idempotency(&mut self, record: &Idempotency, at: Timestamp) {
        let row = [
            record.scope.as_str().into(),
            record.key.as_str().into(),
            record.fingerprint.into(),
            record.request.0.into(),
            at.into(),
        ];
        self.add(Table::Idempotency, row);
    }
}

/// What the history is searched for.
pub(crate) fn search_text(staged: &Staged) -> String {
    let revision = &staged.sealed.revision;
    format!("{} {}", kind::sentence(&staged.effect), revision.kind.name).to_lowercase()
}

pub(crate) fn json(value: &impl serde::Serialize) -> Answer<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Refused(error.to_string()))
}
