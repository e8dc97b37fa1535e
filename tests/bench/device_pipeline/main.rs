//! The whole record path: `millstream run ksql/device.sql` on a million readings that lie on a broker, and beside it,
//! in the same run, a plain fetch and one that also parses each reading with `serde_json`.
//!
//! ```text
//! cargo bench --bench device_pipeline [-- --readings 1000000] [--only 12|100000|transitions|joins] [--workers 2]
//!   [--peer kafka-streams]
//! ```
//!
//! Each role is a process of its own: the broker (`millstream broker`), the query process (`millstream run`), and this
//! program again as `floor`, `serde` and `stages`. CPU time and peak memory are what the system says of each.
#![expect(clippy::print_stdout, reason = "what a benchmark finds is its output")]

mod feed;
mod joins;
mod peer;
mod process;
mod readers;
#[path = "../reading.rs"]
mod reading;
mod stages;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use millstream::kafka::{ClientConfig, Cluster};
use process::{Child, Usage};

/// Where readings lie.
const TOPIC: &str = "device-sensors";

/// How long an idle `run` is watched.
const IDLE: Duration = Duration::from_secs(10);

/// One line of the results.
struct Line {
    name: String,
    readings: u64,
    seconds: f64,
    usage: Usage,
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.is_empty() && !std::env::args().any(|arg| arg == "--bench") {
        return Ok(()); // a test run only wants to know that it starts
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["floor", broker, count] => runtime.block_on(readers::floor(broker, count.parse()?)),
        ["serde", broker, count] => runtime.block_on(readers::serde(broker, count.parse()?)),
        ["stages", broker, count, file] => {
            runtime.block_on(stages::run(broker, count.parse()?, file))
        }
        options => runtime.block_on(conduct(options)),
    }
}

async fn conduct(options: &[&str]) -> Result<()> {
    let (mut readings, mut only, mut workers, mut with_peer) = (1_000_000, None, None, false);
    for pair in options.chunks(2) {
        match pair {
            ["--readings", count] => readings = count.parse().context("--readings")?,
            ["--only", case] => only = Some(*case),
            ["--workers", count] => workers = Some(count.parse().context("--workers")?),
            ["--peer", "kafka-streams"] => with_peer = true,
            _ => bail!(
                "expected --readings NUMBER, --only CASE, --workers NUMBER or --peer kafka-streams, found {pair:?}"
            ),
        }
    }
    let wants = |case: &str| only.is_none_or(|only| only == case);
    println!("{readings} readings, 3 partitions; records/s from the start of the process");
    if wants("12") {
        devices(12, readings, workers).await?;
    }
    if wants("100000") {
        devices(100_000, readings, workers).await?;
    }
    if wants("transitions") {
        transitions(readings, workers).await?;
    }
    if wants("joins") {
        joins::run(readings, workers, with_peer).await?;
    }
    Ok(())
}

/// All roles over the readings of so many devices.
async fn devices(count: u32, readings: u64, workers: Option<u32>) -> Result<()> {
    println!("\n{count} devices");
    let (broker, address) = broker().await?;
    let cluster = cluster(&address)?;
    let bytes = feed::fill(&cluster, readings, count).await?;
    println!("  {:.0} bytes a reading", bytes as f64 / readings as f64);
    let mut lines = Vec::new();
    for (name, role) in [("fetch alone (the floor)", "floor"), ("fetch and serde_json", "serde")] {
        lines.push(reader(name, &[role, &address, &readings.to_string()], readings)?);
    }
    let (line, run) = query_file("device.sql", &cluster, readings, workers).await?;
    watch::check_counts(&cluster, readings).await?;
    lines.push(line);
    show(&lines);
    ratios(&lines);
    idle(&run).await?;
    drop(run);
    let file = sql("device.sql");
    let stages = Child::own(&["stages", &address, &readings.to_string(), &file.to_string_lossy()])?;
    print!("{}", stages.output()?);
    drop(broker);
    Ok(())
}

async fn transitions(readings: u64, workers: Option<u32>) -> Result<()> {
    println!("\n12 devices, each change emitted");
    let (broker, address) = broker().await?;
    let cluster = cluster(&address)?;
    feed::fill(&cluster, readings, 12).await?;
    let (line, run) = query_file("transitions.sql", &cluster, readings, workers).await?;
    show(&[line]);
    drop((run, broker));
    Ok(())
}

async fn broker() -> Result<(Child, String)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let args = ["broker", "--kafka-port", &port.to_string(), "--memory", "8192"];
    let broker = Child::millstream(&args)?;
    let address = format!("127.0.0.1:{port}");
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(&address).await.is_ok() {
            return Ok((broker, address));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("the broker does not answer")
}

pub(crate) fn cluster(broker: &str) -> Result<Cluster> {
    Ok(Cluster::new(ClientConfig::new(broker)?)?)
}

fn sql(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("ksql").join(file)
}

/// A role of this program that ends by itself, and says what it used.
fn reader(name: &str, args: &[&str], readings: u64) -> Result<Line> {
    let start = millstream::runtime::clock::instant();
    let output = Child::own(args)?.output()?;
    let seconds = start.elapsed().as_secs_f64();
    let usage = Usage::parse(&output).with_context(|| format!("{name} said: {output}"))?;
    Ok(Line { name: name.to_owned(), readings, seconds, usage })
}

/// Runs a file until all its queries have committed everything.
async fn query_file(
    file: &str,
    cluster: &Cluster,
    readings: u64,
    workers: Option<u32>,
) -> Result<(Line, Child)> {
    run_file(file, &sql(file), cluster, readings, workers).await
}

/// The same for a text.
async fn run_text(
    name: &str,
    text: &str,
    cluster: &Cluster,
    records: u64,
    workers: Option<u32>,
) -> Result<(Line, Child)> {
    let file = std::env::temp_dir().join(format!("millstream-bench-{}.sql", std::process::id()));
    std::fs::write(&file, text)?;
    let done = run_file(name, &file, cluster, records, workers).await;
    std::fs::remove_file(&file)?;
    done
}

async fn run_file(
    name: &str,
    path: &Path,
    cluster: &Cluster,
    readings: u64,
    workers: Option<u32>,
) -> Result<(Line, Child)> {
    let specs = watch::prepare(cluster, &std::fs::read_to_string(path)?).await?;
    let servers = cluster.config().bootstrap_servers.join(",");
    let path = path.to_string_lossy();
    let mut args = vec!["run", &*path, "--bootstrap-servers", &servers];
    args.extend(["--property", "auto.offset.reset=earliest"]);
    let threads = workers.map(|workers| format!("num.stream.threads={workers}"));
    args.extend(threads.iter().flat_map(|threads| ["--property", threads]));
    let start = millstream::runtime::clock::instant();
    let run = Child::millstream(&args)?;
    watch::until_level(cluster, &specs).await?;
    let (seconds, usage) = (start.elapsed().as_secs_f64(), run.usage()?);
    Ok((Line { name: format!("run {name}"), readings, seconds, usage }, run))
}

fn show(lines: &[Line]) {
    println!("  {:<26}{:>12}{:>22}{:>14}", "", "records/s", "CPU-s per million", "peak RSS, MB");
    for Line { name, readings, seconds, usage } in lines {
        let millions = *readings as f64 / 1e6;
        let (rate, cpu) = (*readings as f64 / seconds, usage.cpu_seconds / millions);
        println!("  {name:<26}{rate:>12.0}{cpu:>22.2}{:>14.1}", usage.peak_mb);
    }
}

fn ratios(lines: &[Line]) {
    let [floor, serde, run] = lines else { return };
    let ratio = |a: &Line, b: &Line| a.usage.cpu_seconds / b.usage.cpu_seconds;
    println!(
        "  CPU: run / floor {:.2}, run / serde_json {:.2}",
        ratio(run, floor),
        ratio(run, serde)
    );
}

/// What a process without input costs.
async fn idle(run: &Child) -> Result<()> {
    let before = run.usage()?.cpu_seconds;
    tokio::time::sleep(IDLE).await;
    let used = run.usage()?.cpu_seconds - before;
    let share = used / IDLE.as_secs_f64() * 100.0;
    println!("  idle: {share:.1} % of a core, RSS {:.1} MB", run.rss_mb()?);
    Ok(())
}
