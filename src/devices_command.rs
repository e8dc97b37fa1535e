//! `millstream produce` and `millstream consume`.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    io::{IsTerminal, Write},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use millstream::devices::{
    self, Clock, ConsumeOptions, From as StartAt, Lines, OnInvalid, Pace, PartitionTable,
    ProduceOptions, REGISTRY_TOPIC, ReadingFormat, ReadingSource, Readings, RegisterOptions,
    Spelling, View,
};
use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::{RegistryClient, RegistryConfig, SchemaType};
use tokio::io::BufReader;

use crate::args::{ConsumeArgs, Format, Invalid, ProduceArgs, RegisterArgs, SchemaArgs, Start};
use crate::run_command;

/// Where seeded readings begin unless told otherwise.
const SEEDED_START_MS: i64 = 1_700_000_000_000;
/// Kafka's default retention: a topic drops what is dated longer ago.
const RETENTION_MS: i64 = 7 * 24 * 3_600 * 1_000;

/// Readings a second, where nothing is said of invented ones.
const RATE: f64 = 10.0;

/// How readings are spelled.
fn spelling(format: Format, schemas: &SchemaArgs) -> anyhow::Result<Spelling> {
    let Some(urls) = &schemas.schema_registry else {
        return Ok(Spelling::Plain(match format {
            Format::Json => ReadingFormat::Json,
            Format::Protobuf => ReadingFormat::Protobuf,
            Format::Avro => anyhow::bail!("avro needs --schema-registry URL"),
        }));
    };
    let mut properties = BTreeMap::from([("ksql.schema.registry.url".to_owned(), urls.clone())]);
    for property in &schemas.properties {
        let (name, value) = run_command::name_and_value(property)?;
        properties.insert(name.to_owned(), value.to_owned());
    }
    let config =
        RegistryConfig::from_properties(&properties)?.context("--schema-registry: no URL")?;
    let language = match format {
        Format::Json => SchemaType::Json,
        Format::Protobuf => SchemaType::Protobuf,
        Format::Avro => SchemaType::Avro,
    };
    Ok(Spelling::Registered(language, RegistryClient::new(config)?))
}

/// Lines of a file, or of standard input.
async fn lines(path: &Path) -> anyhow::Result<Lines> {
    if path == Path::new("-") {
        return Ok(Lines::new(BufReader::new(tokio::io::stdin())));
    }
    let file = tokio::fs::File::open(path).await;
    let file = file.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Lines::new(BufReader::new(file)))
}

/// Writes readings until the count is reached or the user stops, then says what was acknowledged.
pub(crate) async fn produce(args: ProduceArgs) -> anyhow::Result<()> {
    run_command::start_tracing("warn");
    let rate = args.rate.unwrap_or(if args.from.is_some() { 0.0 } else { RATE });
    anyhow::ensure!(rate >= 0.0 && rate.is_finite(), "--rate is readings a second, 0 or more");
    let clock: Clock = Arc::new(now_ms);
    let live = args.seed.is_none() && args.start.is_none();
    let start_ms = args.start.unwrap_or(if live { clock() } else { SEEDED_START_MS });
    if args.from.is_none() && !live && start_ms < clock() - RETENTION_MS {
        eprintln!(
            "note: these readings are dated long ago; a topic that keeps Kafka's 7 days drops them soon"
        );
    }
    // Without a rate to keep to, seeded readings are a millisecond apart.
    let interval_us = if rate > 0.0 { (1e6 / rate) as i64 } else { 1_000 };
    let seed = args.seed.unwrap_or_else(any_seed);
    if let (Some(from), Some(rejected)) = (&args.from, &args.rejected)
        && let (Ok(from), Ok(to)) = (from.canonicalize(), rejected.canonicalize())
    {
        anyhow::ensure!(from != to, "--from and --rejected are the same file");
    }
    let source = if let Some(path) = &args.from {
        ReadingSource::Lines(lines(path).await?, clock)
    } else {
        let readings = Readings::new(seed, args.devices, Pace { start_ms, interval_us });
        ReadingSource::Invented(Box::new(readings), live.then_some(clock))
    };
    let spelling = spelling(args.format, &args.schemas)?;
    let options = ProduceOptions {
        brokers: args.brokers,
        topic: args.topic.unwrap_or_else(|| spelling.topic().to_owned()),
        spelling,
        table: PartitionTable::with_entries(args.partitions.iter().map(String::as_str))?,
        rate: (rate > 0.0).then_some(rate),
        count: args.count,
        retry_for: Duration::from_secs(args.retry_for),
        on_invalid: match args.on_invalid {
            Invalid::Skip => OnInvalid::Skip,
            Invalid::Stop => OnInvalid::Stop,
        },
        rejected: args.rejected,
        shows_progress: std::io::stderr().is_terminal(),
    };
    let summary = devices::produce(source, options, stop_signal()).await?;
    write!(std::io::stdout(), "{summary}")?;
    let all_are_refused = summary.refused.readings > 0 && summary.readings() == 0;
    anyhow::ensure!(!all_are_refused, "every reading was refused");
    Ok(())
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
    // A table on the screen is not written over.
    let is_screen = std::io::stdout().is_terminal();
    run_command::start_tracing(if is_screen { "error" } else { "warn" });
    let spelling = spelling(args.format, &args.schemas)?;
    let options = ConsumeOptions {
        brokers: args.brokers,
        topic: args.topic.unwrap_or_else(|| spelling.topic().to_owned()),
        spelling,
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
