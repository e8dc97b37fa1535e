//! The command line of `millstream`.

use clap::{Args, Parser, Subcommand, ValueEnum};

mod apply;
mod log;
mod parity;
mod sql;
mod topics;
mod watch;

pub(crate) use apply::{ApplyArgs, ApplyOutput};
pub(crate) use log::{LogArgs, LogFormat};
pub(crate) use parity::ParityArgs;
pub(crate) use sql::{OutputFormat, SessionArgs, SqlArgs};
pub(crate) use topics::{CreateTopicArgs, TailArgs, TopicsAction, TopicsArgs, TopicsOutput};
pub(crate) use watch::{HealthcheckArgs, TopArgs, TopSort, WatchedArgs};

/// Runs ksqlDB's SQL on Kafka, without a JVM.
#[derive(Debug, Parser)]
#[command(version = VERSION, about, after_help = "A command line that is not as it should be ends with exit code 64.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows everything at once: a broker, readings of devices, and queries over them, in one process.
    ///
    /// A live summary on a terminal, with keys that sort and scroll (? shows them); one JSON line a second anywhere else. Kafka
    /// clients can connect to its broker while it runs, and a browser is shown the devices.
    Demo(DemoArgs),
    /// Writes invented device readings to Kafka.
    Produce(ProduceArgs),
    /// Writes a registry of the devices: owner, room and threshold of each, to be joined with readings.
    Register(RegisterArgs),
    /// Shows rolling statistics of each device; several of one group share the partitions.
    ///
    /// A live table on a terminal, with keys that sort and scroll; JSON lines (one for each device that had readings) anywhere else.
    Consume(ConsumeArgs),
    /// Runs the persistent queries of files, beside a Kafka cluster.
    ///
    /// Ends with 0 after a stop, with 1 if it cannot start, and with 2 if every query has failed for
    /// good.
    #[command(after_help = OWN_PROPERTIES)]
    Run(RunArgs),
    /// Stands in a ksqlDB server's place: its REST API, beside a Kafka cluster.
    ///
    /// All servers of a service id share what exists through its command topic. Goes on where it
    /// stopped when it starts again.
    #[command(after_help = OWN_PROPERTIES)]
    Server(ServerArgs),
    /// Lets a server have what files define: ours or a ksqlDB, over its REST.
    ///
    /// What is there and equal is kept, what is new is created, what the rules of CREATE OR REPLACE allow is replaced. If anything
    /// else is wanted, it is shown with both texts, and nothing is done. Twice in a row, the second time changes nothing. Ends
    /// with 0 when the server has what the files say, with 1 if anything is refused or the server is not there; with --dry-run
    /// with 2 if there is anything to be done.
    #[command(after_help = apply::RULES)]
    Apply(ApplyArgs),
    /// Holds files against a ksqlDB beside the same Kafka: whether it writes the same bytes as Millstream.
    ///
    /// Runs the statements on both sides, over the same input, and compares the topics that they write, record by record.
    #[command(after_help = parity::RULES)]
    Parity(ParityArgs),
    /// Makes queries of files begin anew: deletes their groups, their state and their internal topics.
    ///
    /// A query whose statement has changed is refused by `run` until it is reset, or the old
    /// statement is back. One that runs anywhere is left as it is. Says first what there is to
    /// delete, and asks. Ends with 0 when it is deleted, else with 1.
    #[command(after_help = OWN_PROPERTIES)]
    Reset(ResetArgs),
    /// Checks files of statements, and says everything that is wrong with them.
    ///
    /// Ends with 0 if nothing is wrong, else with 1.
    #[command(after_help = OWN_PROPERTIES)]
    Check(CheckArgs),
    /// Runs a Kafka-compatible broker, for development and tests, and a Schema Registry beside it if asked.
    Broker(BrokerArgs),
    /// A shell for SQL: of a `millstream server`, or of a ksqlDB.
    ///
    /// With statements in --execute, in --file or from a pipe it runs those and ends: with 0, with 1 if one is
    /// refused or there is no server, with 130 if you end a query by Ctrl-C.
    #[command(after_help = sql::EXAMPLES)]
    Sql(SqlArgs),
    /// Shows what a server counts, or a `run` that listens: rates, lag, skipped records, how even topics are.
    ///
    /// On a terminal until you end it, with keys that sort and scroll (? shows them); anywhere else, tables every interval.
    Top(TopArgs),
    /// Asks a server, or a `run` that listens, whether it is healthy, as containers do.
    ///
    /// Ends with 0 if it is, else with 1 and the reason.
    Healthcheck(HealthcheckArgs),
    /// Lists, creates, describes, deletes and shows topics of Kafka.
    Topics(TopicsArgs),
    /// Writes what a shell needs to complete this command line.
    Completions {
        /// The shell.
        shell: ShellName,
    },
    /// Writes man pages.
    Man {
        /// The directory that they are written into.
        #[arg(value_name = "DIR")]
        directory: std::path::PathBuf,
    },
    /// Runs test cases: QTT files, and folders as ksql-test-runner takes them.
    Test(TestArgs),
}

/// A shell whose completions are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShellName {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

/// The version, with the commit that it was built from and its date where these are known.
const VERSION: &str = match option_env!("MILLSTREAM_BUILT_FROM") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// The properties that ksqlDB does not have.
const OWN_PROPERTIES: &str = "\
Properties besides ksqlDB's own:
  ksql.millstream.repartition     memory (default): rows with a new key go from task to task;
                                  topic: through a topic, as in ksqlDB
  ksql.millstream.instance.id     by which an instance finds its own place in groups again after a
                                  restart; with a state directory it has one by itself
  ksql.millstream.interleave.ms   how far ahead of the others, in the time of its records, a
                                  partition may be read where their order matters (default 1000)";

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Readings a second; 0 for as many as the broker takes.
    #[arg(long, default_value_t = 100.0)]
    pub(crate) rate: f64,
    /// Readings in all; then it is quiet, but goes on. Without it, they come until the end.
    #[arg(long)]
    pub(crate) count: Option<u64>,
    /// Ends after so many seconds; without it, at Ctrl-C.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) duration: Option<f64>,
    /// The same seed gives the same readings; they are dated as they are sent.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Runs this file instead of device.sql and transitions.sql; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) sql: Vec<std::path::PathBuf>,
    /// The port that Kafka clients connect to; 0 for any that is free. Without it 9092, or the next one that is free.
    #[arg(long)]
    pub(crate) kafka_port: Option<u16>,
    /// The port of the Schema Registry; 0 for any that is free. Without it 8081, or the next one that is free.
    #[arg(long)]
    pub(crate) registry_port: Option<u16>,
    /// The port of ksqlDB's REST API, which `millstream sql` asks; 0 for any that is free. Without it 8088, or the next one that is
    /// free.
    #[arg(long)]
    pub(crate) rest_port: Option<u16>,
    #[command(flatten)]
    pub(crate) properties: PropertyArgs,
}

/// Properties by ksqlDB's names; later ones win: --config, --property, SET in the file.
#[derive(Debug, Args)]
pub(crate) struct PropertyArgs {
    /// A properties file, as ksqlDB's server takes it.
    #[arg(long, alias = "config-file", value_name = "FILE")]
    pub(crate) config: Option<std::path::PathBuf>,
    /// A property, such as auto.offset.reset=earliest; may be repeated.
    #[arg(long = "property", value_name = "NAME=VALUE")]
    pub(crate) properties: Vec<String>,
}

/// The brokers that queries run beside, and how.
#[derive(Debug, Args)]
pub(crate) struct KafkaArgs {
    /// Kafka brokers, separated by commas; else bootstrap.servers of --config.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) bootstrap_servers: Option<String>,
    #[command(flatten)]
    pub(crate) properties: PropertyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    #[command(flatten)]
    pub(crate) kafka: KafkaArgs,
    /// Where to listen; else listeners of --config, else port 8088 of loopback.
    #[arg(long, value_name = "URL")]
    pub(crate) listeners: Option<String>,
    /// Keeps a copy of the state of queries here, from which they start again faster.
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<std::path::PathBuf>,
    /// Has what these files define before it answers anybody, as `millstream apply` does it; what is refused ends the start.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) apply: Vec<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// How many seconds a stop may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) stop_within: u64,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The files of statements, which are one program in this order; - is standard input, and a directory stands for its .sql files, by
    /// name.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) kafka: KafkaArgs,
    /// Where checkpoints of state are kept, so that a start reads only the end of each changelog;
    /// a process needs its own. Without it (or ksql.streams.state.dir) state is in memory alone.
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<std::path::PathBuf>,
    /// Only shows what each statement's query would do: it keeps its group and its state, starts
    /// new, or has changed and would be refused; and which queries are gone. Writes nothing. Ends
    /// with 1 if a statement has changed.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Serves ksqlDB's REST API on this port of loopback, for reading alone: SHOW, DESCRIBE, EXPLAIN, PRINT and SELECT; 0 for any
    /// port that is free. What would change anything is refused with error 40300.
    #[arg(long, value_name = "PORT", conflicts_with = "dry_run")]
    pub(crate) rest_port: Option<u16>,
    /// Serves the same where this says, as `server --listeners` does it: http://HOST:PORT or https://HOST:PORT, with the properties of
    /// users, certificates and web pages that a server has.
    #[arg(long, value_name = "URL", conflicts_with_all = ["dry_run", "rest_port"])]
    pub(crate) listeners: Option<String>,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// How many seconds a stop may take to drain and commit.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) stop_within: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    /// The files of statements, as `run` takes them, and behind them ids of queries; without ids,
    /// all queries of the files. An id may also be that of a query that no statement makes any more.
    #[arg(required = true, value_name = "FILE|QUERY")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) kafka: KafkaArgs,
    /// Where checkpoints of state are kept, if they are.
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<std::path::PathBuf>,
    /// Also deletes the topics, with the results, that CREATE … AS statements write into.
    #[arg(long)]
    pub(crate) sinks: bool,
    /// Does not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The files of statements, which are one program in this order; - is standard input, and a directory stands for its .sql files, by
    /// name.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<std::path::PathBuf>,
    /// Kafka brokers whose topics the file is checked against; without them topics are assumed.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) bootstrap_servers: Option<String>,
    #[command(flatten)]
    pub(crate) properties: PropertyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Case files, folders of them, and folders with statements.sql, input.json and output.json.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<std::path::PathBuf>,
    /// Compares bytes with those that ksqlDB wrote, one case a line in this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) golden: Option<std::path::PathBuf>,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) report: ReportFormat,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// Failed cases and counts.
    Text,
    /// One JSON object with all cases, then the counts.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct BrokerArgs {
    /// The port that Kafka clients connect to; 0 for any that is free.
    #[arg(long, default_value_t = 9092)]
    pub(crate) kafka_port: u16,
    /// Runs a Schema Registry beside it, on this port; 0 for any that is free.
    #[arg(long, value_name = "PORT")]
    pub(crate) registry_port: Option<u16>,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: std::net::IpAddr,
    /// The host name that clients are told, where it is not that of --host.
    #[arg(long)]
    pub(crate) advertised_host: Option<String>,
    /// Keeps records, offsets and transactions in files here; without it, in memory.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<std::path::PathBuf>,
    /// Partitions of topics that are created without a number.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    pub(crate) partitions: i32,
    /// Does not create a topic when a client first asks for it.
    #[arg(long)]
    pub(crate) no_auto_create: bool,
    /// MiB of records kept in memory; beyond, the oldest of the largest partition go.
    #[arg(long, value_name = "MIB", default_value_t = 1_024)]
    pub(crate) memory: u64,
    /// Lets in only clients with this name and password (SASL PLAIN).
    #[arg(long, value_name = "NAME:PASSWORD")]
    pub(crate) user: Option<String>,
}

/// How readings are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// JSON objects, on `device-sensors`.
    Json,
    /// Protobuf messages, on `device-sensors-proto`.
    Protobuf,
    /// Avro records, on `device-sensors-avro`; with --schema-registry only.
    Avro,
}

/// What becomes of readings that the topic's schema does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Invalid {
    /// They are left out, counted and shown.
    Skip,
    /// Nothing is written; lines are all looked at, and held in memory, before the first is written.
    Stop,
}

/// The brokers that readings are on, and how they are reached.
#[derive(Debug, Args)]
pub(crate) struct DeviceKafkaArgs {
    /// Kafka brokers, separated by commas; else bootstrap.servers of --config, else localhost:9092.
    #[arg(long, visible_alias = "brokers", value_name = "HOST:PORT")]
    pub(crate) bootstrap_servers: Option<String>,
    #[command(flatten)]
    pub(crate) properties: PropertyArgs,
}

/// Where readings are, and their schemas.
#[derive(Debug, Args)]
pub(crate) struct ReadingArgs {
    #[command(flatten)]
    pub(crate) kafka: DeviceKafkaArgs,
    /// The Schema Registry; several with commas. Readings are then on `device-sensors-json-sr`, `device-sensors-proto-sr` or
    /// `device-sensors-avro`, written with the newest schema of the topic's values, or with ours if there is none. Else
    /// ksql.schema.registry.url of --config.
    #[arg(long, value_name = "URL")]
    pub(crate) schema_registry: Option<String>,
    /// How many seconds a broker is tried before giving up; else delivery.timeout.ms for writing and default.api.timeout.ms for
    /// reading, else 30.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) retry_for: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct ProduceArgs {
    /// How readings are spelled.
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// The topic, if not the format's own; made with 3 partitions if it does not exist.
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// Takes the readings from a file of JSON lines, or from standard input (-), instead of inventing them.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "start", "devices"])]
    pub(crate) from: Option<std::path::PathBuf>,
    /// What becomes of readings that the topic's schema does not take.
    #[arg(long, default_value = "skip")]
    pub(crate) on_invalid: Invalid,
    /// Writes the readings that are refused to a file, as they came.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejected: Option<std::path::PathBuf>,
    /// Readings a second, 10 if they are invented; 0 for as many as the broker takes.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Readings in all; without it, until you stop it.
    #[arg(long)]
    pub(crate) count: Option<u64>,
    /// The same seed gives the same readings, times included: they then begin at --start and keep to --rate.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// When the first reading comes in: ms since 1970, or as in 2024-05-01T12:00:00Z. Without --seed and --start,
    /// readings are dated as they are sent; with --seed alone they begin at 2023-11-14T22:13:20Z.
    #[arg(long, value_parser = time_ms)]
    pub(crate) start: Option<i64>,
    /// Devices of each of the four models.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) devices: u32,
    /// Where a model's readings go, over the table `nexus4=0 iphone12=1 pixel6=2 galaxy_s21=2`; may be repeated.
    #[arg(long = "partition", value_name = "MODEL=PARTITION")]
    pub(crate) partitions: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    #[command(flatten)]
    pub(crate) kafka: DeviceKafkaArgs,
    /// The topic, if not device-registry; made, compacted, if it does not exist.
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// How many partitions a new topic gets: those of the readings.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub(crate) partitions: i32,
    /// Devices of each of the four models.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) devices: u32,
    /// The same seed gives the same registry.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Where a group that has committed nothing begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Start {
    /// At the first reading of the topic.
    Earliest,
    /// At the next one that comes.
    Latest,
}

#[derive(Debug, Args)]
pub(crate) struct ConsumeArgs {
    /// How readings are spelled.
    #[arg(default_value = "json")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// The topic, if not the format's own.
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// The consumer group, whose members share the partitions and whose offsets are committed; else group.id of --config, else
    /// millstream-monitor.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// Where a group that has committed nothing begins; else auto.offset.reset of --config, else earliest.
    #[arg(long)]
    pub(crate) from: Option<Start>,
    /// How often the statistics are shown, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    pub(crate) every: f64,
}

/// A time in ms since 1970, from such a number or an RFC 3339 time.
fn time_ms(text: &str) -> Result<i64, String> {
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    chrono::DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_millis()).map_err(
        |error| format!("{error}; expected ms since 1970 or a time such as 2024-05-01T12:00:00Z"),
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_numbers_or_rfc_3339() {
        assert_eq!(time_ms("1700000000000"), Ok(1_700_000_000_000));
        assert_eq!(time_ms("2023-11-14T22:13:20Z"), Ok(1_700_000_000_000));
        assert!(time_ms("yesterday").is_err());
    }
}
