//! Requests by route, method and status, and how long their answers took.

use super::{families, words};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, Registry};
use std::time::Instant;

/// Most answers take less than a millisecond; a pairing code some seconds, and
/// what `?wait=` asks for up to a minute.
const BUCKETS: &[f64] = &[
    0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// As nginx counts callers that hung up before there was an answer.
const HUNG_UP: u16 = 499;

#[derive(Debug)]
pub(super) struct Requests {
    answered: IntCounterVec,
    took: HistogramVec,
}

impl Requests {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            answered: families::counters(
                registry,
                "walinkd_http_requests_total",
                "Requests by route, method and status; 499 stands for a caller that hung up before the answer.",
                &["route", "method", "status"],
            ),
            took: families::histograms(
                registry,
                "walinkd_http_request_duration_seconds",
                "From a request's head to its answer's, with what ?wait= asked for.",
                &["route", "method"],
                BUCKETS,
            ),
        }
    }

    pub(super) fn often(&self, route: &str, method: &str) -> Often {
        let labels = [route, words::method(method)];
        let [route, method] = labels;
        Often {
            answered: self.answered.with_label_values(&[route, method, "200"]),
            took: self.took.with_label_values(&labels),
        }
    }

    pub(super) fn begin(&self, route: Option<&str>, method: &str) -> Answering<'_> {
        Answering {
            requests: self,
            route: route.unwrap_or(words::OTHER).to_owned(),
            method: words::method(method),
            began: Instant::now(),
            status: None,
        }
    }
}

/// A call that is made often: its series are looked up once.
#[derive(Debug, Clone)]
pub struct Often {
    /// With 200.
    answered: IntCounter,
    took: Histogram,
}

impl Often {
    /// A request that came at `began` has been answered with 200.
    pub fn answered(&self, began: Instant) {
        self.took.observe(began.elapsed().as_secs_f64());
        self.answered.inc();
    }
}

/// A request that is being answered. Counted when dropped.
#[derive(Debug)]
pub struct Answering<'a> {
    requests: &'a Requests,
    route: String,
    method: &'static str,
    began: Instant,
    status: Option<u16>,
}

impl Answering<'_> {
    /// The head of the answer is there.
    pub fn answered(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        let labels = [&self.route, self.method];
        if self.status.is_some() {
            let seconds = self.began.elapsed().as_secs_f64();
            let took = self.requests.took.with_label_values(&labels);
            took.observe(seconds);
        }
        let status = self.status.unwrap_or(HUNG_UP).to_string();
        let [route, method] = labels;
        let labels = [route, method, status.as_str()];
        self.requests.answered.with_label_values(&labels).inc();
    }
}
