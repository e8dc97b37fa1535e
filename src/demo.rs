//! `millstream demo`: broker, readings, queries and a live summary in one process.
//!
//! ```text
//! Readings ─→ embedded broker ◀─▶ server (the code that `server` runs) with the queries, registry of schemas
//!                   └─→ watch ─→ summary ─→ screen, or JSON lines
//! ```
//! What is shown comes from the topics alone, as any Kafka client could read them.

mod device_table;
mod panels;
mod ports;
mod screen;
mod summary;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::devices::{
    self, Clock, OnInvalid, Pace, PartitionTable, ProduceOptions, ProduceSummary, REGISTRY_TOPIC,
    ReadingFormat, ReadingSource, Readings, RegisterOptions, Spelling,
};
use millstream::engine::headless::{self, HeadlessError};
use millstream::engine::host::{Host, HostOptions, Request};
use millstream::engine::{Properties, Services};
use millstream::kafka::ClientConfig;
use millstream::kafka::admin::Admin;
use millstream::registry::SchemaType;
use millstream::runtime::clock;
use millstream::runtime::live::ensure_topic;
use millstream::server::{Server, ServerOptions};
use millstream::terminal::Key;
use tokio::sync::watch as signal;
use tokio::task::JoinSet;

use crate::args::DemoArgs;
use crate::devices_command::{any_seed, now_ms};
use crate::files::Files;
use crate::{registry_command, run_command};
use panels::Header;
use screen::Screen;
use summary::{Places, Summary};
use watch::Watch;

/// The SQL of the demo, as it is beside the source.
const SQL: [(&str, &str); 2] = [
    ("ksql/device.sql", include_str!("../ksql/device.sql")),
    ("ksql/transitions.sql", include_str!("../ksql/transitions.sql")),
];

/// Partitions of the topics of readings.
const PARTITIONS: i32 = 3;
/// Devices of each of the four models.
const DEVICES: u32 = 3;

/// The registry of the devices is the same in each demo.
const REGISTRY_SEED: u64 = 1;
/// How often the screen is drawn.
const REDRAW: Duration = Duration::from_millis(250);
/// How often a JSON line is written.
const LINE: Duration = Duration::from_secs(1);
/// How long the broker may take for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the queries are told unless the command line says otherwise: all readings from the first on,
/// and results twice a second.
const PROPERTIES: [(&str, &str); 2] =
    [("auto.offset.reset", "earliest"), ("commit.interval.ms", "500")];

/// Runs until the user stops it, or the duration is over.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.rate >= 0.0 && args.rate.is_finite(),
        "--rate is readings a second, 0 or more"
    );
    let duration = args.duration.map(Duration::try_from_secs_f64).transpose();
    let duration = duration.context("--duration is seconds, 0 or more")?;
    let stopped = run_command::stop_signal()?;
    let is_screen = run_command::is_screen();
    if !is_screen || !std::io::stderr().is_terminal() {
        run_command::start_tracing("warn,millstream::kafka::fetch=error");
    }
    let files = if args.sql.is_empty() { Files::new(SQL) } else { Files::read(&args.sql)? };
    let kafka_port = ports::chosen(args.kafka_port, 9_092, "--kafka-port");
    let registry_port = ports::chosen(args.registry_port, 8_081, "--registry-port");
    let config = EmbeddedConfig { port: kafka_port, ..EmbeddedConfig::default() };
    let host = config.host;
    let broker = EmbeddedBroker::start(config).await?;
    let registry = registry_command::start(&broker, host, registry_port, None).await?;
    if !is_screen {
        eprintln!(
            "Kafka clients connect to {}; the Schema Registry is {}; Ctrl-C ends the demo.",
            broker.bootstrap(),
            registry.url()
        );
    }
    let ended = async {
        tokio::select! {
            () = stopped => {}
            () = tokio::time::sleep(duration.unwrap_or(Duration::MAX)) => {}
        }
    };
    let demo = Demo::start(&args, &files, broker.bootstrap(), registry.url()).await?;
    if !is_screen {
        eprintln!(
            "ksqlDB's REST API is {}: `millstream sql {0}` looks at it, and a browser at {0}/ shows the devices.",
            demo.places.rest
        );
    }
    let shown = demo.show(Box::pin(ended), is_screen).await;
    registry.shutdown().await;
    broker.shutdown().await;
    shown
}

/// All that runs beside the broker.
struct Demo {
    places: Places,
    host: Arc<Host>,
    server: Server,
    watch: Watch,
    producers: JoinSet<Result<ProduceSummary, devices::DeviceError>>,
    stop_producers: signal::Sender<bool>,
    summary: Summary,
}

impl Demo {
    async fn start(
        args: &DemoArgs,
        files: &Files,
        bootstrap: String,
        registry: String,
    ) -> anyhow::Result<Self> {
        let mut properties = run_command::properties(&args.properties, Some(&bootstrap))?;
        run_command::warn_of(&properties);
        for (name, value) in PROPERTIES {
            run_command::set_default(&mut properties, name, value);
        }
        properties.set("ksql.schema.registry.url", registry.as_str());
        properties.set("bootstrap.servers", bootstrap.as_str());
        let services = Services::new(&properties)?;
        prepare(&services, files, &properties).await?;
        let options = HostOptions {
            workers: run_command::workers(&properties)?,
            properties,
            instance: u64::from(std::process::id()),
            stop_within: PATIENCE,
        };
        let host = Arc::new(Host::start(services.clone(), options).await?);
        let rest_port = ports::chosen(args.rest_port, 8_088, "--rest-port");
        let address = SocketAddr::from(([127, 0, 0, 1], rest_port));
        let server = Server::start(Arc::clone(&host), ServerOptions::new(address)).await;
        let server = server.context("--rest-port, or 0 for any that is free")?;
        let statements = Request { text: files.text().to_string(), ..Request::default() };
        host.run(&statements).await.with_context(|| files.names())?;
        let queries = host.queries();
        let plans = || queries.iter().map(|query| &query.plan);
        let sources: BTreeSet<&str> = plans()
            .flat_map(|plan| plan.sources().map(|(_, source)| source.topic.as_str()))
            .collect();
        let sinks = plans().map(|plan| plan.sink.topic.as_str());
        let topics: BTreeSet<&str> = sources.iter().copied().chain(sinks).collect();
        let watch = Watch::open(&services.cluster, &topics).await?;
        let (stop_producers, stopped) = signal::channel(false);
        let mut producers = JoinSet::new();
        for spelling in spellings(&services) {
            if sources.contains(spelling.topic()) {
                let kafka = services.cluster.config().clone();
                producers.spawn(produce(args, spelling, kafka, stopped.clone()));
            }
        }
        let rest = format!("http://{}", server.address());
        let places = Places { bootstrap, registry, rest };
        let mut summary = Summary::default();
        watch.topics().for_each(|(topic, content)| summary.add_topic(topic, content));
        Ok(Self { places, host, server, watch, producers, stop_producers, summary })
    }

    /// Shows how it goes until `ended`, or until nobody reads what is shown; then stops everything,
    /// and shows what came of it.
    async fn show(
        mut self,
        ended: Pin<Box<impl Future<Output = ()>>>,
        is_screen: bool,
    ) -> anyhow::Result<()> {
        let mut view = if is_screen { View::Screen(Screen::open()?) } else { View::Lines };
        let ran = self.watch_until(ended, &mut view).await;
        self.stop_producers.send_replace(true);
        let produced = self.join_producers().await;
        self.server.stop().await;
        // Requests that are under way may hold it too; what they have not done is left.
        let stopped = match Arc::into_inner(self.host) {
            Some(host) => host.stop().await,
            None => None,
        };
        if let Some(status) = stopped {
            self.summary.end(status.queries);
        }
        let drained = self.watch.drain(&mut self.summary).await;
        let header = Header { places: &self.places, elapsed: ran.elapsed };
        let last = view.close(&self.summary, &header);
        ran.outcome.and(produced).and(drained)?;
        ignore_broken_pipe(last)
    }

    async fn watch_until(
        &mut self,
        mut ended: Pin<Box<impl Future<Output = ()>>>,
        view: &mut View,
    ) -> Ran {
        let began = clock::instant();
        let mut ticks = tokio::time::interval(view.interval());
        let outcome = loop {
            tokio::select! {
                biased;
                () = &mut ended => break Ok(()),
                _ = ticks.tick() => {
                    let status = self.host.status();
                    let has_failed = status.has_failed();
                    self.summary.queries = status.queries;
                    self.summary.sample(began.elapsed());
                    let header = Header { places: &self.places, elapsed: began.elapsed() };
                    if let Err(error) = view.show(&self.summary, &header) {
                        break ignore_broken_pipe(Err(error));
                    }
                    if has_failed {
                        break Err(anyhow::anyhow!("every query has failed: {}", self.summary.causes()));
                    }
                }
                key = view.key() => {
                    if !view.follow(key) {
                        break Ok(());
                    }
                    let header = Header { places: &self.places, elapsed: began.elapsed() };
                    if let Err(error) = view.show(&self.summary, &header) {
                        break ignore_broken_pipe(Err(error));
                    }
                }
                Some(produced) = self.producers.join_next() => {
                    if let Err(error) = finished(produced) {
                        break Err(error);
                    }
                }
                fetched = self.watch.poll(LINE) => match fetched {
                    Ok(fetched) => self.watch.add(&fetched, &mut self.summary),
                    Err(error) => break Err(error),
                }
            }
        };
        Ran { outcome, elapsed: began.elapsed() }
    }

    async fn join_producers(&mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while let Some(produced) = self.producers.join_next().await {
            outcome = outcome.and(finished(produced));
        }
        outcome
    }
}

/// How the showing ended.
struct Ran {
    outcome: anyhow::Result<()>,
    elapsed: Duration,
}

fn finished(
    produced: Result<Result<ProduceSummary, devices::DeviceError>, tokio::task::JoinError>,
) -> anyhow::Result<()> {
    produced.context("the producer of readings ended")?.map(drop).map_err(Into::into)
}

/// All spellings of readings.
fn spellings(services: &Services) -> Vec<Spelling> {
    let plain = [ReadingFormat::Json, ReadingFormat::Protobuf].map(Spelling::Plain);
    let registered = services.registry.iter().flat_map(|registry| {
        SchemaType::ALL.map(|language| Spelling::Registered(language, registry.clone()))
    });
    plain.into_iter().chain(registered).collect()
}

/// Makes the topics of readings that the statements name, with their schemas, and checks the statements.
async fn prepare(
    services: &Services,
    files: &Files,
    properties: &Properties,
) -> anyhow::Result<()> {
    let cluster = &services.cluster;
    let admin = Admin::new(cluster);
    for spelling in spellings(services) {
        let topic = spelling.topic();
        if files.text().contains(&format!("'{topic}'")) {
            ensure_topic(&admin, topic, PARTITIONS, 1, &BTreeMap::new()).await?;
            spelling.register(topic).await?;
        }
    }
    if files.text().contains(REGISTRY_TOPIC) {
        let options = RegisterOptions {
            topic: REGISTRY_TOPIC.to_owned(),
            partitions: PARTITIONS,
            at_ms: now_ms(),
        };
        let registry = devices::registrations(REGISTRY_SEED, DEVICES);
        devices::register(cluster, registry, &options).await?;
    }
    let checked = headless::check_against(services, files.text(), properties).await?;
    if checked.faults.is_empty() {
        return Ok(());
    }
    files.show(&checked.faults);
    Err(HeadlessError::Statements(checked.faults)).with_context(|| files.names())
}

/// Writes readings, dated as they are sent, until the count is reached or the demo stops.
fn produce(
    args: &DemoArgs,
    spelling: Spelling,
    kafka: ClientConfig,
    mut stopped: signal::Receiver<bool>,
) -> impl Future<Output = Result<ProduceSummary, devices::DeviceError>> + Send + 'static {
    let clock: Clock = Arc::new(now_ms);
    let seed = args.seed.unwrap_or_else(any_seed);
    let readings = Readings::new(seed, DEVICES, Pace { start_ms: 0, interval_us: 0 });
    let options = ProduceOptions {
        kafka,
        topic: spelling.topic().to_owned(),
        spelling,
        table: PartitionTable::default(),
        rate: (args.rate > 0.0).then_some(args.rate),
        count: args.count,
        retry_for: PATIENCE,
        on_invalid: OnInvalid::Skip,
        rejected: None,
        shows_progress: false,
    };
    let source = ReadingSource::Invented(Box::new(readings), Some(clock));
    devices::produce(source, options, async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    })
}

/// How the summary is shown.
enum View {
    /// Redrawn in place.
    Screen(Screen),
    /// JSON lines.
    Lines,
}

impl View {
    fn interval(&self) -> Duration {
        match self {
            Self::Screen(_) => REDRAW,
            Self::Lines => LINE,
        }
    }

    /// The next key that is typed.
    async fn key(&mut self) -> Key {
        match self {
            Self::Screen(screen) => screen.key().await,
            Self::Lines => std::future::pending().await,
        }
    }

    /// Does what a key asks for; false if it asks to end.
    fn follow(&mut self, key: Key) -> bool {
        match self {
            Self::Screen(screen) => screen.follow(key),
            Self::Lines => true,
        }
    }

    fn show(&mut self, summary: &Summary, header: &Header<'_>) -> std::io::Result<()> {
        match self {
            Self::Screen(screen) => screen.draw(summary, header),
            Self::Lines => {
                let line = summary.to_json(header.places, header.elapsed);
                let mut out = std::io::stdout();
                writeln!(out, "{line}")?;
                out.flush()
            }
        }
    }

    /// Shows the last state so that it stays, and gives the terminal back.
    fn close(self, summary: &Summary, header: &Header<'_>) -> std::io::Result<()> {
        match self {
            Self::Screen(screen) => screen.close(summary, header),
            Self::Lines => Self::Lines.show(summary, header),
        }
    }
}

/// Whoever reads the output may go; that is no fault.
fn ignore_broken_pipe(written: std::io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
