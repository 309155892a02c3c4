//! Projections: the tables that pages read, written from facts in the transaction that records them.

mod house;
mod request;
mod side;
mod write;

use domain::Fact;
use sqlx::PgConnection;

use crate::change::NewFact;
use crate::error::StoreError;

pub(super) use side::side;
pub(super) use write::{epoch, write};

type Answer<T> = Result<T, StoreError>;

pub(super) fn refused(error: impl ToString) -> StoreError {
    StoreError::Refused(error.to_string())
}

/// What a fact means for the tables beside the request's row.
pub(super) async fn fact(tx: &mut PgConnection, new: &NewFact) -> Answer<()> {
    match &new.fact {
        Fact::Request(fact) => request::fact(tx, new, fact).await,
        Fact::House(fact) => house::fact(tx, new, fact).await,
    }
}
