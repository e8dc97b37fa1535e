//! `millstream topics tail`: the records of a topic as they come.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use millstream::cli::table::cell;
use millstream::engine::RecordFormats;
use millstream::formats::detected::{Manner, shown_time};
use millstream::kafka::TopicPartition;
use millstream::kafka::fetch::{Fetched, Fetcher};
use millstream::kafka::records::RecordRef;
use serde_json::{Map, Value, json};

use super::topics::Topics;
use crate::args::{TailArgs, TopicsOutput};
use crate::run_command;

/// How long records are waited for at a time.
const WAIT: Duration = Duration::from_millis(500);

/// Shows the records of a topic until there are enough, or the user stops.
pub(super) async fn run(topics: &Topics, args: &TailArgs) -> anyhow::Result<()> {
    let topic = topics.topic(&args.topic).await?;
    let ends = topics.ends([&*topic]).await?;
    let all: Vec<i32> = topic.partitions.iter().map(|partition| partition.partition).collect();
    for wanted in &args.partitions {
        anyhow::ensure!(
            all.contains(wanted),
            "topic '{}' has no partition {wanted}, it has {}",
            args.topic,
            all.len()
        );
    }
    let is_wanted =
        |partition: &i32| args.partitions.is_empty() || args.partitions.contains(partition);
    let (mut starts, mut stops) = (Vec::new(), BTreeMap::new());
    for partition in all.into_iter().filter(is_wanted) {
        let range = ends.get(&(args.topic.clone(), partition));
        let (first, end) = range
            .copied()
            .with_context(|| format!("partition {partition} of '{}' has no leader", args.topic))?;
        let start = if args.from_beginning { first } else { end };
        starts.push((TopicPartition::new(args.topic.as_str(), partition), start));
        if args.to_end && start < end {
            stops.insert(partition, end);
        }
    }
    let formats = RecordFormats::new(Manner::Readable, topics.registry.clone());
    let mut tail = Tail::new(topics.output, formats, (args.limit, args.to_end.then_some(stops)));
    let fetcher = Fetcher::new(topics.admin.cluster());
    fetcher.assign(starts);
    let mut stop = pin!(run_command::stop_signal()?);
    while !tail.is_done() {
        tokio::select! {
            () = &mut stop => return Ok(()),
            fetched = fetcher.fetch(WAIT) => {
                tail.formats.learn_schemas(&fetched).await?;
                tail.show(&fetched)?;
            }
        }
    }
    Ok(())
}

/// What has been shown, and what is still to be.
struct Tail {
    output: TopicsOutput,
    formats: RecordFormats,
    /// The formats as they were last told.
    told: Option<(String, String)>,
    left: Option<u64>,
    /// Up to where each partition is shown, if there is an end.
    stops: Option<BTreeMap<i32, i64>>,
}

impl Tail {
    fn new(
        output: TopicsOutput,
        formats: RecordFormats,
        (left, stops): (Option<u64>, Option<BTreeMap<i32, i64>>),
    ) -> Self {
        Self { output, formats, told: None, left, stops }
    }

    fn is_done(&self) -> bool {
        self.left == Some(0) || self.stops.as_ref().is_some_and(BTreeMap::is_empty)
    }

    fn show(&mut self, fetched: &Fetched) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        for part in &fetched.partitions {
            let partition = part.partition.partition;
            for record in part.records() {
                let record = record?;
                let stop = self.stops.as_ref().and_then(|stops| stops.get(&partition));
                if self.left == Some(0) || stop.is_some_and(|stop| record.offset >= *stop) {
                    break;
                }
                self.left = self.left.map(|left| left - 1);
                self.show_record(&mut out, partition, &record)?;
            }
            if let Some(stops) = &mut self.stops
                && stops.get(&partition).is_some_and(|stop| part.next_offset >= *stop)
            {
                stops.remove(&partition);
            }
        }
        out.flush()?;
        match fetched.problems.first() {
            Some(problem) => Err(problem.error.clone().into()),
            None => Ok(()),
        }
    }

    fn show_record(
        &mut self,
        out: &mut impl Write,
        partition: i32,
        record: &RecordRef<'_>,
    ) -> anyhow::Result<()> {
        self.formats.look(record);
        if self.output == TopicsOutput::Json {
            let mut headers = Map::new();
            for header in record.headers {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                headers.insert(
                    text(header.key),
                    header.value.map_or(Value::Null, |value| text(value).into()),
                );
            }
            let shown = json!({
                "partition": partition, "offset": record.offset, "timestamp": record.timestamp,
                "key": self.formats.keys.json(record.key), "value": self.formats.values.json(record.value), "headers": headers,
            });
            writeln!(out, "{shown}")?;
            return Ok(());
        }
        let names = self.formats.names();
        if self.told.as_ref() != Some(&names) {
            writeln!(out, "Key format: {}\nValue format: {}", names.0, names.1)?;
            self.told = Some(names);
        }
        let (time, offset) = (shown_time(record.timestamp), record.offset);
        let shown = |text: String| cell(&Value::String(text));
        let (key, value) = (
            shown(self.formats.keys.show(record.key)),
            shown(self.formats.values.show(record.value)),
        );
        writeln!(
            out,
            "rowtime: {time}, key: {key}, value: {value}, partition: {partition}, offset: {offset}"
        )?;
        Ok(())
    }
}
