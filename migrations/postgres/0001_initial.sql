-- The first schema. Times are microseconds since 1970 (UTC); identifiers are UUIDs; digests and
-- hashes are 32 bytes. Rules that also stand in code are named after their invariant. Names sort by
-- their bytes (COLLATE "C"), whatever the database's own collation is.

-- Refuses whatever it is the trigger of; the trigger's argument says why.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- One row, locked by whoever writes to the ledger: several servers share one gapless ledger.
CREATE TABLE ledger_head (
    only_row SMALLINT PRIMARY KEY CONSTRAINT ledger_head_one_row CHECK (only_row = 1)
);
INSERT INTO ledger_head VALUES (1);

-- Which server does a job that one of them is enough for, and until when nobody else takes it.
CREATE TABLE leaders (
    job TEXT PRIMARY KEY,
    node_id UUID NOT NULL,
    until BIGINT NOT NULL
);

-- One row: which installation this is, and the authority epoch, moved by every change to people,
-- groups, agents, keys, kinds, policy and freezes.
CREATE TABLE instance (
    only_row SMALLINT PRIMARY KEY CONSTRAINT instance_one_row CHECK (only_row = 1),
    id UUID NOT NULL,
    created_at BIGINT NOT NULL,
    authority_epoch BIGINT NOT NULL,
    changes_gated BOOLEAN NOT NULL DEFAULT false
);
CREATE TRIGGER instance_stays_gated BEFORE UPDATE OF changes_gated ON instance
FOR EACH ROW WHEN (OLD.changes_gated AND NOT NEW.changes_gated)
EXECUTE FUNCTION refuse('changes that need a second person go on needing one');

-- The ledger: canonical bytes and their leaf hash.
CREATE TABLE entries (
    idx BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    fact TEXT NOT NULL,
    request_id UUID,
    body BYTEA NOT NULL,
    leaf BYTEA NOT NULL CONSTRAINT entries_leaf_is_sha256 CHECK (length(leaf) = 32)
);
CREATE INDEX entries_by_request ON entries (request_id, idx) WHERE request_id IS NOT NULL;
CREATE INDEX entries_that_name_keys ON entries (idx) WHERE fact = 'CheckpointKeyNamed';
CREATE FUNCTION entries_gapless() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.idx <> (SELECT coalesce(max(idx) + 1, 0) FROM entries) THEN
        RAISE EXCEPTION 'I8: ledger indices have no gaps'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entries_gapless BEFORE INSERT ON entries
FOR EACH ROW EXECUTE FUNCTION entries_gapless();
CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries
FOR EACH ROW EXECUTE FUNCTION refuse('I8: ledger entries never change');
CREATE TRIGGER entries_never_go BEFORE DELETE ON entries
FOR EACH ROW EXECUTE FUNCTION refuse('I8: ledger entries are never deleted');
CREATE TRIGGER entries_never_truncated BEFORE TRUNCATE ON entries
EXECUTE FUNCTION refuse('I8: ledger entries are never deleted');

-- The clear text behind the commitments of entries. The only part of the record that may be erased.
CREATE TABLE entry_texts (
    idx BIGINT NOT NULL REFERENCES entries (idx),
    field TEXT NOT NULL,
    salt BYTEA NOT NULL CONSTRAINT entry_texts_salt_length CHECK (length(salt) = 16),
    text TEXT NOT NULL,
    PRIMARY KEY (idx, field)
);

-- Complete subtrees of the Merkle tree (RFC 6962): node (level, idx) covers 2^level leaves.
CREATE TABLE tree_nodes (
    level BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    hash BYTEA NOT NULL CONSTRAINT tree_nodes_hash_is_sha256 CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
);
CREATE TRIGGER tree_nodes_never_change BEFORE UPDATE ON tree_nodes
FOR EACH ROW EXECUTE FUNCTION refuse('I8: tree nodes never change');
CREATE TRIGGER tree_nodes_never_go BEFORE DELETE ON tree_nodes
FOR EACH ROW EXECUTE FUNCTION refuse('I8: tree nodes are never deleted');
CREATE TRIGGER tree_nodes_never_truncated BEFORE TRUNCATE ON tree_nodes
EXECUTE FUNCTION refuse('I8: tree nodes are never deleted');

-- Signed tree heads (C2SP signed notes), kept for ever: what was said of the ledger stays said.
CREATE TABLE checkpoints (
    size BIGINT PRIMARY KEY CONSTRAINT checkpoints_size_positive CHECK (size > 0),
    issued_at BIGINT NOT NULL,
    note TEXT NOT NULL
);
CREATE FUNCTION checkpoints_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.size <= (SELECT coalesce(max(size), 0) FROM checkpoints) THEN
        RAISE EXCEPTION 'I8: checkpoints only grow'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.size > (SELECT coalesce(max(idx) + 1, 0) FROM entries) THEN
        RAISE EXCEPTION 'I8: a checkpoint covers entries that are there'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER checkpoints_grow BEFORE INSERT ON checkpoints
FOR EACH ROW EXECUTE FUNCTION checkpoints_grow();
CREATE TRIGGER checkpoints_never_change BEFORE UPDATE ON checkpoints
FOR EACH ROW EXECUTE FUNCTION refuse('I8: checkpoints never change');
CREATE TRIGGER checkpoints_never_go BEFORE DELETE ON checkpoints
FOR EACH ROW EXECUTE FUNCTION refuse('I8: checkpoints are never deleted');
CREATE TRIGGER checkpoints_never_truncated BEFORE TRUNCATE ON checkpoints
EXECUTE FUNCTION refuse('I8: checkpoints are never deleted');

CREATE TABLE people (
    id UUID PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    -- What the name looks like (UTS #39 skeleton): two people never look the same.
    lookalike TEXT NOT NULL CONSTRAINT people_names_differ UNIQUE,
    password_hash TEXT,
    -- How often they set a password: what was signed in before is over.
    passwords BIGINT NOT NULL DEFAULT 0,
    active BOOLEAN NOT NULL,
    added_at BIGINT NOT NULL
);

CREATE TABLE group_members (
    group_name TEXT COLLATE "C" NOT NULL,
    person_id UUID NOT NULL REFERENCES people (id),
    PRIMARY KEY (group_name, person_id)
);

CREATE TABLE agents (
    id UUID PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    lookalike TEXT NOT NULL CONSTRAINT agents_names_differ UNIQUE,
    -- Nobody owns the gate itself, the agent with the nil id.
    owner_id UUID REFERENCES people (id)
        CONSTRAINT agents_only_the_gate_is_unowned
        CHECK (owner_id IS NOT NULL OR id = '00000000-0000-0000-0000-000000000000'),
    suspended BOOLEAN NOT NULL,
    added_at BIGINT NOT NULL
);

-- API keys: an agent's, or an auditor's. Only a keyed hash is kept.
CREATE TABLE api_keys (
    id UUID PRIMARY KEY,
    agent_id UUID REFERENCES agents (id),
    person_id UUID REFERENCES people (id),
    hash BYTEA NOT NULL CONSTRAINT api_keys_hash_unique UNIQUE,
    hint TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    last_used_at BIGINT,
    shown_to UUID NOT NULL REFERENCES people (id),
    -- Kinds and environments that it is limited to, as JSON.
    scope TEXT NOT NULL,
    CONSTRAINT api_keys_one_holder CHECK ((agent_id IS NULL) <> (person_id IS NULL))
);
CREATE INDEX api_keys_by_agent ON api_keys (agent_id);

-- Trusts: whose tokens speak as an agent.
CREATE TABLE trusts (
    id UUID PRIMARY KEY,
    agent_id UUID NOT NULL REFERENCES agents (id),
    -- Issuer, audience, claims, scope and keys, as JSON.
    terms TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    added_by UUID REFERENCES people (id),
    removed_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX trusts_by_agent ON trusts (agent_id);

CREATE TABLE kinds (
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CONSTRAINT kinds_version_positive CHECK (version > 0),
    body BYTEA NOT NULL,
    put_at BIGINT NOT NULL,
    PRIMARY KEY (name, version)
);
CREATE TRIGGER kinds_never_change BEFORE UPDATE ON kinds
FOR EACH ROW EXECUTE FUNCTION refuse('a version of a kind never changes');
CREATE TRIGGER kinds_never_go BEFORE DELETE ON kinds
FOR EACH ROW EXECUTE FUNCTION refuse('a version of a kind is never deleted');
CREATE TRIGGER kinds_never_truncated BEFORE TRUNCATE ON kinds
EXECUTE FUNCTION refuse('a version of a kind is never deleted');

-- Policies: every version for ever, the highest in force.
CREATE TABLE policies (
    version BIGINT PRIMARY KEY CONSTRAINT policies_version_positive CHECK (version > 0),
    text TEXT NOT NULL,
    put_at BIGINT NOT NULL
);
CREATE TRIGGER policies_never_change BEFORE UPDATE ON policies
FOR EACH ROW EXECUTE FUNCTION refuse('a version of a policy never changes');
CREATE TRIGGER policies_never_go BEFORE DELETE ON policies
FOR EACH ROW EXECUTE FUNCTION refuse('a version of a policy is never deleted');
CREATE TRIGGER policies_never_truncated BEFORE TRUNCATE ON policies
EXECUTE FUNCTION refuse('a version of a policy is never deleted');
CREATE FUNCTION policies_gapless() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version <> (SELECT coalesce(max(version) + 1, 1) FROM policies) THEN
        RAISE EXCEPTION 'versions of the policy have no gaps'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER policies_gapless BEFORE INSERT ON policies
FOR EACH ROW EXECUTE FUNCTION policies_gapless();

-- Freezes: on until they are thawed.
CREATE TABLE freezes (
    id UUID PRIMARY KEY,
    scope TEXT NOT NULL,
    halts BOOLEAN NOT NULL,
    frozen_at BIGINT NOT NULL,
    frozen_by UUID REFERENCES people (id),
    reason TEXT NOT NULL,
    thawed_at BIGINT
);
CREATE INDEX freezes_on ON freezes (frozen_at) WHERE thawed_at IS NULL;
CREATE TRIGGER freezes_never_go BEFORE DELETE ON freezes
FOR EACH ROW EXECUTE FUNCTION refuse('a freeze is never deleted');
CREATE TRIGGER freezes_never_truncated BEFORE TRUNCATE ON freezes
EXECUTE FUNCTION refuse('a freeze is never deleted');

-- The projection of each request's facts.
CREATE TABLE requests (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    state TEXT NOT NULL CONSTRAINT requests_state_known CHECK (state IN (
        'pending', 'changes_requested', 'approved', 'denied', 'expired', 'withdrawn', 'revoked',
        'lapsed', 'executing', 'succeeded', 'failed', 'halted', 'outcome_unknown', 'rolled_back',
        'rollback_failed')),
    agent_id UUID NOT NULL REFERENCES agents (id),
    executor_id UUID NOT NULL REFERENCES agents (id),
    kind_name TEXT COLLATE "C" NOT NULL,
    kind_version BIGINT NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    risk TEXT NOT NULL CONSTRAINT requests_risk_known CHECK (risk IN ('low', 'medium', 'high')),
    revision BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    content_digest BYTEA NOT NULL,
    staged_at BIGINT NOT NULL,
    due_at BIGINT,
    -- Who broke the glass and has not been reviewed by a second person yet, and until when.
    owes_review UUID REFERENCES people (id),
    owes_review_by BIGINT,
    changed_at BIGINT NOT NULL,
    effect TEXT NOT NULL,
    search TEXT NOT NULL,
    document TEXT NOT NULL,
    FOREIGN KEY (kind_name, kind_version) REFERENCES kinds (name, version),
    CONSTRAINT requests_debt_has_a_date CHECK ((owes_review IS NULL) = (owes_review_by IS NULL))
);
CREATE INDEX requests_by_due ON requests (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX requests_by_debt ON requests (staged_at DESC, id DESC) WHERE owes_review IS NOT NULL;
CREATE INDEX requests_by_state ON requests (state, changed_at DESC, id DESC);
CREATE INDEX requests_by_urgency ON requests
    (state, (CASE risk WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END), due_at NULLS FIRST, id);
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
FOR EACH ROW WHEN (NEW.state <> 'pending' OR NEW.version <> 1)
EXECUTE FUNCTION refuse('I1: a request starts pending');
CREATE TRIGGER requests_legal_transition BEFORE UPDATE OF state ON requests
FOR EACH ROW WHEN (NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN (
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
             AND NEW.state IN ('succeeded', 'failed')))
EXECUTE FUNCTION refuse('I2: no such transition');
-- What break-glass owes may still be settled then.
CREATE TRIGGER requests_terminal BEFORE UPDATE ON requests
FOR EACH ROW WHEN (
    OLD.state IN ('denied', 'expired', 'withdrawn', 'revoked', 'lapsed', 'rolled_back',
                  'rollback_failed')
    AND (NEW.state <> OLD.state OR NEW.digest <> OLD.digest OR OLD.owes_review IS NULL))
EXECUTE FUNCTION refuse('I2: a terminal state never changes');
CREATE TRIGGER requests_never_go BEFORE DELETE ON requests
FOR EACH ROW EXECUTE FUNCTION refuse('requests are never deleted');
CREATE TRIGGER requests_never_truncated BEFORE TRUNCATE ON requests
EXECUTE FUNCTION refuse('requests are never deleted');
CREATE TRIGGER requests_identity_fixed BEFORE UPDATE ON requests
FOR EACH ROW WHEN (
    NEW.id <> OLD.id OR NEW.agent_id <> OLD.agent_id OR NEW.version <> OLD.version + 1)
EXECUTE FUNCTION refuse('identity is fixed and versions count up');

-- INVARIANT: I4. Only an open request is amended, one revision at a time.
CREATE FUNCTION requests_amended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (NEW.revision = OLD.revision + 1 AND NEW.state = 'pending'
            AND OLD.state IN ('pending', 'changes_requested')
            AND EXISTS (SELECT 1 FROM revisions WHERE request_id = NEW.id
                        AND number = NEW.revision AND digest = NEW.digest)) THEN
        RAISE EXCEPTION 'I4: only an open request is amended, by a new revision'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER requests_amended BEFORE UPDATE ON requests
FOR EACH ROW WHEN (NEW.digest <> OLD.digest OR NEW.revision <> OLD.revision)
EXECUTE FUNCTION requests_amended();

-- The immutable canonical bytes that were shown and approved.
CREATE TABLE revisions (
    request_id UUID NOT NULL REFERENCES requests (id),
    number BIGINT NOT NULL,
    digest BYTEA NOT NULL CONSTRAINT revisions_digest_unique UNIQUE,
    body BYTEA NOT NULL,
    PRIMARY KEY (request_id, number)
);
CREATE TRIGGER revisions_never_change BEFORE UPDATE ON revisions
FOR EACH ROW EXECUTE FUNCTION refuse('I4: a revision never changes');
CREATE TRIGGER revisions_never_go BEFORE DELETE ON revisions
FOR EACH ROW EXECUTE FUNCTION refuse('I4: a revision is never deleted');
CREATE TRIGGER revisions_never_truncated BEFORE TRUNCATE ON revisions
EXECUTE FUNCTION refuse('I4: a revision is never deleted');

-- What each request ever named as a target, in any of its revisions: for first times and bursts.
CREATE TABLE request_targets (
    request_id UUID NOT NULL REFERENCES requests (id),
    target TEXT NOT NULL,
    agent_id UUID NOT NULL REFERENCES agents (id),
    kind_name TEXT NOT NULL,
    named_at BIGINT NOT NULL,
    PRIMARY KEY (request_id, target)
);
CREATE INDEX request_targets_by_agent ON request_targets (target, agent_id);
CREATE INDEX request_targets_by_kind ON request_targets (target, kind_name);
CREATE INDEX request_targets_by_time ON request_targets (target, named_at);

CREATE TABLE reviews (
    request_id UUID NOT NULL REFERENCES requests (id),
    revision BIGINT NOT NULL,
    person_id UUID NOT NULL REFERENCES people (id),
    verdict TEXT NOT NULL CONSTRAINT reviews_verdict_known CHECK (verdict IN (
        'approve', 'request_changes', 'deny', 'pass')),
    at BIGINT NOT NULL,
    PRIMARY KEY (request_id, revision, person_id)
);
CREATE FUNCTION requests_approved_needs_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM reviews
        WHERE request_id = NEW.id AND revision = NEW.revision AND verdict = 'approve') THEN
        RAISE EXCEPTION 'I1: approved needs an approval of this revision'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER requests_approved_needs_approval BEFORE UPDATE OF state ON requests
FOR EACH ROW WHEN (NEW.state IN ('approved', 'executing', 'succeeded'))
EXECUTE FUNCTION requests_approved_needs_approval();

-- A spent release. The key makes redemption single (I3).
CREATE TABLE releases (
    request_id UUID PRIMARY KEY REFERENCES requests (id),
    lease_id UUID NOT NULL CONSTRAINT releases_lease_unique UNIQUE,
    redeemed_at BIGINT NOT NULL
);
CREATE TRIGGER releases_never_change BEFORE UPDATE ON releases
FOR EACH ROW EXECUTE FUNCTION refuse('I3: a spent release never changes');
CREATE TRIGGER releases_never_go BEFORE DELETE ON releases
FOR EACH ROW EXECUTE FUNCTION refuse('I3: a spent release stays spent');
CREATE TRIGGER releases_never_truncated BEFORE TRUNCATE ON releases
EXECUTE FUNCTION refuse('I3: a spent release stays spent');
CREATE FUNCTION requests_executing_needs_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM releases WHERE request_id = NEW.id) THEN
        RAISE EXCEPTION 'I3: executing needs a spent release'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER requests_executing_needs_release BEFORE UPDATE OF state ON requests
FOR EACH ROW WHEN (NEW.state IN ('executing', 'succeeded', 'failed', 'halted', 'outcome_unknown',
                                'rolled_back', 'rollback_failed'))
EXECUTE FUNCTION requests_executing_needs_release();

-- What is received of an upload, and becomes evidence once its digest is known.
CREATE TABLE evidence_contents (
    id BYTEA PRIMARY KEY,
    begun_at BIGINT NOT NULL
);
CREATE TABLE evidence_chunks (
    content_id BYTEA NOT NULL REFERENCES evidence_contents (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (content_id, seq)
);
-- Evidence is content-addressed; who may refer to it is a row of its own.
CREATE TABLE evidence (
    digest BYTEA PRIMARY KEY,
    content_id BYTEA NOT NULL UNIQUE REFERENCES evidence_contents (id),
    size_bytes BIGINT NOT NULL,
    stored_at BIGINT NOT NULL
);
CREATE TABLE evidence_uploads (
    digest BYTEA NOT NULL REFERENCES evidence (digest) ON DELETE CASCADE,
    agent_id UUID NOT NULL REFERENCES agents (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (digest, agent_id)
);
CREATE INDEX evidence_uploads_by_agent ON evidence_uploads (agent_id, at);
CREATE TABLE evidence_used (
    request_id UUID NOT NULL REFERENCES requests (id),
    digest BYTEA NOT NULL REFERENCES evidence (digest),
    PRIMARY KEY (request_id, digest)
);
CREATE INDEX evidence_used_by_digest ON evidence_used (digest);
-- Once as it is shown, and once more by whoever had shown what is masked in it.
CREATE TABLE evidence_opened (
    request_id UUID NOT NULL REFERENCES requests (id),
    digest BYTEA NOT NULL REFERENCES evidence (digest),
    person_id UUID NOT NULL REFERENCES people (id),
    unmasked BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (request_id, digest, person_id, unmasked)
);
CREATE INDEX evidence_opened_by_digest ON evidence_opened (digest);

-- Answers to requests with an Idempotency-Key; scope = caller, method and route.
CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    request_id UUID NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);

-- Endpoints that are told of what happens, and the first entry that each was not looked at for.
CREATE TABLE webhooks (
    id UUID PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    lookalike TEXT NOT NULL CONSTRAINT webhooks_names_differ UNIQUE,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    cursor BIGINT NOT NULL CONSTRAINT webhooks_cursor_not_negative CHECK (cursor >= 0),
    -- The secret itself follows from a key that is in no database.
    secret_version BIGINT NOT NULL
        CONSTRAINT webhooks_secret_version_positive CHECK (secret_version > 0),
    rotated_at BIGINT,
    disabled_at BIGINT
);
CREATE TRIGGER webhooks_identity_fixed BEFORE UPDATE ON webhooks
FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.url <> OLD.url OR NEW.cursor < OLD.cursor
    OR NEW.secret_version < OLD.secret_version)
EXECUTE FUNCTION refuse('an endpoint stays what it is, and goes on only forwards');

-- What an endpoint is told of: the entry, and how far it has got. What is sent follows from the entry.
CREATE TABLE webhook_deliveries (
    webhook_id UUID NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    idx BIGINT NOT NULL REFERENCES entries (idx),
    state TEXT NOT NULL CONSTRAINT webhook_deliveries_state_known CHECK (state IN (
        'waiting', 'delivered', 'dead')),
    attempts BIGINT NOT NULL,
    next_at BIGINT,
    last_at BIGINT,
    answer TEXT,
    PRIMARY KEY (webhook_id, idx),
    CONSTRAINT webhook_deliveries_waiting_has_a_time CHECK ((state = 'waiting') = (next_at IS NOT NULL))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at, idx)
    WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_over ON webhook_deliveries (last_at) WHERE state <> 'waiting';

-- Browser sessions, by the hash of their id: a copy of this table signs nobody in.
CREATE TABLE sessions (
    id_hash BYTEA PRIMARY KEY,
    data TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- One-time sign-in links, by the hash of their token.
CREATE TABLE sign_in_links (
    hash BYTEA PRIMARY KEY,
    person_id UUID NOT NULL REFERENCES people (id),
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
