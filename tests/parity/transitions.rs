//! From one activity to the next: a table read as a stream, and counted.

use super::pipeline::Pipeline;

static PIPELINE: Pipeline = Pipeline::new("transitions", "input.jsonl.gz", "device-sensors");

#[test]
fn device_last2() {
    PIPELINE.same("DEVICE_LAST2");
}

#[test]
fn activity_transitions() {
    PIPELINE.same("ACTIVITY_TRANSITIONS");
}

#[test]
fn transition_counts() {
    PIPELINE.same("TRANSITION_COUNTS");
}

#[test]
fn repartition_of_device_last2() {
    PIPELINE.same_repartition("CTAS_DEVICE_LAST2_3");
}

#[test]
fn repartition_of_transition_counts() {
    PIPELINE.same_repartition("CTAS_TRANSITION_COUNTS_9");
}

#[test]
fn changelog_of_device_last2() {
    PIPELINE.same_changelog("CTAS_DEVICE_LAST2_3");
}

#[test]
fn changelog_of_transition_counts() {
    PIPELINE.same_changelog("CTAS_TRANSITION_COUNTS_9");
}

#[test]
fn processing_log() {
    PIPELINE.same_log(&[]);
}

#[test]
fn partitions_and_configurations() {
    PIPELINE.same_shapes();
}
