//! Counts, averages and alerts: readings grouped by device and activity.

use super::pipeline::Pipeline;

static PIPELINE: Pipeline = Pipeline::new("device", "input.jsonl.gz", "device-sensors");

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
fn repartition_of_device_activity_counts() {
    PIPELINE.same_repartition("CTAS_DEVICE_ACTIVITY_COUNTS_3");
}

#[test]
fn repartition_of_device_sensor_stats() {
    PIPELINE.same_repartition("CTAS_DEVICE_SENSOR_STATS_5");
}

#[test]
fn changelog_of_device_activity_counts() {
    PIPELINE.same_changelog("CTAS_DEVICE_ACTIVITY_COUNTS_3");
}

#[test]
fn changelog_of_device_sensor_stats() {
    PIPELINE.same_changelog("CTAS_DEVICE_SENSOR_STATS_5");
}

#[test]
fn processing_log() {
    PIPELINE.same_log(&[]);
}

#[test]
fn partitions_and_configurations() {
    PIPELINE.same_shapes();
}
