//! `millstream run` and `millstream check`.

use std::io::IsTerminal;
use std::net::Ipv4Addr;
use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use millstream::engine::headless::{self, Application, Checked, HeadlessError};
use millstream::engine::host::{Host, HostOptions};
use millstream::engine::{Properties, Services, registry};
use millstream::runtime::live::{InstanceOptions, InstanceStatus, QueryState};
use millstream::server::Server;

use crate::args::{CheckArgs, KafkaArgs, LogArgs, LogFormat, PropertyArgs, RunArgs};
use crate::check_table;
use crate::dry_run;
use crate::files::Files;
use crate::kafka_wait::telling;
use crate::listening::Listening;
use crate::minute_line;
use crate::otlp::Otlp;

/// Every query has failed for good.
const ALL_FAILED: u8 = 2;

/// The brokers of commands that need none to be named.
pub(crate) const LOCAL_BROKERS: &str = "localhost:9092";

/// How often a running instance looks at its queries.
const WATCH: Duration = Duration::from_millis(200);

/// Runs a file until it is told to stop: 0 after a stop, 1 if it cannot start, 2 if every query has
/// failed for good.
pub(crate) async fn run(args: RunArgs) -> ExitCode {
    start_logging(&args.log);
    match try_run(&args).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn try_run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let files = Files::read(&args.files)?;
    let mut properties = kafka_properties(&args.kafka)?;
    set_state_dir(&mut properties, args.state_dir.as_deref())?;
    warn_of(&properties);
    let services = Services::new(&properties)?;
    let otlp = Otlp::of_environment()?;
    if args.dry_run {
        return try_dry_run(&services, &files, &properties).await;
    }
    let mut stop = std::pin::pin!(stop_signal()?);
    let listening = listen(args, &mut properties).await?;
    let cluster = services.cluster.clone();
    let starting = Box::pin(start((services, properties), &files, args.stop_within, listening));
    let running = tokio::select! {
        running = telling(&cluster, starting) => running?,
        () = &mut stop => return Ok(ExitCode::SUCCESS),
    };
    let watching = watch(&running, stop);
    let has_failed = tokio::select! {
        has_failed = watching => has_failed,
        never = minute_line::tell(&running.host) => match never {},
        never = otlp.send(&running.host) => match never {},
    };
    for query in &running.stop().await.queries {
        let skipped = query.skipped.to_string();
        let comma = if skipped.is_empty() { "" } else { ", " };
        let (id, records, written) = (&query.id, query.records, query.written);
        tracing::info!("query {id}: {records} records in, {written} out{comma}{skipped}");
    }
    Ok(if has_failed { ExitCode::from(ALL_FAILED) } else { ExitCode::SUCCESS })
}

/// Shows what files would do: 1 if a statement would be refused.
#[expect(clippy::print_stdout, reason = "what a dry run finds is its output")]
async fn try_dry_run(
    services: &Services,
    files: &Files,
    properties: &Properties,
) -> anyhow::Result<ExitCode> {
    let found = headless::dry_run(services, files.text(), properties).await;
    if let Err(HeadlessError::Statements(faults)) = &found {
        files.show(faults);
    }
    let found = found.with_context(|| files.names())?;
    print!("{}", dry_run::table(&found, files));
    let is_refused = found.queries.queries.iter().any(|query| query.before.is_some());
    Ok(if is_refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Listens where the command line says, if it says so.
async fn listen(args: &RunArgs, properties: &mut Properties) -> anyhow::Result<Option<Listening>> {
    let (listeners, flag) = match (&args.listeners, args.rest_port) {
        (Some(listeners), _) => (listeners.clone(), "--listeners"),
        (None, Some(port)) => (
            format!("http://{}:{port}", Ipv4Addr::LOCALHOST),
            "--rest-port, or 0 for any that is free",
        ),
        (None, None) => return Ok(None),
    };
    let listening = Listening::start(&listeners, properties).await.context(flag)?;
    // Who asks for a query is told where it runs.
    let is_any = listeners.ends_with(":0");
    properties.set("listeners", if is_any { listening.url.clone() } else { listeners });
    Ok(Some(listening))
}

/// Prepares what files say, and starts their queries.
async fn start(
    (services, properties): (Services, Properties),
    files: &Files,
    stop_within: u64,
    listening: Option<Listening>,
) -> anyhow::Result<Running> {
    let application = prepare(&services, files, &properties, listening.is_some()).await?;
    for spec in &application.queries {
        let (source, sink) = (&spec.plan.leftmost_source().topic, &spec.plan.sink.topic);
        tracing::info!("query {}: {source} to {sink}", spec.id);
    }
    let options = HostOptions {
        workers: workers(&properties)?,
        properties,
        instance: u64::from(std::process::id()),
        stop_within: Duration::from_secs(stop_within),
    };
    let host = Arc::new(Host::start_reading(services, options, application).await?);
    let server = listening.map(|Listening { waiting, url }| {
        let server = waiting.open(Arc::clone(&host));
        tracing::info!("listening on {url}, for reading alone");
        server
    });
    Ok(Running { host, server })
}

/// The queries of files while they run, and what answers who asks for their rows.
struct Running {
    host: Arc<Host>,
    server: Option<Server>,
}

impl Running {
    /// Stops: queries are drained and committed. How they fared at the end.
    async fn stop(self) -> InstanceStatus {
        if let Some(server) = self.server {
            server.stop().await;
        }
        let last = self.host.status();
        // Requests that are under way may hold it too; what they have not done is left.
        match Arc::into_inner(self.host) {
            Some(host) => host.stop().await.unwrap_or(last),
            None => last,
        }
    }
}

/// How many threads process records.
pub(crate) fn workers(properties: &Properties) -> anyhow::Result<usize> {
    let default = i64::try_from(InstanceOptions::default_workers())?;
    let count = properties.number("num.stream.threads", default)?;
    usize::try_from(count)
        .ok()
        .filter(|count| *count > 0)
        .with_context(|| format!("num.stream.threads: expected a positive number, found {count}"))
}

/// What files make, their topics made; shows what is wrong with the statements.
async fn prepare(
    services: &Services,
    files: &Files,
    properties: &Properties,
    answers_clients: bool,
) -> anyhow::Result<Application> {
    let text = files.text();
    let prepared = headless::prepare_application(services, text, properties, answers_clients).await;
    if let Err(HeadlessError::Statements(faults) | HeadlessError::Changed(faults)) = &prepared {
        files.show(faults);
    }
    prepared.with_context(|| files.names())
}

/// Waits for a signal, or until every query has failed for good; says how queries fare.
async fn watch(running: &Running, mut stop: Pin<&mut impl Future<Output = ()>>) -> bool {
    let mut before = InstanceStatus { queries: Vec::new() };
    loop {
        tokio::select! {
            () = &mut stop => return false,
            () = tokio::time::sleep(WATCH) => {}
        }
        let status = running.host.status();
        for query in &status.queries {
            let old = before.queries.iter().find(|old| old.id == query.id).map(|old| old.state);
            if old != Some(query.state) {
                announce(query.state, &query.id, query.cause.as_deref());
            }
        }
        if status.has_failed() {
            return true;
        }
        before = status;
    }
}

fn announce(state: QueryState, id: &str, cause: Option<&str>) {
    let cause = cause.unwrap_or_default();
    match state {
        QueryState::Starting => tracing::info!("query {id} is starting"),
        QueryState::Standby => tracing::info!("query {id} stands by: another instance runs it"),
        QueryState::Running => tracing::info!("query {id} is running"),
        QueryState::Paused => tracing::info!("query {id} is paused"),
        QueryState::Retrying => tracing::warn!("query {id} will be tried again: {cause}"),
        QueryState::Failed => tracing::error!("query {id} has failed for good: {cause}"),
    }
}

/// Checks a file: 0 if nothing is wrong, else 1.
pub(crate) async fn check(args: CheckArgs) -> ExitCode {
    start_tracing("warn");
    match try_check(&args).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what a check finds is its output")]
async fn try_check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let files = Files::read(&args.files)?;
    let text = files.text();
    let properties = properties(&args.properties, args.bootstrap_servers.as_deref())?;
    let checked: Checked = if args.bootstrap_servers.is_some() {
        headless::check_against(&Services::new(&properties)?, text, &properties).await?
    } else {
        headless::check(registry(&properties)?.as_ref(), text, &properties).await?
    };
    files.show(&checked.faults);
    for name in unknown(&properties) {
        println!("unknown: property {name}");
    }
    for (name, effect) in properties.without_effect() {
        println!("note: property {name} {effect}");
    }
    for (span, note) in &checked.notes {
        println!("note: {}: {note}", files.place(*span));
    }
    for topic in &checked.assumed {
        println!("assumed: topic {topic} exists (--bootstrap-servers checks it)");
    }
    let name = files.names();
    if checked.faults.is_empty() {
        print!("{}", check_table::table(&checked, &files));
        println!("{name}: {} queries, nothing wrong", checked.queries().count());
        return Ok(ExitCode::SUCCESS);
    }
    println!("{name}: {}", HeadlessError::Statements(checked.faults));
    Ok(ExitCode::FAILURE)
}

/// Warns of properties that mean nothing, or have no effect.
pub(crate) fn warn_of(properties: &Properties) {
    warn_of_unknown(properties);
    for (name, effect) in properties.without_effect() {
        tracing::warn!("property {name} {effect}");
    }
}

/// The same of a server.
pub(crate) fn warn_of_servers(properties: &Properties) {
    warn_of_unknown(properties);
    for (name, effect) in properties.without_effect_on_servers() {
        tracing::warn!("property {name} {effect}");
    }
}

/// Names the properties that nobody knows, in one warning.
pub(crate) fn warn_of_unknown(properties: &Properties) {
    let unknown: Vec<_> = unknown(properties).collect();
    if !unknown.is_empty() {
        tracing::warn!("these properties mean nothing: {}", unknown.join(", "));
    }
}

/// Whether somebody who reads has seen enough.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::BrokenPipe)
}

/// The names of properties that mean nothing, each with what was perhaps meant.
fn unknown(properties: &Properties) -> impl Iterator<Item = String> {
    properties.unknown().map(|(name, meant)| match meant {
        Some(meant) => format!("{name} (did you mean {meant}?)"),
        None => name.to_owned(),
    })
}

/// Sets the directory of local state, if the command line names one.
pub(crate) fn set_state_dir(
    properties: &mut Properties,
    state_dir: Option<&Path>,
) -> anyhow::Result<()> {
    let Some(dir) = state_dir else { return Ok(()) };
    let dir = dir.to_str().with_context(|| format!("--state-dir {}: not UTF-8", dir.display()));
    properties.set("state.dir", dir?);
    Ok(())
}

/// The properties of the command line, those of clients among them.
pub(crate) fn kafka_properties(args: &KafkaArgs) -> anyhow::Result<Properties> {
    let properties = properties(&args.properties, args.bootstrap_servers.as_deref())?;
    let servers = properties.get("bootstrap.servers").unwrap_or_default();
    anyhow::ensure!(
        !servers.trim().is_empty(),
        "no Kafka is named: give --bootstrap-servers HOST:PORT, or bootstrap.servers in the properties file of --config"
    );
    Ok(properties)
}

/// The properties of the command line.
pub(crate) fn properties(
    args: &PropertyArgs,
    bootstrap_servers: Option<&str>,
) -> anyhow::Result<Properties> {
    let mut properties = match &args.config {
        Some(file) => Properties::parse(
            &std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?,
        ),
        None => Properties::default(),
    };
    if let Some(servers) = bootstrap_servers {
        properties.set("bootstrap.servers", servers);
    }
    for property in &args.properties {
        let (name, value) = name_and_value(property)?;
        properties.set(name, value);
    }
    Ok(properties)
}

/// Sets a property that nobody has set; its value.
pub(crate) fn set_default(properties: &mut Properties, name: &str, value: &str) -> String {
    if let Some(value) = properties.get(name) {
        return value.to_owned();
    }
    properties.set(name, value);
    value.to_owned()
}

/// The two parts of a `--property`.
pub(crate) fn name_and_value(property: &str) -> anyhow::Result<(&str, &str)> {
    let parts = property.split_once('=');
    let (name, value) =
        parts.with_context(|| format!("--property {property}: expected NAME=VALUE"))?;
    Ok((name.trim(), value.trim()))
}

/// Whether standard output is a terminal that can be drawn on.
pub(crate) fn is_screen() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    std::io::stdout().is_terminal() && !is_dumb
}

/// Becomes ready when the process is told to stop.
pub(crate) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Sends what is logged to standard error, filtered by `RUST_LOG` or else by `level`.
pub(crate) fn start_tracing(level: &str) {
    let format =
        tracing_subscriber::fmt().with_env_filter(filter(level)).with_writer(std::io::stderr);
    let format = format.with_ansi(std::io::stderr().is_terminal()).with_target(false);
    let _ = format.try_init();
}

/// Sends what is logged to standard error, as the command line wants it; `RUST_LOG` filters it too.
pub(crate) fn start_logging(args: &LogArgs) {
    let level = if args.quiet { "warn" } else { "info" };
    match args.log_format {
        LogFormat::Text => start_tracing(level),
        LogFormat::Json => {
            let format = tracing_subscriber::fmt().json().with_env_filter(filter(level));
            let _ = format.with_writer(std::io::stderr).try_init();
        }
    }
}

/// What is logged: what `RUST_LOG` says, else what is of this level.
fn filter(level: &str) -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level))
}
