//! Whether a query may take the place of another and go on with its state, by ksqlDB's rules and in its words.
//!
//! As its `ExecutionStep.validateUpgrade`: filters and projections may come, change and go; what reads sources, gives rows
//! new keys and aggregates has to stay; joins and windows cannot be replaced yet.

use crate::plan::{Gives, Node, NodeId, NodeKind, PlanError, QueryPlan, Source};
use crate::types::ColumnDef;

/// Whether `new` may take the place of `old`.
pub(super) fn check_steps(old: &QueryPlan, new: &QueryPlan) -> Result<(), PlanError> {
    let (old_steps, new_steps) = (steps(old), steps(new));
    for at in 0..old_steps.len().max(new_steps.len()) {
        match (old_steps.get(at), new_steps.get(at)) {
            (Some(old_step), Some(new_step)) => {
                check_step((old, old_step), (new, new_step))?;
            }
            (Some(step), None) => return Err(differs(step, "class", &class(step), "none")),
            (None, Some(step)) => return Err(differs(step, "class", "none", &class(step))),
            (None, None) => {}
        }
    }
    Ok(())
}

/// The nodes that have to stay, from the sink on.
fn steps(plan: &QueryPlan) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut next = plan.nodes.len().checked_sub(1).map(NodeId);
    while let Some(id) = next {
        let node = plan.node(id);
        let is_free = matches!(
            node.kind,
            NodeKind::Filter { .. }
                | NodeKind::Select { .. }
                | NodeKind::Repartition(_)
                | NodeKind::Materialize { .. }
        );
        if !is_free {
            steps.push(Step { name: step_name(node), node: id });
        }
        // What joins reads is never compared, as joins cannot be replaced.
        next = node.inputs.first().copied();
    }
    steps
}

/// A step of a plan, as ksqlDB calls it.
struct Step {
    name: &'static str,
    node: NodeId,
}

fn step_name(node: &Node) -> &'static str {
    let is_table = node.gives == Gives::Changes;
    match &node.kind {
        NodeKind::StreamSource { source } if source.is_windowed() => "WindowedStreamSource",
        NodeKind::StreamSource { .. } => "StreamSource",
        NodeKind::TableSource { source, .. } if source.is_windowed() => "WindowedTableSource",
        NodeKind::TableSource { .. } => "TableSource",
        NodeKind::PartitionBy { .. } | NodeKind::SelectKey { .. } => "StreamSelectKey",
        NodeKind::FlatMap { .. } => "StreamFlatMap",
        NodeKind::GroupBy { .. } if is_table => "TableGroupBy",
        NodeKind::GroupBy { .. } => "StreamGroupBy",
        NodeKind::Aggregate(aggregation) if aggregation.window.is_some() => {
            "StreamWindowedAggregate"
        }
        NodeKind::Aggregate(_) => "StreamAggregate",
        NodeKind::StreamStreamJoin(_) => "StreamStreamJoin",
        NodeKind::StreamTableJoin(_) => "StreamTableJoin",
        NodeKind::TableTableJoin(_) => "TableTableJoin",
        NodeKind::ForeignKeySubscribe(_)
        | NodeKind::ForeignKeyAnswer(_)
        | NodeKind::ForeignKeyResolve(_) => "ForeignKeyTableTableJoin",
        _ => "Over",
    }
}

fn check_step(
    (old_plan, old): (&QueryPlan, &Step),
    (new_plan, new): (&QueryPlan, &Step),
) -> Result<(), PlanError> {
    if old.name != new.name {
        return Err(differs(old, "class", &class(old), &class(new)));
    }
    let must_match = |what: &str, was: String, is: String| {
        if was == is { Ok(()) } else { Err(differs(old, what, &was, &is)) }
    };
    let (old_node, new_node) = (old_plan.node(old.node), new_plan.node(new.node));
    match (&old_node.kind, &new_node.kind) {
        (
            NodeKind::StreamSource { source: was } | NodeKind::TableSource { source: was, .. },
            NodeKind::StreamSource { source: is } | NodeKind::TableSource { source: is, .. },
        ) => {
            must_match("topicName", was.topic.clone(), is.topic.clone())?;
            must_match("formats", formats(was), formats(is))?;
            let timestamp = |source: &Source| format!("{:?}", source.timestamp);
            must_match("timestampColumn", timestamp(was), timestamp(is))
        }
        (NodeKind::PartitionBy { keys: was }, NodeKind::PartitionBy { keys: is }) => {
            must_match("keyExpressions", texts(was), texts(is))
        }
        (NodeKind::GroupBy { keys: was, .. }, NodeKind::GroupBy { keys: is, .. })
            if old.name == "StreamGroupBy" =>
        {
            must_match("groupByExpressions", texts(was), texts(is))
        }
        (NodeKind::Aggregate(was), NodeKind::Aggregate(is)) if old.name == "StreamAggregate" => {
            let is_of_table = |plan: &QueryPlan, node: &Node| {
                node.inputs.first().is_some_and(|input| plan.node(*input).gives == Gives::Changes)
            };
            if is_of_table(old_plan, old_node) {
                return Err(unsupported("TableAggregate"));
            }
            let kept = |columns: &[ColumnDef], count: usize| {
                let names = columns.iter().take(count).map(|column| format!("`{}`", column.name));
                format!("[{}]", names.collect::<Vec<_>>().join(", "))
            };
            must_match(
                "columns not part of aggregate",
                kept(&was.store.stored.value, was.kept_columns),
                kept(&is.store.stored.value, is.kept_columns),
            )?;
            let calls = |aggregation: &crate::plan::Aggregation| {
                let call = |call: &crate::plan::AggregateCall| {
                    format!("{}{:?} {}", call.name, call.args, call.function.state_type())
                };
                aggregation.calls.iter().map(call).collect::<Vec<_>>().join(", ")
            };
            must_match("aggregations", calls(was), calls(is))
        }
        _ => Err(unsupported(old.name)),
    }
}

fn texts(exprs: &[crate::plan::NamedExpr]) -> String {
    let texts: Vec<&str> = exprs.iter().map(|expr| expr.text.as_str()).collect();
    format!("[{}]", texts.join(", "))
}

fn formats(source: &Source) -> String {
    format!("{}, {}", source.key_format.format.name(), source.value_format.format.name())
}

/// The Java class of a step.
fn class(step: &Step) -> String {
    format!("class io.confluent.ksql.execution.plan.{}", step.name)
}

fn differs(step: &Step, what: &str, was: &str, is: &str) -> PlanError {
    PlanError::execute(format!(
        "{} must have matching {what}. Values differ: {was} vs. {is}",
        step.name
    ))
    .help("drop it and create it anew: it then begins with another state")
}

fn unsupported(step: &str) -> PlanError {
    PlanError::execute(format!("Upgrades not yet supported for {step}"))
        .help("drop it and create it anew: it then begins with another state")
}
