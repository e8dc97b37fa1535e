//! The text formats of Prometheus (0.0.4) and OpenMetrics (1.0.0).

use std::fmt::Write as _;

use super::samples::{Kind, Label, Samples};

/// What the formats call a kind of metric.
fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

/// In which of the formats metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus' own.
    Prometheus,
    /// OpenMetrics: counters are named without `_total`, and the end is marked.
    OpenMetrics,
}

impl Format {
    /// The type of the body.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Metrics as they are written.
pub(super) struct Exposition {
    text: String,
    format: Format,
    /// The metric whose samples come.
    name: &'static str,
}

impl Exposition {
    pub(super) fn new(format: Format) -> Self {
        Self { text: String::new(), format, name: "" }
    }

    /// The whole text.
    pub(super) fn end(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn line(&mut self, suffix: &str, labels: &[Label<'_>], value: impl std::fmt::Display) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        for (at, (name, value)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{name}=\"{}\"", escaped(value).replace('"', "\\\""));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{after} {value}");
    }
}

impl Samples for Exposition {
    fn begin(&mut self, name: &'static str, kind: Kind, help: &'static str) {
        self.name = name;
        let family = match self.format {
            Format::Prometheus => name,
            Format::OpenMetrics => name.strip_suffix("_total").unwrap_or(name),
        };
        // What is written to a string does not fail.
        let _ = writeln!(self.text, "# HELP {family} {}", escaped(help));
        let _ = writeln!(self.text, "# TYPE {family} {}", name_of(kind));
    }

    fn count(&mut self, labels: &[Label<'_>], value: u64) {
        self.line("", labels, value);
    }

    fn number(&mut self, labels: &[Label<'_>], value: i64) {
        self.line("", labels, value);
    }

    fn fraction(&mut self, labels: &[Label<'_>], value: f64) {
        self.line("", labels, value);
    }

    fn durations(
        &mut self,
        labels: &[Label<'_>],
        bounds_ms: &[u64],
        (counts, sum_us): (&[u64], u64),
    ) {
        let mut total = 0;
        for (at, count) in counts.iter().enumerate() {
            total += count;
            let bound = match bounds_ms.get(at) {
                // With a point, as OpenMetrics wants it.
                Some(ms) => format!("{:?}", *ms as f64 / 1e3),
                None => "+Inf".to_owned(),
            };
            self.line("_bucket", &[labels, &[("le", bound.as_str())]].concat(), total);
        }
        self.line("_sum", labels, sum_us as f64 / 1e6);
        self.line("_count", labels, total);
    }
}

/// A text on one line.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(format: Format) -> String {
        let mut exposition = Exposition::new(format);
        exposition.begin("a_total", Kind::Counter, "How many a.\nEach.");
        exposition.count(&[("of", "x\\y\n\"z\""), ("b", "")], 3);
        exposition.begin("took_seconds", Kind::Histogram, "How long.");
        exposition.durations(&[], &[5, 1_000], (&[2, 0, 1], 1_500_000));
        exposition.end()
    }

    #[test]
    fn samples_stand_below_what_they_are_of() {
        let expected = "\
# HELP a_total How many a.\\nEach.
# TYPE a_total counter
a_total{of=\"x\\\\y\\n\\\"z\\\"\",b=\"\"} 3
# HELP took_seconds How long.
# TYPE took_seconds histogram
took_seconds_bucket{le=\"0.005\"} 2
took_seconds_bucket{le=\"1.0\"} 2
took_seconds_bucket{le=\"+Inf\"} 3
took_seconds_sum 1.5
took_seconds_count 3
";
        assert_eq!(text(Format::Prometheus), expected);
        let open = expected.replace("HELP a_total", "HELP a").replace("TYPE a_total", "TYPE a");
        assert_eq!(text(Format::OpenMetrics), open + "# EOF\n");
    }
}
