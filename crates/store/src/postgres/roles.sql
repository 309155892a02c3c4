-- What the server may do, given anew by every `countersign migrate`: read everything, add to
-- everything but the schema's version, change and remove only what is no record. Nothing here lets
-- it change or remove an entry, a tree node, a revision, a spent release, or a version of a
-- kind or of the policy.
GRANT SELECT ON _sqlx_migrations TO countersign_serve;
GRANT SELECT, UPDATE ON ledger_head TO countersign_serve;
GRANT SELECT, INSERT ON
    entries, tree_nodes, entry_texts, checkpoints, kinds, policies, revisions, releases, evidence_chunks,
    evidence_used, evidence_opened, request_targets, idempotency
    TO countersign_serve;
GRANT SELECT, INSERT, UPDATE ON
    instance, people, agents, api_keys, trusts, freezes, requests
    TO countersign_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    leaders, group_members, reviews, evidence, evidence_contents, evidence_uploads, sessions,
    sign_in_links, webhooks, webhook_deliveries
    TO countersign_serve;
