//! New families of metrics. Their names and labels are literals of this room, so
//! that a bad or a double one shows in the first test.

use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
    core::Collector,
};

const WELL_NAMED: &str = "the name and the labels are well-formed";

pub(super) fn register(registry: &Registry, collector: impl Collector + 'static) {
    registry
        .register(Box::new(collector))
        .expect("no other family has its name");
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> C {
    register(registry, collector.clone());
    collector
}

pub(super) fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    let counter = IntCounter::new(name, help).expect(WELL_NAMED);
    registered(registry, counter)
}

pub(super) fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> IntCounterVec {
    let counters = IntCounterVec::new(Opts::new(name, help), labels).expect(WELL_NAMED);
    registered(registry, counters)
}

pub(super) fn gauge(registry: &Registry, name: &str, help: &str, value: f64) {
    gauges(registry, name, help, &[])
        .with_label_values::<&str>(&[])
        .set(value);
}

pub(super) fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    let gauges = GaugeVec::new(Opts::new(name, help), labels).expect(WELL_NAMED);
    registered(registry, gauges)
}

pub(super) fn histograms(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> HistogramVec {
    let opts = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    let histograms = HistogramVec::new(opts, labels).expect(WELL_NAMED);
    registered(registry, histograms)
}
