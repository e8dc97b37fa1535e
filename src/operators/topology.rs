//! The operators of one sub-topology on one partition, and how batches go through them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    Clocks, Collector, Context, Held, Look, Minds, Operator, Outcome, Piece, Port, QueryError,
    SomeRows, Store, StoredRecord, Tables,
};
use crate::expr::EvalContext;
use crate::expr::aggregates::Sequence;
use crate::plan::{Input, NodeId, QueryPlan, StoreId, Wanted};
use crate::types::{Arena, Offset, Partition, RowCodec, Rows};

/// How a query runs.
#[derive(Clone, Copy, Debug)]
pub struct TopologyOptions {
    /// How many groups may wait in the cache of an aggregation, or rows in that of a table; 0 for no cache.
    pub cached_groups: usize,
    /// How long `EMIT FINAL`, and a join for rows that have waited long enough, wait between two looks.
    pub emit_interval_ms: i64,
}

/// Where what an operator gives goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To another operator.
    Vertex(usize, Port),
    /// To the sink.
    Sink,
    /// Nowhere: the operator gives nothing, or nobody reads it.
    Nowhere,
}

/// An operator, and what comes after it.
pub(super) struct Vertex {
    pub(super) node: NodeId,
    pub(super) operator: Box<dyn Operator>,
    pub(super) next: Next,
}

/// Where a store is kept.
pub(super) enum Keeper {
    /// Among the tables that several operators use; with how its values are written.
    Tables(Arc<dyn RowCodec>),
    /// In an operator, as one of its own.
    Operator { vertex: usize, nth: usize },
}

/// The operators of one sub-topology, with all that they remember for one partition.
pub struct Topology {
    /// In topological order.
    pub(super) vertices: Vec<Vertex>,
    /// Whether rows of several inputs may go through them together.
    pub(super) takes_together: bool,
    pub(super) entries: BTreeMap<Input, Next>,
    pub(super) keepers: BTreeMap<StoreId, Keeper>,
    pub(super) tables: Tables,
    pub(super) sequence: Sequence,
}

/// What a topology is given for a batch.
pub struct Outside<'c, 'a> {
    /// The arena, the clock and random bits.
    pub eval: EvalContext<'a>,
    /// Where everything goes that leaves the topology.
    pub out: &'c mut dyn Collector<'a>,
}

impl Topology {
    /// Takes a batch of an input through the operators, down to the sink.
    pub fn process<'a>(
        &mut self,
        input: Input,
        rows: SomeRows<'_, 'a>,
        outside: &mut Outside<'_, 'a>,
    ) -> Result<(), QueryError> {
        let entry = self.entries.get(&input).copied().unwrap_or(Next::Nowhere);
        self.within(outside, |vertices, ctx| run_from(vertices, entry, Batch::Shared(rows), ctx))
    }

    /// Takes batches of several inputs through the operators, as if their rows came in the order of
    /// their places, which are their offsets.
    pub fn process_mixed<'a>(
        &mut self,
        inputs: Vec<(Input, Rows<'a>)>,
        outside: &mut Outside<'_, 'a>,
    ) -> Result<(), QueryError> {
        let entry = |input| self.entries.get(&input).copied().unwrap_or(Next::Nowhere);
        let inputs: Vec<_> = inputs.into_iter().map(|(input, rows)| (entry(input), rows)).collect();
        if self.takes_together {
            self.process_together(&inputs, outside)
        } else {
            self.process_in_turns(&inputs, outside)
        }
    }

    /// Takes one input after the other through each operator, but for one that minds the order of rows.
    /// What is looked up in a table is as it was when each row came.
    fn process_together<'a>(
        &mut self,
        inputs: &[(Next, Rows<'a>)],
        outside: &mut Outside<'_, 'a>,
    ) -> Result<(), QueryError> {
        let mut arriving: Vec<Vec<(Port, Rows<'a>)>> = Vec::new();
        arriving.resize_with(self.vertices.len(), Vec::new);
        for (entry, rows) in inputs {
            if let Next::Vertex(index, port) = entry {
                arriving[*index].push((*port, rows.clone()));
            }
        }
        self.tables.remember();
        let done = self.within(outside, |vertices, ctx| {
            let mut failure = None;
            for index in 0..vertices.len() {
                let batches = std::mem::take(&mut arriving[index]);
                let minds_order = vertices[index].operator.minds() == Minds::Order;
                if minds_order {
                    // Nothing that comes after it minds, so that what it gives can go on at once.
                    let done = process_in_order(vertices, index, batches, ctx);
                    failure = failure.or(done.err());
                    continue;
                }
                let mut given = Vec::new();
                for (port, rows) in batches {
                    let outcome = vertices[index].counted(ctx, rows.len, |operator, ctx| {
                        operator.process_port(port, rows, ctx)
                    });
                    failure = failure.or(outcome.failure);
                    given.push(outcome.rows);
                }
                let rows = in_order(given);
                match vertices[index].next {
                    Next::Vertex(next, port) if rows.len > 0 => arriving[next].push((port, rows)),
                    Next::Sink if rows.len > 0 => ctx.out.sink(&rows)?,
                    _ => {}
                }
            }
            failure.map_or(Ok(()), Err)
        });
        self.tables.forget();
        done
    }

    /// Takes them turn by turn.
    fn process_in_turns<'a>(
        &mut self,
        inputs: &[(Next, Rows<'a>)],
        outside: &mut Outside<'_, 'a>,
    ) -> Result<(), QueryError> {
        let mut turns = Turns::of(inputs);
        self.within(outside, |vertices, ctx| {
            while let Some((entry, rows)) = turns.next() {
                run_from(vertices, *entry, Batch::Shared(rows), ctx)?;
            }
            Ok(())
        })
    }

    /// Gives away some of what waits in caches, operator by operator, down to the sink. Whether
    /// more waits.
    pub fn flush(&mut self, outside: &mut Outside<'_, '_>) -> Result<bool, QueryError> {
        self.within(outside, |vertices, ctx| {
            for index in 0..vertices.len() {
                let outcome = vertices[index].counted(ctx, 0, |operator, ctx| operator.flush(ctx));
                let next = vertices[index].next;
                run_from(vertices, next, Batch::Owned(outcome.rows), ctx)?;
                if let Some(failure) = outcome.failure {
                    return Err(failure);
                }
                if vertices[index].operator.is_waiting() {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// The rows that are wanted of those that a store holds now, as its operator gives them away; where all are, those from
    /// a slot on, in portions.
    pub fn held<'a>(
        &mut self,
        store: StoreId,
        (wanted, from): (&Wanted, u32),
        partition: Partition,
        arena: &'a Arena,
    ) -> Result<Held<'a>, QueryError> {
        let look = Look { store, wanted, from, tables: &self.tables, partition, arena };
        let found = self.vertices.iter_mut().find_map(|vertex| vertex.operator.held(&look));
        found.unwrap_or_else(|| Ok(Held::default()))
    }

    fn within<'a, T>(
        &mut self,
        outside: &mut Outside<'_, 'a>,
        step: impl FnOnce(&mut [Vertex], &mut Context<'_, 'a>) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let mut ctx = Context {
            eval: outside.eval,
            out: &mut *outside.out,
            sequence: &mut self.sequence,
            tables: &mut self.tables,
        };
        step(&mut self.vertices, &mut ctx)
    }

    /// The stores that are kept here.
    pub fn stores(&self) -> impl Iterator<Item = StoreId> {
        self.keepers.keys().copied()
    }

    /// Takes back a record of a store's changelog. One of a store that is not kept here is passed
    /// over.
    pub fn restore(&mut self, id: StoreId, record: &StoredRecord<'_>) -> Result<(), QueryError> {
        let Some(keeper) = self.keepers.get(&id) else { return Ok(()) };
        match keeper {
            Keeper::Tables(codec) => self.tables.restore(id, codec.as_ref(), record),
            Keeper::Operator { vertex, nth } => match self.vertices[*vertex].operator.store(*nth) {
                Some(store) => store.restore(record, &mut self.sequence),
                None => Ok(()),
            },
        }
    }

    /// Where the clocks of a store stand, if it has any.
    pub fn clocks(&mut self, id: StoreId) -> Clocks {
        self.own_store(id).map(|store| store.clocks()).unwrap_or_default()
    }

    /// Takes back where the clocks of a store stood.
    pub fn restore_clocks(&mut self, id: StoreId, clocks: Clocks) {
        if let Some(store) = self.own_store(id) {
            store.restore_clocks(clocks);
        }
    }

    /// A store that an operator keeps for itself.
    fn own_store(&mut self, id: StoreId) -> Option<&mut dyn Store> {
        let Some(Keeper::Operator { vertex, nth }) = self.keepers.get(&id) else { return None };
        self.vertices[*vertex].operator.store(*nth)
    }

    /// How many rows a store holds.
    pub fn rows(&mut self, id: StoreId) -> usize {
        match self.keepers.get(&id) {
            None => 0,
            Some(Keeper::Tables(_)) => self.tables.len(id),
            Some(Keeper::Operator { vertex, nth }) => {
                self.vertices[*vertex].operator.store(*nth).map_or(0, |store| store.rows())
            }
        }
    }

    /// Forgets all that is kept here.
    pub fn clear(&mut self) {
        self.vertices.iter_mut().for_each(|vertex| vertex.operator.forget());
        for (id, keeper) in &self.keepers {
            match keeper {
                Keeper::Tables(_) => self.tables.clear(*id),
                Keeper::Operator { vertex, nth } => {
                    if let Some(store) = self.vertices[*vertex].operator.store(*nth) {
                        store.clear();
                    }
                }
            }
        }
        self.sequence = Sequence::default();
    }
}

/// Rows that others need too, or that nobody else needs.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack of one loop")]
enum Batch<'r, 'a> {
    Shared(SomeRows<'r, 'a>),
    Owned(Rows<'a>),
}

impl Batch<'_, '_> {
    fn len(&self) -> usize {
        match self {
            Self::Shared(rows) => rows.len(),
            Self::Owned(rows) => rows.len,
        }
    }
}

/// Batches of one operator, in the order of the places of their rows.
fn in_order(batches: Vec<Rows<'_>>) -> Rows<'_> {
    let is_one = batches.iter().filter(|batch| batch.len > 0).count() < 2;
    let rows = Rows::concat(batches);
    if is_one {
        return rows;
    }
    let mut order: Vec<u32> = (0..rows.len as u32).collect();
    order.sort_by_key(|row| rows.meta.offset(*row as usize));
    rows.take(&order)
}

/// Batches in turns: as many rows of one of them as come before those of the others.
struct Turns<'r, 'a, T> {
    batches: &'r [(T, Rows<'a>)],
    /// The next row of each.
    at: Vec<usize>,
    /// The numbers of all rows of the longest.
    all: Vec<u32>,
}

impl<'r, 'a, T> Turns<'r, 'a, T> {
    fn of(batches: &'r [(T, Rows<'a>)]) -> Self {
        let longest = batches.iter().map(|(_, rows)| rows.len).max().unwrap_or(0);
        Self { batches, at: vec![0; batches.len()], all: (0..longest as u32).collect() }
    }

    /// The place of the next row of a batch.
    fn head(&self, of: usize) -> Option<Offset> {
        let (_, rows) = &self.batches[of];
        (self.at[of] < rows.len).then(|| rows.meta.offset(self.at[of]))
    }

    /// The next turn, and whose it is.
    fn next(&mut self) -> Option<(&'r T, SomeRows<'_, 'a>)> {
        let all = 0..self.batches.len();
        let (_, of) = all.clone().filter_map(|of| Some((self.head(of)?, of))).min()?;
        let until = all.filter(|other| *other != of).filter_map(|other| self.head(other)).min();
        let (whose, rows) = &self.batches[of];
        let is_before = |row: &usize| until.is_none_or(|until| rows.meta.offset(*row) < until);
        let start = self.at[of];
        self.at[of] += (start..rows.len).take_while(is_before).count();
        let selected = Some(&self.all[start..self.at[of]]);
        Some((whose, SomeRows { rows, selected }))
    }
}

/// How many rows are put together before they go on.
const GIVEN_MAX: usize = 16 * 1024;

/// Gives batches of several ports to an operator in the order of their rows, at once or in turns, and what it gives to those
/// after it.
fn process_in_order<'a>(
    vertices: &mut [Vertex],
    index: usize,
    batches: Vec<(Port, Rows<'a>)>,
    ctx: &mut Context<'_, 'a>,
) -> Result<(), QueryError> {
    let mut gathered = Gathered { next: vertices[index].next, rows: Vec::new(), len: 0 };
    let (mut rest, mut failure) = (batches, None);
    while failure.is_none() && has_one_a_port(&rest) {
        let len = len_of(&rest);
        ctx.out.enters(vertices[index].node);
        match vertices[index].operator.process_ports(rest, ctx) {
            Ok(pieces) => {
                ctx.out.passed(len - len_of(&pieces.rest), pieces.outcome.rows.len);
                (rest, failure) = (pieces.rest, pieces.outcome.failure);
                gathered.add(pieces.outcome.rows, vertices, ctx)?;
            }
            Err(batches) => {
                rest = batches;
                break;
            }
        }
    }
    let mut turns = Turns::of(&rest);
    while failure.is_none()
        && let Some((port, rows)) = turns.next()
    {
        let mut rest = Some(rows.taken());
        while let Some(rows) = rest {
            let piece = process(&mut vertices[index], *port, Batch::Owned(rows), ctx);
            (rest, failure) = (piece.rest, piece.outcome.failure);
            gathered.add(piece.outcome.rows, vertices, ctx)?;
        }
    }
    // What was given before a failure still goes down to the sink.
    gathered.pass_on(vertices, ctx)?;
    failure.map_or(Ok(()), Err)
}

/// How many rows batches have.
fn len_of(batches: &[(Port, Rows<'_>)]) -> usize {
    batches.iter().map(|(_, rows)| rows.len).sum()
}

/// Whether there are batches, each of another port.
fn has_one_a_port(batches: &[(Port, Rows<'_>)]) -> bool {
    let ports: BTreeSet<Port> = batches.iter().map(|(port, _)| *port).collect();
    !batches.is_empty() && ports.len() == batches.len()
}

/// What an operator gives, put together until there is enough to go on.
struct Gathered<'a> {
    next: Next,
    rows: Vec<Rows<'a>>,
    len: usize,
}

impl<'a> Gathered<'a> {
    fn add(
        &mut self,
        rows: Rows<'a>,
        vertices: &mut [Vertex],
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        self.len += rows.len;
        self.rows.push(rows);
        if self.len >= GIVEN_MAX { self.pass_on(vertices, ctx) } else { Ok(()) }
    }

    fn pass_on(
        &mut self,
        vertices: &mut [Vertex],
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        self.len = 0;
        let rows = Rows::concat(std::mem::take(&mut self.rows));
        run_from(vertices, self.next, Batch::Owned(rows), ctx)
    }
}

/// Takes a batch from `next` on down to where it ends.
fn run_from<'a>(
    vertices: &mut [Vertex],
    mut next: Next,
    mut batch: Batch<'_, 'a>,
    ctx: &mut Context<'_, 'a>,
) -> Result<(), QueryError> {
    // What an operator gave before it failed still goes down to the sink; then the query fails.
    let mut failure: Option<QueryError> = None;
    while batch.len() > 0 {
        match next {
            Next::Nowhere => break,
            Next::Sink => {
                match &batch {
                    Batch::Shared(SomeRows { rows, selected: None }) => ctx.out.sink(rows)?,
                    Batch::Shared(some) => ctx.out.sink(&some.taken())?,
                    Batch::Owned(rows) => ctx.out.sink(rows)?,
                }
                break;
            }
            Next::Vertex(index, port) => {
                let after = vertices[index].next;
                let Piece { outcome, rest } = process(&mut vertices[index], port, batch, ctx);
                failure = outcome.failure.or(failure);
                let given = Batch::Owned(outcome.rows);
                match rest {
                    None => (batch, next) = (given, after),
                    Some(rest) => {
                        run_from(vertices, after, given, ctx)?;
                        batch = Batch::Owned(rest);
                    }
                }
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

/// Gives a batch to an operator, a copy of it only where it has to be.
fn process<'a>(
    vertex: &mut Vertex,
    port: Port,
    batch: Batch<'_, 'a>,
    ctx: &mut Context<'_, 'a>,
) -> Piece<'a> {
    ctx.out.enters(vertex.node);
    let (len, operator) = (batch.len(), vertex.operator.as_mut());
    let piece = match batch {
        Batch::Shared(rows) if port == Port(0) && !operator.gives_pieces() => {
            Piece { outcome: operator.process_some(rows, ctx), rest: None }
        }
        Batch::Shared(rows) => operator.process_piece(port, rows.taken(), ctx),
        Batch::Owned(rows) => operator.process_piece(port, rows, ctx),
    };
    let rest = piece.rest.as_ref().map_or(0, |rest| rest.len);
    ctx.out.passed(len.saturating_sub(rest), piece.outcome.rows.len);
    piece
}

impl Vertex {
    /// Has its operator do something with so many rows.
    fn counted<'a>(
        &mut self,
        ctx: &mut Context<'_, 'a>,
        taken: usize,
        step: impl FnOnce(&mut dyn Operator, &mut Context<'_, 'a>) -> Outcome<'a>,
    ) -> Outcome<'a> {
        ctx.out.enters(self.node);
        let outcome = step(self.operator.as_mut(), ctx);
        ctx.out.passed(taken, outcome.rows.len);
        outcome
    }
}

impl Next {
    /// The successor of a node in a plan, once the places of all vertices are known.
    pub(super) fn of(plan: &QueryPlan, node: NodeId, places: &BTreeMap<NodeId, usize>) -> Self {
        match plan.successor(node) {
            None => Self::Sink,
            Some((next, port)) => {
                places.get(&next).map_or(Self::Nowhere, |place| Self::Vertex(*place, Port(port)))
            }
        }
    }
}
