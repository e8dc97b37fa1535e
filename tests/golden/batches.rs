//! Stories fed in batches, which must give what they give record by record.
//!
//! Between two commits, each query in turn is fed the records of its topics in their order, those that the queries before
//! it gave among them. A batch is a run of consecutive records of one topic.

use std::collections::BTreeMap;
use std::sync::Arc;

use millstream::operators::QueryError;
use millstream::plan::QueryPlan;
use millstream::runtime::{Driver, DriverOptions, DriverRecord, Target};

use super::topology::{Line, lines, logged, queries};

/// All that a query gives, in order, by what it is.
type Gives = BTreeMap<String, Vec<String>>;

/// A query, until it stops.
struct Fed {
    id: String,
    sink: String,
    driver: Driver,
    is_stopped: bool,
}

/// What is wrong with a story whose batches hold up to `batch_records_max` records.
pub(crate) fn difference(
    script: &str,
    told: &str,
    cached_groups: usize,
    batch_records_max: usize,
) -> Option<String> {
    let rows = tell(script, told, cached_groups, 1);
    let batches = tell(script, told, cached_groups, batch_records_max);
    let name = rows.keys().chain(batches.keys()).find(|name| rows.get(*name) != batches.get(*name));
    let shown = |gives: &Gives, name: &String| {
        gives.get(name).map(|lines| lines.join("\n  ")).unwrap_or_default()
    };
    name.map(|name| {
        format!(
            "{name} record by record:\n  {}\nin batches:\n  {}",
            shown(&rows, name),
            shown(&batches, name)
        )
    })
}

fn tell(script: &str, told: &str, cached_groups: usize, batch_records_max: usize) -> Gives {
    let options = DriverOptions { emit_interval_ms: 0, cached_groups, ..DriverOptions::default() };
    let fed = |(id, plan): (String, Arc<QueryPlan>)| Fed {
        sink: plan.sink.topic.clone(),
        driver: Driver::new(plan, &id, options).unwrap(),
        is_stopped: false,
        id,
    };
    let mut queries: Vec<Fed> = queries(script).into_iter().map(fed).collect();
    let mut gives = Gives::new();
    for part in lines(told).chunk_by(|line, _| line.record.is_some()) {
        let records = part.iter().filter_map(|Line { topic, record, .. }| {
            record.as_ref().map(|record| (topic.clone(), record.clone()))
        });
        let mut records: Vec<_> = records.collect();
        let is_committed = part.iter().any(|line| line.record.is_none());
        for query in &mut queries {
            let written = query.feed(&records, batch_records_max, is_committed, &mut gives);
            records.extend(written);
        }
    }
    for (name, lines) in &mut gives {
        if name.ends_with(" log") {
            lines.sort();
        }
    }
    gives
}

impl Fed {
    /// Feeds records, then commits if the part ends so. Gives back what goes to the sink.
    fn feed(
        &mut self,
        records: &[(String, DriverRecord)],
        batch_records_max: usize,
        is_committed: bool,
        gives: &mut Gives,
    ) -> Vec<(String, DriverRecord)> {
        let topics: Vec<String> = self.driver.source_topics().map(str::to_owned).collect();
        let own: Vec<_> = records.iter().filter(|(topic, _)| topics.contains(topic)).collect();
        let mut written = Vec::new();
        for run in own.chunk_by(|(one, _), (other, _)| one == other) {
            for batch in run.chunks(batch_records_max) {
                let (topic, _) = batch[0];
                let batch: Vec<_> = batch.iter().map(|(_, record)| record.clone()).collect();
                if !self.is_stopped {
                    let piped = self.driver.pipe_batch(topic, &batch);
                    written.extend(self.collect(piped, gives));
                }
            }
        }
        if is_committed && !self.is_stopped {
            let flushed = self.driver.flush();
            written.extend(self.collect(flushed, gives));
        }
        written
    }

    fn collect(
        &mut self,
        ended: Result<(), QueryError>,
        gives: &mut Gives,
    ) -> Vec<(String, DriverRecord)> {
        let mut written = Vec::new();
        let mut give = |what: &str, line: String| {
            gives.entry(format!("{} {what}", self.id)).or_default().push(line);
        };
        for (target, record) in self.driver.take_output() {
            give(&format!("{target:?}"), show(&record));
            if target == Target::Sink {
                written.push((self.sink.clone(), record));
            }
        }
        for entry in self.driver.take_log() {
            give("log", logged(&entry));
        }
        if let Err(error) = ended {
            self.is_stopped = true;
            give("end", error.to_string());
        }
        written
    }
}

/// A record, without the counters of `LATEST_BY_OFFSET`, which batches give out group by group.
fn show(record: &DriverRecord) -> String {
    let text = |bytes: &Option<Vec<u8>>| {
        bytes.as_ref().map_or_else(|| "null".to_owned(), |bytes| bytes.escape_ascii().to_string())
    };
    let (key, value) = (text(&record.key), text(&record.value));
    let name = r#"\"SEQ\":"#;
    let mut parts = value.split(name);
    let mut shown = format!("{key} {}", parts.next().unwrap_or_default());
    for part in parts {
        shown.extend([name, part.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit())]);
    }
    format!("{shown} @ {} {:?}", record.timestamp_ms, record.headers)
}
