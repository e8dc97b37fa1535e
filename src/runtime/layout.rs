//! How a query is cut into tasks, how rows get from one to another, and which worker runs which.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::encode::Spread;
use super::ids::{LaneId, TaskId, Way};
use super::inputs::{Inputs, MaxIdle};
use super::task::{Task, TaskOptions};
use crate::formats::Schemas;
use crate::operators::{QueryError, TopologyOptions};
use crate::plan::{
    self, Input, NodeId, PartitionCounts, QueryPlan, RepartitionId, RepartitionKind, StoreId,
    StoreKind, SubTopology, SubTopologyId,
};
use crate::types::Partition;

/// How a query runs, all its tasks together.
#[derive(Clone, Debug)]
pub struct LayoutOptions {
    /// How its operators run; the cache is divided between the partitions.
    pub topology: TopologyOptions,
    /// Whether rows with new keys go from task to task in memory, and not through topics.
    pub is_in_memory: bool,
    /// Which partition a key belongs to, out of so many.
    pub partitioner: fn(&[u8], i32) -> i32,
    /// How long inputs without rows are waited for.
    pub max_idle: MaxIdle,
    /// Who runs what.
    pub placement: Placement,
}

/// Which worker runs which task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// How many workers there are.
    pub workers: usize,
    /// Where the partitions of each sub-topology are.
    pub parts: Vec<PartPlacement>,
    /// Whether one worker runs everything nevertheless.
    pub is_together: bool,
}

/// Which workers run the tasks of one sub-topology.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartPlacement {
    /// How far the partitions are moved on, so that not all begin with the first worker.
    pub moved_by: usize,
    /// The worker of each partition, where it is another one, as some partitions are larger.
    pub owners: Arc<[usize]>,
}

impl Placement {
    /// One worker runs everything.
    pub fn alone() -> Self {
        Self { workers: 1, parts: Vec::new(), is_together: true }
    }

    /// The worker of a task.
    pub fn owner(&self, task: TaskId) -> usize {
        let workers = self.workers.max(1);
        if self.is_together {
            return self.parts.first().map_or(0, |first| first.moved_by) % workers;
        }
        let partition = usize::try_from(task.partition.0).unwrap_or(0);
        let Some(part) = self.parts.get(task.part.0) else { return partition % workers };
        part.owners.get(partition).copied().unwrap_or(partition + part.moved_by) % workers
    }
}

/// What all workers know of a query.
#[derive(Clone, Debug)]
pub struct Layout {
    plan: Arc<QueryPlan>,
    query_id: String,
    parts: Vec<SubTopology>,
    counts: PartitionCounts,
    options: LayoutOptions,
    /// The nodes that write repartition topics, by topic.
    writers: Vec<NodeId>,
    /// The sub-topologies that keep the stores, by store.
    keepers: Vec<SubTopologyId>,
    /// By sub-topology, the repartition topics that it writes in memory.
    handed_over: Vec<Vec<RepartitionId>>,
    /// By sub-topology, the first of those that it goes round with in a circle: rows of one ask
    /// another, and what it answers comes back.
    circles: Vec<Option<SubTopologyId>>,
    /// The sub-topologies, each after all that write what it reads.
    downstream: Vec<SubTopologyId>,
    goes_by_block: bool,
    schemas: Schemas,
}

impl Layout {
    /// How the query `query_id` runs.
    pub fn new(
        plan: Arc<QueryPlan>,
        query_id: &str,
        counts: PartitionCounts,
        options: LayoutOptions,
    ) -> Self {
        let writers = plan.repartitions().map(|(_, writer, _)| writer).collect();
        let (parts, query_id) = (plan.sub_topologies(), query_id.to_owned());
        let mut layout = Self {
            plan,
            query_id,
            counts,
            options,
            writers,
            keepers: Vec::new(),
            handed_over: vec![Vec::new(); parts.len()],
            circles: vec![None; parts.len()],
            downstream: Vec::new(),
            goes_by_block: false,
            schemas: Schemas::default(),
            parts,
        };
        layout.keepers = layout.plan.stores().map(|(_, node, _)| layout.part_of(node)).collect();
        if layout.options.is_in_memory {
            for (topic, writer) in layout.writers.iter().enumerate() {
                let part = layout.part_of(*writer);
                layout.handed_over[part.0].push(RepartitionId(topic));
            }
        }
        layout.circles = layout.find_circles();
        layout.downstream = layout.find_downstream();
        if layout.has_circle() {
            layout.options.placement.is_together = true;
        }
        let is_aggregate = |kind: &StoreKind| *kind == StoreKind::Aggregate;
        layout.goes_by_block = layout.options.is_in_memory
            && layout.plan.stores().all(|(_, _, store)| is_aggregate(&store.kind));
        layout
    }

    /// Whether re-keyed rows are put in order block by block of their source's offsets, not row by
    /// row: where nothing depends on the order in time of rows of different partitions, which through
    /// a topic is anyone's guess. `blocks.rs` says what the order is.
    pub fn goes_by_block(&self) -> bool {
        self.goes_by_block
    }

    /// Which sub-topologies hand rows in memory to themselves by way of others.
    fn find_circles(&self) -> Vec<Option<SubTopologyId>> {
        let count = self.parts.len();
        let mut reaches = vec![vec![false; count]; count];
        for part in self.parts() {
            for topic in self.hands_over(part) {
                if let Some(reader) = self.reader_of(Input::Repartition(*topic)) {
                    reaches[part.0][reader.0] = true;
                }
            }
        }
        for through in 0..count {
            let beyond = reaches[through].clone();
            for from in reaches.iter_mut().filter(|from| from[through]) {
                from.iter_mut().zip(&beyond).for_each(|(reaches, more)| *reaches |= more);
            }
        }
        let first = |part: usize| {
            let is_round = |other: &usize| reaches[part][*other] && reaches[*other][part];
            (0..count).find(is_round).map(SubTopologyId)
        };
        (0..count).map(first).collect()
    }

    /// Whether rows of a task go round in a circle in memory.
    pub(super) fn goes_round(&self, task: TaskId) -> bool {
        self.circles.get(task.part.0).copied().flatten().is_some()
    }

    /// Whether rows of some tasks go round in a circle in memory.
    pub(super) fn has_circle(&self) -> bool {
        self.circles.iter().any(Option::is_some)
    }

    /// Where the ways of a task meet: in itself, or in the first task of a circle.
    pub(super) fn junction(&self, task: TaskId) -> TaskId {
        match self.circles.get(task.part.0).copied().flatten() {
            None => task,
            Some(part) => TaskId { part, partition: Partition(0) },
        }
    }

    /// The tasks whose ways meet in a junction.
    fn meeting(&self, junction: TaskId) -> Vec<TaskId> {
        match self.circles.get(junction.part.0).copied().flatten() {
            None => vec![junction],
            Some(_) => self.tasks().filter(|task| self.junction(*task) == junction).collect(),
        }
    }

    /// Whether rows of a repartition topic stay within a circle, so that they are processed at once.
    pub(super) fn is_within_circle(&self, topic: RepartitionId) -> bool {
        let writer = self.writers.get(topic.0).map(|writer| self.part_of(*writer));
        let reader = self.reader_of(Input::Repartition(topic));
        let circle = |part: Option<SubTopologyId>| self.circles.get(part?.0).copied().flatten();
        circle(writer).is_some() && circle(writer) == circle(reader)
    }

    /// The same for one worker that runs everything.
    #[must_use]
    pub fn alone(&self) -> Self {
        let options = LayoutOptions { placement: Placement::alone(), ..self.options.clone() };
        Self { options, ..self.clone() }
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<QueryPlan> {
        &self.plan
    }

    /// The id of the query.
    pub fn query_id(&self) -> &str {
        &self.query_id
    }

    /// How many partitions everything has.
    pub fn counts(&self) -> &PartitionCounts {
        &self.counts
    }

    /// Who runs what.
    pub fn placement(&self) -> &Placement {
        &self.options.placement
    }

    /// Whether rows with new keys go from task to task in memory.
    pub fn is_in_memory(&self) -> bool {
        self.options.is_in_memory
    }

    /// How long a partition that is at its end is waited for, in milliseconds.
    pub fn idle_ms(&self) -> i64 {
        match self.options.max_idle {
            MaxIdle::Never => 0,
            MaxIdle::Millis(millis) => millis,
        }
    }

    /// The sub-topologies, in the order of their first nodes.
    pub fn parts(&self) -> impl Iterator<Item = SubTopologyId> + use<> {
        (0..self.parts.len()).map(SubTopologyId)
    }

    /// The sub-topologies, each after all that write what it reads; those of a circle in their order.
    pub fn parts_downstream(&self) -> &[SubTopologyId] {
        &self.downstream
    }

    fn find_downstream(&self) -> Vec<SubTopologyId> {
        let mut depths = vec![0; self.parts.len()];
        let circle = |part: SubTopologyId| self.circles[part.0].unwrap_or(part).0;
        for _ in self.parts() {
            for (topic, writer) in self.writers.iter().enumerate() {
                let reader = self.reader_of(Input::Repartition(RepartitionId(topic)));
                let Some(to) = reader.map(circle) else { continue };
                let from = circle(self.part_of(*writer));
                if from != to {
                    depths[to] = depths[to].max(depths[from] + 1);
                }
            }
        }
        let mut parts: Vec<SubTopologyId> = self.parts().collect();
        parts.sort_by_key(|part| depths[circle(*part)]);
        parts
    }

    /// All tasks.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> {
        self.parts().flat_map(|part| {
            let partitions = (0..self.counts.of_part(part)).map(Partition);
            partitions.map(move |partition| TaskId { part, partition })
        })
    }

    /// What a sub-topology reads.
    pub fn inputs(&self, part: SubTopologyId) -> &[Input] {
        self.parts.get(part.0).map_or(&[], |part| &part.inputs)
    }

    /// The sub-topology that a node belongs to.
    pub fn part_of(&self, node: NodeId) -> SubTopologyId {
        plan::part_of(&self.parts, node).unwrap_or(SubTopologyId(0))
    }

    /// The sub-topology that keeps a store.
    pub fn keeper_of(&self, store: StoreId) -> Option<SubTopologyId> {
        self.keepers.get(store.0).copied()
    }

    /// The sub-topology that reads an input.
    pub fn reader_of(&self, input: Input) -> Option<SubTopologyId> {
        plan::reader_of(&self.parts, input)
    }

    /// How many partitions the topic of a source has whose rows go to tasks by their keys, as it has not
    /// as many as there are tasks. Otherwise each task reads a partition of its own.
    pub(super) fn spread_from(&self, input: Input) -> Option<i32> {
        let Input::Source(node) = input else { return None };
        let of_topic = self.counts.of_source(node)?;
        (of_topic != self.counts.of_part(self.part_of(node))).then_some(of_topic)
    }

    /// The task whose worker reads a partition of an input.
    pub fn task_at(&self, lane: LaneId) -> Option<TaskId> {
        let part = self.reader_of(lane.input)?;
        let partition = match self.spread_from(lane.input) {
            Some(_) => Partition(lane.upstream.0 % self.counts.of_part(part).max(1)),
            None => lane.upstream,
        };
        Some(TaskId { part, partition })
    }

    /// The task that owns a key, out of those of a sub-topology.
    pub(super) fn owner_of(&self, key: &[u8], part: SubTopologyId) -> Partition {
        Partition((self.options.partitioner)(key, self.counts.of_part(part)))
    }

    /// The repartition topics that a sub-topology writes in memory.
    pub(super) fn hands_over(&self, part: SubTopologyId) -> &[RepartitionId] {
        self.handed_over.get(part.0).map_or(&[], Vec::as_slice)
    }

    /// The inputs whose rows some task has to put in order, at once or once they are re-keyed.
    pub fn ordered_inputs(&self) -> Vec<Input> {
        let is_ordered = |part: &SubTopologyId| {
            let first = TaskId { part: *part, partition: Partition(0) };
            !self.junction_inputs(self.junction(first)).is_single()
        };
        let mut ordered: BTreeSet<SubTopologyId> = self.parts().filter(is_ordered).collect();
        // What feeds them is ordered too.
        for _ in 0..self.parts.len() {
            for part in self.parts() {
                let feeds = self.hands_over(part).iter().any(|topic| {
                    let reader = self.reader_of(Input::Repartition(*topic));
                    reader.is_some_and(|reader| ordered.contains(&reader))
                });
                if feeds {
                    ordered.insert(part);
                }
            }
        }
        let inputs = ordered.into_iter().flat_map(|part| self.inputs(part).to_vec());
        inputs.filter(|input| !self.is_in_memory_input(*input)).collect()
    }

    fn is_in_memory_input(&self, input: Input) -> bool {
        self.options.is_in_memory && matches!(input, Input::Repartition(_))
    }

    /// The same layout, whose tasks read and write with these schemas of the registry.
    #[must_use]
    pub fn with_schemas(self, schemas: Schemas) -> Self {
        Self { schemas, ..self }
    }

    /// The schemas of the registry that its tasks read and write with.
    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// Makes a task.
    pub fn task(&self, id: TaskId) -> Result<Task, QueryError> {
        let partitions = usize::try_from(self.counts.of_part(id.part)).unwrap_or(1).max(1);
        let TopologyOptions { cached_groups, emit_interval_ms } = self.options.topology;
        let topics = self.plan.repartitions().map(|(topic, ..)| topic);
        let spread = |topic| {
            let (partitions, partitioner) =
                (self.counts.of_repartition(topic), self.options.partitioner);
            (topic, Spread { partitions, partitioner })
        };
        let options = TaskOptions {
            // A cache that is there at all holds something.
            topology: TopologyOptions {
                cached_groups: cached_groups.div_ceil(partitions),
                emit_interval_ms,
            },
            spreads: topics.filter(|_| self.options.is_in_memory).map(spread).collect(),
            schemas: self.schemas.clone(),
        };
        let missing = || QueryError::new("a query has no such sub-topology");
        let part = self.parts.get(id.part.0).ok_or_else(missing)?;
        Task::new(Arc::clone(&self.plan), &self.query_id, id, part, &options)
    }

    /// The inputs that meet in a junction, without rows.
    pub fn junction_inputs(&self, junction: TaskId) -> Inputs {
        let mut ways = BTreeSet::new();
        for to in self.meeting(junction) {
            for input in self.inputs(to.part) {
                let upstream = match input {
                    Input::Repartition(topic) if self.is_within_circle(*topic) => continue,
                    Input::Repartition(topic) if self.options.is_in_memory => {
                        let writer = self.writers.get(topic.0).copied().unwrap_or(NodeId(0));
                        0..self.counts.of_part(self.part_of(writer))
                    }
                    input => match self.spread_from(*input) {
                        Some(of_topic) => 0..of_topic,
                        None => to.partition.0..to.partition.0 + 1,
                    },
                };
                let topic = self.topic_of(*input);
                ways.extend(upstream.map(|upstream| (topic, Partition(upstream), *input, to)));
            }
        }
        let ways = ways
            .into_iter()
            .map(|(_, upstream, input, to)| Way { lane: LaneId { input, upstream }, to });
        let inputs = Inputs::new(ways, self.options.max_idle, |input| self.is_answer(input));
        if self.has_circle() { inputs } else { inputs.mixed() }
    }

    /// Whether an input is a topic of answers to those who read it.
    fn is_answer(&self, input: Input) -> bool {
        let Input::Repartition(topic) = input else { return false };
        let mut topics = self.plan.repartitions();
        let found = topics.find(|(id, ..)| *id == topic);
        found.is_some_and(|(.., topic)| topic.kind == RepartitionKind::Responses)
    }

    /// The name by which equal times are ordered.
    fn topic_of(&self, input: Input) -> &str {
        match input {
            Input::Source(node) => {
                self.plan.node(node).kind.source().map_or("", |source| &source.topic)
            }
            Input::Repartition(topic) => {
                let mut topics = self.plan.repartitions();
                topics.find(|(id, ..)| *id == topic).map_or("", |(.., topic)| &topic.name)
            }
        }
    }
}
