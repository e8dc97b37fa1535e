//! The same windows where one reading is from the end of time: no window can hold it, so each query stops there and is
//! tried again much later. What came before is written; which windows of EMIT FINAL are, depends on the wall clock.

use super::pipeline::Pipeline;

static PIPELINE: Pipeline = Pipeline::new("windowed-jump", "input.jsonl.gz", "device-sensors")
    .with(&[
        ("ksql.query.retry.backoff.initial.ms", "900000"),
        ("ksql.streams.__emit.interval.ms.kstreams.windowed.aggregation__", "0"),
    ])
    .stopping();

#[test]
fn tumbling_final() {
    PIPELINE.begins("TUMBLING_FINAL");
}

#[test]
fn tumbling_changes() {
    PIPELINE.same("TUMBLING_CHANGES");
}

#[test]
fn hopping_changes() {
    PIPELINE.same_last_rows("HOPPING_CHANGES");
}

#[test]
fn session_changes() {
    PIPELINE.same_last_rows("SESSION_CHANGES");
}

/// ksqlDB writes to its changelog what it never commits, and counts it again when it tries again. Here state is never
/// ahead of offsets.
#[test]
fn changelog_of_tumbling_changes() {
    PIPELINE.begins_changelog("CTAS_TUMBLING_CHANGES_5");
}

#[test]
fn partitions_and_configurations() {
    PIPELINE.same_shapes();
}
