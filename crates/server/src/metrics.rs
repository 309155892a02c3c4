//! Metrics: what this server has answered, and how much there is of what, for monitors.
//!
//! SECURITY: read without a key, so they are numbers only. Labels are methods, statuses, states, and
//! routes as the router has them: never an id, a name or a path that somebody sent (threats O07).

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use service::measures::Measures;

use crate::AppState;

/// The media type of what is answered: the text format of OpenMetrics 1.0.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From what is answered at once to a wait of 30 seconds.
const SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 35.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    state: &'static str,
}

/// What this server has counted.
pub struct Metrics {
    registry: Registry,
    answers: Family<Answer, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("countersign");
        let answers = Family::<Answer, Counter>::default();
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let seconds = Family::new_with_constructor(histogram);
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that answers", build);
        let help = "Answers since the start of this server";
        registry.register("http_answers", help, answers.clone());
        let help = "Time until an answer began, waits included";
        registry.register_with_unit("http_answer", help, Unit::Seconds, seconds.clone());
        Self { registry, answers, seconds }
    }
}

impl Metrics {
    /// What was counted and what was measured, as text.
    ///
    /// # Errors
    /// When it cannot be written as text, which a `String` always can.
    pub fn text(&self, measures: &Measures) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &gauges(measures))?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// What was measured, as gauges.
fn gauges(measures: &Measures) -> Registry {
    let mut registry = Registry::with_prefix("countersign");
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let (requests, deliveries) = <(Family<InState, Gauge>, Family<InState, Gauge>)>::default();
    for (state, count) in &measures.requests {
        requests.get_or_create(&InState { state: state.as_str() }).set(number(*count));
    }
    for (state, count) in &measures.deliveries {
        deliveries.get_or_create(&InState { state }).set(number(*count));
    }
    registry.register("requests", "Requests in each state, as recorded", requests);
    let entries = ConstGauge::new(number(measures.ledger_entries));
    registry.register("ledger_entries", "Entries of the ledger", entries);
    let covered = ConstGauge::new(number(measures.checkpoint_entries));
    let help = "Entries that the newest checkpoint covers";
    registry.register("checkpoint_entries", help, covered);
    let help = "What endpoints are still to be told, or were not told in the end";
    registry.register("webhook_deliveries", help, deliveries);
    registry
}

/// Counts every answer.
pub async fn count(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let route = path.map_or("none", MatchedPath::as_str).to_owned();
    let method = known(request.method());
    let asked = Instant::now();
    let response = next.run(request).await;
    let metrics = &state.metrics;
    let seconds = asked.elapsed().as_secs_f64();
    metrics.seconds.get_or_create(&Route { route: route.clone() }).observe(seconds);
    let status = response.status().as_u16();
    metrics.answers.get_or_create(&Answer { method, route, status }).inc();
    response
}

/// The method, where it is one that a route can take: anybody can send any word.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}
