//! Writes readings to Kafka: acknowledged by all in-sync replicas, retried, one request in flight per partition so that
//! a partition keeps the order of the readings. A retry after a lost answer can write a batch twice.

use std::{collections::BTreeMap, fmt, future::Future, pin::pin, time::Duration};

use chrono::DateTime;
use rskafka::{
    BackoffConfig,
    client::{
        Client, ClientBuilder,
        error::{Error as KafkaError, ProtocolError},
        partition::{Compression, PartitionClient, UnknownTopicHandling},
    },
    record::Record,
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::{Clock, DeviceError, PartitionTable, Reading, ReadingFormat, Readings, progress};

/// Partitions of a topic that the producer makes.
const PARTITIONS: i32 = 3;
/// Replicas of a topic that the producer makes: the broker's default.
const REPLICATION: i16 = -1;
/// Readings sent in one round when no rate holds them back, and the most in any.
const ROUND_READINGS: u64 = 5_000;
/// The shortest time between two rounds at a given rate.
const TICK_MIN: Duration = Duration::from_millis(50);
/// How often brokers are asked for a topic of which they have not heard yet.
const METADATA_POLL: Duration = Duration::from_millis(50);
/// How long a round that is under way may still take after the user asked to stop.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// What to write, and where.
#[derive(Clone)]
pub struct ProduceOptions {
    /// Addresses of brokers, `host:port`.
    pub brokers: Vec<String>,
    /// The topic; made with three partitions if it does not exist.
    pub topic: String,
    /// How readings are spelled.
    pub format: ReadingFormat,
    /// Which partition a model's readings go to.
    pub table: PartitionTable,
    /// Readings a second; none for as many as the broker takes.
    pub rate: Option<f64>,
    /// Readings in all; none for as many as come until the user stops.
    pub count: Option<u64>,
    /// How long a write is retried before the producer gives up.
    pub retry_for: Duration,
    /// Dates the readings as they are sent; none to keep the pace of the readings, so that a seed gives the same times.
    pub clock: Option<Clock>,
    /// Whether a bar on the terminal shows how far it is.
    pub shows_progress: bool,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProduceSummary {
    /// The topic.
    pub topic: String,
    /// By partition.
    pub partitions: BTreeMap<i32, Written>,
}

/// What one partition took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Acknowledged readings.
    pub readings: u64,
    /// Offset of the first.
    pub first_offset: i64,
    /// Offset of the last.
    pub last_offset: i64,
}

impl ProduceSummary {
    /// Acknowledged readings of all partitions.
    pub fn readings(&self) -> u64 {
        self.partitions.values().map(|written| written.readings).sum()
    }

    fn add(&mut self, partition: i32, offsets: &[i64]) {
        let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else { return };
        let start = Written { readings: 0, first_offset: first, last_offset: last };
        let written = self.partitions.entry(partition).or_insert(start);
        written.readings += offsets.len() as u64;
        written.last_offset = last;
    }
}

impl fmt::Display for ProduceSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} readings acknowledged on '{}'", self.readings(), self.topic)?;
        for (partition, Written { readings, first_offset, last_offset }) in &self.partitions {
            writeln!(
                f,
                "  partition {partition}: {readings} readings, offsets {first_offset} to {last_offset}"
            )?;
        }
        Ok(())
    }
}

/// Writes `readings` until the count is reached or `stop` resolves; then says what was acknowledged.
///
/// A round that is under way when `stop` resolves is still finished.
pub async fn produce(
    mut readings: Readings,
    options: ProduceOptions,
    stop: impl Future<Output = ()>,
) -> Result<ProduceSummary, DeviceError> {
    let mut topic = Topic::open(&options).await?;
    let mut stop = pin!(stop);
    let bar = progress::bar(options.count, options.shows_progress);
    let mut rounds = Rounds::new(options.rate);
    let mut left = options.count.unwrap_or(u64::MAX);
    let mut stopped = false;
    while left > 0 && !stopped {
        let due = tokio::select! {
            biased;
            () = &mut stop => break,
            due = rounds.next() => due.min(left),
        };
        let batches = topic.batches(&mut readings, due, &options)?;
        let mut write = pin!(topic.write(batches));
        tokio::select! {
            result = &mut write => result?,
            () = &mut stop => {
                stopped = true;
                // Unanswered after the grace: those readings are not in the summary.
                if let Ok(result) = timeout(STOP_GRACE, write).await {
                    result?;
                }
            }
        }
        left -= due;
        bar.inc(due);
    }
    bar.finish_and_clear();
    Ok(topic.summary)
}

/// When the next round is due, and of how many readings.
struct Rounds {
    ticks: Option<tokio::time::Interval>,
    per_tick: f64,
    /// Readings due by now, the fraction of one included.
    due: f64,
}

impl Rounds {
    fn new(rate: Option<f64>) -> Self {
        let Some(rate) = rate else { return Self { ticks: None, per_tick: 0.0, due: 0.0 } };
        let period = Duration::from_secs_f64((1.0 / rate).clamp(TICK_MIN.as_secs_f64(), 86_400.0));
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        Self { ticks: Some(ticks), per_tick: rate * period.as_secs_f64(), due: 0.0 }
    }

    async fn next(&mut self) -> u64 {
        let Some(ticks) = &mut self.ticks else { return ROUND_READINGS };
        loop {
            // Half a thousandth makes up for rates whose products fall just short of a whole number.
            let whole = (self.due + 5e-4).floor().min(ROUND_READINGS as f64);
            if whole >= 1.0 {
                self.due -= whole;
                return whole as u64;
            }
            ticks.tick().await;
            self.due += self.per_tick;
        }
    }
}

/// The topic's partitions, each with its client.
struct Topic {
    clients: Vec<std::sync::Arc<PartitionClient>>,
    retry_for: Duration,
    summary: ProduceSummary,
}

impl Topic {
    /// Connects, and makes the topic unless it exists.
    async fn open(options: &ProduceOptions) -> Result<Self, DeviceError> {
        let no_broker =
            |cause: String| DeviceError::NoBroker { brokers: options.brokers.join(", "), cause };
        let topic = &options.topic;
        let backoff = BackoffConfig {
            max_backoff: Duration::from_secs(2),
            deadline: Some(options.retry_for),
            ..BackoffConfig::default()
        };
        let builder = ClientBuilder::new(options.brokers.clone())
            .client_id("millstream-produce")
            .backoff_config(backoff);
        let client = within(options.retry_for, builder.build()).await.map_err(no_broker)?;
        let no_topic = |cause| DeviceError::NoTopic { topic: topic.clone(), cause };
        let partitions = match partitions(&client, options).await.map_err(no_broker)? {
            Some(partitions) => partitions,
            None => make_topic(&client, options).await.map_err(no_topic)?,
        };
        let mut clients = Vec::new();
        for partition in 0..partitions {
            let opening =
                client.partition_client(topic.clone(), partition, UnknownTopicHandling::Retry);
            clients.push(within(options.retry_for, opening).await.map_err(no_topic)?.into());
        }
        let summary = ProduceSummary { topic: topic.clone(), ..ProduceSummary::default() };
        Ok(Self { clients, retry_for: options.retry_for, summary })
    }

    /// The next `count` readings as records, by partition.
    fn batches(
        &self,
        readings: &mut Readings,
        count: u64,
        options: &ProduceOptions,
    ) -> Result<BTreeMap<i32, Vec<Record>>, DeviceError> {
        let mut batches: BTreeMap<i32, Vec<Record>> = BTreeMap::new();
        for _ in 0..count {
            let reading = match &options.clock {
                Some(clock) => Some(readings.next_at(clock())),
                None => readings.next(),
            };
            let Some(reading) = reading else { break };
            let partition = options.table.partition(&reading.model, self.clients.len() as i32);
            batches.entry(partition).or_default().push(record(options.format, &reading)?);
        }
        Ok(batches)
    }

    /// Writes a round: all partitions at once, done when the last has acknowledged.
    async fn write(&mut self, batches: BTreeMap<i32, Vec<Record>>) -> Result<(), DeviceError> {
        let mut writes = JoinSet::new();
        for (partition, records) in batches {
            let client = self.clients[partition as usize].clone();
            let retry_for = self.retry_for;
            writes.spawn(async move {
                let offsets =
                    within(retry_for, client.produce(records, Compression::NoCompression)).await;
                (partition, offsets)
            });
        }
        let mut failed = None;
        while let Some(written) = writes.join_next().await {
            match written.map_err(|error| error.to_string()) {
                Ok((partition, Ok(offsets))) => self.summary.add(partition, &offsets),
                Ok((partition, Err(cause))) => failed = Some((partition, cause)),
                Err(cause) => failed = Some((-1, cause)),
            }
        }
        match failed {
            None => Ok(()),
            Some((partition, cause)) => {
                Err(DeviceError::NotWritten { topic: self.summary.topic.clone(), partition, cause })
            }
        }
    }
}

/// A reading as a record: no key, dated with its arrival.
fn record(format: ReadingFormat, reading: &Reading) -> Result<Record, DeviceError> {
    Ok(Record {
        key: None,
        value: Some(format.encode(reading)?),
        headers: BTreeMap::new(),
        timestamp: DateTime::from_timestamp_millis(reading.arrival_ms).unwrap_or_default(),
    })
}

/// How many partitions the topic has; none if it does not exist.
async fn partitions(client: &Client, options: &ProduceOptions) -> Result<Option<i32>, String> {
    let topics = within(options.retry_for, client.list_topics()).await?;
    let found = topics.into_iter().find(|topic| topic.name == options.topic);
    Ok(found.map(|topic| topic.partitions.len() as i32).filter(|&partitions| partitions > 0))
}

async fn make_topic(client: &Client, options: &ProduceOptions) -> Result<i32, String> {
    let controller = client.controller_client().map_err(|error| cause(&error))?;
    let timeout_ms = options.retry_for.as_millis().min(30_000) as i32;
    let making = controller.create_topic(&options.topic, PARTITIONS, REPLICATION, timeout_ms);
    match timeout(options.retry_for, making).await {
        Ok(Ok(())) => Ok(PARTITIONS),
        // Another producer was faster; take the topic as it is.
        Ok(Err(KafkaError::ServerError {
            protocol_error: ProtocolError::TopicAlreadyExists,
            ..
        })) => made_elsewhere(client, options).await,
        Ok(Err(error)) => Err(cause(&error)),
        Err(_) => Err(no_answer(options.retry_for)),
    }
}

/// The partitions of a topic that the controller knows, as soon as the brokers that are asked have heard of it.
async fn made_elsewhere(client: &Client, options: &ProduceOptions) -> Result<i32, String> {
    let heard = async {
        loop {
            if let Some(partitions) = partitions(client, options).await? {
                return Ok(partitions);
            }
            sleep(METADATA_POLL).await;
        }
    };
    timeout(options.retry_for, heard).await.unwrap_or_else(|_| Err(no_answer(options.retry_for)))
}

/// `future`'s result, or why there is none; the client itself has no time limit on an answer.
async fn within<T>(
    limit: Duration,
    future: impl Future<Output = Result<T, KafkaError>>,
) -> Result<T, String> {
    match timeout(limit, future).await {
        Ok(result) => result.map_err(|error| cause(&error)),
        Err(_) => Err(no_answer(limit)),
    }
}

fn no_answer(limit: Duration) -> String {
    format!("no answer within {} s", limit.as_secs())
}

/// The broker's words where it has any; the client's own text repeats request and response in full.
fn cause(error: &KafkaError) -> String {
    match error {
        KafkaError::ServerError { protocol_error, error_message: Some(message), .. } => {
            format!("{protocol_error}: {message}")
        }
        KafkaError::ServerError { protocol_error, .. } => protocol_error.to_string(),
        // Of nested texts only the innermost says what happened.
        other => {
            let text = other.to_string();
            text.rsplit("Source: ").next().unwrap_or(&text).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn due(rate: f64, rounds: usize) -> Vec<u64> {
        let mut source = Rounds::new(Some(rate));
        let mut due = Vec::new();
        for _ in 0..rounds {
            due.push(source.next().await);
        }
        due
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_by_rounds_of_whole_readings() {
        assert_eq!(due(10.0, 5).await, [1; 5]);
        assert_eq!(due(100.0, 5).await, [5; 5]);
        assert_eq!(due(30.0, 8).await, [1, 2, 1, 2, 1, 2, 1, 2]);
        assert_eq!(due(0.5, 2).await, [1, 1]);
        assert_eq!(due(1_000_000.0, 2).await, [ROUND_READINGS; 2]);
    }

    #[test]
    fn a_summary_tells_each_partition() {
        let mut summary = ProduceSummary { topic: "t".to_owned(), ..ProduceSummary::default() };
        summary.add(2, &[10, 11]);
        summary.add(0, &[0]);
        summary.add(2, &[12]);
        assert_eq!(
            summary.to_string(),
            "4 readings acknowledged on 't'\n  partition 0: 1 readings, offsets 0 to 0\n  partition 2: 3 readings, offsets 10 to 12\n"
        );
    }

    #[tokio::test]
    async fn a_broker_that_is_not_there_is_named() {
        let options = ProduceOptions {
            // Nothing listens on the port that a bound and dropped socket had.
            brokers: vec![
                std::net::TcpListener::bind("127.0.0.1:0")
                    .unwrap()
                    .local_addr()
                    .unwrap()
                    .to_string(),
            ],
            topic: "t".to_owned(),
            format: ReadingFormat::Json,
            table: PartitionTable::default(),
            rate: None,
            count: Some(1),
            retry_for: Duration::from_millis(300),
            clock: None,
            shows_progress: false,
        };
        let readings = Readings::new(1, 3, crate::devices::Pace { start_ms: 0, interval_us: 0 });
        let error = produce(readings, options.clone(), std::future::pending())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("no Kafka broker answers at {}", options.brokers[0])),
            "{error}"
        );
    }
}
