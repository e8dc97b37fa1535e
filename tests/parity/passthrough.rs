//! Every row that is read with its place, and rows re-keyed into three partitions.

use super::pipeline::Pipeline;

static PIPELINE: Pipeline = Pipeline::new("passthrough", "input.jsonl.gz", "device-sensors");

#[test]
fn readings_seen() {
    PIPELINE.same("READINGS_SEEN");
}

#[test]
fn readings_by_device() {
    PIPELINE.same_by_partition("READINGS_BY_DEVICE");
}

#[test]
fn processing_log() {
    PIPELINE.same_log(&[]);
}

#[test]
fn partitions_and_configurations() {
    PIPELINE.same_shapes();
}
