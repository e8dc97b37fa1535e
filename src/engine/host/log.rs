//! The command topic: the one log of all that changes what exists, shared by the servers of a service id.
//!
//! Each command is a transaction of its own, under the transactional id that all servers of a service share, as
//! ksqlDB's are: whoever begins one fences the others, and has read all commands before it plans the next. So
//! commands stand at every second offset, a transaction's marker between them.

use std::time::Duration;

use super::HostError;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::fetch::Fetcher;
use crate::kafka::produce::{NewRecord, Producer};
use crate::kafka::{Cluster, KafkaError, TopicPartition};
use crate::runtime::clock;
use crate::runtime::live::ensure_topic;

/// How many bytes of commands are fetched ahead.
const BUFFER_BYTES: usize = 8 << 20;

/// How long one fetch waits for commands.
const FETCH_WAIT: Duration = Duration::from_millis(500);

/// The command topic of a service.
pub(super) struct CommandLog {
    cluster: Cluster,
    admin: Admin,
    topic: String,
    producer: Producer,
}

/// A command as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoggedCommand {
    pub(super) offset: i64,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

/// Commands, and how far they go.
#[derive(Clone, Debug, Default)]
pub(super) struct Commands {
    pub(super) commands: Vec<LoggedCommand>,
    /// The offset behind them.
    pub(super) next: i64,
}

impl CommandLog {
    /// The log of a service; its topic is made if it is not there.
    pub(super) async fn open(cluster: &Cluster, service_id: &str) -> Result<Self, HostError> {
        let topic = format!("_confluent-ksql-{service_id}_command_topic");
        let admin = Admin::new(cluster);
        let configs = [("cleanup.policy", "delete"), ("retention.ms", "-1")];
        let configs = configs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        ensure_topic(&admin, &topic, 1, -1, &configs.into()).await?;
        let producer = Producer::transactional(cluster, service_id);
        Ok(Self { cluster: cluster.clone(), admin, topic, producer })
    }

    /// The name of the topic.
    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// The offset behind the last command.
    pub(super) async fn end(&self) -> Result<i64, HostError> {
        let ends =
            self.admin.topic_offsets(&self.topic, OffsetSpec::Latest, Isolation::ReadCommitted);
        Ok(ends.await?.first().copied().unwrap_or(0).max(0))
    }

    /// Reads commands from the first one on.
    pub(super) fn tail(&self) -> Tail {
        let fetcher = Fetcher::with_options(&self.cluster, Isolation::ReadCommitted, BUFFER_BYTES);
        let partition = TopicPartition::new(self.topic.as_str(), 0);
        fetcher.assign([(partition, 0)]);
        Tail { fetcher }
    }

    /// Begins to write a command: no other server writes one meanwhile, or it takes over from this one.
    pub(super) async fn begin(&self) -> Result<(), KafkaError> {
        self.producer.init_transactions().await?;
        self.producer.begin_transaction()?;
        Ok(())
    }

    /// Writes the command; its offset.
    pub(super) async fn write(&self, key: &[u8], value: &[u8]) -> Result<i64, HostError> {
        let record = NewRecord::new(clock::now().0, Some(key), Some(value));
        let written = self.producer.send_acknowledged(&self.topic, 0, record).await?;
        self.producer.commit_transaction().await?;
        let lost = || HostError::server("the command was not acknowledged");
        let delivery = written.await.map_err(|_| lost())??;
        delivery.offset.ok_or_else(lost)
    }

    /// Gives up what was begun.
    pub(super) async fn give_up(&self) {
        if let Err(error) = self.producer.abort_transaction().await {
            tracing::debug!("a command was not written, nor given up: {error}");
        }
    }
}

/// The end of the log, where commands come.
pub(super) struct Tail {
    fetcher: Fetcher,
}

impl Tail {
    /// The next commands, once there are any; none if none come for a while.
    pub(super) async fn next(&mut self) -> Result<Commands, HostError> {
        let mut found = Commands::default();
        for fetched in self.fetcher.poll(FETCH_WAIT).await? {
            for record in fetched.records() {
                let record = record.map_err(|error| HostError::server(error.to_string()))?;
                found.commands.push(LoggedCommand {
                    offset: record.offset,
                    key: record.key.unwrap_or_default().to_vec(),
                    value: record.value.unwrap_or_default().to_vec(),
                });
            }
            found.next = fetched.next_offset;
        }
        Ok(found)
    }
}
