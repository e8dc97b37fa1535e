//! The steps that the nodes of a plan stand for.

use super::{KeyedBy, Step, StepKind};
use crate::formats::FormatSpec;
use crate::plan::{Gives, Node, NodeId, NodeKind, QueryPlan, RepartitionTopic, StoreSpec};
use crate::sql::ast::SourceKind;

/// The last step of a plan, with all before it.
pub fn steps(plan: &QueryPlan) -> Step<'_> {
    let Some(last) = plan.nodes.len().checked_sub(1) else {
        unreachable!("a query reads a source")
    };
    let last = Steps { plan }.step(NodeId(last));
    let sink = &plan.sink;
    if !sink.has_topic() {
        return last;
    }
    Step {
        kind: StepKind::Sink(sink),
        context: &sink.name,
        schema: &sink.schema,
        gives: last.gives,
        through: None,
        key_format: &sink.key_format,
        value_format: &sink.value_format,
        inputs: vec![last],
    }
}

struct Steps<'p> {
    plan: &'p QueryPlan,
}

/// How what a step gives is written.
type Formats<'p> = (&'p FormatSpec, &'p FormatSpec);

impl<'p> Steps<'p> {
    fn step(&self, id: NodeId) -> Step<'p> {
        let node = self.plan.node(id);
        match &node.kind {
            NodeKind::StreamSource { source } | NodeKind::TableSource { source, .. } => {
                let store = node.kind.stores().first().copied();
                let gives = match source.kind {
                    SourceKind::Stream => Gives::Rows,
                    SourceKind::Table => Gives::Changes,
                };
                let formats = (&source.key_format, &source.value_format);
                Step { gives, ..of(node, StepKind::Source { source, store }, vec![], formats) }
            }
            NodeKind::Repartition(topic) => self.sent(node, topic),
            NodeKind::Materialize { store } => self.kept(node, store),
            NodeKind::ForeignKeyResolve(_) => self.foreign_key(node, None),
            NodeKind::Aggregate(aggregation) => {
                let formats = (&aggregation.store.key_format, &aggregation.store.value_format);
                let input = self.grouped(node);
                of(node, StepKind::Aggregate(aggregation), vec![input], formats)
            }
            NodeKind::StreamStreamJoin(join) => {
                let mut inputs = self.inputs(node);
                if join.is_exchanged {
                    inputs.reverse();
                }
                let formats = (&join.this_store.key_format, inputs[0].value_format);
                of(node, StepKind::StreamStreamJoin(join), inputs, formats)
            }
            kind => self.plain(node, kind),
        }
    }

    /// A step of a node that reads one after the other.
    fn plain(&self, node: &'p Node, kind: &'p NodeKind) -> Step<'p> {
        let inputs = self.inputs(node);
        let Some(first) = inputs.first() else { unreachable!("only sources read no other nodes") };
        let formats = (first.key_format, first.value_format);
        let kind = match kind {
            NodeKind::Filter { text, .. } => StepKind::Filter { text },
            NodeKind::Select { columns } => StepKind::Select { columns, store: None },
            NodeKind::FlatMap { functions } => StepKind::FlatMap { functions },
            NodeKind::PartitionBy { keys } if keys.is_empty() => {
                StepKind::SelectKey { keys: KeyedBy::Nothing, store: None }
            }
            NodeKind::PartitionBy { keys } => {
                StepKind::SelectKey { keys: KeyedBy::Expressions(keys), store: None }
            }
            NodeKind::SelectKey { key, .. } => {
                let keys = KeyedBy::Expressions(std::slice::from_ref(key));
                StepKind::SelectKey { keys, store: None }
            }
            NodeKind::GroupBy { keys, .. } => StepKind::GroupBy { keys: Some(keys) },
            NodeKind::Over(over) => StepKind::Over(over),
            NodeKind::StreamTableJoin(joined) => StepKind::StreamTableJoin(*joined),
            NodeKind::TableTableJoin(joined) => StepKind::TableTableJoin(*joined),
            other => unreachable!("{other:?} is no part of a query that runs"),
        };
        of(node, kind, inputs, formats)
    }

    fn inputs(&self, node: &'p Node) -> Vec<Step<'p>> {
        node.inputs.iter().map(|input| self.step(*input)).collect()
    }

    fn only_input(&self, node: &'p Node) -> Step<'p> {
        let Some(input) = node.inputs.first() else {
            unreachable!("{} reads another node", node.name)
        };
        self.step(*input)
    }

    /// A step whose rows go through a topic.
    fn sent(&self, node: &'p Node, topic: &'p RepartitionTopic) -> Step<'p> {
        let step = self.only_input(node);
        let (key_format, value_format) = (&topic.key_format, &topic.value_format);
        Step { through: Some(topic), key_format, value_format, ..step }
    }

    /// A step whose rows are kept, which is what a table's selection or new key does itself.
    fn kept(&self, node: &'p Node, store: &'p StoreSpec) -> Step<'p> {
        let asks = node.inputs.first().map(|input| self.plan.node(*input));
        if let Some(resolve) = asks.filter(|node| is_resolve(node)) {
            return self.foreign_key(resolve, Some(store));
        }
        let mut step = self.only_input(node);
        match &mut step.kind {
            StepKind::Select { store: kept, .. } | StepKind::SelectKey { store: kept, .. } => {
                *kept = Some(store);
            }
            _ => {}
        }
        Step { gives: Gives::Changes, ..step }
    }

    /// What an aggregation reads: ksqlDB groups even where the key stays.
    fn grouped(&self, node: &'p Node) -> Step<'p> {
        let input = self.only_input(node);
        if matches!(input.kind, StepKind::GroupBy { .. }) {
            return input;
        }
        let (schema, gives) = (input.schema, input.gives);
        let (key_format, value_format) = (input.key_format, input.value_format);
        let (context, kind) = ("Aggregate.GroupBy", StepKind::GroupBy { keys: None });
        let inputs = vec![input];
        Step { kind, context, schema, gives, through: None, key_format, value_format, inputs }
    }

    /// A join on a foreign key, whose parts ask, answer and resolve.
    fn foreign_key(&self, resolve: &'p Node, output: Option<&'p StoreSpec>) -> Step<'p> {
        let before = |node: &'p Node| node.inputs.first().map(|input| self.plan.node(*input));
        let answer = before(resolve).and_then(before);
        let subscribe = answer.and_then(before).and_then(before);
        let (
            Some(Node { kind: NodeKind::ForeignKeyAnswer(answer), inputs: answered, .. }),
            Some(Node { kind: NodeKind::ForeignKeySubscribe(subscribe), inputs: asked, .. }),
        ) = (answer, subscribe)
        else {
            unreachable!("a join on a foreign key asks, answers and resolves")
        };
        let (left, right) = (self.step(asked[0]), self.step(answered[1]));
        let formats = (left.key_format, left.value_format);
        let subscriptions = &answer.store;
        let kind = StepKind::ForeignKeyJoin { subscribe, subscriptions, output };
        of(resolve, kind, vec![left, right], formats)
    }
}

fn is_resolve(node: &Node) -> bool {
    matches!(node.kind, NodeKind::ForeignKeyResolve(_))
}

fn of<'p>(
    node: &'p Node,
    kind: StepKind<'p>,
    inputs: Vec<Step<'p>>,
    (key_format, value_format): Formats<'p>,
) -> Step<'p> {
    let (context, schema, gives) = (&*node.name, &node.schema, node.gives);
    Step { kind, context, schema, gives, through: None, key_format, value_format, inputs }
}
