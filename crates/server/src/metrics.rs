//! Metrics: what this server has answered, and how much there is of what, for monitors.
//!
//! SECURITY: read without a key, so they are numbers only. Labels are methods, statuses, states, and
//! routes as the router has them: never an id, a name or a path that somebody sent (threats O07).

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
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

/// What was counted, and the gauges that are set when they are read.
pub struct Metrics {
    registry: Registry,
    answers: Family<Answer, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    requests: Family<InState, Gauge>,
    ledger_entries: Gauge,
    checkpoint_entries: Gauge,
    deliveries: Family<InState, Gauge>,
    /// Held while the gauges are set and read, so that an answer is of one reading.
    reading: Mutex<()>,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        let metrics = Self {
            registry: Registry::with_prefix("countersign"),
            answers: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            requests: Family::default(),
            ledger_entries: Gauge::default(),
            checkpoint_entries: Gauge::default(),
            deliveries: Family::default(),
            reading: Mutex::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that answers", build);
        registry.register(
            "http_answers",
            "Answers since the start of this server",
            self.answers.clone(),
        );
        registry.register_with_unit(
            "http_answer",
            "Time until an answer began, waits included",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register("requests", "Requests in each state, as recorded", self.requests.clone());
        registry.register("ledger_entries", "Entries of the ledger", self.ledger_entries.clone());
        registry.register(
            "checkpoint_entries",
            "Entries that the newest checkpoint covers",
            self.checkpoint_entries.clone(),
        );
        registry.register(
            "webhook_deliveries",
            "What endpoints are still to be told, or were not told in the end",
            self.deliveries.clone(),
        );
        self
    }

    /// All of it as text.
    ///
    /// # Errors
    /// When it cannot be written as text, which a `String` always can.
    pub fn text(&self, measures: &Measures) -> Result<String, std::fmt::Error> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (state, count) in &measures.requests {
            self.requests.get_or_create(&InState { state: state.as_str() }).set(gauge(*count));
        }
        for (state, count) in &measures.deliveries {
            self.deliveries.get_or_create(&InState { state }).set(gauge(*count));
        }
        self.ledger_entries.set(gauge(measures.ledger_entries));
        self.checkpoint_entries.set(gauge(measures.checkpoint_entries));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
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
