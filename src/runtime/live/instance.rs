//! All queries of one process.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::checkpoint::Home;
use super::query::{LiveError, LiveQuery, QuerySpec, QueryState, QueryStatus, QueryTopics};
use super::reader::{Reader, Statuses};
use super::topics::{
    EnsuredTopic, changelog_configs, ensure_topic, repartition_configs, repartition_name,
};
use crate::kafka::admin::Admin;
use crate::kafka::group::GroupOffsets;
use crate::kafka::{Cluster, KafkaError, ResponseError};
use crate::plan::{Source, fingerprint};
use crate::runtime::clock;
use crate::state::checkpoint::StateDirectory;

/// What an instance is told besides its queries.
#[derive(Clone, Copy, Debug)]
pub struct InstanceOptions {
    /// How long a stop may take before what is left is given up.
    pub stop_within: Duration,
    /// A number that no other instance has.
    pub id: u64,
}

/// Where an instance stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceStatus {
    /// Its queries, by id.
    pub queries: Vec<QueryStatus>,
}

impl InstanceStatus {
    /// Whether every query has failed for good.
    pub fn has_failed(&self) -> bool {
        !self.queries.is_empty()
            && self.queries.iter().all(|query| query.state == QueryState::Failed)
    }
}

/// Running queries.
pub struct Instance {
    stop: watch::Sender<bool>,
    readers: Vec<JoinHandle<()>>,
    statuses: Statuses,
    options: InstanceOptions,
}

impl Instance {
    /// Makes the topics that the queries need, and starts them.
    pub async fn start(
        cluster: &Cluster,
        specs: Vec<QuerySpec>,
        options: InstanceOptions,
    ) -> Result<Self, LiveError> {
        let admin = Admin::new(cluster);
        let mut groups: Vec<(Arc<Source>, Vec<LiveQuery>)> = Vec::new();
        let mut directories = Directories::default();
        for spec in specs {
            ensure_processing_log(&admin, &spec).await?;
            let topics = query_topics(&admin, &spec).await?;
            let home = directories.home(&spec)?;
            let query = LiveQuery::new(spec, topics, cluster.clone(), home);
            let source = Arc::clone(query.spec.plan.leftmost_source());
            match groups.iter_mut().find(|(other, _)| reads_alike(other, &source)) {
                Some((_, queries)) => queries.push(query),
                None => groups.push((source, vec![query])),
            }
        }
        let (stop, stopped) = watch::channel(false);
        let statuses: Statuses = Arc::new(Mutex::new(BTreeMap::new()));
        let since = (clock::now().0, options.id);
        let mut readers = Vec::with_capacity(groups.len());
        for (_, queries) in groups {
            let reader = Reader::new(cluster.clone(), queries, since, Arc::clone(&statuses))?;
            readers.push(tokio::spawn(reader.run(stopped.clone())));
        }
        Ok(Self { stop, readers, statuses, options })
    }

    /// Where all queries stand.
    pub fn status(&self) -> InstanceStatus {
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        InstanceStatus { queries: statuses.values().cloned().collect() }
    }

    /// Drains, commits and leaves; what has not ended in time is given up.
    pub async fn stop(self) -> InstanceStatus {
        self.stop.send_replace(true);
        let give_up = tokio::time::sleep(self.options.stop_within);
        tokio::pin!(give_up);
        for mut reader in self.readers {
            tokio::select! {
                _ = &mut reader => {}
                () = &mut give_up => {
                    tracing::warn!("stopped before everything was committed; it will be read again");
                    reader.abort();
                }
            }
        }
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        InstanceStatus { queries: statuses.values().cloned().collect() }
    }
}

/// The state directories of an instance, by their root and service.
#[derive(Default)]
struct Directories(BTreeMap<(PathBuf, String), Arc<StateDirectory>>);

impl Directories {
    /// Where a query keeps its checkpoints, if it does; the directory is locked.
    fn home(&mut self, spec: &QuerySpec) -> Result<Option<Home>, LiveError> {
        let settings = &spec.settings;
        let Some(root) = &settings.state_dir else { return Ok(None) };
        let directory = match self.0.entry((root.clone(), settings.service_id.clone())) {
            Entry::Occupied(entry) => Arc::clone(entry.get()),
            Entry::Vacant(entry) => {
                let directory = StateDirectory::open(root, &settings.service_id)?;
                Arc::clone(entry.insert(Arc::new(directory)))
            }
        };
        Ok(Some(Home::new(directory, &spec.id, &fingerprint(&spec.plan))))
    }
}

/// Whether two sources read the same records in the same way, so that one decode serves both.
fn reads_alike(a: &Source, b: &Source) -> bool {
    a.topic == b.topic
        && a.kind == b.kind
        && a.schema == b.schema
        && a.headers == b.headers
        && a.key_format == b.key_format
        && a.value_format == b.value_format
        && a.window == b.window
        && a.timestamp == b.timestamp
}

async fn ensure_processing_log(admin: &Admin, spec: &QuerySpec) -> Result<(), LiveError> {
    let settings = &spec.settings;
    if settings.has_processing_log {
        let (topic, replicas) = (&settings.processing_log_topic, settings.internal_replicas);
        ensure_topic(admin, topic, 1, replicas, &BTreeMap::new()).await?;
    }
    Ok(())
}

/// Finds the topics of a query, and makes its internal ones.
async fn query_topics(admin: &Admin, spec: &QuerySpec) -> Result<QueryTopics, LiveError> {
    let plan = &spec.plan;
    let partitions = |name: String| async move {
        let found = admin.describe_topic(&name).await?;
        let found = found.map(|topic| topic.partitions.len() as i32);
        found.ok_or_else(|| LiveError::Topic { topic: name, cause: "does not exist".to_owned() })
    };
    let source = plan.leftmost_source();
    let source_partitions = partitions(source.topic.clone()).await?;
    let sink_partitions = partitions(plan.sink.topic.clone()).await?;
    let application_id = spec.settings.application_id(&spec.id);
    let replicas = spec.settings.internal_replicas;
    let mut repartition = None;
    if let Some(name) = repartition_name(plan)
        && spec.settings.repartitions_by_topic
    {
        let name = format!("{application_id}-{name}");
        let configs = repartition_configs();
        let ensured = ensure_topic(admin, &name, source_partitions, replicas, &configs).await?;
        has_partitions(&name, ensured, source_partitions)?;
        repartition = Some(name);
    }
    let changelogs: Vec<String> = plan
        .stores()
        .map(|(.., store)| format!("{application_id}-{}", store.changelog()))
        .collect();
    let lost_state = lost_state(admin, &application_id, &changelogs).await?;
    if lost_state.is_none() {
        for ((.., store), name) in plan.stores().zip(&changelogs) {
            let configs = changelog_configs(store);
            let ensured = ensure_topic(admin, name, source_partitions, replicas, &configs).await?;
            has_partitions(name, ensured, source_partitions)?;
        }
    }
    Ok(QueryTopics {
        source: source.topic.clone(),
        source_partitions,
        sink: plan.sink.topic.clone(),
        sink_partitions,
        repartition,
        state_partitions: source_partitions,
        changelogs,
        lost_state,
    })
}

/// Says why a group's offsets have no state: a changelog is missing.
///
/// A group without offsets has not begun, so that missing changelogs are as they should be.
async fn lost_state(
    admin: &Admin,
    group: &str,
    changelogs: &[String],
) -> Result<Option<String>, LiveError> {
    let names: Vec<&str> = changelogs.iter().map(String::as_str).collect();
    if names.is_empty() {
        return Ok(None);
    }
    let found = admin.describe_topics(&names).await?;
    let is_missing = |topic: &Result<_, KafkaError>| matches!(topic, Err(error) if error.is_code(ResponseError::UnknownTopicOrPartition));
    let Some((missing, _)) = found.iter().find(|(_, topic)| is_missing(topic)) else {
        return Ok(None);
    };
    let committed = GroupOffsets::new(admin.cluster(), group).committed(None).await?;
    Ok((!committed.is_empty()).then(|| {
        format!(
            "its group {group} has offsets, but the changelog topic {missing} is missing; delete \
             the consumer group to start anew"
        )
    }))
}

/// An internal topic must have as many partitions as the source.
fn has_partitions(name: &str, ensured: EnsuredTopic, expected: i32) -> Result<(), LiveError> {
    match ensured {
        EnsuredTopic::Existing(found) if found != expected => Err(LiveError::Topic {
            topic: name.to_owned(),
            cause: format!("has {found} partitions, expected {expected}, as the source has"),
        }),
        _ => Ok(()),
    }
}
