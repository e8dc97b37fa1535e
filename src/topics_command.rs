//! `millstream topics`: what Kafka's own tools do, for people who have none at hand.

mod tail;
mod topics;

use std::time::Duration;

use anyhow::Context as _;
use millstream::kafka::admin::Admin;
use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::RegistryClient;

use crate::args::{TopicsAction, TopicsArgs};
use crate::run_command::{self, LOCAL_BROKERS};
use topics::Topics;

/// How long a broker is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// Does what is asked with topics.
pub(crate) async fn run(args: TopicsArgs) -> anyhow::Result<()> {
    run_command::start_tracing("warn");
    let (cluster, registry, brokers) = connect(&args)?;
    let topics = Topics { admin: Admin::new(&cluster), output: args.output, registry };
    let done = match args.action {
        TopicsAction::List { internal } => topics.list(internal).await,
        TopicsAction::Create(create) => topics.create(&create).await,
        TopicsAction::Describe { topics: names } => topics.describe(&names).await,
        TopicsAction::Delete { topics: names, yes } => topics.delete(&names, yes).await,
        TopicsAction::Tail(tail) => tail::run(&topics, &tail).await,
    };
    match done {
        // Who reads has seen enough.
        Err(error) if run_command::is_broken_pipe(&error) => Ok(()),
        done => done.with_context(|| format!("on {brokers}")),
    }
}

/// A client of the brokers of the command line, one of the registry if there is one, and where the brokers are.
fn connect(args: &TopicsArgs) -> anyhow::Result<(Cluster, Option<RegistryClient>, String)> {
    let servers = args.bootstrap_servers.as_deref();
    let mut properties = run_command::properties(&args.property_args(), servers)?;
    run_command::warn_of_unknown(&properties);
    let registry = millstream::engine::registry(&properties)?;
    let brokers = run_command::set_default(&mut properties, "bootstrap.servers", LOCAL_BROKERS);
    let cluster = Cluster::new(ClientConfig::from_properties(&properties.for_clients())?)?;
    Ok((cluster.with_patience(PATIENCE), registry, brokers))
}
