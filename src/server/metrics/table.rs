//! Every metric that there is.

use super::process::ProcessFigures;
use super::samples::{Kind, Label, Samples};
use crate::engine::host::{
    DurationCounts, Host, HostFigures, NodeCount, QueryFigures, QueryState, ReadPartition,
    StoredFigures, TopicPartitionFigures,
};

/// What was measured at a time.
pub(in crate::server) struct Measured {
    pub(in crate::server) host: HostFigures,
    pub(in crate::server) process: ProcessFigures,
}

impl Measured {
    /// What a host and this process are measured at now.
    pub(in crate::server) fn now(host: &Host) -> Self {
        Self { host: host.figures(), process: ProcessFigures::now() }
    }

    /// Writes all metrics.
    pub(in crate::server) fn write(&self, out: &mut dyn Samples) {
        for metric in METRICS {
            out.begin(metric.name, metric.kind, metric.help);
            (metric.write)(self, out);
        }
    }
}

/// A metric.
struct Metric {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    /// Writes its samples.
    write: fn(&Measured, &mut dyn Samples),
}

/// The metrics, in the order in which they are written.
static METRICS: &[Metric] = &[
    Metric {
        name: "millstream_build_info",
        kind: Kind::Gauge,
        help: "Always 1: the version that runs.",
        write: |_, out| out.count(&[("version", env!("CARGO_PKG_VERSION"))], 1),
    },
    Metric {
        name: "millstream_sources",
        kind: Kind::Gauge,
        help: "Streams and tables that there are.",
        write: |measured, out| out.count(&[], measured.host.sources as u64),
    },
    Metric {
        name: "millstream_push_queries",
        kind: Kind::Gauge,
        help: "Queries that run for clients.",
        write: |measured, out| out.count(&[], measured.host.clients as u64),
    },
    Metric {
        name: "millstream_query_state",
        kind: Kind::Gauge,
        help: "1 for the state that a persistent query is in, 0 for all others.",
        write: states,
    },
    Metric {
        name: "millstream_query_failures_total",
        kind: Kind::Counter,
        help: "Times that a query failed; it is tried again unless its state is failed.",
        write: |measured, out| {
            by_query(measured, |labels, query| out.count(labels, query.failures));
        },
    },
    Metric {
        name: "millstream_query_transactions_aborted_total",
        kind: Kind::Counter,
        help: "Times that a transaction of a query could not be committed, and its work was done once more.",
        write: |measured, out| by_query(measured, |labels, query| out.count(labels, query.aborts)),
    },
    Metric {
        name: "millstream_query_records_read_total",
        kind: Kind::Counter,
        help: "Records of a query's sources and repartition topics that it has processed.",
        write: |measured, out| {
            by_partition(measured, |labels, read| out.count(labels, read.records));
        },
    },
    Metric {
        name: "millstream_query_records_written_total",
        kind: Kind::Counter,
        help: "Records that a query has written to its sink.",
        write: |measured, out| {
            by_query(measured, |labels, query| out.count(labels, query.status.written));
        },
    },
    Metric {
        name: "millstream_query_output_bytes_total",
        kind: Kind::Counter,
        help: "Bytes of keys and values that a query has given for its sink and its repartition topics.",
        write: |measured, out| {
            by_query(measured, |labels, query| out.count(labels, query.output_bytes));
        },
    },
    Metric {
        name: "millstream_query_records_skipped_total",
        kind: Kind::Counter,
        help: "Records that a query has skipped, by cause; of failed_expression only a column may be NULL.",
        write: |measured, out| {
            for query in &measured.host.instance.queries {
                for (cause, count) in query.status.skipped.iter() {
                    out.count(&[("query", &query.status.id), ("cause", cause.name())], *count);
                }
            }
        },
    },
    Metric {
        name: "millstream_query_lag_records",
        kind: Kind::Gauge,
        help: "Records that a query is behind the end of a partition, where it runs here.",
        write: |measured, out| {
            by_partition(measured, |labels, read| {
                if let Some(lag) = read.lag {
                    out.number(labels, lag);
                }
            });
        },
    },
    Metric {
        name: "millstream_query_record_age_seconds",
        kind: Kind::Histogram,
        help: "Age of the newest record of each batch, by its timestamp, when it had been processed.",
        write: |measured, out| {
            for query in &measured.host.instance.queries {
                durations(out, &query.status.id, &query.ages);
            }
        },
    },
    Metric {
        name: "millstream_query_commit_duration_seconds",
        kind: Kind::Histogram,
        help: "Time that commits took: until outputs, changelogs and offsets were acknowledged.",
        write: |measured, out| {
            for query in &measured.host.instance.queries {
                durations(out, &query.status.id, &query.commits);
            }
        },
    },
    Metric {
        name: "millstream_query_stored_rows",
        kind: Kind::Gauge,
        help: "Rows that the stores of a query hold for a partition, as of its last commit.",
        write: |measured, out| {
            for query in &measured.host.instance.queries {
                for StoredFigures { store, partition, rows } in &query.stores {
                    let partition = partition.0.to_string();
                    let labels =
                        [("query", &*query.status.id), ("store", store), ("partition", &partition)];
                    out.count(&labels, *rows as u64);
                }
            }
        },
    },
    Metric {
        name: "millstream_query_step_rows_taken_total",
        kind: Kind::Counter,
        help: "Rows that a step of a query has taken; of a source all records.",
        write: |measured, out| by_step(measured, |labels, count| out.count(labels, count.taken)),
    },
    Metric {
        name: "millstream_query_step_rows_given_total",
        kind: Kind::Counter,
        help: "Rows that a step of a query has given to the one after it.",
        write: |measured, out| by_step(measured, |labels, count| out.count(labels, count.given)),
    },
    Metric {
        name: "millstream_query_step_rows_late_total",
        kind: Kind::Counter,
        help: "Rows that a step of a query has left out, as their windows were closed.",
        write: |measured, out| by_step(measured, |labels, count| out.count(labels, count.late)),
    },
    Metric {
        name: "millstream_query_step_rows_failed_total",
        kind: Kind::Counter,
        help: "Rows of which a step of a query could not read or compute something, or which lack what it needs.",
        write: |measured, out| by_step(measured, |labels, count| out.count(labels, count.failed)),
    },
    Metric {
        name: "millstream_query_restored_records_total",
        kind: Kind::Counter,
        help: "Records that the state of a query was restored from.",
        write: |measured, out| {
            by_query(measured, |labels, query| out.count(labels, query.restored));
        },
    },
    Metric {
        name: "millstream_query_restoring_records",
        kind: Kind::Gauge,
        help: "Records, at most, that are still to be read of the changelog that a query is restored from.",
        write: |measured, out| {
            by_query(measured, |labels, query| out.count(labels, query.restoring));
        },
    },
    Metric {
        name: "millstream_topic_records_read_total",
        kind: Kind::Counter,
        help: "Records of a partition that queries here have read, each counted once.",
        write: |measured, out| by_topic(measured, |labels, topic| out.count(labels, topic.records)),
    },
    Metric {
        name: "millstream_topic_fetched_bytes_total",
        kind: Kind::Counter,
        help: "Bytes of a partition's batches, decompressed, that were fetched, each counted once.",
        write: |measured, out| by_topic(measured, |labels, topic| out.count(labels, topic.bytes)),
    },
    Metric {
        name: "millstream_topic_end_offset",
        kind: Kind::Gauge,
        help: "Offset at which a partition that is read ends, as far as that is known.",
        write: |measured, out| by_topic(measured, |labels, topic| out.number(labels, topic.end)),
    },
    Metric {
        name: "millstream_worker_busy_seconds_total",
        kind: Kind::Counter,
        help: "Time that a thread has processed records; one that is busy all the time is the limit.",
        write: |measured, out| {
            for (worker, busy_us) in measured.host.instance.busy_us.iter().enumerate() {
                out.fraction(&[("worker", &worker.to_string())], *busy_us as f64 / 1e6);
            }
        },
    },
    Metric {
        name: "process_cpu_seconds_total",
        kind: Kind::Counter,
        help: "CPU time of the process, its own and the system's for it.",
        write: |measured, out| fraction(out, measured.process.cpu_seconds),
    },
    Metric {
        name: "process_resident_memory_bytes",
        kind: Kind::Gauge,
        help: "Memory of the process that is resident.",
        write: |measured, out| count(out, measured.process.resident_bytes),
    },
    Metric {
        name: "process_open_fds",
        kind: Kind::Gauge,
        help: "Files and connections that the process has open.",
        write: |measured, out| count(out, measured.process.open_files),
    },
    Metric {
        name: "process_threads",
        kind: Kind::Gauge,
        help: "Threads of the process.",
        write: |measured, out| count(out, measured.process.threads),
    },
    Metric {
        name: "process_start_time_seconds",
        kind: Kind::Gauge,
        help: "When the process started, in seconds since 1970.",
        write: |measured, out| fraction(out, measured.process.started_seconds),
    },
];

/// The states of queries.
const STATES: [QueryState; 6] = [
    QueryState::Starting,
    QueryState::Standby,
    QueryState::Running,
    QueryState::Paused,
    QueryState::Retrying,
    QueryState::Failed,
];

fn states(measured: &Measured, out: &mut dyn Samples) {
    for query in &measured.host.instance.queries {
        for state in STATES {
            let labels = [("query", query.status.id.as_str()), ("state", state.name())];
            out.count(&labels, u64::from(query.status.state == state));
        }
    }
}

fn count(out: &mut dyn Samples, value: Option<u64>) {
    if let Some(value) = value {
        out.count(&[], value);
    }
}

fn fraction(out: &mut dyn Samples, value: Option<f64>) {
    if let Some(value) = value {
        out.fraction(&[], value);
    }
}

fn durations(out: &mut dyn Samples, query: &str, counts: &DurationCounts) {
    let DurationCounts { counts, sum_us } = counts;
    out.durations(&[("query", query)], &DurationCounts::BOUNDS_MS, (counts, *sum_us));
}

/// Each query.
fn by_query(measured: &Measured, mut each: impl FnMut(&[Label<'_>], &QueryFigures)) {
    for query in &measured.host.instance.queries {
        each(&[("query", &query.status.id)], query);
    }
}

/// Each step of a query.
fn by_step(measured: &Measured, mut each: impl FnMut(&[Label<'_>], &NodeCount)) {
    for query in &measured.host.instance.queries {
        for (at, step) in query.nodes.iter().enumerate() {
            // Names of steps may come twice, places do not.
            let (id, place) = (&*query.status.id, at.to_string());
            each(&[("query", id), ("place", &place), ("step", &step.name)], &step.count);
        }
    }
}

/// Each partition that a query reads.
fn by_partition(measured: &Measured, mut each: impl FnMut(&[Label<'_>], &ReadPartition)) {
    for query in &measured.host.instance.queries {
        for read in &query.partitions {
            let partition = read.partition.0.to_string();
            let labels =
                [("query", &*query.status.id), ("topic", &read.topic), ("partition", &partition)];
            each(&labels, read);
        }
    }
}

/// Each partition that any query reads.
fn by_topic(measured: &Measured, mut each: impl FnMut(&[Label<'_>], &TopicPartitionFigures)) {
    for read in &measured.host.instance.topics {
        let partition = read.partition.0.to_string();
        each(&[("topic", &read.topic), ("partition", &partition)], read);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What Prometheus asks of names, and `promtool check metrics` looks at.
    #[test]
    fn names_are_as_prometheus_wants_them() {
        let mut seen = BTreeSet::new();
        for Metric { name, kind, help, .. } in METRICS {
            assert!(seen.insert(name), "{name} comes twice");
            assert!(help.ends_with('.') && !help.contains('\n'), "{name}: {help}");
            assert!(name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'_')), "{name}");
            assert!(name.starts_with("millstream_") || name.starts_with("process_"), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            if *kind == Kind::Histogram {
                assert!(name.ends_with("_seconds"), "{name}: durations are in seconds");
            }
            let reserved = ["_sum", "_count", "_bucket", "_created"];
            assert!(!reserved.iter().any(|end| name.ends_with(end)), "{name}");
            let others = ["_ms", "_millis", "_kib", "_kb", "_minutes", "_percent"];
            assert!(!others.iter().any(|unit| name.contains(unit)), "{name}: base units alone");
        }
    }
}
