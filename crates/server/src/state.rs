//! What every handler can reach.

use std::sync::Arc;

use service::Service;
use tokio_util::sync::CancellationToken;

use crate::api::Pace;
use crate::assets::Site;
use crate::metrics::Metrics;

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub service: Arc<Service>,
    pub site: Arc<Site>,
    pub metrics: Arc<Metrics>,
    /// What agents have taken of this server lately.
    pub pace: Arc<Pace>,
    /// Throwaway data: pages say so.
    pub demo: bool,
    /// Cancelled when the server stops: waits and streams end then.
    pub stopping: CancellationToken,
}

impl AppState {
    /// The state over `service`.
    pub fn new(service: Arc<Service>, demo: bool) -> Self {
        let pace = Arc::new(Pace::new(service.limits()));
        let (site, stopping) = (Arc::new(Site::load()), CancellationToken::new());
        let metrics = Arc::default();
        Self { service, site, metrics, pace, demo, stopping }
    }
}
