//! What a fact of a request takes back from the tables beside its row. What it brings is inserted with
//! everything else (`insert.rs`).

use domain::RequestFact;
use sqlx::PgConnection;

use super::refused;
use crate::change::NewFact;
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

pub(super) async fn fact(tx: &mut PgConnection, new: &NewFact, fact: &RequestFact) -> Answer<()> {
    let RequestFact::QuorumLost { void } = fact else { return Ok(()) };
    let id = new.request.ok_or_else(|| refused("a request's fact names its request"))?;
    for person in void {
        sqlx::query("DELETE FROM reviews WHERE request_id = $1 AND person_id = $2")
            .bind(id.0)
            .bind(person.0)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
