//! Invented readings, one after another: a pure function of a seed and the times handed in.
//!
//! Each device has a user for good and an activity that lasts a while, then another. Which device reads next is
//! drawn, as are the axes; the generator is `ChaCha`, so that a seed gives the same readings on every machine.

use fake::{Fake, StringFaker};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use super::Reading;

/// The models whose readings are invented.
pub(super) const MODELS: [&str; 4] = ["nexus4", "iphone12", "pixel6", "galaxy_s21"];
const ACTIVITIES: [&str; 4] = ["stand", "walk", "run", "sit"];
/// How many readings an activity lasts.
const BOUT_READINGS: std::ops::RangeInclusive<u32> = 4..=60;
/// How far the axes swing about zero.
const SWING: [f64; 3] = [0.01, 0.05, 0.02];
/// A reading is taken up to this long before it comes in.
const DELAY_MAX_NS: i64 = 1_000_000_000;
const NS_PER_MS: i64 = 1_000_000;

/// When readings come in: the first at `start_ms`, then evenly, each with a jitter of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Arrival of the first reading, in ms since 1970.
    pub start_ms: i64,
    /// Time from one reading to the next, in microseconds.
    pub interval_us: i64,
}

/// An endless supply of readings.
#[derive(Clone, Debug)]
pub struct Readings {
    random: ChaCha8Rng,
    devices: Vec<Device>,
    pace: Pace,
    count: i64,
}

#[derive(Clone, Debug)]
struct Device {
    name: String,
    model: &'static str,
    user: String,
    activity: usize,
    /// Readings that the activity still lasts.
    left: u32,
    index: i32,
}

impl Readings {
    /// Readings of `devices_per_model` devices of each model, drawn from `seed`.
    pub fn new(seed: u64, devices_per_model: u32, pace: Pace) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let devices = numbered_models(devices_per_model)
            .map(|(model, number)| Device::new(model, number, &mut random))
            .collect();
        Self { random, devices, pace, count: 0 }
    }

    /// The next reading, come in at `arrival_ms`: for a caller with a clock.
    pub fn next_at(&mut self, arrival_ms: i64) -> Reading {
        self.count += 1;
        let chosen = (0..self.devices.len()).fake_with_rng::<usize, _>(&mut self.random);
        self.devices[chosen].read(arrival_ms, &mut self.random)
    }

    /// When the next reading comes in by the pace.
    fn next_arrival_ms(&mut self) -> i64 {
        let interval = self.pace.interval_us.max(0);
        let jitter = (0..=interval / 2).fake_with_rng::<i64, _>(&mut self.random);
        let since_us = self.count.saturating_mul(interval).saturating_add(jitter);
        self.pace.start_ms.saturating_add(since_us / 1_000)
    }
}

/// Each model with the numbers of its devices.
fn numbered_models(devices_per_model: u32) -> impl Iterator<Item = (&'static str, u32)> {
    let numbers = 1..=devices_per_model.max(1);
    MODELS.into_iter().flat_map(move |model| numbers.clone().map(move |number| (model, number)))
}

/// The names of the devices that read, in the order in which they are made.
pub(super) fn device_names(devices_per_model: u32) -> impl Iterator<Item = String> {
    numbered_models(devices_per_model).map(|(model, number)| format!("{model}_{number}"))
}

impl Iterator for Readings {
    type Item = Reading;

    fn next(&mut self) -> Option<Reading> {
        let arrival_ms = self.next_arrival_ms();
        Some(self.next_at(arrival_ms))
    }
}

impl Device {
    fn new(model: &'static str, number: u32, random: &mut ChaCha8Rng) -> Self {
        Self {
            name: format!("{model}_{number}"),
            model,
            user: StringFaker::with((b'a'..=b'z').collect(), 1).fake_with_rng(random),
            activity: (0..ACTIVITIES.len()).fake_with_rng(random),
            left: BOUT_READINGS.fake_with_rng(random),
            index: 0,
        }
    }

    fn read(&mut self, arrival_ms: i64, random: &mut ChaCha8Rng) -> Reading {
        if self.left == 0 {
            let step = (1..ACTIVITIES.len()).fake_with_rng::<usize, _>(random);
            self.activity = (self.activity + step) % ACTIVITIES.len();
            self.left = BOUT_READINGS.fake_with_rng(random);
        }
        self.left -= 1;
        let index = self.index;
        self.index = self.index.wrapping_add(1);
        let delay_ns = (0..DELAY_MAX_NS).fake_with_rng::<i64, _>(random);
        let [x, y, z] = SWING.map(|swing| rounded((-swing..=swing).fake_with_rng(random)));
        Reading {
            arrival_ms,
            creation_ns: arrival_ms.saturating_mul(NS_PER_MS).saturating_sub(delay_ns),
            device: self.name.clone(),
            index,
            model: self.model.to_owned(),
            user: self.user.clone(),
            activity: ACTIVITIES[self.activity].to_owned(),
            x,
            y,
            z,
        }
    }
}

/// `value` to 10 decimals, never minus zero.
fn rounded(value: f64) -> f64 {
    (value * 1e10).round() / 1e10 + 0.0
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::devices::ReadingFormat;

    const PACE: Pace = Pace { start_ms: 1_700_000_000_000, interval_us: 100_000 };

    #[test]
    fn the_first_twenty_readings_of_a_seed_are_fixed() {
        let lines: String = Readings::new(740, 3, PACE)
            .take(20)
            .map(|reading| {
                String::from_utf8(ReadingFormat::Json.encode(&reading).unwrap()).unwrap() + "\n"
            })
            .collect();
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/devices/readings-seed-740.jsonl");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &lines).unwrap();
        }
        assert_eq!(lines, std::fs::read_to_string(path).unwrap());
    }

    #[test]
    fn seeds_differ() {
        let first = |seed| Readings::new(seed, 3, PACE).next().unwrap();
        assert_ne!(first(1), first(2));
    }

    #[test]
    fn readings_keep_to_their_ranges() {
        let mut bouts: BTreeMap<String, (String, u32)> = BTreeMap::new();
        let mut indexes: BTreeMap<String, i32> = BTreeMap::new();
        for reading in Readings::new(1, 3, PACE).take(20_000) {
            assert!(reading.x.abs() <= 0.01 && reading.y.abs() <= 0.05 && reading.z.abs() <= 0.02);
            for axis in reading.axes() {
                assert_eq!(axis, format!("{axis:.10}").parse::<f64>().unwrap(), "ten decimals");
            }
            assert!(reading.user.len() == 1 && reading.user.as_bytes()[0].is_ascii_lowercase());
            let delay_ns = reading.arrival_ms * NS_PER_MS - reading.creation_ns;
            assert!((0..DELAY_MAX_NS).contains(&delay_ns));
            let index = indexes.entry(reading.device.clone()).or_insert(0);
            assert_eq!(reading.index, *index, "a running index per device");
            *index += 1;
            let bout = bouts.entry(reading.device).or_insert((reading.activity.clone(), 0));
            if bout.0 == reading.activity {
                bout.1 += 1;
                assert!(bout.1 <= *BOUT_READINGS.end(), "an activity ends");
            } else {
                assert!(bout.1 >= *BOUT_READINGS.start(), "an activity lasts a while");
                *bout = (reading.activity, 1);
            }
        }
        let devices: BTreeSet<_> = indexes.into_keys().collect();
        assert_eq!(devices.len(), 12);
        assert!(devices.contains("nexus4_1") && devices.contains("galaxy_s21_3"));
    }

    #[test]
    fn a_pace_sets_the_times() {
        let times: Vec<_> =
            Readings::new(1, 3, PACE).take(100).map(|reading| reading.arrival_ms).collect();
        for (number, time) in (0i64..).zip(times) {
            let due = PACE.start_ms + 100 * number;
            assert!((due..=due + 50).contains(&time));
        }
        let same = Pace { interval_us: 0, ..PACE };
        assert!(
            Readings::new(1, 3, same).take(9).all(|reading| reading.arrival_ms == PACE.start_ms)
        );
    }

    #[test]
    fn more_devices_of_each_model() {
        let devices: BTreeSet<_> =
            Readings::new(1, 5, PACE).take(2_000).map(|reading| reading.device).collect();
        assert_eq!(devices.len(), 20);
        assert!(devices.contains("iphone12_5"));
    }
}
