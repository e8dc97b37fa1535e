//! Traces which records of the input make which records of a sink, by running the queries once more without a broker:
//! those of each source partition for themselves.
//!
//! ```text
//! input-0 ─▶ driver of query A ─▶ keys of A's sink that partition 0 feeds ─▶ driver of query B, which reads that sink ─▶ …
//! input-1 ─▶ another driver    ─▶ …
//! ```
//! A key that one path from partition to partition feeds has its records in one order, on whichever engine; a key that
//! several feed has not. Where results depend on more than that, a sink is said to be open, with the reason.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::differences::Origin;
use super::feeding::{Fed, Feeding};
use super::record::{Placed, Record};
use crate::operators::QueryError;
use crate::plan::{AggregateWindow, NodeKind, QueryPlan};
use crate::registry::Registry;
use crate::runtime::live::QuerySpec;
use crate::runtime::{Driver, DriverOptions, DriverRecord, SchemaAccess, Target};

/// How many bytes of a key say when its session began and ended.
const SESSION_BYTES: usize = 16;

/// The partitions through which a record came, the one of the input first.
type Path = Vec<i32>;

/// What is traced.
pub struct Traced {
    /// The queries, in the order of their statements.
    pub queries: Vec<QuerySpec>,
    /// The records of each topic that is read and that no query writes, by partition and offset.
    pub inputs: HashMap<String, Vec<Placed>>,
    /// The records of each topic that a query writes.
    pub sinks: Arc<HashMap<String, Vec<Placed>>>,
    /// The sinks that are known to be open, and why.
    pub open: BTreeMap<String, String>,
    /// Where schemas come from.
    pub registry: Option<Arc<dyn Registry>>,
}

/// A record on its way.
struct Line {
    path: Path,
    origin: Origin,
    record: DriverRecord,
}

/// Which partitions feed what, by the sink's topic.
pub fn trace(traced: &Traced) -> Result<HashMap<String, Feeding>, QueryError> {
    let mut lines: HashMap<String, Vec<Line>> = HashMap::new();
    for (topic, records) in &traced.inputs {
        let name = Arc::from(topic.as_str());
        lines.insert(topic.clone(), records.iter().map(|placed| root(&name, placed)).collect());
    }
    let mut feedings: HashMap<String, Feeding> = HashMap::new();
    for spec in &traced.queries {
        let topic = spec.plan.sink.topic.clone();
        let feeding = if let Some(reason) = open_reason(traced, &spec.plan, &feedings, &lines) {
            Feeding::open(reason)
        } else {
            let given = run(traced, spec, lines.get(source_topic(&spec.plan)))?;
            let feeding = feeding(&spec.plan, &given);
            lines.insert(topic.clone(), onward(given, traced.sinks.get(&topic)));
            feeding
        };
        feedings.insert(topic, feeding);
    }
    Ok(feedings)
}

fn root(topic: &Arc<str>, placed: &Placed) -> Line {
    let record = &placed.record;
    Line {
        path: vec![placed.partition],
        origin: Origin {
            topic: Arc::clone(topic),
            partition: placed.partition,
            offset: placed.offset,
            record: Arc::new(record.clone()),
        },
        record: DriverRecord {
            key: record.key.clone(),
            value: record.value.clone(),
            timestamp_ms: record.timestamp_ms,
            headers: record.headers.clone(),
        },
    }
}

fn source_topic(plan: &QueryPlan) -> &str {
    &plan.leftmost_source().topic
}

/// Why no rule speaks of a query's results.
fn open_reason(
    traced: &Traced,
    plan: &QueryPlan,
    feedings: &HashMap<String, Feeding>,
    lines: &HashMap<String, Vec<Line>>,
) -> Option<String> {
    if let Some(reason) = traced.open.get(&plan.sink.topic) {
        return Some(reason.clone());
    }
    let writes = |spec: &&QuerySpec| spec.plan.sink.topic == plan.sink.topic;
    if traced.queries.iter().filter(writes).count() > 1 {
        return Some("several queries write into it, and nobody orders these".to_owned());
    }
    if plan.sources().count() > 1 {
        return Some(
            "it joins: how records of two inputs are mixed depends on when they are fetched"
                .to_owned(),
        );
    }
    if plan.nodes().any(|(_, node)| node.kind.is_final()) {
        return Some("EMIT FINAL depends on the wall clock".to_owned());
    }
    let topic = source_topic(plan);
    if let Some(before) = feedings.get(topic) {
        let is_shared = || before.keys.iter().flatten().any(|(_, fed)| *fed == Fed::BySeveral);
        let of_source = before.open.clone();
        if of_source.is_some() {
            return of_source.map(|reason| format!("it reads {topic}, which is open: {reason}"));
        }
        let maker = traced.queries.iter().find(|spec| spec.plan.sink.topic == topic);
        if is_shared() && maker.is_some_and(|maker| !maker.plan.has_no_memory()) {
            return Some(format!(
                "it reads {topic}, where several partitions of the input feed some keys"
            ));
        }
        let is_spread = traced.sinks.get(topic).is_some_and(|records| {
            records.iter().any(|one| one.record.key.is_none() && one.partition > 0)
        });
        if is_spread {
            return Some(format!(
                "it reads {topic}, whose records have no key, so that the producer picks their partition"
            ));
        }
    }
    drops_late(plan, lines.get(topic).map_or(&[], Vec::as_slice)).then(|| {
        "which late records its windows drop depends on how partitions of the input come to be \
         mixed; a longer grace period would fix that"
            .to_owned()
    })
}

/// Whether which records are late depends on how paths mix: rows get a new key, and times are further apart than the grace.
fn drops_late(plan: &QueryPlan, lines: &[Line]) -> bool {
    let windows = plan.nodes().filter_map(|(_, node)| match &node.kind {
        NodeKind::Aggregate(aggregate) => aggregate.window.as_ref(),
        _ => None,
    });
    let graces = windows.map(|window| match window {
        AggregateWindow::Time { windows, .. } => windows.grace_ms,
        AggregateWindow::Session { grace_ms, .. } => *grace_ms,
    });
    let Some(grace_ms) = graces.min() else { return false };
    let paths: BTreeSet<&Path> = lines.iter().map(|line| &line.path).collect();
    if plan.repartitions().next().is_none() || paths.len() < 2 {
        return false;
    }
    let times = || lines.iter().map(|line| line.record.timestamp_ms);
    let spread_ms = times().max().zip(times().min());
    spread_ms.is_some_and(|(last, first)| last.saturating_sub(first) > grace_ms)
}

/// What a query makes of each path for itself.
fn run(
    traced: &Traced,
    spec: &QuerySpec,
    lines: Option<&Vec<Line>>,
) -> Result<Vec<Line>, QueryError> {
    let options =
        DriverOptions { fault_rules: spec.settings.fault_rules, ..DriverOptions::default() };
    let start = || {
        let plan = Arc::clone(&spec.plan);
        let Some(registry) = &traced.registry else { return Driver::new(plan, &spec.id, options) };
        let topic_prefix = spec.settings.application_id(&spec.id);
        let access = SchemaAccess { registry: Arc::clone(registry), topic_prefix };
        Driver::with_registry(plan, &spec.id, options, access)
    };
    let mut drivers: BTreeMap<&Path, Driver> = BTreeMap::new();
    let mut given = Vec::new();
    for line in lines.into_iter().flatten() {
        if !drivers.contains_key(&line.path) {
            drivers.insert(&line.path, start()?);
        }
        let Some(driver) = drivers.get_mut(&line.path) else { continue };
        driver.pipe(source_topic(&spec.plan), &line.record)?;
        // Nobody asks for what is logged.
        driver.take_log();
        let sunk = driver.take_output().into_iter().filter(|(target, _)| *target == Target::Sink);
        given.extend(sunk.map(|(_, record)| Line {
            path: line.path.clone(),
            origin: line.origin.clone(),
            record,
        }));
    }
    Ok(given)
}

/// How the keys are fed of what a query has made.
fn feeding(plan: &QueryPlan, given: &[Line]) -> Feeding {
    let is_session = plan.nodes().any(|(_, node)| {
        matches!(&node.kind, NodeKind::Aggregate(aggregate)
            if matches!(aggregate.window, Some(AggregateWindow::Session { .. })))
    });
    // Sessions of one key grow together, so one that several paths feed is open in all of its windows.
    let base = |key: &[u8]| -> Vec<u8> {
        let length = if is_session { key.len().saturating_sub(SESSION_BYTES) } else { key.len() };
        key[..length].to_vec()
    };
    let mut paths: HashMap<Vec<u8>, BTreeSet<&Path>> = HashMap::new();
    let mut keys: HashMap<Vec<u8>, Fed> = HashMap::new();
    let mut free = HashMap::new();
    for line in given {
        match &line.record.key {
            None => {
                let DriverRecord { key, value, timestamp_ms, headers } = line.record.clone();
                let record = Record { key, value, timestamp_ms, headers };
                free.entry(record).or_insert_with(|| line.origin.clone());
            }
            Some(key) => {
                paths.entry(base(key)).or_default().insert(&line.path);
                let fed = keys.entry(key.clone()).or_insert_with(|| Fed::ByOne(Vec::new()));
                if let Fed::ByOne(origins) = fed {
                    origins.push(line.origin.clone());
                }
            }
        }
    }
    for (key, fed) in &mut keys {
        if paths.get(&base(key)).is_some_and(|paths| paths.len() > 1) {
            *fed = Fed::BySeveral;
        }
    }
    Feeding { keys: Some(keys), free, ..Feeding::default() }
}

/// The same records as those read who read the sink: on the partitions where they lie.
fn onward(given: Vec<Line>, sink: Option<&Vec<Placed>>) -> Vec<Line> {
    let placed = sink.into_iter().flatten();
    let of_keys: HashMap<&[u8], i32> =
        placed.filter_map(|one| Some((one.record.key.as_deref()?, one.partition))).collect();
    let lie = |line: Line| {
        let key = line.record.key.as_deref();
        let partition = key.and_then(|key| of_keys.get(key)).copied().unwrap_or_default();
        let path = line.path.iter().copied().chain([partition]).collect();
        Line { path, ..line }
    };
    given.into_iter().map(lie).collect()
}
