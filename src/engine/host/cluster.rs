//! What a host says of the servers of its service: of itself, and of those that have told it that they live.

use std::collections::BTreeSet;

use super::runners::may_be_asked;
use super::{Host, HostError, Shared};
use crate::kafka::TopicPartition;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::plan::PersistentQuery;
use crate::runtime::clock;
use crate::runtime::live::{LiveError, QueryState, runner_url};

/// A server, as its service sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerText {
    /// Where it is found, as host and port.
    pub address: String,
    /// Whether it is there.
    pub is_alive: bool,
    /// When that was found out, in milliseconds since the epoch.
    pub at_ms: i64,
    /// The queries that it runs, as far as that is known.
    pub queries: Vec<ServedQuery>,
    /// Whether it tells how far behind its state is.
    pub has_lags: bool,
}

/// A query that a server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedQuery {
    /// Its id.
    pub id: String,
    /// Its consumer group, by which Kafka Streams calls the application.
    pub group: String,
    /// What it reads.
    pub partitions: Vec<TopicPartition>,
    /// Its stores, each with the ends of the partitions of its changelog, by their numbers.
    pub stores: Vec<(String, Vec<i64>)>,
}

impl Host {
    /// The servers of the service; nothing where they do not tell each other that they live.
    pub async fn cluster(&self) -> Result<Option<Vec<ServerText>>, HostError> {
        let shared = &self.shared;
        let heartbeats = &shared.heartbeats;
        if !heartbeats.are_told {
            return Ok(None);
        }
        let status = self.status().queries.into_iter();
        let here =
            status.filter(|query| matches!(query.state, QueryState::Running | QueryState::Paused));
        let here: BTreeSet<String> = here.map(|query| query.id).collect();
        let mut queries = Vec::new();
        for query in self.queries().iter().filter(|query| here.contains(&query.id)) {
            queries.push(shared.served(query).await?);
        }
        let now_ms = clock::now().0;
        let own = ServerText {
            address: shared.address.clone(),
            is_alive: true,
            at_ms: now_ms,
            queries,
            has_lags: heartbeats.tell_lags,
        };
        let others = heartbeats.servers(now_ms).into_iter();
        let others = others.filter(|(address, ..)| *address != own.address);
        let others: Vec<_> = others
            .map(|(address, at_ms, is_alive)| ServerText {
                address,
                is_alive,
                at_ms,
                queries: Vec::new(),
                has_lags: false,
            })
            .collect();
        Ok(Some([own].into_iter().chain(others).collect()))
    }

    /// Notes that another server lives; false where that is not asked for.
    pub fn note_heartbeat(&self, address: String) -> bool {
        let heartbeats = &self.shared.heartbeats;
        if heartbeats.are_told {
            heartbeats.note(address, clock::now().0);
        }
        heartbeats.are_told
    }

    /// Whether servers tell each other how far behind their state is.
    pub fn takes_lags(&self) -> bool {
        self.shared.heartbeats.tell_lags
    }
}

impl Shared {
    /// The URL of the server to ask for what a query keeps, if that is why it was not found here.
    pub(super) async fn runner_for(&self, error: &LiveError) -> Option<String> {
        let LiveError::NotRunning { query, .. } = error else { return None };
        if !self.instance.stands_by(query) {
            return None;
        }
        if let Some(found) = self.runners.get(query) {
            return found.url;
        }
        let (admin, group) = (Admin::new(&self.services.cluster), self.group_of(query));
        let url = match admin.describe_group(&group).await {
            Ok(group) => group.and_then(|group| runner_url(&group.members)),
            Err(error) => {
                tracing::warn!("query {query}: who runs it cannot be found out: {error}");
                None
            }
        };
        let url = url.filter(|url| may_be_asked(&self.properties, url));
        self.runners.keep(query, url.clone());
        url
    }

    /// A query of this server.
    async fn served(&self, query: &PersistentQuery) -> Result<ServedQuery, HostError> {
        let group = self.group_of(&query.id);
        let read = self.topic_offsets(query).await?;
        let partitions = read.iter().flat_map(|topic| {
            let at = |offsets: &super::PartitionOffsets| {
                TopicPartition::new(topic.topic.as_str(), offsets.partition)
            };
            topic.offsets.iter().map(at)
        });
        let admin = Admin::new(&self.services.cluster);
        let mut stores = Vec::new();
        for (_, _, store) in query.plan.stores() {
            let topic = format!("{group}-{}", store.changelog());
            // One that has just begun may not have made it yet.
            let ends = match admin.describe_topic(&topic).await? {
                Some(_) => {
                    let isolation = Isolation::ReadUncommitted;
                    admin.topic_offsets(&topic, OffsetSpec::Latest, isolation).await?
                }
                None => Vec::new(),
            };
            stores.push((store.name.clone(), ends));
        }
        let partitions = partitions.collect();
        Ok(ServedQuery { id: query.id.clone(), group, partitions, stores })
    }
}
