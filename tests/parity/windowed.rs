//! Windows of each kind, with the time from a column. The input was paced, so that each window closed in its
//! own time: here nothing waits between two emissions.

use super::pipeline::Pipeline;

static PIPELINE: Pipeline = Pipeline::new("windowed", "input-windowed.jsonl.gz", "device-sensors")
    .with(&[("ksql.streams.__emit.interval.ms.kstreams.windowed.aggregation__", "0")]);

#[test]
fn tumbling_final() {
    PIPELINE.same("TUMBLING_FINAL");
}

#[test]
fn tumbling_changes() {
    PIPELINE.same("TUMBLING_CHANGES");
}

#[test]
fn hopping_changes() {
    PIPELINE.same("HOPPING_CHANGES");
}

#[test]
fn session_changes() {
    PIPELINE.same("SESSION_CHANGES");
}

#[test]
fn repartition_of_tumbling_final() {
    PIPELINE.same_repartition("CTAS_TUMBLING_FINAL_3");
}

#[test]
fn repartition_of_tumbling_changes() {
    PIPELINE.same_repartition("CTAS_TUMBLING_CHANGES_5");
}

#[test]
fn repartition_of_hopping_changes() {
    PIPELINE.same_repartition("CTAS_HOPPING_CHANGES_7");
}

#[test]
fn repartition_of_session_changes() {
    PIPELINE.same_repartition("CTAS_SESSION_CHANGES_9");
}

#[test]
fn changelog_of_tumbling_final() {
    PIPELINE.same_changelog("CTAS_TUMBLING_FINAL_3");
}

#[test]
fn changelog_of_tumbling_changes() {
    PIPELINE.same_changelog("CTAS_TUMBLING_CHANGES_5");
}

#[test]
fn changelog_of_hopping_changes() {
    PIPELINE.same_changelog("CTAS_HOPPING_CHANGES_7");
}

#[test]
fn changelog_of_session_changes() {
    PIPELINE.same_changelog("CTAS_SESSION_CHANGES_9");
}

#[test]
fn processing_log() {
    PIPELINE.same_log(&[]);
}

#[test]
fn partitions_and_configurations() {
    PIPELINE.same_shapes();
}
