//! Every code that a problem of the API can have: one list, from which the OpenAPI document, its
//! page and the table of `docs/api.md` are made.
//!
//! INVARIANT: the set is closed. What a handler answers stands here with its status; otherwise the
//! document would promise what the server does not hold.

/// One code, as its reader meets it.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    pub code: &'static str,
    pub statuses: &'static [u16],
    pub means: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

macro_rules! codes {
    ($($code:ident $statuses:tt $means:literal, $advice:literal;)*) => {
        /// All of them, by status.
        pub const CODES: &[Code] = &[$(Code {
            code: stringify!($code),
            statuses: &$statuses,
            means: $means,
            advice: $advice,
        }),*];
    };
}

codes! {
    malformed_json [400] "not the JSON described above; `errors[0].pointer` says where", "mend the body";
    invalid_query [400] "a parameter or cursor that is not known", "mend the query";
    invalid_last_event_id [400] "no id of an event of this ledger, or sent twice", "send the last `id`, or none and read your requests";
    invalid_form [400] "not the fields of this form, or one of them twice", "mend the form";
    invalid_idempotency_key [400] "the key's form is wrong, or it was sent twice", "send a key of that form";
    invalid_message [400] "what `/mcp` got is no message of MCP; `detail` says why", "mend the client";
    idempotency_key_missing [400] "redeeming needs one", "send one";
    duplicate_authorization [400] "more than one `Authorization` header", "send one";
    body_incomplete [400] "the body broke off", "send it again";
    unauthenticated [401] "no living key of the right sort, and no token that is trusted", "get a key, or a new token";
    outside_scope [403] "the credential is limited to other kinds or environments; `detail` names them", "use one that reaches as far";
    suspended [403] "the stager or the executor is suspended", "ask an administrator";
    foreign_origin [403] "`Host` or `Origin` at `/mcp` is not that of the public URL", "use the public URL";
    not_executor [403] "another agent redeems and reports", "use the executor's key";
    not_stager [403] "only the stager amends and withdraws", "use the stager's key";
    policy_forbids [403] "the policy in force forbids this release", "do not act; tell an administrator";
    not_found [404] "no such address or thing, or not yours", "check the id";
    no_checkpoint [404] "no checkpoint covers the entry yet", "come back in 5 seconds";
    method_not_allowed [405] "another method; see `Allow`", "use that one";
    not_acceptable [406] "`Accept` at `/mcp` lacks `application/json` or `text/event-stream`", "name both";
    not_approved [409] "not `approved`; `state` says what it is", "do not act; wait, or stop";
    already_redeemed [409] "spent at `redeemed_at`", "use the first key to get the token again";
    digest_mismatch [409] "not the digest of the approved revision", "read the request, redeem its `digest`";
    outside_window [409] "before or after the window", "come back inside it";
    frozen [409] "a freeze stops this release", "do not act; wait for its end";
    not_pending [409] "amending or withdrawing comes too late; `state`", "read the request";
    changed [409] "somebody amended it in between", "read the request, amend again";
    too_many_revisions [409] "50 revisions", "withdraw, stage anew";
    nothing_to_roll_back [409] "no outcome yet, or a rollback was reported otherwise already; `state`", "read the request";
    not_executing [409] "not `executing`, or reported otherwise already; `state`", "read the request";
    wrong_lease [409] "not the lease of this execution", "use the `lease_id` of the redemption";
    duplicate [409] "the same content is open, or approved and not used, as `request`", "go on with that one";
    just_denied [409] "the same content was denied at `denied_at`, as `request`; `Retry-After`", "do not act; read `denial` there";
    too_many_pending [409] "so many requests of this agent wait for people: `limit`", "wait for decisions, or withdraw some";
    evidence_quota [409] "too many uploads, or too many bytes, that no request refers to", "stage with them; what is unused goes after 24 hours";
    body_too_large [413] "over 1 MiB, or 10 MiB for evidence", "send less; upload evidence";
    unsupported_media_type [415] "not `application/json`; for introspection `application/x-www-form-urlencoded`", "set the header";
    invalid_body [422] "fields break rules; all of them in `errors`, at most 20 of each schema", "mend the fields named";
    idempotency_key_reused [422] "the key stands for another body", "use a new key";
    empty_evidence [422] "an upload without content", "send the content";
    no_requirement [422] "nobody would have to review it", "tell an administrator";
    policy_failed [422, 503] "the policy has no answer for this action: nothing is staged or released", "tell an administrator";
    deadline_passed [422] "the review deadline has passed while staging", "stage with a later one";
    rate_limited [429] "over `limit` calls a minute; `Retry-After`", "call again then; wait instead of asking often";
    too_many_waits [429] "`limit` calls of this agent wait already; `Retry-After`", "wait for several requests in turn";
    too_many_uploads [429] "`limit` uploads of the agent are under way here", "let one end";
    too_many_streams [429] "the agent has 16 open streams of events here", "close one";
    internal [500] "a defect of the server", "report it";
    unavailable [503] "the database did not answer; `Retry-After: 1`", "retry with the same key";
    not_initialised [503] "`/readyz` before `admin init`", "set the installation up";
}

/// The code of that name.
pub fn find(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.code == name)
}
