//! The flags of `millstream topics`.

use clap::{Args, Subcommand, ValueEnum};

use super::PropertyArgs;

/// The brokers whose topics they are.
#[derive(Debug, Args)]
pub(crate) struct TopicsArgs {
    /// Kafka brokers, separated by commas; else bootstrap.servers of --config-file, else localhost:9092.
    #[arg(long, value_name = "HOST:PORT", global = true)]
    pub(crate) bootstrap_servers: Option<String>,
    /// A properties file, as ksqlDB's server takes it.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config_file: Option<std::path::PathBuf>,
    /// A property of the client, such as security.protocol=SSL, or where the schemas of records are
    /// (ksql.schema.registry.url); may be repeated.
    #[arg(long = "property", value_name = "NAME=VALUE", global = true)]
    pub(crate) properties: Vec<String>,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = TopicsOutput::Text, global = true)]
    pub(crate) output: TopicsOutput,
    #[command(subcommand)]
    pub(crate) action: TopicsAction,
}

impl TopicsArgs {
    /// The flags that are properties.
    pub(crate) fn property_args(&self) -> PropertyArgs {
        PropertyArgs { config: self.config_file.clone(), properties: self.properties.clone() }
    }
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopicsOutput {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is done with topics.
#[derive(Debug, Subcommand)]
pub(crate) enum TopicsAction {
    /// Lists topics, with how many partitions, copies and records they have.
    List {
        /// Kafka's own topics too.
        #[arg(long)]
        internal: bool,
    },
    /// Creates a topic.
    Create(CreateTopicArgs),
    /// Shows the partitions of topics, and what they are configured to besides the defaults.
    Describe {
        /// The topics.
        #[arg(required = true, value_name = "TOPIC")]
        topics: Vec<String>,
    },
    /// Deletes topics, after asking.
    Delete {
        /// The topics.
        #[arg(required = true, value_name = "TOPIC")]
        topics: Vec<String>,
        /// Does not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Shows the records of a topic as they come, what keys, windows and values are found out from the bytes.
    Tail(TailArgs),
}

/// A topic to be created.
#[derive(Debug, Args)]
pub(crate) struct CreateTopicArgs {
    /// The name.
    pub(crate) topic: String,
    /// How many partitions; without it, the broker's default.
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=100_000))]
    pub(crate) partitions: Option<i32>,
    /// How many copies; without it, the broker's default.
    #[arg(long, value_parser = clap::value_parser!(i16).range(1..=1_000))]
    pub(crate) replication_factor: Option<i16>,
    /// Configures the topic, such as cleanup.policy=compact; may be repeated.
    #[arg(long = "config", value_name = "NAME=VALUE")]
    pub(crate) configs: Vec<String>,
    /// Is content with a topic that is there already.
    #[arg(long)]
    pub(crate) if_not_exists: bool,
}

/// What is shown of a topic.
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// The topic.
    pub(crate) topic: String,
    /// Begins at the first record, not at the next one that comes.
    #[arg(long)]
    pub(crate) from_beginning: bool,
    /// Ends after so many records.
    #[arg(long)]
    pub(crate) limit: Option<u64>,
    /// Ends at the records that are there when it begins.
    #[arg(long)]
    pub(crate) to_end: bool,
    /// Only these partitions, separated by commas.
    #[arg(long, value_name = "NUMBER", value_delimiter = ',')]
    pub(crate) partitions: Vec<i32>,
}
