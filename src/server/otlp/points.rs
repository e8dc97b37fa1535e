//! Samples of the table of metrics as OTLP has them.

use super::messages::{
    CUMULATIVE, Data, Gauge, Histogram, HistogramDataPoint, KeyValue, Metric, Number,
    NumberDataPoint, Sum,
};
use crate::server::metrics::samples::{Kind, Label, Samples};

/// Metrics that are gathered for one request.
pub(super) struct Points {
    /// Since when counts count, and when they are looked at, in nanoseconds since 1970.
    times: (u64, u64),
    metrics: Vec<Metric>,
}

impl Points {
    pub(super) fn new(since_nanos: u64, at_nanos: u64) -> Self {
        Self { times: (since_nanos, at_nanos), metrics: Vec::new() }
    }

    /// Those that have any points.
    pub(super) fn metrics(mut self) -> Vec<Metric> {
        self.metrics.retain(|metric| match &metric.data {
            Some(Data::Gauge(Gauge { data_points }) | Data::Sum(Sum { data_points, .. })) => {
                !data_points.is_empty()
            }
            Some(Data::Histogram(histogram)) => !histogram.data_points.is_empty(),
            None => false,
        });
        self.metrics
    }

    fn push(&mut self, labels: &[Label<'_>], value: Number) {
        let (start_time_unix_nano, time_unix_nano) = self.times;
        let attributes = attributes(labels);
        let value = Some(value);
        match self.metrics.last_mut().and_then(|metric| metric.data.as_mut()) {
            Some(Data::Sum(Sum { data_points, .. })) => data_points.push(NumberDataPoint {
                start_time_unix_nano,
                time_unix_nano,
                value,
                attributes,
            }),
            Some(Data::Gauge(Gauge { data_points })) => data_points.push(NumberDataPoint {
                start_time_unix_nano: 0,
                time_unix_nano,
                value,
                attributes,
            }),
            Some(Data::Histogram(_)) | None => {
                unreachable!("a metric begins before its samples, and is what they are")
            }
        }
    }
}

impl Samples for Points {
    fn begin(&mut self, name: &'static str, kind: Kind, help: &'static str) {
        let data = match kind {
            Kind::Gauge => Data::Gauge(Gauge::default()),
            Kind::Counter => Data::Sum(Sum {
                data_points: Vec::new(),
                aggregation_temporality: CUMULATIVE,
                is_monotonic: true,
            }),
            Kind::Histogram => Data::Histogram(Histogram {
                data_points: Vec::new(),
                aggregation_temporality: CUMULATIVE,
            }),
        };
        // Who makes Prometheus' names of these appends it to counters.
        let name = name.strip_suffix("_total").unwrap_or(name);
        let unit = match name.rsplit_once('_') {
            Some((_, "seconds")) => "s",
            Some((_, "bytes")) => "By",
            _ => "1",
        };
        self.metrics.push(Metric {
            name: name.to_owned(),
            description: help.to_owned(),
            unit: unit.to_owned(),
            data: Some(data),
        });
    }

    fn count(&mut self, labels: &[Label<'_>], value: u64) {
        self.push(labels, Number::Int(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn number(&mut self, labels: &[Label<'_>], value: i64) {
        self.push(labels, Number::Int(value));
    }

    fn fraction(&mut self, labels: &[Label<'_>], value: f64) {
        self.push(labels, Number::Double(value));
    }

    fn durations(
        &mut self,
        labels: &[Label<'_>],
        bounds_ms: &[u64],
        (counts, sum_us): (&[u64], u64),
    ) {
        let (start_time_unix_nano, time_unix_nano) = self.times;
        let Some(Data::Histogram(histogram)) =
            self.metrics.last_mut().and_then(|metric| metric.data.as_mut())
        else {
            unreachable!("a metric begins before its samples, and is what they are")
        };
        histogram.data_points.push(HistogramDataPoint {
            start_time_unix_nano,
            time_unix_nano,
            count: counts.iter().sum(),
            sum: Some(sum_us as f64 / 1e6),
            bucket_counts: counts.to_vec(),
            explicit_bounds: bounds_ms.iter().map(|ms| *ms as f64 / 1e3).collect(),
            attributes: attributes(labels),
        });
    }
}

fn attributes(labels: &[Label<'_>]) -> Vec<KeyValue> {
    labels.iter().map(|(name, value)| KeyValue::text(name, value)).collect()
}
