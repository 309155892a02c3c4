//! Requests with their revisions, reviews and releases.

use domain::request::SecondReview;
use domain::{Request, RequestFact, Timestamp};
use sqlx::SqliteConnection;

use super::super::rows::signed;
use super::refused;
use crate::change::{NewFact, RequestChange};
use crate::error::StoreError;
use crate::insert::{json, search_text};

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

/// The row of a request that was there before, after all its facts.
pub(in crate::sqlite) async fn update(
    tx: &mut SqliteConnection,
    change: &RequestChange,
    now: Timestamp,
) -> Answer<()> {
    let Some(before) = &change.before else { return Ok(()) };
    let request = &change.after;
    let effect = change.staged.as_ref().map(|staged| json(&staged.effect));
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
    .bind(effect.transpose()?)
    .bind(change.staged.as_ref().map(search_text))
    .bind(json(request)?)
    .bind(request.id.to_string())
    .bind(signed(before.version))
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
