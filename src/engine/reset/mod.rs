//! Queries made to begin anew: their groups, their state and their internal topics deleted.
//!
//! ```text
//! plan: queries of a file and of its service ─→ what there is of each ─→ shown, and asked about
//! run:  no members? ─→ local state ─→ internal topics ─→ sinks ─→ noted plans ─→ groups
//! ```
//! A group goes last, as what is left of a query is found by its offsets: a reset that breaks off is
//! finished by another one. A query that runs, here or elsewhere, is left as it is.

pub(super) mod delete;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::headless::{HeadlessError, dry_run};
use super::service::{Service, ServiceQueries};
use super::{Properties, QueryKind, Services, settings};
use crate::kafka::KafkaError;
use crate::kafka::admin::Admin;
use crate::kafka::cluster::TopicMetadata;
use crate::registry::Subject;
use crate::runtime::PlanRecord;
use crate::runtime::live::{LiveError, QuerySettings, group_prefix};
use crate::state::checkpoint::{CheckpointError, StateDirectory};

/// What is to be reset.
#[derive(Clone, Debug, Default)]
pub struct ResetOptions {
    /// The queries, by id; all those of the file where there are none.
    pub queries: Vec<String>,
    /// Whether the topics go, too, that `CREATE … AS` statements write into.
    pub sinks: bool,
}

/// Why queries cannot be reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// The file.
    #[error(transparent)]
    File(#[from] HeadlessError),
    /// Kafka.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// There is no such query.
    #[error("there is no query {id}; there are: {known}")]
    Unknown {
        /// Its id.
        id: String,
        /// Those that there are.
        known: String,
    },
    /// It runs.
    #[error(
        "query {id} is running: its group {group} has members ({members}); stop them first, or wait until \
         the session of one that was killed is over"
    )]
    Running {
        /// Its id.
        id: String,
        /// Its group.
        group: String,
        /// Who they are.
        members: String,
    },
    /// A sink that others use.
    #[error(
        "topic {topic} is used by query {by}, which is not reset; leave --sinks out, or reset it too"
    )]
    SinkInUse {
        /// The topic.
        topic: String,
        /// The query that uses it.
        by: String,
    },
}

impl From<KafkaError> for ResetError {
    fn from(error: KafkaError) -> Self {
        Self::Live(error.into())
    }
}

impl From<CheckpointError> for ResetError {
    fn from(error: CheckpointError) -> Self {
        Self::Live(error.into())
    }
}

/// What a reset will delete.
#[derive(Clone, Debug, Default)]
pub struct Reset {
    /// By query.
    pub queries: Vec<QueryReset>,
}

/// What there is of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryReset {
    /// Its id.
    pub id: String,
    /// Its group, where there is one.
    pub group: Option<String>,
    /// Its changelogs and repartition topics.
    pub internal_topics: Vec<String>,
    /// The topic that it writes into, where that is to be deleted.
    pub sink: Option<String>,
    /// The subjects of these topics in the registry.
    pub subjects: Vec<Subject>,
    /// Its local state.
    pub state: Option<PathBuf>,
    /// Its service.
    service_id: String,
    /// The root of its local state.
    state_root: Option<PathBuf>,
    /// The keys of what is noted of its plans.
    plans: Vec<Vec<u8>>,
}

impl QueryReset {
    /// Whether there is nothing to delete.
    pub fn is_empty(&self) -> bool {
        self.things().next().is_none() && self.plans.is_empty()
    }

    /// What is deleted, in words.
    pub fn things(&self) -> impl Iterator<Item = String> {
        let group = self.group.iter().map(|group| format!("group {group}"));
        let topics = self.internal_topics.iter().map(|topic| format!("topic {topic}"));
        let sink = self.sink.iter().map(|topic| format!("topic {topic}, with the results"));
        let state = self.state.iter().map(|path| format!("local state {}", path.display()));
        let subjects = self.subjects.iter().map(|subject| format!("subject {subject}"));
        group.chain(topics).chain(sink).chain(subjects).chain(state)
    }

    /// Those of these subjects that belong to topics which are deleted, or to internal ones that are gone.
    fn subjects_of(&self, subjects: &[Subject]) -> Vec<Subject> {
        let prefix = format!("{}{}-", group_prefix(&self.service_id), self.id);
        let is_own = |subject: &&Subject| {
            let name = subject.as_str();
            let topic = name.strip_suffix("-key").or_else(|| name.strip_suffix("-value"));
            topic.is_some_and(|topic| {
                is_internal(topic, &prefix) || self.sink.as_deref() == Some(topic)
            })
        };
        subjects.iter().filter(is_own).cloned().collect()
    }
}

/// A query that can be reset.
struct Candidate {
    id: String,
    service_id: String,
    state_root: Option<PathBuf>,
    sink: Option<String>,
}

/// Finds out what there is of queries; writes nothing.
pub async fn plan_reset(
    services: &Services,
    text: &str,
    properties: &Properties,
    options: &ResetOptions,
) -> Result<Reset, ResetError> {
    let cluster = &services.cluster;
    let subjects = match &services.registry {
        Some(registry) => registry.subjects().await.map_err(HeadlessError::Registry)?,
        None => Vec::new(),
    };
    let queries = dry_run(services, text, properties).await?.queries;
    let default = settings(properties).map_err(HeadlessError::Property)?;
    let admin = Admin::new(cluster);
    let topics = admin.list_topics().await?;
    let chosen = chosen(&queries, options, &default, &topics)?;
    if options.sinks {
        check_sinks(&queries, &chosen)?;
    }
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    let mut reset = Reset::default();
    for mut candidate in chosen {
        candidate.sink = candidate.sink.filter(|_| options.sinks);
        let service = match services.entry(candidate.service_id.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert(Service::look_at(cluster, &candidate.service_id).await?)
            }
        };
        let noted = service.plans.keys().filter(|(id, _)| *id == candidate.id);
        let plans = noted.map(|(id, fingerprint)| PlanRecord::key(id, fingerprint)).collect();
        let query = what_there_is(&admin, candidate, &topics).await?;
        let subjects = query.subjects_of(&subjects);
        reset.queries.push(QueryReset { subjects, plans, ..query });
    }
    reset.check_members(&admin).await?;
    Ok(reset)
}

async fn what_there_is(
    admin: &Admin,
    candidate: Candidate,
    topics: &[Arc<TopicMetadata>],
) -> Result<QueryReset, ResetError> {
    let Candidate { id, service_id, state_root, sink } = candidate;
    let group = format!("{}{id}", group_prefix(&service_id));
    let prefix = format!("{group}-");
    let names = || topics.iter().map(|topic| topic.name.as_ref());
    let internal = names().filter(|name| is_internal(name, &prefix));
    let state = state_root.as_ref().filter(|root| root.exists()).map(|root| {
        let directory = StateDirectory::path_of(root, &service_id, &id);
        directory.exists().then_some(directory)
    });
    Ok(QueryReset {
        internal_topics: internal.map(str::to_owned).collect(),
        sink: sink.filter(|sink| names().any(|name| name == sink)),
        state: state.flatten(),
        group: admin.describe_group(&group).await?.map(|found| found.group),
        id,
        service_id,
        state_root,
        plans: Vec::new(),
        subjects: Vec::new(),
    })
}

/// Whether a topic is a changelog, or one that re-keys, of the query whose topics begin with `prefix`.
fn is_internal(topic: &str, prefix: &str) -> bool {
    topic.starts_with(prefix) && (topic.ends_with("-changelog") || topic.ends_with("-repartition"))
}

/// All queries that there are: those of the file, and those that no statement makes any more.
fn candidates(queries: &ServiceQueries, default: &QuerySettings) -> Vec<Candidate> {
    let of_file = queries.queries.iter().map(|query| {
        let settings = &query.spec.settings;
        let before = query.before.as_ref().and_then(|before| before.sink_topic.clone());
        let now =
            || (query.kind == QueryKind::CreateAs).then(|| query.spec.plan.sink.topic.clone());
        Candidate {
            id: query.spec.id.clone(),
            service_id: settings.service_id.clone(),
            state_root: settings.state_dir.clone(),
            sink: before.or_else(now),
        }
    });
    let gone = queries.gone.iter().map(|query| Candidate {
        id: query.id.clone(),
        service_id: query.service_id.clone(),
        state_root: default.state_dir.clone(),
        sink: query.before.sink_topic.clone(),
    });
    of_file.chain(gone).collect()
}

/// The queries that are to be reset: those of the file, or those that are named. A name may also be
/// that of a query of which only topics are left.
fn chosen(
    queries: &ServiceQueries,
    options: &ResetOptions,
    default: &QuerySettings,
    topics: &[Arc<TopicMetadata>],
) -> Result<Vec<Candidate>, ResetError> {
    let mut candidates = candidates(queries, default);
    if options.queries.is_empty() {
        candidates.truncate(queries.queries.len());
        return Ok(candidates);
    }
    let mut chosen = Vec::new();
    for id in &options.queries {
        if let Some(at) = candidates.iter().position(|candidate| candidate.id == *id) {
            chosen.push(candidates.remove(at));
            continue;
        }
        let prefix = format!("{}{id}-", group_prefix(&default.service_id));
        if !topics.iter().any(|topic| topic.name.starts_with(&prefix)) {
            let known = candidates.iter().map(|candidate| candidate.id.as_str());
            return Err(ResetError::Unknown {
                id: id.clone(),
                known: known.collect::<Vec<_>>().join(", "),
            });
        }
        chosen.push(Candidate {
            id: id.clone(),
            service_id: default.service_id.clone(),
            state_root: default.state_dir.clone(),
            sink: None,
        });
    }
    Ok(chosen)
}

/// Whether no query that stays reads or writes a topic that is to be deleted.
fn check_sinks(queries: &ServiceQueries, chosen: &[Candidate]) -> Result<(), ResetError> {
    let stays = |id: &str| !chosen.iter().any(|candidate| candidate.id == id);
    for query in queries.queries.iter().filter(|query| stays(&query.spec.id)) {
        let plan = &query.spec.plan;
        let uses: BTreeSet<&str> = plan
            .sources()
            .map(|(_, source)| source.topic.as_str())
            .chain([plan.sink.topic.as_str()])
            .collect();
        let sinks = chosen.iter().filter_map(|candidate| candidate.sink.as_deref());
        if let Some(topic) = sinks.into_iter().find(|topic| uses.contains(topic)) {
            let (topic, by) = (topic.to_owned(), query.spec.id.clone());
            return Err(ResetError::SinkInUse { topic, by });
        }
    }
    Ok(())
}
