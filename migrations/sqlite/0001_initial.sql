-- The first schema. Times are microseconds since 1970 (UTC); identifiers are UUIDs in text;
-- digests and hashes are 32 bytes. Rules that also stand in code are named after their invariant.

-- One row: which installation this is, and the authority epoch, moved by every change to people,
-- groups, agents, keys, kinds, policy and freezes.
CREATE TABLE instance (
    only_row INTEGER PRIMARY KEY CONSTRAINT instance_one_row CHECK (only_row = 1),
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    authority_epoch INTEGER NOT NULL,
    changes_gated INTEGER NOT NULL DEFAULT 0
        CONSTRAINT instance_gated_is_boolean CHECK (changes_gated IN (0, 1))
) STRICT;
CREATE TRIGGER instance_stays_gated BEFORE UPDATE OF changes_gated ON instance
WHEN OLD.changes_gated = 1 AND NEW.changes_gated = 0
BEGIN SELECT raise(ABORT, 'changes that need a second person go on needing one'); END;

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
    -- How often they set a password: what was signed in before is over.
    passwords INTEGER NOT NULL DEFAULT 0,
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
    -- Nobody owns the gate itself, the agent with the nil id.
    owner_id TEXT REFERENCES people (id)
        CONSTRAINT agents_only_the_gate_is_unowned
        CHECK (owner_id IS NOT NULL OR id = '00000000-0000-0000-0000-000000000000'),
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
    -- Kinds and environments that it is limited to, as JSON.
    scope TEXT NOT NULL,
    CONSTRAINT api_keys_one_holder CHECK ((agent_id IS NULL) <> (person_id IS NULL))
) STRICT;
CREATE INDEX api_keys_by_agent ON api_keys (agent_id);

-- Trusts: whose tokens speak as an agent.
CREATE TABLE trusts (
    id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    -- Issuer, audience, claims, scope and keys, as JSON.
    terms TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT REFERENCES people (id),
    removed_at INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX trusts_by_agent ON trusts (agent_id);

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

-- Policies: every version for ever, the highest in force.
CREATE TABLE policies (
    version INTEGER PRIMARY KEY CONSTRAINT policies_version_positive CHECK (version > 0),
    text TEXT NOT NULL,
    put_at INTEGER NOT NULL
) STRICT;
CREATE TRIGGER policies_never_change BEFORE UPDATE ON policies
BEGIN SELECT raise(ABORT, 'a version of a policy never changes'); END;
CREATE TRIGGER policies_never_go BEFORE DELETE ON policies
BEGIN SELECT raise(ABORT, 'a version of a policy is never deleted'); END;
CREATE TRIGGER policies_gapless BEFORE INSERT ON policies
WHEN NEW.version <> (SELECT coalesce(max(version) + 1, 1) FROM policies)
BEGIN SELECT raise(ABORT, 'versions of the policy have no gaps'); END;

-- Freezes: on until they are thawed.
CREATE TABLE freezes (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    halts INTEGER NOT NULL CONSTRAINT freezes_halts_is_boolean CHECK (halts IN (0, 1)),
    frozen_at INTEGER NOT NULL,
    frozen_by TEXT REFERENCES people (id),
    reason TEXT NOT NULL,
    thawed_at INTEGER
) STRICT;
CREATE INDEX freezes_on ON freezes (frozen_at) WHERE thawed_at IS NULL;
CREATE TRIGGER freezes_never_go BEFORE DELETE ON freezes
BEGIN SELECT raise(ABORT, 'a freeze is never deleted'); END;

-- The projection of each request's facts.
CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    state TEXT NOT NULL CONSTRAINT requests_state_known CHECK (state IN (
        'pending', 'changes_requested', 'approved', 'denied', 'expired', 'withdrawn', 'revoked',
        'lapsed', 'executing', 'succeeded', 'failed', 'halted', 'outcome_unknown', 'rolled_back',
        'rollback_failed')),
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
    -- Who broke the glass and has not been reviewed by a second person yet, and until when.
    owes_review TEXT REFERENCES people (id),
    owes_review_by INTEGER,
    changed_at INTEGER NOT NULL,
    effect TEXT NOT NULL,
    search TEXT NOT NULL,
    document TEXT NOT NULL,
    FOREIGN KEY (kind_name, kind_version) REFERENCES kinds (name, version),
    CONSTRAINT requests_debt_has_a_date CHECK ((owes_review IS NULL) = (owes_review_by IS NULL))
) STRICT;
CREATE INDEX requests_by_due ON requests (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX requests_by_debt ON requests (staged_at DESC, id DESC) WHERE owes_review IS NOT NULL;
CREATE INDEX requests_by_state ON requests (state, changed_at DESC, id DESC);
CREATE INDEX requests_by_urgency ON requests
    (state, (CASE risk WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END), due_at, id);
CREATE INDEX requests_by_staging ON requests (staged_at DESC, id DESC);
CREATE INDEX requests_by_change ON requests (changed_at DESC);
CREATE INDEX requests_by_agent ON requests (agent_id, staged_at DESC, id DESC);
CREATE INDEX requests_by_agent_and_kind ON requests (agent_id, kind_name);
CREATE INDEX requests_not_carried_out ON requests (content_digest, changed_at)
    WHERE state IN ('denied', 'expired');
-- What may still be used, for what an agent may have open at once.
CREATE INDEX requests_usable ON requests (agent_id, content_digest, staged_at)
    WHERE state IN ('pending', 'changes_requested', 'approved');
CREATE TRIGGER requests_start_pending BEFORE INSERT ON requests
WHEN NEW.state <> 'pending' OR NEW.version <> 1
BEGIN SELECT raise(ABORT, 'I1: a request starts pending'); END;
CREATE TRIGGER requests_legal_transition BEFORE UPDATE OF state ON requests
WHEN NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN (
    'pending>changes_requested', 'pending>approved', 'pending>denied', 'pending>expired',
    'pending>withdrawn',
    'changes_requested>pending', 'changes_requested>denied', 'changes_requested>expired',
    'changes_requested>withdrawn',
    'approved>executing', 'approved>revoked', 'approved>lapsed', 'approved>pending',
    'executing>succeeded', 'executing>failed', 'executing>halted', 'executing>outcome_unknown',
    'executing>rolled_back', 'executing>rollback_failed',
    'outcome_unknown>succeeded', 'outcome_unknown>failed', 'outcome_unknown>halted',
    'outcome_unknown>rolled_back', 'outcome_unknown>rollback_failed',
    'succeeded>rolled_back', 'succeeded>rollback_failed',
    'failed>rolled_back', 'failed>rollback_failed',
    'halted>rolled_back', 'halted>rollback_failed')
    -- A change to the house is approved, released and applied in one transaction.
    AND NOT (NEW.kind_name LIKE 'countersign.%' AND OLD.state = 'pending'
             AND NEW.state IN ('succeeded', 'failed'))
BEGIN SELECT raise(ABORT, 'I2: no such transition'); END;
-- What break-glass owes may still be settled then.
CREATE TRIGGER requests_terminal BEFORE UPDATE ON requests
WHEN OLD.state IN ('denied', 'expired', 'withdrawn', 'revoked', 'lapsed', 'rolled_back',
                   'rollback_failed')
    AND (NEW.state <> OLD.state OR NEW.digest <> OLD.digest OR OLD.owes_review IS NULL)
BEGIN SELECT raise(ABORT, 'I2: a terminal state never changes'); END;
CREATE TRIGGER requests_never_go BEFORE DELETE ON requests
BEGIN SELECT raise(ABORT, 'requests are never deleted'); END;
CREATE TRIGGER requests_never_replaced BEFORE INSERT ON requests
WHEN EXISTS (SELECT 1 FROM requests WHERE id = NEW.id)
BEGIN SELECT raise(ABORT, 'I2: a request is never replaced'); END;
CREATE TRIGGER requests_identity_fixed BEFORE UPDATE ON requests
WHEN NEW.id <> OLD.id OR NEW.agent_id <> OLD.agent_id OR NEW.version <> OLD.version + 1
BEGIN SELECT raise(ABORT, 'identity is fixed and versions count up'); END;

-- INVARIANT: I4. Only an open request is amended, one revision at a time.
CREATE TRIGGER requests_amended BEFORE UPDATE ON requests
WHEN (NEW.digest <> OLD.digest OR NEW.revision <> OLD.revision) AND NOT (
    NEW.revision = OLD.revision + 1 AND NEW.state = 'pending'
    AND OLD.state IN ('pending', 'changes_requested')
    AND EXISTS (SELECT 1 FROM revisions WHERE request_id = NEW.id
                AND number = NEW.revision AND digest = NEW.digest))
BEGIN SELECT raise(ABORT, 'I4: only an open request is amended, by a new revision'); END;

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

-- What each request ever named as a target, in any of its revisions: for first times and bursts.
CREATE TABLE request_targets (
    request_id TEXT NOT NULL REFERENCES requests (id),
    target TEXT NOT NULL,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    kind_name TEXT NOT NULL,
    named_at INTEGER NOT NULL,
    PRIMARY KEY (request_id, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_targets_by_agent ON request_targets (target, agent_id);
CREATE INDEX request_targets_by_kind ON request_targets (target, kind_name);
CREATE INDEX request_targets_by_time ON request_targets (target, named_at);

CREATE TABLE reviews (
    request_id TEXT NOT NULL REFERENCES requests (id),
    revision INTEGER NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id),
    verdict TEXT NOT NULL CONSTRAINT reviews_verdict_known CHECK (verdict IN (
        'approve', 'request_changes', 'deny', 'pass')),
    at INTEGER NOT NULL,
    PRIMARY KEY (request_id, revision, person_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER requests_approved_needs_approval BEFORE UPDATE OF state ON requests
WHEN NEW.state IN ('approved', 'executing', 'succeeded') AND NOT EXISTS (
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
WHEN NEW.state IN ('executing', 'succeeded', 'failed', 'halted', 'outcome_unknown', 'rolled_back',
                   'rollback_failed')
    AND NOT EXISTS (SELECT 1 FROM releases WHERE request_id = NEW.id)
BEGIN SELECT raise(ABORT, 'I3: executing needs a spent release'); END;

-- What is received of an upload, and becomes evidence once its digest is known.
CREATE TABLE evidence_contents (
    id BLOB PRIMARY KEY,
    begun_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE evidence_chunks (
    content_id BLOB NOT NULL REFERENCES evidence_contents (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (content_id, seq)
) STRICT;
-- Evidence is content-addressed; who may refer to it is a row of its own.
CREATE TABLE evidence (
    digest BLOB PRIMARY KEY,
    content_id BLOB NOT NULL UNIQUE REFERENCES evidence_contents (id),
    size_bytes INTEGER NOT NULL,
    stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE evidence_uploads (
    digest BLOB NOT NULL REFERENCES evidence (digest) ON DELETE CASCADE,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    at INTEGER NOT NULL,
    PRIMARY KEY (digest, agent_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_uploads_by_agent ON evidence_uploads (agent_id, at);
CREATE TABLE evidence_used (
    request_id TEXT NOT NULL REFERENCES requests (id),
    digest BLOB NOT NULL REFERENCES evidence (digest),
    PRIMARY KEY (request_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_used_by_digest ON evidence_used (digest);
-- Once as it is shown, and once more by whoever had shown what is masked in it.
CREATE TABLE evidence_opened (
    request_id TEXT NOT NULL REFERENCES requests (id),
    digest BLOB NOT NULL REFERENCES evidence (digest),
    person_id TEXT NOT NULL REFERENCES people (id),
    unmasked INTEGER NOT NULL
        CONSTRAINT evidence_opened_unmasked_is_boolean CHECK (unmasked IN (0, 1)),
    at INTEGER NOT NULL,
    PRIMARY KEY (request_id, digest, person_id, unmasked)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_opened_by_digest ON evidence_opened (digest);

-- Answers to requests with an Idempotency-Key; scope = caller, method and route.
CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    request_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

-- Endpoints that are told of what happens, and the first entry that each was not looked at for.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    lookalike TEXT NOT NULL CONSTRAINT webhooks_names_differ UNIQUE,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    cursor INTEGER NOT NULL CONSTRAINT webhooks_cursor_not_negative CHECK (cursor >= 0),
    -- The secret itself follows from a key that is in no database.
    secret_version INTEGER NOT NULL
        CONSTRAINT webhooks_secret_version_positive CHECK (secret_version > 0),
    rotated_at INTEGER,
    disabled_at INTEGER
) STRICT;
CREATE TRIGGER webhooks_identity_fixed BEFORE UPDATE ON webhooks
WHEN NEW.id <> OLD.id OR NEW.url <> OLD.url OR NEW.cursor < OLD.cursor
    OR NEW.secret_version < OLD.secret_version
BEGIN SELECT raise(ABORT, 'an endpoint stays what it is, and goes on only forwards'); END;

-- What an endpoint is told of: the entry, and how far it has got. What is sent follows from the entry.
CREATE TABLE webhook_deliveries (
    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    idx INTEGER NOT NULL REFERENCES entries (idx),
    state TEXT NOT NULL CONSTRAINT webhook_deliveries_state_known CHECK (state IN (
        'waiting', 'delivered', 'dead')),
    attempts INTEGER NOT NULL,
    next_at INTEGER,
    last_at INTEGER,
    answer TEXT,
    PRIMARY KEY (webhook_id, idx),
    CONSTRAINT webhook_deliveries_waiting_has_a_time CHECK ((state = 'waiting') = (next_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at, idx)
    WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_over ON webhook_deliveries (last_at) WHERE state <> 'waiting';

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
