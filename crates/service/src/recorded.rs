//! What the ledger says: an entry read from its bytes, and a request folded from its entries.

use domain::{Entry, Fact, Request};

use crate::Failure;

/// The entry behind stored bytes.
pub(crate) fn entry(body: &[u8]) -> Result<Entry, Failure> {
    serde_json::from_slice(body).map_err(Failure::defect)
}

/// A request while its entries are taken in, the oldest first.
#[derive(Default)]
pub(crate) struct Fold(Option<Request>);

impl Fold {
    /// Takes in the next entry; answers with it and the request as it is by then, or with nothing
    /// where the entry changes no request: somebody opened evidence, or was refused.
    pub fn take(&mut self, body: &[u8]) -> Result<Option<(Entry, &Request)>, Failure> {
        let entry = entry(body)?;
        let Fact::Request(fact) = &entry.fact else { return Ok(None) };
        let after = Request::evolve(self.0.take(), fact, entry.at).map_err(Failure::defect)?;
        Ok(Some((entry, self.0.insert(after))))
    }

    /// The request as it is after all that was taken in.
    pub fn end(self) -> Option<Request> {
        self.0
    }
}
