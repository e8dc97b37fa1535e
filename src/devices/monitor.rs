//! The statistics of all devices that an instance watches, kept apart by partition.
//!
//! When another instance of the group takes a partition over, its devices leave here and start anew there: what is
//! kept is a view of the present, not a store.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{AxisStats, Reading, Rolling};

/// Devices watched at once; readings of further devices are counted and otherwise left out.
const DEVICES_MAX: usize = 100_000;

/// What is known of one device, as a JSON line shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceReport {
    /// The device.
    pub device: String,
    /// Its model.
    pub model: String,
    /// The partition that its readings come from.
    pub partition: i32,
    /// Readings since this instance took the partition.
    pub total: u64,
    /// Readings in the window, 50 at most.
    pub window: usize,
    /// The activity with most readings.
    pub most_common_activity: String,
    /// Readings of each activity.
    pub activities: BTreeMap<String, u64>,
    /// Statistics of x over the window.
    pub x: AxisStats,
    /// Statistics of y over the window.
    pub y: AxisStats,
    /// Statistics of z over the window.
    pub z: AxisStats,
    /// When the last reading came in, in ms since 1970.
    pub last_arrival_ms: i64,
}

#[derive(Debug, Default)]
struct Watched {
    model: String,
    rolling: Rolling,
    last_arrival_ms: i64,
    /// Whether a reading came since the last [`Monitor::take_changed`].
    changed: bool,
}

/// Rolling statistics of every device, by partition and name.
#[derive(Debug, Default)]
pub struct Monitor {
    devices: BTreeMap<(i32, String), Watched>,
    readings: u64,
    faulty: u64,
    left_out: u64,
}

impl Monitor {
    /// Takes a reading from `partition`.
    pub fn add(&mut self, partition: i32, reading: &Reading) {
        self.readings += 1;
        let key = (partition, reading.device.clone());
        if self.devices.len() >= DEVICES_MAX && !self.devices.contains_key(&key) {
            self.left_out += 1;
            return;
        }
        let watched = self.devices.entry(key).or_default();
        watched.rolling.add(reading.axes(), &reading.activity);
        watched.model.clone_from(&reading.model);
        watched.last_arrival_ms = reading.arrival_ms;
        watched.changed = true;
    }

    /// Counts a record that is no reading.
    pub fn add_faulty(&mut self) {
        self.faulty += 1;
    }

    /// Forgets the devices of `partition`, which another instance watches from now on.
    pub fn forget(&mut self, partition: i32) {
        self.devices.retain(|(of, _), _| *of != partition);
    }

    /// Readings taken.
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// Records that were no readings.
    pub fn faulty(&self) -> u64 {
        self.faulty
    }

    /// Readings of devices beyond the limit.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// All devices, by partition and name.
    pub fn reports(&self) -> Vec<DeviceReport> {
        self.devices.iter().map(report).collect()
    }

    /// The devices that had a reading since the last call, by partition and name.
    pub fn take_changed(&mut self) -> Vec<DeviceReport> {
        let changed = self.devices.iter_mut().filter(|(_, watched)| watched.changed);
        changed
            .map(|(key, watched)| {
                watched.changed = false;
                report((key, &*watched))
            })
            .collect()
    }
}

fn report(((partition, device), watched): (&(i32, String), &Watched)) -> DeviceReport {
    let Watched { model, rolling, last_arrival_ms, .. } = watched;
    let [x, y, z] = rolling.axes();
    DeviceReport {
        device: device.clone(),
        model: model.clone(),
        partition: *partition,
        total: rolling.total(),
        window: rolling.window_len(),
        most_common_activity: rolling.most_common_activity().unwrap_or_default().to_owned(),
        activities: rolling.activities().clone(),
        x,
        y,
        z,
        last_arrival_ms: *last_arrival_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::{Pace, PartitionTable, Readings};

    fn watched(count: usize) -> Monitor {
        let table = PartitionTable::default();
        let mut monitor = Monitor::default();
        for reading in Readings::new(3, 3, Pace { start_ms: 0, interval_us: 1_000 }).take(count) {
            monitor.add(table.partition(&reading.model, 3), &reading);
        }
        monitor
    }

    #[test]
    fn each_device_has_a_report() {
        let monitor = watched(1_000);
        let reports = monitor.reports();
        assert_eq!(reports.len(), 12);
        assert_eq!(reports.iter().map(|report| report.total).sum::<u64>(), 1_000);
        assert!(
            reports
                .iter()
                .all(|report| report.window == 50 && report.device.starts_with(&report.model))
        );
    }

    #[test]
    fn only_changed_devices_are_told_again() {
        let mut monitor = watched(1_000);
        assert_eq!(monitor.take_changed().len(), 12);
        assert_eq!(monitor.take_changed(), []);
        let reading = Readings::new(9, 3, Pace { start_ms: 5, interval_us: 0 }).next().unwrap();
        monitor.add(0, &reading);
        assert_eq!(monitor.take_changed().len(), 1);
    }

    #[test]
    fn a_lost_partition_takes_its_devices_along() {
        let mut monitor = watched(1_000);
        monitor.forget(2);
        assert_eq!(monitor.reports().len(), 6);
        assert!(monitor.reports().iter().all(|report| report.partition != 2));
    }

    #[test]
    fn a_report_is_one_json_object() {
        let mut monitor = Monitor::default();
        monitor.add(
            1,
            &Reading {
                device: "iphone12_1".into(),
                activity: "sit".into(),
                x: 0.5,
                ..Reading::default()
            },
        );
        let json = serde_json::to_string(&monitor.reports()[0]).unwrap();
        assert_eq!(
            json,
            r#"{"device":"iphone12_1","model":"","partition":1,"total":1,"window":1,"most_common_activity":"sit","activities":{"sit":1},"x":{"mean":0.5,"std":0.0,"min":0.5,"max":0.5},"y":{"mean":0.0,"std":0.0,"min":0.0,"max":0.0},"z":{"mean":0.0,"std":0.0,"min":0.0,"max":0.0},"last_arrival_ms":0}"#
        );
    }
}
