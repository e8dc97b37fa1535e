//! `millstream produce` and `millstream consume`.

use std::{
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
use millstream::engine::{Properties, registry};
use millstream::kafka::config::OffsetReset;
use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::SchemaType;
use tokio::io::BufReader;

use crate::args::{
    ConsumeArgs, DeviceKafkaArgs, Format, Invalid, ProduceArgs, ReadingArgs, RegisterArgs, Start,
};
use crate::run_command::{self, LOCAL_BROKERS};

/// Where seeded readings begin unless told otherwise.
const SEEDED_START_MS: i64 = 1_700_000_000_000;
/// Kafka's default retention: a topic drops what is dated longer ago.
const RETENTION_MS: i64 = 7 * 24 * 3_600 * 1_000;

/// How long brokers are tried where nothing is said.
const RETRY_FOR: Duration = Duration::from_secs(30);

/// The group of those who watch, where nothing is said.
const GROUP: &str = "millstream-monitor";

/// Readings a second, where nothing is said of invented ones.
const RATE: f64 = 10.0;

/// Where readings are, as the command line and its properties say it.
struct Place {
    properties: Properties,
    kafka: ClientConfig,
    spelling: Spelling,
}

impl Place {
    fn new(format: Format, args: &ReadingArgs, client: &str) -> anyhow::Result<Self> {
        let mut properties = properties(&args.kafka)?;
        if let Some(urls) = &args.schema_registry {
            properties.set("ksql.schema.registry.url", urls);
        }
        let spelling = match (registry(&properties)?, format) {
            (Some(registry), Format::Json) => Spelling::Registered(SchemaType::Json, registry),
            (Some(registry), Format::Protobuf) => {
                Spelling::Registered(SchemaType::Protobuf, registry)
            }
            (Some(registry), Format::Avro) => Spelling::Registered(SchemaType::Avro, registry),
            (None, Format::Json) => Spelling::Plain(ReadingFormat::Json),
            (None, Format::Protobuf) => Spelling::Plain(ReadingFormat::Protobuf),
            (None, Format::Avro) => anyhow::bail!("avro needs --schema-registry URL"),
        };
        let kafka = kafka(&properties, client)?;
        Ok(Self { properties, kafka, spelling })
    }

    /// How long brokers are tried: as the command line says, or the property.
    fn retry_for(&self, args: &ReadingArgs, property: (&str, Duration)) -> Duration {
        let (name, value) = property;
        let said = self.properties.get(name).map(|_| value);
        args.retry_for.map(Duration::from_secs).or(said).unwrap_or(RETRY_FOR)
    }
}

/// The properties of the command line, with brokers among them.
fn properties(args: &DeviceKafkaArgs) -> anyhow::Result<Properties> {
    let servers = args.bootstrap_servers.as_deref();
    let mut properties = run_command::properties(&args.properties, servers)?;
    run_command::warn_of_unknown(&properties);
    run_command::set_default(&mut properties, "bootstrap.servers", LOCAL_BROKERS);
    Ok(properties)
}

/// How brokers are reached, by a client of this name unless it is given another.
fn kafka(properties: &Properties, client: &str) -> anyhow::Result<ClientConfig> {
    let mut properties = properties.clone();
    run_command::set_default(&mut properties, "client.id", client);
    Ok(ClientConfig::from_properties(&properties.for_clients())?)
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
    let place = Place::new(args.format, &args.reading, "millstream-produce")?;
    let retry_for =
        place.retry_for(&args.reading, ("delivery.timeout.ms", place.kafka.delivery_timeout));
    let Place { kafka, spelling, .. } = place;
    let options = ProduceOptions {
        kafka,
        topic: args.topic.unwrap_or_else(|| spelling.topic().to_owned()),
        spelling,
        table: PartitionTable::with_entries(args.partitions.iter().map(String::as_str))?,
        rate: (rate > 0.0).then_some(rate),
        count: args.count,
        retry_for,
        on_invalid: match args.on_invalid {
            Invalid::Skip => OnInvalid::Skip,
            Invalid::Stop => OnInvalid::Stop,
        },
        rejected: args.rejected,
        shows_progress: std::io::stderr().is_terminal(),
    };
    let summary = devices::produce(source, options, run_command::stop_signal()?).await?;
    write!(std::io::stdout(), "{summary}")?;
    let all_are_refused = summary.refused.readings > 0 && summary.readings() == 0;
    anyhow::ensure!(!all_are_refused, "every reading was refused");
    Ok(())
}

/// Writes a registry of the devices, once.
pub(crate) async fn register(args: RegisterArgs) -> anyhow::Result<()> {
    run_command::start_tracing("warn");
    let cluster = Cluster::new(kafka(&properties(&args.kafka)?, "millstream-register")?)?;
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
    let is_screen = run_command::is_screen();
    run_command::start_tracing(if is_screen { "error" } else { "warn" });
    let place = Place::new(args.format, &args.reading, "millstream-consume")?;
    let retry_for =
        place.retry_for(&args.reading, ("default.api.timeout.ms", place.kafka.api_timeout));
    let group = args.group.or_else(|| place.properties.get("group.id").map(str::to_owned));
    let resets = place.properties.get("auto.offset.reset").is_some();
    let from = match (args.from, place.kafka.offset_reset) {
        (Some(Start::Latest), _) => StartAt::Latest,
        (None, OffsetReset::Latest) if resets => StartAt::Latest,
        (None, OffsetReset::None) if resets => {
            anyhow::bail!("auto.offset.reset=none: where is a new group to begin? Give --from")
        }
        _ => StartAt::Earliest,
    };
    let Place { kafka, spelling, .. } = place;
    let options = ConsumeOptions {
        kafka,
        topic: args.topic.unwrap_or_else(|| spelling.topic().to_owned()),
        spelling,
        group: group.unwrap_or_else(|| GROUP.to_owned()),
        from,
        interval: Duration::from_secs_f64(args.every),
        retry_for,
        clock: Arc::new(now_ms),
    };
    let out = std::io::stdout();
    let view = if is_screen { View::table(out) } else { View::Lines(out) };
    let summary = devices::consume(options, view, run_command::stop_signal()?).await?;
    // Standard output is for the statistics, which another program may read.
    eprint!("{summary}");
    Ok(())
}

/// A seed that differs from run to run. The standard library draws it from the kernel; `rand` in a static binary would
/// read it from a file under /dev, which an empty root does not have.
pub(crate) fn any_seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[expect(clippy::disallowed_methods, reason = "the command hands the clock to the layers below")]
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
