//! The flags of `millstream top` and `millstream healthcheck`, which look after a server.

use clap::{Args, ValueEnum};

use super::SessionArgs;

/// Which server is asked, by whom, and how it is reached.
#[derive(Debug, Args)]
pub(crate) struct WatchedArgs {
    /// The server, or a `run` that listens, such as `localhost:8088`; with https:// in front for TLS.
    #[arg(value_name = "URL", env = "MILLSTREAM_URL", default_value = "localhost:8088")]
    pub(crate) url: String,
    /// The user's name, for a server that asks.
    #[arg(short, long, env = "MILLSTREAM_USER")]
    user: Option<String>,
    /// The user's password.
    #[arg(short, long, env = "MILLSTREAM_PASSWORD", hide_env_values = true, requires = "user")]
    password: Option<String>,
    /// A property of the connection, such as ssl.truststore.location=ca.pem; may be repeated.
    #[arg(long = "property", value_name = "NAME=VALUE")]
    properties: Vec<String>,
    /// A properties file of ksqlDB's CLI, of which ssl.* counts.
    #[arg(long, alias = "config", value_name = "FILE")]
    config_file: Option<std::path::PathBuf>,
}

impl WatchedArgs {
    /// The same for a session without variables.
    pub(crate) fn session(&self) -> SessionArgs {
        SessionArgs {
            user: self.user.clone(),
            password: self.password.clone(),
            properties: self.properties.clone(),
            variables: Vec::new(),
            config_file: self.config_file.clone(),
        }
    }

    /// A property that is none of a connection, if one is given.
    pub(crate) fn other_property(&self) -> Option<&str> {
        let mut all = self.properties.iter().map(String::as_str);
        all.find(|property| !property.trim_start().starts_with("ssl."))
    }
}

/// Asks a server whether it is healthy.
#[derive(Debug, Args)]
pub(crate) struct HealthcheckArgs {
    #[command(flatten)]
    pub(crate) server: WatchedArgs,
    /// How long an answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
}

/// Shows what a server counts.
#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub(crate) server: WatchedArgs,
    /// Prints it once and ends.
    #[arg(long)]
    pub(crate) once: bool,
    /// How often it is looked.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) interval: u64,
    /// By what queries and topics are sorted, at first.
    #[arg(long, value_enum, default_value_t = TopSort::Read)]
    pub(crate) sort: TopSort,
}

/// By what queries and topics are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopSort {
    /// By name.
    Name,
    /// Those first that read most.
    Read,
    /// Those first that write most.
    Written,
    /// Those first that are furthest behind.
    Lag,
    /// Those first that skip most.
    Skipped,
}
