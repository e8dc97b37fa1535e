//! The flags of `millstream parity`.

use clap::Args;

use super::KafkaArgs;

/// What it does, shown below the flags.
pub(super) const RULES: &str = "\
Streams, tables and types of the files are declared on both sides under a prefix of their own, PARITY_xxxxxxxx_. They read your
topics; what they write goes into topics of their own, also where WITH names one. Your own streams, queries and topics are not
touched, and what was made is dropped at the end, at Ctrl-C too.
What is compared of each topic that a query writes:
  by key           partition, value, timestamp and headers of each record, in their order
  without a key    all records, in whatever order and partition
  topic            number of partitions, cleanup.policy; the registered schemas, with --property ksql.schema.registry.url
Not comparable, as ksqlDB itself does not repeat it: keys that several partitions of the input feed; joins; sinks of several
queries; EMIT FINAL; RANDOM(), UUID() and the like; records of a compacted topic before the last one of their key.
Inputs must not grow meanwhile. All records of inputs and sinks are held in memory.

Ends with 0 if all is equal, 1 if something differs, 2 if nothing differs but something could not be compared.

Examples:
  millstream parity views.sql --bootstrap-servers kafka:9092 --against http://ksqldb:8088
  millstream parity types.sql views.sql --bootstrap-servers kafka:9092 --against https://ksqldb:8088 --user ann \\
      --property ksql.schema.registry.url=http://registry:8081 --report parity.json";

/// Files against a ksqlDB.
#[derive(Debug, Args)]
pub(crate) struct ParityArgs {
    /// The files of statements, which are one program in this order; - is standard input, and a directory stands for its .sql files, by
    /// name.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) kafka: KafkaArgs,
    /// The ksqlDB, beside the same brokers; with https:// in front for TLS.
    #[arg(long, value_name = "URL")]
    pub(crate) against: String,
    /// The user's name, for a server that asks.
    #[arg(short, long, env = "MILLSTREAM_USER")]
    pub(crate) user: Option<String>,
    /// The user's password.
    #[arg(short, long, env = "MILLSTREAM_PASSWORD", hide_env_values = true, requires = "user")]
    pub(crate) password: Option<String>,
    /// A variable, as DEFINE gives it; may be repeated.
    #[arg(short = 'd', long = "define", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<String>,
    /// How many seconds both sides may take to come to the ends of their inputs.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// Writes all that was found to this file too, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<std::path::PathBuf>,
    /// Leaves what was made on both sides.
    #[arg(long)]
    pub(crate) keep: bool,
}
