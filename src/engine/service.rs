//! What a service has run before, as Kafka tells it, and which of it the queries of a file are.
//!
//! ```text
//! groups of the service ─ offsets ─ fingerprints ─┐
//! its changelogs ─ ids that have state ───────────┼─ identify ─→ an id and a fate for each query
//! its plans topic ─ statements as they were ──────┘
//! ```
//! Nothing here writes anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::identity::{Fate, Found, Taken, Wanted, identify, query_number};
use super::{Program, QueryKind};
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::group::GroupOffsets;
use crate::kafka::{Cluster, KafkaError, ResponseError};
use crate::plan::{PersistentQuery, QueryPlan, fingerprint};
use crate::runtime::live::{LiveError, NotedPlans, QuerySpec, group_prefix, read_plans};
use crate::runtime::{PlanDetails, clock, decode_metadata};
use crate::sql::Span;

/// How long the first offsets of groups that have members are waited for, and how often they are
/// looked for.
const FIRST_OFFSETS_WAIT: Duration = Duration::from_secs(5);
const FIRST_OFFSETS_LOOK: Duration = Duration::from_millis(100);

/// A query of a file, and what it is to the service.
#[derive(Clone, Debug)]
pub struct ServiceQuery {
    /// The query as an instance takes it, with the id under which it runs.
    pub spec: QuerySpec,
    /// What kind of statement makes it.
    pub kind: QueryKind,
    /// Where its statement stands.
    pub place: Span,
    /// What it does.
    pub fate: Fate,
    /// What the query was when it last ran, where it was another one.
    pub before: Option<Before>,
}

/// What a query was when it last ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Its plan, where that is known.
    pub plan: Option<PlanDetails>,
    /// The fingerprint of its plan, where that is known.
    pub fingerprint: Option<String>,
    /// The topic of the stream or table that it made and filled, where that is known.
    pub sink_topic: Option<String>,
}

impl Before {
    /// What it was, and what it would be with the plan `now`, in words.
    pub fn texts(&self, now: &QueryPlan) -> [String; 2] {
        let now = PlanDetails::of(now);
        let was = match (&self.plan, &self.fingerprint) {
            (Some(was), _) => return [was.text_beside(&now), now.text_beside(was)],
            (None, Some(fingerprint)) => format!("a plan with the fingerprint {fingerprint}"),
            (None, None) => "a plan without a fingerprint".to_owned(),
        };
        [was, now.statement]
    }
}

/// A query that the service has run and that no statement makes any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoneQuery {
    /// Its id.
    pub id: String,
    /// Its group.
    pub group: String,
    /// Its service.
    pub service_id: String,
    /// What it was.
    pub before: Before,
}

/// The queries of a file, and what else the service has run.
#[derive(Clone, Debug, Default)]
pub struct ServiceQueries {
    /// In the order of the file.
    pub queries: Vec<ServiceQuery>,
    /// In order of their ids.
    pub gone: Vec<GoneQuery>,
}

/// Finds out which queries the statements of a program are; `specs` are those that it makes.
pub(super) async fn find_queries(
    cluster: &Cluster,
    program: &Program,
    specs: Vec<QuerySpec>,
) -> Result<ServiceQueries, LiveError> {
    let mut by_service: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (query, spec) in specs.iter().enumerate() {
        by_service.entry(spec.settings.service_id.clone()).or_default().push(query);
    }
    let made = program.engine().queries();
    let query = |(spec, made): (QuerySpec, &Arc<PersistentQuery>)| {
        let place = program.place_of(&spec.id);
        ServiceQuery { spec, kind: made.kind, place, fate: Fate::New, before: None }
    };
    let queries = specs.into_iter().zip(made).map(query).collect();
    let mut found = ServiceQueries { queries, gone: Vec::new() };
    for (service_id, members) in by_service {
        let service = Service::look_at(cluster, &service_id).await?;
        let wanted: Vec<_> = members.iter().map(|query| wanted(&made[*query])).collect();
        let numbers = program.table_numbers().collect();
        let taken = Taken { state: service.with_state.clone(), numbers };
        let identity = identify(&wanted, &service.found, &taken);
        for (member, (id, fate)) in members.into_iter().zip(identity.queries) {
            let query = &mut found.queries[member];
            query.before = (fate == Fate::Changed).then(|| service.before(&id));
            query.spec.id = id;
            query.fate = fate;
        }
        found.gone.extend(identity.gone.into_iter().map(|id| GoneQuery {
            group: format!("{}{id}", group_prefix(&service_id)),
            service_id: service_id.clone(),
            before: service.before(&id),
            id,
        }));
    }
    Ok(found)
}

fn wanted(query: &PersistentQuery) -> Wanted {
    Wanted {
        id: query.id.clone(),
        kind: query.kind,
        sink: query.plan.sink.name.clone(),
        fingerprint: fingerprint(&query.plan),
    }
}

/// What a service has run before.
#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    pub(super) found: Vec<Found>,
    /// The ids of queries that have written changelogs.
    pub(super) with_state: BTreeSet<String>,
    /// By query and fingerprint.
    pub(super) plans: NotedPlans,
}

impl Service {
    /// Asks Kafka.
    pub(super) async fn look_at(cluster: &Cluster, service_id: &str) -> Result<Self, LiveError> {
        let admin = Admin::new(cluster);
        let prefix = group_prefix(service_id);
        let plans = read_plans(&admin, service_id).await?;
        let mut service = Self { plans, ..Self::default() };
        let until = clock::instant() + FIRST_OFFSETS_WAIT;
        for listing in admin.list_groups().await? {
            let Some(id) = listing.group.strip_prefix(&prefix) else { continue };
            let Some(fingerprint) = group_fingerprint(&admin, &listing.group, until).await? else {
                continue;
            };
            let sink = service.sink(id, fingerprint.as_deref());
            service.found.push(Found { id: id.to_owned(), fingerprint, sink });
        }
        service.with_state = ids_with_state(&admin, &prefix).await?;
        Ok(service)
    }

    /// What the query with this id was when it last ran.
    fn before(&self, id: &str) -> Before {
        let group = self.found.iter().find(|group| group.id == id);
        let fingerprint = group.and_then(|group| group.fingerprint.clone());
        let details = self.details(id, fingerprint.as_deref());
        let is_own = id.starts_with("CSAS_") || id.starts_with("CTAS_");
        Before {
            plan: details.cloned(),
            sink_topic: details
                .map(|details| details.sink_topic.clone())
                .filter(|topic| is_own && !topic.is_empty()),
            fingerprint,
        }
    }

    fn details(&self, id: &str, fingerprint: Option<&str>) -> Option<&PlanDetails> {
        self.plans.get(&(id.to_owned(), fingerprint?.to_owned()))
    }

    /// The target of a query: as its plan was noted, or as its id says.
    fn sink(&self, id: &str, fingerprint: Option<&str>) -> Option<String> {
        if let Some(details) = self.details(id, fingerprint) {
            return Some(details.sink.clone());
        }
        let name = id.strip_prefix("CSAS_").or_else(|| id.strip_prefix("CTAS_"))?;
        query_number(id)?;
        name.rsplit_once('_').map(|(name, _)| name.to_owned())
    }
}

/// The fingerprint beside a group's offsets, if there is one; nothing for a group that has neither
/// offsets nor members.
async fn group_fingerprint(
    admin: &Admin,
    group: &str,
    until: Instant,
) -> Result<Option<Option<String>>, KafkaError> {
    let offsets = GroupOffsets::new(admin.cluster(), group);
    let mut committed = offsets.committed(None).await?;
    while committed.is_empty() {
        // A member that has just joined commits where it begins before it does anything else.
        let description = admin.describe_group(group).await?;
        if description.is_none_or(|group| group.members.is_empty()) {
            return Ok(None);
        }
        if clock::instant() >= until {
            return Ok(Some(None));
        }
        tokio::time::sleep(FIRST_OFFSETS_LOOK).await;
        committed = offsets.committed(None).await?;
    }
    let metadata = committed.values().map(|committed| decode_metadata(&committed.metadata));
    let fingerprints: BTreeSet<String> =
        metadata.filter_map(|metadata| metadata.fingerprint().map(str::to_owned)).collect();
    // Offsets of several plans belong to none of them.
    let all = fingerprints.into_iter().collect::<Vec<_>>().join(" and ");
    Ok(Some(Some(all).filter(|all| !all.is_empty())))
}

/// The ids of queries that have written changelogs.
async fn ids_with_state(admin: &Admin, prefix: &str) -> Result<BTreeSet<String>, KafkaError> {
    let mut ids = BTreeSet::new();
    for topic in admin.list_topics().await? {
        let Some(rest) = topic.name.strip_prefix(prefix) else { continue };
        if !rest.ends_with("-changelog") {
            continue;
        }
        match has_records(admin, &topic.name).await {
            Ok(true) => ids.extend(changelog_ids(rest).map(str::to_owned)),
            Ok(false) => {}
            // It has been deleted since.
            Err(error) if error.is_code(ResponseError::UnknownTopicOrPartition) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ids)
}

async fn has_records(admin: &Admin, topic: &str) -> Result<bool, KafkaError> {
    let isolation = Isolation::ReadUncommitted;
    let earliest = admin.topic_offsets(topic, OffsetSpec::Earliest, isolation).await?;
    let latest = admin.topic_offsets(topic, OffsetSpec::Latest, isolation).await?;
    Ok(earliest != latest)
}

/// The ids of which a changelog may be, by its name after its service: `CTAS_A_0-B-C-changelog` is
/// of `CTAS_A_0`. As names of sources may hold everything that ids do, there may be several.
fn changelog_ids(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('-').map(|(end, _)| &name[..end])
}
