//! The same windows where one reading is from the end of time, which closes them all. Which windows come out
//! of EMIT FINAL depends on the wall clock; of the others the last rows are recorded.

use super::pipeline::Pipeline;

static PIPELINE: Pipeline = Pipeline::new("windowed-jump", "input.jsonl.gz", "device-sensors")
    .with(&[("ksql.streams.__emit.interval.ms.kstreams.windowed.aggregation__", "0")]);

#[test]
#[ignore = "a record at the end of time does not stop the query as ksqlDB does"]
fn tumbling_final() {
    PIPELINE.begins("TUMBLING_FINAL");
}

#[test]
#[ignore = "a record at the end of time does not stop the query as ksqlDB does"]
fn tumbling_changes() {
    PIPELINE.same("TUMBLING_CHANGES");
}

#[test]
#[ignore = "a record at the end of time does not stop the query as ksqlDB does"]
fn hopping_changes() {
    PIPELINE.same_last_rows("HOPPING_CHANGES");
}

#[test]
#[ignore = "a record at the end of time does not stop the query as ksqlDB does"]
fn session_changes() {
    PIPELINE.same_last_rows("SESSION_CHANGES");
}

#[test]
#[ignore = "a record at the end of time does not stop the query as ksqlDB does"]
fn changelog_of_tumbling_changes() {
    PIPELINE.same_changelog("CTAS_TUMBLING_CHANGES_5");
}

#[test]
#[ignore = "a record at the end of time does not stop the query as ksqlDB does"]
fn partitions_and_configurations() {
    PIPELINE.same_shapes();
}
