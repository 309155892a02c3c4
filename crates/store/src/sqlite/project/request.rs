//! Requests with their revisions, reviews and releases.

use domain::request::SecondReview;
use domain::{Request, RequestFact, Timestamp, kind};
use sqlx::SqliteConnection;

use super::super::history;
use super::super::rows::signed;
use super::refused;
use crate::change::{NewFact, RequestChange, Staged};
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// Who still owes a second review for a broken glass, and until when.
fn owed(request: &Request) -> Option<(String, i64)> {
    let broken = request.break_glass.as_ref()?;
    match broken.second_review {
        SecondReview::Owed | SecondReview::Missed { .. } => {
            Some((broken.by.to_string(), broken.review_by.micros()))
        }
        SecondReview::Done { .. } => None,
    }
}

fn search_text(staged: &Staged) -> String {
    let revision = &staged.sealed.revision;
    format!("{} {}", kind::sentence(&staged.effect), revision.kind.name).to_lowercase()
}

/// The rows of a new request or revision: they have to be there before facts can refer to them.
pub(in crate::sqlite) async fn stage(
    tx: &mut SqliteConnection,
    change: &RequestChange,
    now: Timestamp,
) -> Answer<()> {
    let Some(staged) = &change.staged else { return Ok(()) };
    let request = &change.after;
    if change.expected_version.is_none() {
        new_request(tx, request, staged, now).await?;
    }
    sqlx::query("INSERT INTO revisions (request_id, number, digest, body) VALUES (?, ?, ?, ?)")
        .bind(request.id.to_string())
        .bind(i64::from(request.revision))
        .bind(request.digest.0.as_slice())
        .bind(staged.sealed.bytes.as_slice())
        .execute(tx)
        .await?;
    Ok(())
}

async fn new_request(
    tx: &mut SqliteConnection,
    request: &Request,
    staged: &Staged,
    now: Timestamp,
) -> Answer<()> {
    let effect = serde_json::to_string(&staged.effect).map_err(refused)?;
    sqlx::query(
        "INSERT INTO requests (id, version, state, agent_id, executor_id, kind_name, kind_version, \
         environment, risk, revision, digest, content_digest, staged_at, due_at, changed_at, \
         effect, search, document) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(request.id.to_string())
    .bind(request.state.name().as_str())
    .bind(request.agent.to_string())
    .bind(request.executor.to_string())
    .bind(&request.kind.name)
    .bind(i64::from(request.kind.version))
    .bind(&request.environment)
    .bind(request.risk.level.as_str())
    .bind(i64::from(request.revision))
    .bind(request.digest.0.as_slice())
    .bind(request.content_digest.0.as_slice())
    .bind(request.staged_at.micros())
    .bind(request.due_at().map(Timestamp::micros))
    .bind(now.micros())
    .bind(effect)
    .bind(search_text(staged))
    .bind(serde_json::to_string(request).map_err(refused)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// The request's row after all its facts; marks the evidence of a new revision as used, and notes
/// its targets as named at `staged_at`, the time of the fact that brought it.
pub(in crate::sqlite) async fn update(
    tx: &mut SqliteConnection,
    change: &RequestChange,
    staged_at: Timestamp,
    now: Timestamp,
) -> Answer<()> {
    let request = &change.after;
    if let Some(staged) = &change.staged {
        history::note(tx, request, staged, staged_at).await?;
        for evidence in &staged.sealed.revision.evidence {
            sqlx::query("INSERT OR IGNORE INTO evidence_used (request_id, digest) VALUES (?, ?)")
                .bind(request.id.to_string())
                .bind(evidence.digest.0.as_slice())
                .execute(&mut *tx)
                .await?;
        }
    }
    let Some(version) = change.expected_version else { return Ok(()) };
    let effect = change.staged.as_ref().map(|staged| serde_json::to_string(&staged.effect));
    let (debtor, debt) = owed(request).unzip();
    let updated = sqlx::query(
        "UPDATE requests SET version = version + 1, state = ?, due_at = ?, owes_review = ?, \
         owes_review_by = ?, changed_at = ?, environment = ?, risk = ?, revision = ?, digest = ?, \
         content_digest = ?, effect = coalesce(?, effect), search = coalesce(?, search), \
         document = ? WHERE id = ? AND version = ?",
    )
    .bind(request.state.name().as_str())
    .bind(request.due_at().map(Timestamp::micros))
    .bind(debtor)
    .bind(debt)
    .bind(now.micros())
    .bind(&request.environment)
    .bind(request.risk.level.as_str())
    .bind(i64::from(request.revision))
    .bind(request.digest.0.as_slice())
    .bind(request.content_digest.0.as_slice())
    .bind(effect.transpose().map_err(refused)?)
    .bind(change.staged.as_ref().map(search_text))
    .bind(serde_json::to_string(request).map_err(refused)?)
    .bind(request.id.to_string())
    .bind(signed(version))
    .execute(tx)
    .await?;
    if updated.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

/// What a fact of a request means for the tables beside its row.
pub(super) async fn fact(
    tx: &mut SqliteConnection,
    new: &NewFact,
    fact: &RequestFact,
) -> Answer<()> {
    let id = new.request.ok_or_else(|| refused("a request's fact names its request"))?.to_string();
    match fact {
        RequestFact::ReviewRecorded { reviewer, verdict, revision, .. } => {
            sqlx::query(
                "INSERT INTO reviews (request_id, revision, person_id, verdict, at) \
                 VALUES (?, ?, ?, ?, ?) ON CONFLICT (request_id, revision, person_id) \
                 DO UPDATE SET verdict = excluded.verdict, at = excluded.at",
            )
            .bind(id)
            .bind(i64::from(*revision))
            .bind(reviewer.to_string())
            .bind(verdict.as_str())
            .bind(new.at.micros())
            .execute(tx)
            .await?;
        }
        RequestFact::QuorumLost { void } => {
            for person in void {
                sqlx::query("DELETE FROM reviews WHERE request_id = ? AND person_id = ?")
                    .bind(&id)
                    .bind(person.to_string())
                    .execute(&mut *tx)
                    .await?;
            }
        }
        RequestFact::ReleaseRedeemed { release, .. } => {
            sqlx::query(
                "INSERT INTO releases (request_id, lease_id, redeemed_at) VALUES (?, ?, ?)",
            )
            .bind(id)
            .bind(release.lease_id.to_string())
            .bind(release.redeemed_at.micros())
            .execute(tx)
            .await?;
        }
        RequestFact::RequestStaged(_)
        | RequestFact::RequestAmended(_)
        | RequestFact::ChangesRequested { .. }
        | RequestFact::RequestApproved { .. }
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
        | RequestFact::OutcomeMissed { .. }
        | RequestFact::OutcomeReported { .. }
        | RequestFact::RollbackReported { .. } => {}
    }
    Ok(())
}
