//! What every handler can reach.

use std::sync::Arc;

use service::Service;
use tokio_util::sync::CancellationToken;

use crate::assets::Site;

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub service: Arc<Service>,
    pub site: Arc<Site>,
    /// Throwaway data: pages say so.
    pub demo: bool,
    /// Cancelled when the server stops: waits and streams end then.
    pub stopping: CancellationToken,
}

impl AppState {
    /// The state over `service`.
    pub fn new(service: Arc<Service>, demo: bool) -> Self {
        Self { service, site: Arc::new(Site::load()), demo, stopping: CancellationToken::new() }
    }
}
