//! The flags of what is told on standard error.

use clap::{Args, ValueEnum};

/// What is told on standard error, and how.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// How it is told.
    #[arg(long, value_enum, env = "MILLSTREAM_LOG_FORMAT", default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Tells only what is wrong: no line a minute about rates, lag and skipped records.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// How is told what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line of text each.
    Text,
    /// A JSON object a line: timestamp, level, fields with the message.
    Json,
}
