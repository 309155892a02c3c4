//! Requests with their revisions, reviews and releases.

use domain::request::SecondReview;
use domain::{Request, RequestFact, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::rows::signed;
use super::refused;
use crate::change::{NewFact, RequestChange};
use crate::error::StoreError;
use crate::insert::{json, search_text};

type Answer<T> = Result<T, StoreError>;

/// Who still owes a second review for a broken glass, and until when.
fn owed(request: &Request) -> Option<(Uuid, i64)> {
    let broken = request.break_glass.as_ref()?;
    match broken.second_review {
        SecondReview::Owed | SecondReview::Missed { .. } => {
            Some((broken.by.0, broken.review_by.micros()))
        }
        SecondReview::Done { .. } => None,
    }
}

/// The row of a request that was there before, after all its facts.
pub(in crate::postgres) async fn update(
    tx: &mut PgConnection,
    change: &RequestChange,
    now: Timestamp,
) -> Answer<()> {
    let Some(before) = &change.before else { return Ok(()) };
    let request = &change.after;
    let effect = change.staged.as_ref().map(|staged| json(&staged.effect));
    let (debtor, debt) = owed(request).unzip();
    let updated = sqlx::query(
        "UPDATE requests SET version = version + 1, state = $1, due_at = $2, owes_review = $3, \
         owes_review_by = $4, changed_at = $5, environment = $6, risk = $7, revision = $8, digest = $9, \
         content_digest = $10, effect = coalesce($11, effect), search = coalesce($12, search), \
         document = $13 WHERE id = $14 AND version = $15",
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
    .bind(request.id.0)
    .bind(signed(before.version))
    .execute(tx)
    .await?;
    if updated.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

/// What a fact of a request means for the tables beside its row.
pub(super) async fn fact(tx: &mut PgConnection, new: &NewFact, fact: &RequestFact) -> Answer<()> {
    let id = new.request.ok_or_else(|| refused("a request's fact names its request"))?;
    match fact {
        RequestFact::ReviewRecorded { reviewer, verdict, revision, .. } => {
            sqlx::query(
                "INSERT INTO reviews (request_id, revision, person_id, verdict, at) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (request_id, revision, person_id) \
                 DO UPDATE SET verdict = excluded.verdict, at = excluded.at",
            )
            .bind(id.0)
            .bind(i64::from(*revision))
            .bind(reviewer.0)
            .bind(verdict.as_str())
            .bind(new.at.micros())
            .execute(tx)
            .await?;
        }
        RequestFact::QuorumLost { void } => {
            for person in void {
                sqlx::query("DELETE FROM reviews WHERE request_id = $1 AND person_id = $2")
                    .bind(id.0)
                    .bind(person.0)
                    .execute(&mut *tx)
                    .await?;
            }
        }
        RequestFact::ReleaseRedeemed { release, .. } => {
            sqlx::query(
                "INSERT INTO releases (request_id, lease_id, redeemed_at) VALUES ($1, $2, $3)",
            )
            .bind(id.0)
            .bind(release.lease_id.0)
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
