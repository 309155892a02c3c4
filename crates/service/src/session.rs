//! Browser sessions as the server's cookie layer needs them: opaque data under a hashed id.

use domain::{Digest, Timestamp};
use store::Side;

use crate::{Failure, Service};

/// SECURITY: only the hash of a session id is stored; a copy of the table signs nobody in (M04).
fn hashed(id: &str) -> [u8; 32] {
    Digest::of(id.as_bytes()).0
}

impl Service {
    /// Saves a session; a new one must not meet an old one.
    ///
    /// # Errors
    /// When the store is away, or `create` meets an id that exists.
    pub async fn save_session(
        &self,
        id: &str,
        data: String,
        expires_at: Timestamp,
        create: bool,
    ) -> Result<(), Failure> {
        let id_hash = hashed(id);
        Ok(self.store.side(Side::SaveSession { id_hash, data, expires_at, create }).await?)
    }

    /// The data of a session that has not expired.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn load_session(&self, id: &str) -> Result<Option<(String, Timestamp)>, Failure> {
        let found = self.store.session(hashed(id)).await?;
        let now = self.now();
        Ok(found.filter(|(_, expires_at)| now < *expires_at))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn delete_session(&self, id: &str) -> Result<(), Failure> {
        Ok(self.store.side(Side::DeleteSession { id_hash: hashed(id) }).await?)
    }
}
