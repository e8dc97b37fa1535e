//! Writes readings to Kafka: invented ones, or lines of JSON. What a topic's schema does not take is left out, or nothing is
//! written at all.

use std::{future::Future, path::PathBuf, pin::pin, time::Duration};

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::feed::{Feed, ReadingSource, Spread};
use super::produced::ProduceSummary;
use super::readings::MODELS;
use super::refused::{OnInvalid, Refused};
use super::spelling::{Speller, Spelling};
use super::topic_writer::TopicWriter;
use super::{DeviceError, PartitionTable, progress};
use crate::kafka::ClientConfig;

/// Readings sent in one round when no rate holds them back, and the most in any.
const ROUND_READINGS: u64 = 5_000;
/// The shortest time between two rounds at a given rate.
const TICK_MIN: Duration = Duration::from_millis(50);
/// How long a round that is under way may still take after the user asked to stop.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// What to write, and where.
#[derive(Clone, Debug)]
pub struct ProduceOptions {
    /// The brokers, and how they are reached.
    pub kafka: ClientConfig,
    /// The topic; made with three partitions if it does not exist.
    pub topic: String,
    /// How readings are spelled.
    pub spelling: Spelling,
    /// Which partition a model's readings go to.
    pub table: PartitionTable,
    /// Readings a second; none for as many as the broker takes.
    pub rate: Option<f64>,
    /// Readings in all; none for as many as come until the user stops.
    pub count: Option<u64>,
    /// How long a write is retried before the producer gives up.
    pub retry_for: Duration,
    /// What becomes of readings that the topic's schema does not take.
    pub on_invalid: OnInvalid,
    /// Where these are kept, as they came.
    pub rejected: Option<PathBuf>,
    /// Whether a bar on the terminal shows how far it is.
    pub shows_progress: bool,
}

/// Writes readings until they end, the count is reached or `stop` resolves; then says what was acknowledged.
///
/// A round that is under way when `stop` resolves is still finished.
pub async fn produce(
    source: ReadingSource,
    options: ProduceOptions,
    stop: impl Future<Output = ()>,
) -> Result<ProduceSummary, DeviceError> {
    let mut stop = pin!(stop);
    if let ReadingSource::Invented(..) = source {
        options.table.check_models(&MODELS)?;
    }
    let speller = Speller::new(&options.spelling, &options.topic).await?;
    let refused = Refused::new(options.on_invalid, options.rejected.as_deref())?;
    let mut writer = TopicWriter::open(&options.kafka, &options.topic, options.retry_for).await?;
    options.table.check_partitions(&options.topic, writer.partitions())?;
    let spread = Spread {
        table: options.table,
        partitions: writer.partitions(),
        value_bytes_max: writer.value_bytes_max(),
    };
    let mut feed = Feed::new(source, speller, spread, refused);
    feed.check_first().await?;
    let bar = progress::bar(options.count, options.shows_progress);
    let mut rounds = Rounds::new(options.rate);
    let mut left = options.count.unwrap_or(u64::MAX);
    let mut is_over = false;
    while left > 0 && !is_over {
        let round = async {
            let due = rounds.next().await.min(left);
            feed.round(due).await
        };
        let round = tokio::select! {
            biased;
            () = &mut stop => break,
            round = round => round?,
        };
        is_over = round.is_over;
        let mut write = pin!(writer.write(&round.records));
        tokio::select! {
            result = &mut write => result?,
            () = &mut stop => {
                is_over = true;
                // Unanswered after the grace: those readings are not in the summary.
                if let Ok(result) = timeout(STOP_GRACE, write).await {
                    result?;
                }
            }
        }
        left -= round.taken;
        bar.inc(round.taken);
    }
    bar.finish_and_clear();
    Ok(ProduceSummary { refused: feed.finish()?, ..writer.into_summary() })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::{ReadingFormat, Readings};

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

    #[tokio::test]
    async fn a_broker_that_is_not_there_is_named() {
        // Nothing listens on the port that a bound and dropped socket had.
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let nowhere = nowhere.to_string();
        let options = ProduceOptions {
            kafka: ClientConfig::new(&nowhere).unwrap(),
            topic: "t".to_owned(),
            spelling: Spelling::Plain(ReadingFormat::Json),
            table: PartitionTable::default(),
            rate: None,
            count: Some(1),
            retry_for: Duration::from_millis(300),
            on_invalid: OnInvalid::Skip,
            rejected: None,
            shows_progress: false,
        };
        let readings = Readings::new(1, 3, crate::devices::Pace { start_ms: 0, interval_us: 0 });
        let source = ReadingSource::Invented(Box::new(readings), None);
        let error = produce(source, options, std::future::pending()).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("no Kafka broker answers at {nowhere}")), "{error}");
    }
}
