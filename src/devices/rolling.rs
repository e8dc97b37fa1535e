//! Statistics over a device's last readings.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

/// How many readings the mean, deviation, least and greatest value look back.
const WINDOW_READINGS: usize = 50;
/// Activities counted by name for one device; further names are counted together.
const ACTIVITIES_MAX: usize = 64;
/// The name under which activities beyond [`ACTIVITIES_MAX`] are counted.
const OTHER: &str = "(other)";

/// Mean, population standard deviation, least and greatest value of one axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct AxisStats {
    /// The arithmetic mean.
    pub mean: f64,
    /// The standard deviation of the window taken as the whole population.
    pub std: f64,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
}

/// What is kept of one device: its last 50 readings, and counts since the start.
#[derive(Clone, Debug, Default)]
pub struct Rolling {
    window: VecDeque<[f64; 3]>,
    total: u64,
    activities: BTreeMap<String, u64>,
}

impl Rolling {
    /// Takes one more reading; the oldest leaves the window when it is full.
    pub fn add(&mut self, axes: [f64; 3], activity: &str) {
        if self.window.len() == WINDOW_READINGS {
            self.window.pop_front();
        }
        self.window.push_back(axes);
        self.total += 1;
        if let Some(count) = self.activities.get_mut(activity) {
            *count += 1;
        } else {
            let name = if self.activities.len() < ACTIVITIES_MAX { activity } else { OTHER };
            *self.activities.entry(name.to_owned()).or_insert(0) += 1;
        }
    }

    /// How many readings came, the window's and those before.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many readings the window holds.
    pub fn window_len(&self) -> usize {
        self.window.len()
    }

    /// How many readings each activity had.
    pub fn activities(&self) -> &BTreeMap<String, u64> {
        &self.activities
    }

    /// The activity with most readings, the alphabetically first of several.
    pub fn most_common_activity(&self) -> Option<&str> {
        let mut best: Option<(&str, u64)> = None;
        for (name, &count) in &self.activities {
            if best.is_none_or(|(_, most)| count > most) {
                best = Some((name, count));
            }
        }
        best.map(|(name, _)| name)
    }

    /// The window's statistics for x, y and z; all zero while there is no reading.
    ///
    /// They are computed anew from at most 50 readings: running sums would be faster and drift.
    pub fn axes(&self) -> [AxisStats; 3] {
        [0, 1, 2].map(|axis| stats(self.window.iter().map(move |reading| reading[axis])))
    }
}

fn stats(values: impl Iterator<Item = f64> + Clone) -> AxisStats {
    let count = values.clone().count();
    if count == 0 {
        return AxisStats::default();
    }
    let mean = values.clone().sum::<f64>() / count as f64;
    let variance = values.clone().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
    AxisStats {
        mean,
        std: variance.sqrt(),
        min: values.clone().fold(f64::INFINITY, f64::min),
        max: values.fold(f64::NEG_INFINITY, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::{Pace, Readings};

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-12
    }

    /// The definitions, over the tail of everything that came: E[v²] − E[v]² for the variance, sorting for the extremes.
    fn naive(all: &[[f64; 3]], axis: usize) -> AxisStats {
        let mut tail: Vec<f64> =
            all[all.len().saturating_sub(50)..].iter().map(|axes| axes[axis]).collect();
        let n = tail.len() as f64;
        let mean = tail.iter().sum::<f64>() / n;
        let of_squares = tail.iter().map(|v| v * v).sum::<f64>() / n;
        tail.sort_by(f64::total_cmp);
        AxisStats {
            mean,
            std: (of_squares - mean * mean).max(0.0).sqrt(),
            min: tail[0],
            max: tail[tail.len() - 1],
        }
    }

    #[test]
    fn after_each_reading_they_are_those_of_the_last_fifty() {
        let pace = Pace { start_ms: 0, interval_us: 0 };
        let (mut rolling, mut all) = (Rolling::default(), Vec::new());
        for reading in
            Readings::new(7, 3, pace).filter(|reading| reading.device == "pixel6_2").take(160)
        {
            rolling.add(reading.axes(), &reading.activity);
            all.push(reading.axes());
            for (axis, stats) in rolling.axes().into_iter().enumerate() {
                let expected = naive(&all, axis);
                assert!(
                    close(stats.mean, expected.mean) && (stats.std - expected.std).abs() < 1e-9
                );
                assert_eq!((stats.min, stats.max), (expected.min, expected.max));
            }
        }
        assert_eq!((rolling.total(), rolling.window_len()), (160, 50));
        assert_eq!(rolling.activities().values().sum::<u64>(), 160);
    }

    #[test]
    fn the_deviation_is_the_populations() {
        let mut rolling = Rolling::default();
        for x in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            rolling.add([x, 0.0, -x], "walk");
        }
        let [x, y, z] = rolling.axes();
        assert_eq!(x, AxisStats { mean: 5.0, std: 2.0, min: 2.0, max: 9.0 });
        assert_eq!(y, AxisStats { mean: 0.0, std: 0.0, min: 0.0, max: 0.0 });
        assert_eq!(z, AxisStats { mean: -5.0, std: 2.0, min: -9.0, max: -2.0 });
    }

    #[test]
    fn a_greatest_reading_is_forgotten_when_it_leaves_the_window() {
        let mut rolling = Rolling::default();
        rolling.add([100.0; 3], "run");
        for _ in 0..49 {
            rolling.add([1.0; 3], "run");
        }
        assert_eq!(rolling.axes()[0].max, 100.0);
        rolling.add([1.0; 3], "run");
        assert_eq!(rolling.axes()[0], AxisStats { mean: 1.0, std: 0.0, min: 1.0, max: 1.0 });
    }

    #[test]
    fn the_most_common_activity_is_of_all_readings_and_the_first_by_name_of_equals() {
        let mut rolling = Rolling::default();
        assert_eq!(rolling.most_common_activity(), None);
        for activity in ["walk", "sit", "sit", "walk"] {
            rolling.add([0.0; 3], activity);
        }
        assert_eq!(rolling.most_common_activity(), Some("sit"));
        rolling.add([0.0; 3], "walk");
        assert_eq!(rolling.most_common_activity(), Some("walk"));
    }

    #[test]
    fn the_names_of_activities_are_bounded() {
        let mut rolling = Rolling::default();
        for number in 0..1_000 {
            rolling.add([0.0; 3], &number.to_string());
        }
        assert_eq!(rolling.activities().len(), ACTIVITIES_MAX + 1);
        assert_eq!(rolling.activities()[OTHER], 1_000 - ACTIVITIES_MAX as u64);
    }
}
