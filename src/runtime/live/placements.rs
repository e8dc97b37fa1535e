//! Which worker owns which partitions: fixed for a topic while any query reads it.
//!
//! The owner of partition `p` is worker `p + o`, where `o` comes of the names of the topics that one
//! sub-topology reads together. So topics of one partition spread over the workers, and what is joined
//! meets on one of them.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::message::QueryId;
use crate::plan::{Input, QueryPlan, SubTopology, SubTopologyId, part_of};
use crate::runtime::Placement;

/// Where the partitions of topics are.
#[derive(Debug, Default)]
pub(super) struct Placements {
    workers: usize,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    topics: BTreeMap<String, Placed>,
    queries: BTreeMap<QueryId, (Arc<QueryPlan>, Placement)>,
}

/// A topic that is read.
#[derive(Clone, Copy, Debug)]
struct Placed {
    moved_by: usize,
    users: usize,
}

impl Placements {
    /// Nothing is read yet.
    pub(super) fn new(workers: usize) -> Self {
        Self { workers: workers.max(1), places: Mutex::default() }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Places the tasks of a query, and holds its topics where they are.
    pub(super) fn place(&self, query: &QueryId, plan: &Arc<QueryPlan>) {
        let mut places = self.places();
        let topics = &mut places.topics;
        let parts = plan.sub_topologies();
        let mut moved_by: Vec<Option<usize>> = Vec::with_capacity(parts.len());
        for part in &parts {
            let names = source_topics(plan, part);
            let known = names.iter().find_map(|name| Some(topics.get(name)?.moved_by));
            let place = known.unwrap_or_else(|| self.hash(&names));
            for name in &names {
                let new = Placed { moved_by: place, users: 0 };
                topics.entry(name.clone()).or_insert(new).users += 1;
            }
            moved_by.push((!names.is_empty()).then_some(place));
        }
        // What reads no source stays with what hands rows over to it.
        for (index, part) in parts.iter().enumerate() {
            if moved_by[index].is_none() {
                let writer = writer_of(plan, &parts, part);
                moved_by[index] = writer.and_then(|writer| moved_by[writer.0]);
            }
        }
        let moved_by = moved_by.into_iter().map(|place| place.unwrap_or(0)).collect();
        let placement = Placement { workers: self.workers, moved_by, is_together: false };
        places.queries.insert(query.clone(), (Arc::clone(plan), placement));
    }

    /// Where the tasks of a query are.
    pub(super) fn of(&self, query: &QueryId) -> Placement {
        let places = self.places();
        let placed = places.queries.get(query).map(|(_, placement)| placement.clone());
        placed.unwrap_or(Placement {
            workers: self.workers,
            moved_by: Vec::new(),
            is_together: false,
        })
    }

    /// Lets go of the topics of a query.
    pub(super) fn release(&self, query: &QueryId) {
        let mut places = self.places();
        let Places { topics, queries } = &mut *places;
        let Some((plan, _)) = queries.remove(query) else { return };
        for part in plan.sub_topologies() {
            for name in source_topics(&plan, &part) {
                if let Some(placed) = topics.get_mut(&name) {
                    placed.users -= 1;
                }
            }
        }
        topics.retain(|_, placed| placed.users > 0);
    }

    fn hash(&self, names: &[String]) -> usize {
        let mut hasher = DefaultHasher::new();
        names.hash(&mut hasher);
        (hasher.finish() % self.workers as u64) as usize
    }
}

/// The topics of the sources that a part reads, in order.
fn source_topics(plan: &QueryPlan, part: &SubTopology) -> Vec<String> {
    let sources = plan.sources().filter(|(node, _)| part.nodes.contains(node));
    let mut names: Vec<String> = sources.map(|(_, source)| source.topic.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// The part that writes the first repartition topic that a part reads.
fn writer_of(plan: &QueryPlan, parts: &[SubTopology], part: &SubTopology) -> Option<SubTopologyId> {
    let reads = |id| part.inputs.contains(&Input::Repartition(id));
    let (_, writer, _) = plan.repartitions().find(|(id, ..)| reads(*id))?;
    part_of(parts, writer)
}
