//! What the demo shows: how many readings there are, and what the queries made of them.
//!
//! The figures are those of the result topics, by the names that `ksql/*.sql` give them. Other
//! topics appear by their queries only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use millstream::runtime::live::{QueryState, QueryStatus};
use serde_json::{Value, json};

/// Where the parts of the demo are found.
pub(super) struct Places {
    /// Where Kafka clients connect.
    pub(super) bootstrap: String,
    /// Where the Schema Registry is.
    pub(super) registry: String,
    /// Where ksqlDB's REST API is.
    pub(super) rest: String,
}

/// Keys of a table that are kept; further ones are not shown.
const KEYS_MAX: usize = 10_000;
/// Alerts that are kept.
const ALERTS_MAX: usize = 8;
/// How long readings are remembered for the rate, in seconds.
pub(super) const RATE_SECONDS: u64 = 24;
/// The time over which the rate is taken.
const RATE_SPAN: Duration = Duration::from_secs(2);

/// What a topic holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Readings of devices.
    Readings,
    /// How many readings each device has in each activity.
    ActivityCounts,
    /// Statistics of each device.
    DeviceStats,
    /// Strong movements.
    Alerts,
    /// Devices that went from one activity to another.
    Transitions,
    /// How often devices did.
    TransitionCounts,
    /// Anything else.
    Other,
}

impl Content {
    /// What a topic of this name holds.
    pub(super) fn of(topic: &str) -> Self {
        match topic.strip_suffix("_PROTO").unwrap_or(topic) {
            "device-sensors"
            | "device-sensors-proto"
            | "device-sensors-json-sr"
            | "device-sensors-proto-sr"
            | "device-sensors-avro" => Self::Readings,
            "DEVICE_ACTIVITY_COUNTS" => Self::ActivityCounts,
            "DEVICE_SENSOR_STATS" => Self::DeviceStats,
            "MOVEMENT_ALERTS" => Self::Alerts,
            "ACTIVITY_TRANSITIONS" => Self::Transitions,
            "TRANSITION_COUNTS" => Self::TransitionCounts,
            _ => Self::Other,
        }
    }
}

/// A strong movement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alert {
    pub(super) device: String,
    pub(super) activity: String,
    pub(super) magnitude: f64,
}

/// The statistics of one device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Device {
    pub(super) readings: u64,
    /// The means of x, y and z.
    pub(super) means: [f64; 3],
    /// The greatest absolute values of x, y and z.
    pub(super) peaks: [f64; 3],
}

/// A key of a table, and the topic that it is in.
type Keyed<K, V> = BTreeMap<(Arc<str>, K), V>;

/// What is known by now.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Readings by partition.
    pub(super) partitions: BTreeMap<i32, u64>,
    /// The latest alerts, newest first.
    pub(super) latest_alerts: VecDeque<Alert>,
    /// How many alerts there are.
    pub(super) alerts: u64,
    /// How many transitions there are.
    pub(super) transitions: u64,
    /// The queries.
    pub(super) queries: Vec<QueryStatus>,
    counts: Keyed<String, u64>,
    devices: Keyed<String, Device>,
    transition_counts: Keyed<(String, String), u64>,
    /// How many readings there were at some times.
    samples: VecDeque<(Duration, u64)>,
    topics: BTreeMap<Arc<str>, Topic>,
}

/// A topic that queries read or write.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Topic {
    content: Content,
    /// How many records it has had.
    pub(super) records: u64,
    /// How many came a second, lately.
    pub(super) per_second: f64,
    /// The newest of other topics than those of the device application, as a text.
    pub(super) newest: String,
    /// When the rate was taken, and how many records there were then.
    taken: (Duration, u64),
}

impl Summary {
    /// Counts readings.
    pub(super) fn add_readings(&mut self, partition: i32, count: u64) {
        *self.partitions.entry(partition).or_default() += count;
    }

    /// A topic of which nothing is known yet.
    pub(super) fn add_topic(&mut self, topic: &Arc<str>, content: Content) {
        let topic = self.topics.entry(Arc::clone(topic));
        topic.or_insert(Topic {
            content,
            records: 0,
            per_second: 0.0,
            newest: String::new(),
            taken: (Duration::ZERO, 0),
        });
    }

    /// Counts records of a topic, the newest of which has this value.
    pub(super) fn add_records(&mut self, topic: &str, count: u64, newest: Option<&[u8]>) {
        let Some(topic) = self.topics.get_mut(topic) else { return };
        topic.records += count;
        if let Some(newest) = newest {
            topic.newest = match std::str::from_utf8(newest) {
                Ok(text) => text.to_owned(),
                Err(_) => format!("{} bytes", newest.len()),
            };
        }
    }

    /// Whether there are topics of readings.
    pub(super) fn has_readings(&self) -> bool {
        self.topics.values().any(|topic| topic.content == Content::Readings)
    }

    /// The topics that are none of the device application, by name.
    pub(super) fn other_topics(&self) -> impl Iterator<Item = (&str, &Topic)> {
        let others = self.topics.iter().filter(|(_, topic)| topic.content == Content::Other);
        others.map(|(name, topic)| (&**name, topic))
    }

    /// Takes a record of a topic that holds `content`; what it cannot read it leaves out.
    pub(super) fn add(
        &mut self,
        content: Content,
        topic: &Arc<str>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) {
        let row: Value =
            value.and_then(|value| serde_json::from_slice(value).ok()).unwrap_or_default();
        let text = || key.and_then(|key| std::str::from_utf8(key).ok()).map(str::to_owned);
        let has_row = !row.is_null();
        match content {
            Content::Readings | Content::Other => {}
            Content::Transitions => self.transitions += 1,
            Content::Alerts => {
                self.alerts += 1;
                self.latest_alerts.push_front(alert(&row));
                self.latest_alerts.truncate(ALERTS_MAX);
            }
            Content::ActivityCounts => {
                let count = has_row.then(|| number(&row, "ACTIVITY_COUNT"));
                put(&mut self.counts, topic, text(), count);
            }
            Content::DeviceStats => {
                put(&mut self.devices, topic, text(), has_row.then(|| device(&row)));
            }
            Content::TransitionCounts => {
                let key: Option<Value> = key.and_then(|key| serde_json::from_slice(key).ok());
                let ends =
                    key.map(|key| (string(&key, "FROM_ACTIVITY"), string(&key, "TO_ACTIVITY")));
                put(&mut self.transition_counts, topic, ends, has_row.then(|| number(&row, "N")));
            }
        }
    }

    /// Notes how many readings there are after `elapsed`.
    pub(super) fn sample(&mut self, elapsed: Duration) {
        self.samples.push_back((elapsed, self.readings()));
        for topic in self.topics.values_mut() {
            let (at, before) = topic.taken;
            let span = elapsed.saturating_sub(at);
            if span >= RATE_SPAN {
                topic.per_second = (topic.records - before) as f64 / span.as_secs_f64();
                topic.taken = (elapsed, topic.records);
            }
        }
        let kept = Duration::from_secs(RATE_SECONDS + 2);
        while self.samples.front().is_some_and(|(at, _)| *at + kept < elapsed) {
            self.samples.pop_front();
        }
    }

    /// How many readings there are.
    pub(super) fn readings(&self) -> u64 {
        self.partitions.values().sum()
    }

    /// Readings a second, over the last two seconds.
    pub(super) fn per_second(&self) -> f64 {
        let Some((now, total)) = self.samples.back() else { return 0.0 };
        let since = now.saturating_sub(RATE_SPAN);
        let Some((then, before)) = self.samples.iter().find(|(at, _)| *at >= since) else {
            return 0.0;
        };
        let span = now.saturating_sub(*then).as_secs_f64();
        if span > 0.0 { (total - before) as f64 / span } else { 0.0 }
    }

    /// The readings of each of the last seconds, oldest first.
    pub(super) fn last_seconds(&self) -> Vec<u64> {
        let Some((now, _)) = self.samples.back() else { return Vec::new() };
        let total_at = |back: u64| {
            let at = now.checked_sub(Duration::from_secs(back));
            let known = at.and_then(|at| self.samples.iter().rev().find(|(then, _)| *then <= at));
            known.map_or(0, |(_, total)| *total)
        };
        (0..RATE_SECONDS)
            .rev()
            .map(|back| total_at(back).saturating_sub(total_at(back + 1)))
            .collect()
    }

    /// Readings by activity.
    pub(super) fn activities(&self) -> BTreeMap<&str, u64> {
        let mut activities = BTreeMap::new();
        for ((_, key), count) in &self.counts {
            let activity = key.rsplit_once('-').map_or(key.as_str(), |(_, activity)| activity);
            *activities.entry(activity).or_default() += count;
        }
        activities
    }

    /// How often devices went from one activity to another.
    pub(super) fn transition_counts(&self) -> BTreeMap<(&str, &str), u64> {
        let mut counts = BTreeMap::new();
        for ((_, (from, to)), count) in &self.transition_counts {
            *counts.entry((from.as_str(), to.as_str())).or_default() += count;
        }
        counts
    }

    /// The statistics of all devices.
    pub(super) fn devices(&self) -> impl Iterator<Item = (&str, &Device)> {
        self.devices.iter().map(|((_, name), device)| (name.as_str(), device))
    }

    /// Takes the last figures of queries, which were told to stop: each keeps its last state.
    pub(super) fn end(&mut self, queries: Vec<QueryStatus>) {
        let before = std::mem::replace(&mut self.queries, queries);
        for query in self.queries.iter_mut().filter(|query| query.cause.is_none()) {
            if let Some(before) = before.iter().find(|before| before.id == query.id) {
                query.state = before.state;
            }
        }
    }

    /// Why queries failed.
    pub(super) fn causes(&self) -> String {
        let causes: Vec<_> = self
            .queries
            .iter()
            .filter_map(|query| Some(format!("{}: {}", query.id, query.cause.as_ref()?)))
            .collect();
        causes.join("; ")
    }

    /// The summary as a JSON object on one line.
    pub(super) fn to_json(&self, places: &Places, elapsed: Duration) -> Value {
        let partitions: serde_json::Map<String, Value> = self
            .partitions
            .iter()
            .map(|(partition, count)| (partition.to_string(), json!(count)))
            .collect();
        let counts: serde_json::Map<String, Value> = self
            .transition_counts()
            .into_iter()
            .map(|((from, to), count)| (format!("{from}-{to}"), json!(count)))
            .collect();
        let topics =
            self.topics.iter().map(|(name, topic)| (name.to_string(), json!(topic.records)));
        let topics: serde_json::Map<String, Value> = topics.collect();
        let queries: Vec<Value> = self
            .queries
            .iter()
            .map(|query| {
                json!({"id": query.id, "state": state(query.state), "in": query.records,
                    "out": query.written, "rows": query.stored_rows})
            })
            .collect();
        json!({
            "bootstrap_servers": places.bootstrap,
            "schema_registry": places.registry,
            "rest": places.rest,
            "elapsed_ms": elapsed.as_millis() as u64,
            "readings": self.readings(),
            "readings_per_second": self.per_second().round() as u64,
            "partitions": partitions,
            "activities": self.activities(),
            "devices": self.devices().count(),
            "alerts": self.alerts,
            "transitions": self.transitions,
            "transition_counts": counts,
            "topics": topics,
            "queries": queries,
        })
    }
}

/// The state of a query in a word.
pub(super) fn state(state: QueryState) -> &'static str {
    match state {
        QueryState::Starting => "starting",
        QueryState::Standby => "standby",
        QueryState::Running => "running",
        QueryState::Paused => "paused",
        QueryState::Retrying => "retrying",
        QueryState::Failed => "failed",
    }
}

/// Puts a row into a table, or takes it out.
fn put<K: Ord, V>(table: &mut Keyed<K, V>, topic: &Arc<str>, key: Option<K>, row: Option<V>) {
    let Some(key) = key.map(|key| (Arc::clone(topic), key)) else { return };
    match row {
        None => drop(table.remove(&key)),
        Some(row) if table.len() < KEYS_MAX || table.contains_key(&key) => {
            table.insert(key, row);
        }
        Some(_) => {}
    }
}

fn number(row: &Value, column: &str) -> u64 {
    row[column].as_u64().unwrap_or(0)
}

fn double(row: &Value, column: &str) -> f64 {
    row[column].as_f64().unwrap_or(0.0)
}

fn string(row: &Value, column: &str) -> String {
    row[column].as_str().unwrap_or("?").to_owned()
}

fn alert(row: &Value) -> Alert {
    Alert {
        device: string(row, "DEVICE"),
        activity: string(row, "GT"),
        magnitude: double(row, "MOVEMENT_MAGNITUDE"),
    }
}

fn device(row: &Value) -> Device {
    Device {
        readings: number(row, "READING_COUNT"),
        means: ["AVG_X", "AVG_Y", "AVG_Z"].map(|column| double(row, column)),
        peaks: ["MAX_MOVEMENT_X", "MAX_MOVEMENT_Y", "MAX_MOVEMENT_Z"]
            .map(|column| double(row, column)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What is known of so many devices, the later of which have more readings and higher peaks.
    pub(in super::super) fn devices(count: u64) -> Summary {
        let mut summary = Summary::default();
        summary.add_topic(&Arc::from("device-sensors"), Content::Readings);
        summary.add_readings(0, count);
        for device in 0..count {
            let row = format!(
                r#"{{"READING_COUNT":{},"AVG_X":0.1,"AVG_Y":0.2,"AVG_Z":0.3,"MAX_MOVEMENT_X":1.0,"MAX_MOVEMENT_Y":1.0,"MAX_MOVEMENT_Z":{device}.5}}"#,
                device + 1
            );
            add(&mut summary, "DEVICE_SENSOR_STATS", &format!("d{device}"), &row);
            add(
                &mut summary,
                "DEVICE_ACTIVITY_COUNTS",
                &format!("d{device}-walk"),
                r#"{"ACTIVITY_COUNT":1}"#,
            );
            add(
                &mut summary,
                "MOVEMENT_ALERTS",
                "",
                r#"{"DEVICE":"d1","GT":"run","MOVEMENT_MAGNITUDE":0.06}"#,
            );
        }
        summary
    }

    /// What is known of SQL that has nothing to do with devices.
    pub(in super::super) fn of_other_sql() -> Summary {
        let mut summary = Summary::default();
        for topic in ["clicks", "COUNTS"] {
            summary.add_topic(&Arc::from(topic), Content::of(topic));
        }
        summary.add_records("clicks", 2_000, None);
        summary.add_records("COUNTS", 3, Some(b"{\"N\":3}"));
        summary
    }

    #[test]
    fn topics_are_counted_with_their_rates() {
        let mut summary = of_other_sql();
        summary.sample(Duration::from_secs(4));
        let topics: Vec<_> = summary.other_topics().collect();
        assert_eq!(topics.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["COUNTS", "clicks"]);
        assert_eq!((topics[1].1.records, topics[1].1.per_second), (2_000, 500.0));
        assert_eq!(topics[0].1.newest, "{\"N\":3}");
        summary.add_records("COUNTS", 1, Some(&[0, 0xff]));
        assert_eq!(summary.other_topics().next().unwrap().1.newest, "2 bytes");
    }

    fn add(summary: &mut Summary, topic: &str, key: &str, value: &str) {
        let value = (!value.is_empty()).then_some(value.as_bytes());
        summary.add(Content::of(topic), &Arc::from(topic), Some(key.as_bytes()), value);
    }

    #[test]
    fn tables_keep_the_latest_row_of_a_key() {
        let mut summary = Summary::default();
        add(&mut summary, "DEVICE_ACTIVITY_COUNTS", "a-walk", r#"{"ACTIVITY_COUNT":1}"#);
        add(&mut summary, "DEVICE_ACTIVITY_COUNTS", "a-walk", r#"{"ACTIVITY_COUNT":3}"#);
        add(&mut summary, "DEVICE_ACTIVITY_COUNTS", "b-walk", r#"{"ACTIVITY_COUNT":4}"#);
        add(&mut summary, "DEVICE_ACTIVITY_COUNTS", "b-sit", r#"{"ACTIVITY_COUNT":9}"#);
        add(&mut summary, "DEVICE_ACTIVITY_COUNTS", "b-sit", "");
        assert_eq!(summary.activities(), BTreeMap::from([("walk", 7)]));
        let key = r#"{"FROM_ACTIVITY":"walk","TO_ACTIVITY":"sit"}"#;
        add(&mut summary, "TRANSITION_COUNTS", key, r#"{"N":2}"#);
        assert_eq!(summary.transition_counts(), BTreeMap::from([(("walk", "sit"), 2)]));
    }

    #[test]
    fn alerts_are_counted_and_the_newest_come_first() {
        let mut summary = Summary::default();
        for device in 0..20 {
            let row = format!(r#"{{"DEVICE":"d{device}","GT":"run","MOVEMENT_MAGNITUDE":0.06}}"#);
            add(&mut summary, "MOVEMENT_ALERTS", "", &row);
        }
        assert_eq!((summary.alerts, summary.latest_alerts.len()), (20, ALERTS_MAX));
        assert_eq!(summary.latest_alerts[0].device, "d19");
    }

    #[test]
    fn the_rate_is_that_of_the_last_two_seconds() {
        let mut summary = Summary::default();
        for second in 0..10 {
            summary.sample(Duration::from_secs(second));
            summary.add_readings(0, if second < 7 { 5 } else { 100 });
        }
        assert!((summary.per_second() - 100.0).abs() < 1e-9);
        let last = summary.last_seconds();
        assert_eq!(last.len(), RATE_SECONDS as usize);
        assert_eq!(last[last.len() - 3..], [5, 100, 100]);
        assert_eq!(last[0], 0, "before the beginning there was nothing");
    }
}
