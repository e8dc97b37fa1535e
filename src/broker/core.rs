//! All that the broker remembers, and the changes that must outlive a restart: each is noted in the journal.
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use kafka_protocol::error::ResponseError;
use uuid::Uuid;

use super::configs::Defaults;
use super::event::{Committed, Event};
use super::groups::Groups;
use super::journal::Journal;
use super::topics::Topics;
use super::transactions::Transactions;

/// The state of the broker, behind one lock.
pub(super) struct Core {
    pub(super) topics: Topics,
    pub(super) groups: Groups,
    pub(super) transactions: Transactions,
    pub(super) cluster_id: String,
    pub(super) journal: Journal,
    /// At most so many bytes of batches are held; counted anew when there is no room left.
    pub(super) held_bytes_max: u64,
}

/// What the journal tells of logs, before they are opened.
#[derive(Default)]
struct Logs {
    counts: BTreeMap<String, i32>,
    starts: BTreeMap<(String, i32), i64>,
}

impl Core {
    /// What lies in `folder`, or nothing.
    pub(super) fn open(folder: Option<&Path>, defaults: Defaults, now: i64) -> io::Result<Self> {
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder.join("topics"))?;
        }
        let (journal, events) = Journal::open(folder)?;
        let topics = Topics::new(folder.map(|folder| folder.join("topics")), defaults);
        let cluster_id = Uuid::from_u128(crate::kafka::random::random_u128()).simple().to_string();
        let mut core = Self {
            topics,
            groups: Groups::default(),
            transactions: Transactions::default(),
            cluster_id,
            journal,
            held_bytes_max: 0,
        };
        let mut logs = Logs::default();
        for event in events {
            core.apply(event, &mut logs);
        }
        core.topics.reopen(&logs.counts)?;
        for ((topic, partition), offset) in logs.starts {
            if let Ok(log) = core.topics.log(&topic, partition) {
                log.cut_before(offset);
            }
        }
        core.finish_prepared(now);
        core.abort_orphans(now);
        core.rewrite_journal()?;
        Ok(core)
    }

    /// Repeats an event of the journal. Logs are opened afterwards, when it is known how many partitions there are.
    fn apply(&mut self, event: Event, logs: &mut Logs) {
        match event {
            Event::Cluster { id } => self.cluster_id = id,
            Event::Topic { name, id, partitions, configs } => {
                self.topics.add(&name, id, configs);
                logs.counts.insert(name, partitions);
            }
            Event::TopicGone { name } => {
                self.topics.forget(&name);
                logs.starts.retain(|(topic, _), _| *topic != name);
                self.groups.forget_topic(&name);
            }
            Event::Partitions { topic, count } => {
                logs.counts.insert(topic, count);
            }
            Event::Configs { topic, configs } => {
                if let Some(topic) = self.topics.get_mut(&topic) {
                    topic.configs = configs;
                }
            }
            Event::LogStart { topic, partition, offset } => {
                logs.starts.insert((topic, partition), offset);
            }
            Event::Offsets { group, offsets } => self.groups.group(&group).commit(offsets),
            Event::OffsetGone { group, topic, partition } => {
                self.groups.group(&group).offsets.remove(&(topic, partition));
            }
            Event::GroupGone { group } => self.groups.remove(&group),
            Event::ProducerIds { next } => self.transactions.next_producer_id = next,
            Event::Transaction { id, transaction } => self.transactions.set(id, transaction),
        }
    }

    /// Creates a topic that has been checked.
    pub(super) fn create_topic(
        &mut self,
        name: &str,
        partitions: i32,
        configs: BTreeMap<String, String>,
    ) -> Result<Uuid, ResponseError> {
        let id = Uuid::from_u128(crate::kafka::random::random_u128());
        self.journal.note(&Event::Topic {
            name: name.to_owned(),
            id,
            partitions,
            configs: configs.clone(),
        });
        self.topics.add(name, id, configs);
        self.topics.grow(name, partitions).map_err(|error| {
            tracing::error!(%error, topic = name, "a topic's files could not be created");
            ResponseError::KafkaStorageError
        })?;
        Ok(id)
    }

    /// Deletes a topic, and what groups and transactions know of it.
    pub(super) fn delete_topic(&mut self, name: &str) -> Option<Uuid> {
        let id = self.topics.get(name)?.id;
        self.journal.note(&Event::TopicGone { name: name.to_owned() });
        self.topics.remove(name);
        self.groups.forget_topic(name);
        self.transactions.forget_topic(name);
        Some(id)
    }

    /// Moves the start of a log, for good.
    pub(super) fn cut_log(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Result<i64, ResponseError> {
        let log = self.topics.log(topic, partition)?;
        log.cut_before(offset);
        let start = log.start();
        self.journal.note(&Event::LogStart { topic: topic.to_owned(), partition, offset: start });
        Ok(start)
    }

    /// Writes the journal anew with what still holds.
    pub(super) fn rewrite_journal(&mut self) -> io::Result<()> {
        let cluster = Event::Cluster { id: self.cluster_id.clone() };
        let topics = self.topics.iter().flat_map(|(name, topic)| {
            let (name, partitions) = (name.to_owned(), topic.partitions.len() as i32);
            let declared = Event::Topic {
                name: name.clone(),
                id: topic.id,
                partitions,
                configs: topic.configs.clone(),
            };
            let starts =
                topic.partitions.iter().enumerate().filter(|(_, log)| log.start() > 0).map(
                    move |(at, log)| Event::LogStart {
                        topic: name.clone(),
                        partition: at as i32,
                        offset: log.start(),
                    },
                );
            std::iter::once(declared).chain(starts)
        });
        let events = std::iter::once(cluster)
            .chain(topics)
            .chain(self.groups.events())
            .chain(self.transactions.events());
        self.journal.rewrite(events)
    }

    /// Waits until everything is on the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.rewrite_journal()?;
        self.journal.sync()?;
        self.topics
            .iter()
            .flat_map(|(_, topic)| &topic.partitions)
            .try_for_each(|log| log.storage.sync())
    }

    /// Commits offsets of a group, for good.
    pub(super) fn commit_offsets(&mut self, group: &str, offsets: Vec<(String, i32, Committed)>) {
        self.journal.note(&Event::Offsets { group: group.to_owned(), offsets: offsets.clone() });
        self.groups.group(group).commit(offsets);
    }
}
