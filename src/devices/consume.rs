//! Watches readings: a member of a consumer group that keeps rolling statistics of the devices in its partitions.
//!
//! Offsets are committed every few seconds, when a partition goes to another member, and at the end. What the statistics
//! hold is not stored: a device that moves to another instance starts anew there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::Future,
    io::{self, ErrorKind, Write},
    pin::{Pin, pin},
    time::Duration,
};

use super::reader::ReadingReader;
use super::{Clock, DeviceError, Monitor, Spelling, View};
use crate::kafka::{
    ClientConfig, Cluster, KafkaError, admin::Admin, config::OffsetReset, fetch::FetchedPartition,
    group::Consumer,
};

/// The screen where its size is not told.
const SCREEN: (u16, u16) = (120, 40);

/// Where a group without committed offsets begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At the first reading of the topic.
    Earliest,
    /// At the next one that comes.
    Latest,
}

/// What to watch.
#[derive(Clone)]
pub struct ConsumeOptions {
    /// The brokers, and how they are reached.
    pub kafka: ClientConfig,
    /// The topic.
    pub topic: String,
    /// How its readings are spelled.
    pub spelling: Spelling,
    /// The consumer group; its members share the partitions.
    pub group: String,
    /// Where the group begins.
    pub from: From,
    /// How often the statistics are shown.
    pub interval: Duration,
    /// How long a broker is waited for.
    pub retry_for: Duration,
    /// Tells when the next showing is due.
    pub clock: Clock,
}

/// What was watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumeSummary {
    /// The topic.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// Readings taken.
    pub readings: u64,
    /// Records that were no readings.
    pub faulty: u64,
    /// The first of them, and why.
    pub first_fault: Option<String>,
    /// Devices watched at the end.
    pub devices: usize,
    /// Where the group goes on, by the partitions that this member had at the end and had readings of.
    pub next_offsets: BTreeMap<i32, i64>,
}

impl fmt::Display for ConsumeSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, group, readings, faulty, first_fault, devices, next_offsets } = self;
        writeln!(
            f,
            "{readings} readings of {devices} devices from '{topic}', {faulty} faulty records left out"
        )?;
        if let Some(fault) = first_fault {
            writeln!(f, "  the first of them: {fault}")?;
        }
        for (partition, offset) in next_offsets {
            writeln!(f, "  partition {partition}: group '{group}' goes on at offset {offset}")?;
        }
        Ok(())
    }
}

/// Watches until `stop` resolves or nobody reads the output any more; then commits, leaves the group and says what it saw.
pub async fn consume<W: Write>(
    options: ConsumeOptions,
    mut view: View<W>,
    stop: impl Future<Output = ()>,
) -> Result<ConsumeSummary, DeviceError> {
    let mut watch = Watch::open(&options).await?;
    view.open()?;
    let watched = watch.run(&mut view, pin!(stop)).await;
    // The terminal is given back before anything else is said.
    let closed = view.close();
    let summary = watch.leave().await;
    watched?;
    closed.or_else(ignore_broken_pipe)?;
    summary
}

/// A member of the group, and what it knows.
struct Watch<'a> {
    options: &'a ConsumeOptions,
    consumer: Consumer,
    reader: ReadingReader,
    monitor: Monitor,
    next_offsets: BTreeMap<i32, i64>,
    /// Whether something was fetched and not taken, so that its position is not to be committed.
    is_behind: bool,
    /// The first record that was no reading, and why.
    first_fault: Option<String>,
}

impl<'a> Watch<'a> {
    async fn open(options: &'a ConsumeOptions) -> Result<Self, DeviceError> {
        let cluster = Cluster::new(config(options)).map_err(|error| options.fault(&error))?;
        let topic = options.topic.as_str();
        let no_broker = |error: KafkaError| DeviceError::NoBroker {
            brokers: options.kafka.bootstrap_servers.join(", "),
            cause: error.to_string(),
        };
        let found = Admin::new(&cluster).describe_topics(&[topic]).await.map_err(no_broker)?;
        if !found.get(topic).is_some_and(Result::is_ok) {
            return Err(DeviceError::UnknownTopic(topic.to_owned()));
        }
        let consumer = Consumer::new(&cluster, &options.group, &[topic])
            .map_err(|error| options.fault(&error))?;
        let reader = ReadingReader::new(&options.spelling, topic)?;
        let (monitor, next_offsets) = (Monitor::default(), BTreeMap::new());
        Ok(Self {
            options,
            consumer,
            reader,
            monitor,
            next_offsets,
            is_behind: false,
            first_fault: None,
        })
    }

    async fn run<W: Write>(
        &mut self,
        view: &mut View<W>,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), DeviceError> {
        let interval_ms = self.options.interval.as_millis().max(1) as i64;
        let mut due_ms = 0;
        loop {
            let now_ms = (self.options.clock)();
            if now_ms >= due_ms {
                due_ms = now_ms + interval_ms;
                match self.show(view) {
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                    shown => shown?,
                }
            }
            // A clock that is set back must not hold the showing up for longer than the interval.
            let wait_ms = (due_ms - now_ms).min(interval_ms);
            tokio::select! {
                biased;
                () = &mut stop => break,
                key = view.key() => {
                    if !view.follow(key) {
                        break;
                    }
                    due_ms = 0;
                }
                fetched = self.consumer.poll(Duration::from_millis(wait_ms as u64)) => {
                    let fetched = fetched.map_err(|error| self.options.fault(&error))?;
                    self.forget_lost();
                    self.is_behind = true;
                    let taken = async {
                        for partition in &fetched {
                            self.take(partition).await?;
                        }
                        Ok::<_, DeviceError>(())
                    };
                    tokio::select! {
                        biased;
                        () = &mut stop => break,
                        taken = taken => taken?,
                    }
                    self.is_behind = false;
                }
            }
        }
        self.show(view).or_else(ignore_broken_pipe)?;
        Ok(())
    }

    /// Takes what was fetched of a partition; a record that is no reading is counted and left out.
    async fn take(&mut self, fetched: &FetchedPartition) -> Result<(), DeviceError> {
        let number = fetched.partition.partition;
        let values: Vec<_> =
            fetched.records().map(|record| record.ok().and_then(|record| record.value)).collect();
        self.reader.learn(&values).await?;
        let offsets = fetched.records().map(|record| record.map_or(-1, |record| record.offset));
        for (reading, offset) in self.reader.read(&values).into_iter().zip(offsets) {
            match reading {
                Ok(reading) => self.monitor.add(number, &reading),
                Err(error) => {
                    self.monitor.add_faulty();
                    self.first_fault.get_or_insert_with(|| {
                        let fault = format!("partition {number}, offset {offset}: {error}");
                        tracing::warn!("{fault}");
                        fault
                    });
                }
            }
        }
        self.next_offsets.insert(number, fetched.next_offset);
        Ok(())
    }

    /// Forgets the devices of partitions that went to another member.
    fn forget_lost(&mut self) {
        let kept: BTreeSet<i32> =
            self.consumer.assignment().iter().map(|partition| partition.partition).collect();
        let lost: Vec<i32> =
            self.next_offsets.keys().copied().filter(|number| !kept.contains(number)).collect();
        for partition in lost {
            self.next_offsets.remove(&partition);
            self.monitor.forget(partition);
        }
    }

    fn show<W: Write>(&mut self, view: &mut View<W>) -> io::Result<()> {
        let partitions: Vec<String> = self
            .consumer
            .assignment()
            .iter()
            .map(|partition| partition.partition.to_string())
            .collect();
        let place = if partitions.is_empty() { "joining".to_owned() } else { partitions.join(" ") };
        let ConsumeOptions { topic, group, .. } = self.options;
        let title = format!("{topic}   group {group}   partitions {place}");
        view.show(&mut self.monitor, &title, crossterm::terminal::size().unwrap_or(SCREEN))
    }

    /// Commits what was taken and leaves the group.
    async fn leave(self) -> Result<ConsumeSummary, DeviceError> {
        let summary = ConsumeSummary {
            topic: self.options.topic.clone(),
            group: self.options.group.clone(),
            readings: self.monitor.readings(),
            faulty: self.monitor.faulty(),
            first_fault: self.first_fault,
            devices: self.monitor.reports().len(),
            next_offsets: self.next_offsets,
        };
        if !self.is_behind {
            self.consumer.close().await.map_err(|error| self.options.fault(&error))?;
        }
        Ok(summary)
    }
}

impl ConsumeOptions {
    fn fault(&self, error: &KafkaError) -> DeviceError {
        DeviceError::Group { group: self.group.clone(), cause: error.to_string() }
    }
}

fn config(options: &ConsumeOptions) -> ClientConfig {
    ClientConfig {
        api_timeout: options.retry_for,
        offset_reset: match options.from {
            From::Earliest => OffsetReset::Earliest,
            From::Latest => OffsetReset::Latest,
        },
        ..options.kafka.clone()
    }
}

/// Whoever reads the output may go; that is no fault.
fn ignore_broken_pipe(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}
