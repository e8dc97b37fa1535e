//! A reading for `serde_json`, which our readers are held against.

use serde::Deserialize;

/// A reading as an application would declare it: typed, its texts borrowed from the record.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "the cost of its fields is what is measured")]
pub(crate) struct Reading<'a> {
    #[serde(rename = "Arrival_Time")]
    arrival_time: i64,
    #[serde(rename = "Creation_Time")]
    creation_time: i64,
    #[serde(rename = "Device")]
    device: &'a str,
    #[serde(rename = "Index")]
    index: i32,
    #[serde(rename = "Model")]
    model: &'a str,
    #[serde(rename = "User")]
    user: &'a str,
    gt: &'a str,
    x: f64,
    y: f64,
    z: f64,
}
