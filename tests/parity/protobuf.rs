//! The same over Protobuf, whose format all internal topics of its queries have.

use super::compare::without_protobuf_sequence;
use super::pipeline::Pipeline;

static PIPELINE: Pipeline =
    Pipeline::new("protobuf", "input-proto.jsonl.gz", "device-sensors-proto");

#[test]
fn device_activity_counts() {
    PIPELINE.same("DEVICE_ACTIVITY_COUNTS");
}

#[test]
fn device_sensor_stats() {
    PIPELINE.same("DEVICE_SENSOR_STATS");
}

#[test]
fn movement_alerts() {
    PIPELINE.same("MOVEMENT_ALERTS");
}

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
fn readings_nosr() {
    PIPELINE.same("READINGS_NOSR");
}

#[test]
fn proto_seen() {
    PIPELINE.same("PROTO_SEEN");
}

#[test]
fn repartition_of_device_activity_counts() {
    PIPELINE.same_repartition("CTAS_DEVICE_ACTIVITY_COUNTS_3");
}

#[test]
fn repartition_of_device_sensor_stats() {
    PIPELINE.same_repartition("CTAS_DEVICE_SENSOR_STATS_5");
}

#[test]
fn repartition_of_device_last2() {
    PIPELINE.same_repartition("CTAS_DEVICE_LAST2_9");
}

#[test]
fn repartition_of_transition_counts() {
    PIPELINE.same_repartition("CTAS_TRANSITION_COUNTS_15");
}

#[test]
fn changelog_of_device_activity_counts() {
    PIPELINE.same_changelog_as("CTAS_DEVICE_ACTIVITY_COUNTS_3", |record| {
        without_protobuf_sequence(record, &[7, 8])
    });
}

#[test]
fn changelog_of_device_sensor_stats() {
    PIPELINE.same_changelog_as("CTAS_DEVICE_SENSOR_STATS_5", |record| {
        without_protobuf_sequence(record, &[11])
    });
}

#[test]
fn changelog_of_device_last2() {
    PIPELINE.same_changelog_as("CTAS_DEVICE_LAST2_9", |record| {
        without_protobuf_sequence(record, &[4, 5])
    });
}

#[test]
fn changelog_of_transition_counts() {
    PIPELINE.same_changelog("CTAS_TRANSITION_COUNTS_15");
}

#[test]
fn processing_log() {
    PIPELINE.same_log(&["CSAS_READINGS_PROTO_19"]);
}

#[test]
fn partitions_and_configurations() {
    PIPELINE.same_shapes();
}
