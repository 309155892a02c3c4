-- The first schema. Times are microseconds since 1970 (UTC); identifiers are UUIDs in text;
-- digests and hashes are 32 bytes. Rules that also stand in code are named after their invariant.

-- One row: which installation this is, and the authority epoch, moved by every change to people,
-- groups, agents, keys and kinds.
CREATE TABLE instance (
    only_row INTEGER PRIMARY KEY CONSTRAINT instance_one_row CHECK (only_row = 1),
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    authority_epoch INTEGER NOT NULL
) STRICT;

-- The ledger: canonical bytes and their leaf hash.
CREATE TABLE entries (
    idx INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    fact TEXT NOT NULL,
    request_id TEXT,
    body BLOB NOT NULL,
    leaf BLOB NOT NULL CONSTRAINT entries_leaf_is_sha256 CHECK (length(leaf) = 32)
) STRICT;
CREATE INDEX entries_by_request ON entries (request_id, idx) WHERE request_id IS NOT NULL;
CREATE INDEX entries_that_name_keys ON entries (idx) WHERE fact = 'CheckpointKeyNamed';
CREATE TRIGGER entries_gapless BEFORE INSERT ON entries
WHEN NEW.idx <> (SELECT coalesce(max(idx) + 1, 0) FROM entries)
BEGIN SELECT raise(ABORT, 'I8: ledger indices have no gaps'); END;
CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries
BEGIN SELECT raise(ABORT, 'I8: ledger entries never change'); END;
CREATE TRIGGER entries_never_go BEFORE DELETE ON entries
BEGIN SELECT raise(ABORT, 'I8: ledger entries are never deleted'); END;

-- The clear text behind the commitments of entries. The only part of the record that may be erased.
CREATE TABLE entry_texts (
    idx INTEGER NOT NULL REFERENCES entries (idx),
    field TEXT NOT NULL,
    salt BLOB NOT NULL CONSTRAINT entry_texts_salt_length CHECK (length(salt) = 16),
    text TEXT NOT NULL,
    PRIMARY KEY (idx, field)
) STRICT, WITHOUT ROWID;

-- Complete subtrees of the Merkle tree (RFC 6962): node (level, idx) covers 2^level leaves.
CREATE TABLE tree_nodes (
    level INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    hash BLOB NOT NULL CONSTRAINT tree_nodes_hash_is_sha256 CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER tree_nodes_never_change BEFORE UPDATE ON tree_nodes
BEGIN SELECT raise(ABORT, 'I8: tree nodes never change'); END;
CREATE TRIGGER tree_nodes_never_go BEFORE DELETE ON tree_nodes
BEGIN SELECT raise(ABORT, 'I8: tree nodes are never deleted'); END;
CREATE TRIGGER tree_nodes_never_replaced BEFORE INSERT ON tree_nodes
WHEN EXISTS (SELECT 1 FROM tree_nodes WHERE level = NEW.level AND idx = NEW.idx)
BEGIN SELECT raise(ABORT, 'I8: tree nodes never change'); END;

-- Signed tree heads (C2SP signed notes), kept for ever: what was said of the ledger stays said.
CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY CONSTRAINT checkpoints_size_positive CHECK (size > 0),
    issued_at INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE TRIGGER checkpoints_grow BEFORE INSERT ON checkpoints
WHEN NEW.size <= (SELECT coalesce(max(size), 0) FROM checkpoints)
BEGIN SELECT raise(ABORT, 'I8: checkpoints only grow'); END;
CREATE TRIGGER checkpoints_cover_entries BEFORE INSERT ON checkpoints
WHEN NEW.size > (SELECT coalesce(max(idx) + 1, 0) FROM entries)
BEGIN SELECT raise(ABORT, 'I8: a checkpoint covers entries that are there'); END;
CREATE TRIGGER checkpoints_never_change BEFORE UPDATE ON checkpoints
BEGIN SELECT raise(ABORT, 'I8: checkpoints never change'); END;
CREATE TRIGGER checkpoints_never_go BEFORE DELETE ON checkpoints
BEGIN SELECT raise(ABORT, 'I8: checkpoints are never deleted'); END;

CREATE TABLE people (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- What the name looks like (UTS #39 skeleton): two people never look the same.
    lookalike TEXT NOT NULL CONSTRAINT people_names_differ UNIQUE,
    password_hash TEXT,
    active INTEGER NOT NULL CONSTRAINT people_active_is_boolean CHECK (active IN (0, 1)),
    added_at INTEGER NOT NULL
) STRICT;

CREATE TABLE group_members (
    group_name TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id),
    PRIMARY KEY (group_name, person_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    lookalike TEXT NOT NULL CONSTRAINT agents_names_differ UNIQUE,
    owner_id TEXT NOT NULL REFERENCES people (id),
    suspended INTEGER NOT NULL CONSTRAINT agents_suspended_is_boolean CHECK (suspended IN (0, 1)),
    added_at INTEGER NOT NULL
) STRICT;

-- API keys: an agent's, or an auditor's. Only a keyed hash is kept.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    agent_id TEXT REFERENCES agents (id),
    person_id TEXT REFERENCES people (id),
    hash BLOB NOT NULL CONSTRAINT api_keys_hash_unique UNIQUE,
    hint TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    last_used_at INTEGER,
    shown_to TEXT NOT NULL REFERENCES people (id),
    CONSTRAINT api_keys_one_holder CHECK ((agent_id IS NULL) <> (person_id IS NULL))
) STRICT;
CREATE INDEX api_keys_by_agent ON api_keys (agent_id);

CREATE TABLE kinds (
    name TEXT NOT NULL,
    version INTEGER NOT NULL CONSTRAINT kinds_version_positive CHECK (version > 0),
    body BLOB NOT NULL,
    put_at INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER kinds_never_change BEFORE UPDATE ON kinds
BEGIN SELECT raise(ABORT, 'a version of a kind never changes'); END;
CREATE TRIGGER kinds_never_go BEFORE DELETE ON kinds
BEGIN SELECT raise(ABORT, 'a version of a kind is never deleted'); END;
-- INSERT OR REPLACE deletes without a DELETE trigger: here and below it is refused as an insert.
CREATE TRIGGER kinds_never_replaced BEFORE INSERT ON kinds
WHEN EXISTS (SELECT 1 FROM kinds WHERE name = NEW.name AND version = NEW.version)
BEGIN SELECT raise(ABORT, 'a version of a kind never changes'); END;

-- The projection of each request's facts.
CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    state TEXT NOT NULL CONSTRAINT requests_state_known CHECK (state IN (
        'pending', 'approved', 'denied', 'expired', 'withdrawn', 'lapsed', 'executing',
        'succeeded', 'failed')),
    agent_id TEXT NOT NULL REFERENCES agents (id),
    executor_id TEXT NOT NULL REFERENCES agents (id),
    kind_name TEXT NOT NULL,
    kind_version INTEGER NOT NULL,
    environment TEXT NOT NULL,
    risk TEXT NOT NULL CONSTRAINT requests_risk_known CHECK (risk IN ('low', 'medium', 'high')),
    revision INTEGER NOT NULL,
    digest BLOB NOT NULL,
    content_digest BLOB NOT NULL,
    staged_at INTEGER NOT NULL,
    due_at INTEGER,
    changed_at INTEGER NOT NULL,
    effect TEXT NOT NULL,
    search TEXT NOT NULL,
    document TEXT NOT NULL,
    FOREIGN KEY (kind_name, kind_version) REFERENCES kinds (name, version)
) STRICT;
CREATE INDEX requests_by_state ON requests (state, due_at);
CREATE INDEX requests_by_staging ON requests (staged_at DESC, id DESC);
CREATE INDEX requests_by_change ON requests (changed_at DESC);
CREATE INDEX requests_by_agent ON requests (agent_id, staged_at DESC, id DESC);
CREATE TRIGGER requests_start_pending BEFORE INSERT ON requests
WHEN NEW.state <> 'pending' OR NEW.version <> 1
BEGIN SELECT raise(ABORT, 'I1: a request starts pending'); END;
CREATE TRIGGER requests_legal_transition BEFORE UPDATE OF state ON requests
WHEN NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN (
    'pending>approved', 'pending>denied', 'pending>expired', 'pending>withdrawn',
    'approved>executing', 'approved>lapsed', 'approved>pending',
    'executing>succeeded', 'executing>failed')
BEGIN SELECT raise(ABORT, 'I2: no such transition'); END;
CREATE TRIGGER requests_terminal BEFORE UPDATE ON requests
WHEN OLD.state IN ('denied', 'expired', 'withdrawn', 'lapsed', 'succeeded', 'failed')
BEGIN SELECT raise(ABORT, 'I2: a terminal state never changes'); END;
CREATE TRIGGER requests_never_go BEFORE DELETE ON requests
BEGIN SELECT raise(ABORT, 'requests are never deleted'); END;
CREATE TRIGGER requests_never_replaced BEFORE INSERT ON requests
WHEN EXISTS (SELECT 1 FROM requests WHERE id = NEW.id)
BEGIN SELECT raise(ABORT, 'I2: a request is never replaced'); END;
CREATE TRIGGER requests_identity_fixed BEFORE UPDATE ON requests
WHEN NEW.id <> OLD.id OR NEW.agent_id <> OLD.agent_id OR NEW.version <> OLD.version + 1
BEGIN SELECT raise(ABORT, 'identity is fixed and versions count up'); END;

-- The immutable canonical bytes that were shown and approved.
CREATE TABLE revisions (
    request_id TEXT NOT NULL REFERENCES requests (id),
    number INTEGER NOT NULL,
    digest BLOB NOT NULL CONSTRAINT revisions_digest_unique UNIQUE,
    body BLOB NOT NULL,
    PRIMARY KEY (request_id, number)
) STRICT;
CREATE TRIGGER revisions_never_change BEFORE UPDATE ON revisions
BEGIN SELECT raise(ABORT, 'I4: a revision never changes'); END;
CREATE TRIGGER revisions_never_go BEFORE DELETE ON revisions
BEGIN SELECT raise(ABORT, 'I4: a revision is never deleted'); END;
CREATE TRIGGER revisions_never_replaced BEFORE INSERT ON revisions
WHEN EXISTS (SELECT 1 FROM revisions
             WHERE request_id = NEW.request_id AND number = NEW.number OR digest = NEW.digest)
BEGIN SELECT raise(ABORT, 'I4: a revision never changes'); END;

CREATE TABLE reviews (
    request_id TEXT NOT NULL REFERENCES requests (id),
    revision INTEGER NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id),
    verdict TEXT NOT NULL CONSTRAINT reviews_verdict_known CHECK (verdict IN ('approve', 'deny')),
    at INTEGER NOT NULL,
    PRIMARY KEY (request_id, revision, person_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER requests_approved_needs_approval BEFORE UPDATE OF state ON requests
WHEN NEW.state = 'approved' AND NOT EXISTS (
    SELECT 1 FROM reviews
    WHERE request_id = NEW.id AND revision = NEW.revision AND verdict = 'approve')
BEGIN SELECT raise(ABORT, 'I1: approved needs an approval of this revision'); END;

-- A spent release. The key makes redemption single (I3).
CREATE TABLE releases (
    request_id TEXT PRIMARY KEY REFERENCES requests (id),
    lease_id TEXT NOT NULL CONSTRAINT releases_lease_unique UNIQUE,
    redeemed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER releases_never_change BEFORE UPDATE ON releases
BEGIN SELECT raise(ABORT, 'I3: a spent release never changes'); END;
CREATE TRIGGER releases_never_go BEFORE DELETE ON releases
BEGIN SELECT raise(ABORT, 'I3: a spent release stays spent'); END;
CREATE TRIGGER releases_never_replaced BEFORE INSERT ON releases
WHEN EXISTS (SELECT 1 FROM releases
             WHERE request_id = NEW.request_id OR lease_id = NEW.lease_id)
BEGIN SELECT raise(ABORT, 'I3: a release is spent once'); END;
CREATE TRIGGER requests_executing_needs_release BEFORE UPDATE OF state ON requests
WHEN NEW.state = 'executing' AND NOT EXISTS (SELECT 1 FROM releases WHERE request_id = NEW.id)
BEGIN SELECT raise(ABORT, 'I3: executing needs a spent release'); END;

-- Evidence is content-addressed; who may refer to it is a row of its own.
CREATE TABLE evidence (
    digest BLOB PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE evidence_chunks (
    digest BLOB NOT NULL REFERENCES evidence (digest) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (digest, seq)
) STRICT;
CREATE TABLE evidence_uploads (
    digest BLOB NOT NULL REFERENCES evidence (digest) ON DELETE CASCADE,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    at INTEGER NOT NULL,
    PRIMARY KEY (digest, agent_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE evidence_used (
    request_id TEXT NOT NULL REFERENCES requests (id),
    digest BLOB NOT NULL REFERENCES evidence (digest),
    PRIMARY KEY (request_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_used_by_digest ON evidence_used (digest);
CREATE TABLE evidence_opened (
    request_id TEXT NOT NULL REFERENCES requests (id),
    digest BLOB NOT NULL REFERENCES evidence (digest),
    person_id TEXT NOT NULL REFERENCES people (id),
    at INTEGER NOT NULL,
    PRIMARY KEY (request_id, digest, person_id)
) STRICT, WITHOUT ROWID;

-- Answers to requests with an Idempotency-Key; scope = caller, method and route.
CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    request_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

-- Browser sessions, by the hash of their id: a copy of this table signs nobody in.
CREATE TABLE sessions (
    id_hash BLOB PRIMARY KEY,
    data TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- One-time sign-in links, by the hash of their token.
CREATE TABLE sign_in_links (
    hash BLOB PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id),
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;
