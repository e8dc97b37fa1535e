//! Where samples of metrics go.

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Kind {
    /// It only grows; its name ends with `_total`.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Durations by size, in seconds.
    Histogram,
}

/// A label and its value.
pub(in crate::server) type Label<'a> = (&'static str, &'a str);

/// What takes samples: a text for Prometheus, a message for OTLP.
pub(in crate::server) trait Samples {
    /// Begins a metric: its samples follow.
    fn begin(&mut self, name: &'static str, kind: Kind, help: &'static str);

    /// A sample of a metric.
    fn count(&mut self, labels: &[Label<'_>], value: u64);

    /// The same, which may be below 0.
    fn number(&mut self, labels: &[Label<'_>], value: i64);

    /// The same, with a fraction.
    fn fraction(&mut self, labels: &[Label<'_>], value: f64);

    /// The samples of a histogram: counts by the bounds, in milliseconds, with those above all of them at last, and the sum of
    /// all, in microseconds.
    fn durations(&mut self, labels: &[Label<'_>], bounds_ms: &[u64], counts: (&[u64], u64));
}
