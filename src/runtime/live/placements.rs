//! Which worker owns which partitions: fixed for a topic while any query reads it.
//!
//! The owner of partition `p` is worker `p + o`, where `o` comes of the names of the topics that one
//! sub-topology reads together. So topics of one partition spread over the workers, and what is joined
//! meets on one of them. Where some partitions hold more records than others, the largest go to the
//! workers that have least.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ids::QueryId;
use crate::plan::{Input, QueryPlan, SubTopology, SubTopologyId, part_of};
use crate::runtime::{PartPlacement, Placement};

/// Where the partitions of topics are.
#[derive(Debug, Default)]
pub(super) struct Placements {
    workers: usize,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    topics: BTreeMap<String, Placed>,
    queries: BTreeMap<QueryId, Arc<QueryPlan>>,
}

/// A topic that is read.
#[derive(Clone, Debug)]
struct Placed {
    moved_by: usize,
    /// The worker of each partition, once their sizes are known.
    owners: Option<Arc<[usize]>>,
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

    /// Places the topics of a query, and holds them where they are.
    pub(super) fn place(&self, query: &QueryId, plan: &Arc<QueryPlan>) {
        let mut places = self.places();
        let topics = &mut places.topics;
        for part in plan.sub_topologies() {
            let names = source_topics(plan, &part);
            let known = names.iter().find_map(|name| topics.get(name).cloned());
            let moved_by = known.as_ref().map_or_else(|| self.hash(&names), |known| known.moved_by);
            let owners = known.and_then(|known| known.owners);
            for name in names {
                let new = Placed { moved_by, owners: owners.clone(), users: 0 };
                topics.entry(name).or_insert(new).users += 1;
            }
        }
        places.queries.insert(query.clone(), Arc::clone(plan));
    }

    /// The topics of a query that are read together, and of whose partitions it is not known how large
    /// they are. None if that does not matter.
    pub(super) fn unknown(&self, query: &QueryId) -> Vec<Vec<String>> {
        let places = self.places();
        let Some(plan) = places.queries.get(query).filter(|_| self.workers > 1) else {
            return Vec::new();
        };
        let parts = plan.sub_topologies();
        let read = parts.iter().map(|part| source_topics(plan, part));
        let is_known = |name: &String| places.topics.get(name).is_none_or(|at| at.owners.is_some());
        read.filter(|names| !names.iter().all(is_known)).collect()
    }

    /// Places the partitions of topics that are read together, by how many records each has, unless
    /// that was done before.
    pub(super) fn settle(&self, names: &[String], records: &[u64]) {
        let mut places = self.places();
        let known = names.iter().find_map(|name| places.topics.get(name)?.owners.clone());
        let first = names.iter().find_map(|name| places.topics.get(name));
        let moved_by = first.map_or(0, |first| first.moved_by);
        let owners = known.unwrap_or_else(|| spread(records, self.workers, moved_by).into());
        for name in names {
            if let Some(placed) = places.topics.get_mut(name) {
                placed.owners.get_or_insert_with(|| Arc::clone(&owners));
            }
        }
    }

    /// Where the tasks of a query are.
    pub(super) fn of(&self, query: &QueryId) -> Placement {
        let places = self.places();
        let parts = places.queries.get(query).map(|plan| places.parts(plan));
        Placement { workers: self.workers, parts: parts.unwrap_or_default(), is_together: false }
    }

    /// Lets go of the topics of a query.
    pub(super) fn release(&self, query: &QueryId) {
        let mut places = self.places();
        let Places { topics, queries } = &mut *places;
        let Some(plan) = queries.remove(query) else { return };
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

impl Places {
    fn parts(&self, plan: &QueryPlan) -> Vec<PartPlacement> {
        let parts = plan.sub_topologies();
        let of_sources = parts.iter().map(|part| {
            let placed =
                source_topics(plan, part).into_iter().find_map(|name| self.topics.get(&name));
            placed.map(|placed| PartPlacement {
                moved_by: placed.moved_by,
                owners: placed.owners.clone().unwrap_or_default(),
            })
        });
        let mut placed: Vec<Option<PartPlacement>> = of_sources.collect();
        // What reads no source begins with the worker that hands rows over to it.
        for (index, part) in parts.iter().enumerate() {
            if placed[index].is_none() {
                let writer = writer_of(plan, &parts, part);
                let writer = writer.and_then(|writer| placed[writer.0].as_ref());
                placed[index] = writer.map(|writer| PartPlacement {
                    moved_by: writer.moved_by,
                    owners: Arc::default(),
                });
            }
        }
        placed.into_iter().map(Option::unwrap_or_default).collect()
    }
}

/// Gives each partition to a worker, the largest first, to the one that has least; where several
/// have, to the one whose turn it is, or else the next.
fn spread(records: &[u64], workers: usize, moved_by: usize) -> Vec<usize> {
    let mut load = vec![0_u64; workers];
    let mut owners = vec![0; records.len()];
    let mut partitions: Vec<usize> = (0..records.len()).collect();
    partitions.sort_by_key(|partition| std::cmp::Reverse(records[*partition]));
    for partition in partitions {
        let in_turn = (0..workers).map(|next| (partition + moved_by + next) % workers);
        let owner = in_turn.min_by_key(|worker| load[*worker]).unwrap_or(0);
        // One without records is not for nothing either.
        load[owner] = load[owner].saturating_add(records[partition].max(1));
        owners[partition] = owner;
    }
    owners
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_one_size_go_round() {
        assert_eq!(spread(&[0, 0, 0, 0], 2, 1), [1, 0, 1, 0]);
        assert_eq!(spread(&[5, 5, 5], 2, 0), [0, 1, 0]);
        assert_eq!(spread(&[5, 5, 5, 5, 5], 3, 2), [2, 0, 1, 2, 0]);
    }

    #[test]
    fn the_largest_partition_has_a_worker_to_itself() {
        assert_eq!(spread(&[750, 749, 1_500], 2, 0), [1, 1, 0]);
        assert_eq!(spread(&[10, 1_000, 0, 990, 0, 0], 2, 0), [0, 1, 0, 0, 1, 1]);
        assert_eq!(spread(&[u64::MAX, u64::MAX, 1], 2, 0), [0, 1, 0]);
    }
}
