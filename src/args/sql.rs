//! The flags of `millstream sql`: those of ksqlDB's CLI, and a few more.

use clap::{Args, ValueEnum};

use super::PropertyArgs;

/// How it is used, shown below the flags.
pub(super) const EXAMPLES: &str = "\
Examples:
  millstream sql
  millstream sql http://localhost:8088
  millstream sql localhost:8088 -e 'SHOW STREAMS; DESCRIBE clicks;'
  millstream sql localhost:8088 -e \"PRINT 'clicks' FROM BEGINNING LIMIT 5\"
  millstream sql localhost:8088 -f views.sql --define topic=clicks
  echo 'SELECT * FROM hits;' | millstream sql localhost:8088 --output csv";

/// A shell for SQL.
#[derive(Debug, Args)]
pub(crate) struct SqlArgs {
    /// The server, such as `localhost:8088`, with https:// in front for TLS; without one, an engine in this process.
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Kafka brokers for the engine in this process; without them, it has a broker of its own, in memory.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "url")]
    pub(crate) bootstrap_servers: Option<String>,
    /// Runs these statements and ends; may be repeated.
    #[arg(short, long, value_name = "STATEMENTS")]
    pub(crate) execute: Vec<String>,
    /// Runs the statements of a file and ends; may be repeated.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Vec<std::path::PathBuf>,
    /// How answers are shown.
    #[arg(long, value_enum, ignore_case = true, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Ends a query after so many rows.
    #[arg(long, value_name = "ROWS")]
    pub(crate) query_row_limit: Option<u64>,
    /// Ends a query after so long.
    #[arg(long, value_name = "MILLISECONDS")]
    pub(crate) query_timeout: Option<u64>,
}

/// Who asks a server, and with which session.
#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    /// The user's name, for a server that asks.
    #[arg(short, long, env = "MILLSTREAM_USER")]
    pub(crate) user: Option<String>,
    /// The user's password.
    #[arg(short, long, env = "MILLSTREAM_PASSWORD", hide_env_values = true, requires = "user")]
    pub(crate) password: Option<String>,
    /// A property of the session, as SET gives it, such as auto.offset.reset=earliest; may be repeated.
    #[arg(long = "property", value_name = "NAME=VALUE")]
    pub(crate) properties: Vec<String>,
    /// A variable of the session, as DEFINE gives it; may be repeated.
    #[arg(short = 'd', long = "define", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<String>,
    /// A properties file of ksqlDB's CLI: of the session, and ssl.* of the connection.
    #[arg(long, alias = "config", value_name = "FILE")]
    pub(crate) config_file: Option<std::path::PathBuf>,
}

impl SessionArgs {
    /// The flags that are properties.
    pub(crate) fn property_args(&self) -> PropertyArgs {
        PropertyArgs { config: self.config_file.clone(), properties: self.properties.clone() }
    }
}

/// How answers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Tables, as wide as the terminal.
    #[value(alias = "tabular")]
    Table,
    /// A line for each column.
    Vertical,
    /// One JSON object a line.
    Json,
    /// Comma-separated values.
    Csv,
    /// Tables of Markdown.
    Markdown,
}
