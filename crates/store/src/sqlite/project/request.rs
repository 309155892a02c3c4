//! What a fact of a request takes back from the tables beside its row. What it brings is inserted with
//! everything else (`insert.rs`).

use domain::RequestFact;
use sqlx::SqliteConnection;

use super::refused;
use crate::change::NewFact;
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

pub(super) async fn fact(
    tx: &mut SqliteConnection,
    new: &NewFact,
    fact: &RequestFact,
) -> Answer<()> {
    let RequestFact::QuorumLost { void } = fact else { return Ok(()) };
    let id = new.request.ok_or_else(|| refused("a request's fact names its request"))?.to_string();
    for person in void {
        sqlx::query("DELETE FROM reviews WHERE request_id = ? AND person_id = ?")
            .bind(&id)
            .bind(person.to_string())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
