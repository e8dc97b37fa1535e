//! `millstream produce` and `millstream consume`.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    io::{IsTerminal, Write},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use millstream::devices::{
    self, Clock, ConsumeOptions, From as StartAt, Pace, PartitionTable, ProduceOptions,
    REGISTRY_TOPIC, ReadingFormat, Readings, RegisterOptions, View,
};
use millstream::kafka::{ClientConfig, Cluster};

use crate::args::{ConsumeArgs, Format, ProduceArgs, RegisterArgs, Start};

/// Where seeded readings begin unless told otherwise.
const SEEDED_START_MS: i64 = 1_700_000_000_000;
/// Kafka's default retention: a topic drops what is dated longer ago.
const RETENTION_MS: i64 = 7 * 24 * 3_600 * 1_000;

impl From<Format> for ReadingFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Json => Self::Json,
            Format::Protobuf => Self::Protobuf,
        }
    }
}

/// Writes readings until the count is reached or the user stops, then says what was acknowledged.
pub(crate) async fn produce(args: ProduceArgs) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.rate >= 0.0 && args.rate.is_finite(),
        "--rate is readings a second, 0 or more"
    );
    let clock: Clock = Arc::new(now_ms);
    let live = args.seed.is_none() && args.start.is_none();
    let start_ms = args.start.unwrap_or(if live { clock() } else { SEEDED_START_MS });
    if !live && start_ms < clock() - RETENTION_MS {
        eprintln!(
            "note: these readings are dated long ago; a topic that keeps Kafka's 7 days drops them soon"
        );
    }
    // Without a rate to keep to, seeded readings are a millisecond apart.
    let interval_us = if args.rate > 0.0 { (1e6 / args.rate) as i64 } else { 1_000 };
    let seed = args.seed.unwrap_or_else(any_seed);
    let readings = Readings::new(seed, args.devices, Pace { start_ms, interval_us });
    let format = ReadingFormat::from(args.format);
    let options = ProduceOptions {
        brokers: args.brokers,
        topic: args.topic.unwrap_or_else(|| format.topic().to_owned()),
        format,
        table: PartitionTable::with_entries(args.partitions.iter().map(String::as_str))?,
        rate: (args.rate > 0.0).then_some(args.rate),
        count: args.count,
        retry_for: Duration::from_secs(args.retry_for),
        clock: live.then_some(clock),
        shows_progress: true,
    };
    let summary = devices::produce(readings, options, stop_signal()).await?;
    Ok(write!(std::io::stdout(), "{summary}")?)
}

/// Writes a registry of the devices, once.
pub(crate) async fn register(args: RegisterArgs) -> anyhow::Result<()> {
    let brokers = ("bootstrap.servers".to_owned(), args.brokers.join(","));
    let config = ClientConfig::from_properties(&BTreeMap::from([brokers]))?;
    let cluster = Cluster::new(config)?;
    let registrations = devices::registrations(args.seed, args.devices);
    let options = RegisterOptions {
        topic: args.topic.unwrap_or_else(|| REGISTRY_TOPIC.to_owned()),
        partitions: args.partitions,
        at_ms: now_ms(),
    };
    let count = devices::register(&cluster, registrations, &options).await?;
    Ok(writeln!(std::io::stdout(), "{count} devices registered on '{}'", options.topic)?)
}

/// Watches readings until the user stops, then says what it saw.
pub(crate) async fn consume(args: ConsumeArgs) -> anyhow::Result<()> {
    anyhow::ensure!(args.every > 0.0 && args.every <= 86_400.0, "--every is seconds, more than 0");
    let format = ReadingFormat::from(args.format);
    let options = ConsumeOptions {
        brokers: args.brokers,
        topic: args.topic.unwrap_or_else(|| format.topic().to_owned()),
        format,
        group: args.group,
        from: match args.from {
            Start::Earliest => StartAt::Earliest,
            Start::Latest => StartAt::Latest,
        },
        interval: Duration::from_secs_f64(args.every),
        retry_for: Duration::from_secs(args.retry_for),
        clock: Arc::new(now_ms),
    };
    let out = std::io::stdout();
    let view = if out.is_terminal() { View::Table(out) } else { View::Lines(out) };
    let summary = devices::consume(options, view, stop_signal()).await?;
    // Standard output is for the statistics, which another program may read.
    eprint!("{summary}");
    Ok(())
}

/// A seed that differs from run to run. The standard library draws it from the kernel; `rand` in a static binary would
/// read it from a file under /dev, which an empty root does not have.
pub(crate) fn any_seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// Resolves at the first Ctrl-C or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[expect(clippy::disallowed_methods, reason = "the command hands the clock to the layers below")]
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
