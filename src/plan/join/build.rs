//! The nodes of a query's joins.

use std::sync::Arc;

use super::criteria::criterion;
use super::formats::settle_formats;
use super::numbers::numbers;
use super::selected::JoinKeys;
use super::sides::{Side, aliased_columns};
use super::steps::{Step, check_sources, steps};
use super::stores::JoinStores;
use crate::expr;
use crate::formats::FormatSpec;
use crate::plan::builder::source_node;
use crate::plan::expression::Clause;
use crate::plan::frame::{defs, named_columns};
use crate::plan::grouping::check_value_formats;
use crate::plan::ids::NodeId;
use crate::plan::internal_formats::internal_value_format;
use crate::plan::node::Joined;
use crate::plan::query_plan::{Gives, Node};
use crate::plan::relation::{Aliased, Relation};
use crate::plan::select::Aliases;
use crate::plan::store::{StoreKind, StoreSpec};
use crate::plan::{
    NamedExpr, NodeKind, PlanContext, PlanError, RepartitionKind, RepartitionTopic, SourceWindow,
};
use crate::sql::ast::{Expr, ExprKind, JoinKind, Query, SourceKind};
use crate::sql::print;
use crate::sql::span::Span;
use crate::types::{ColumnDef, Schema, SqlType};

/// The joins of a query.
#[derive(Debug)]
pub(in crate::plan) struct JoinPlan {
    /// The rows that the other clauses stand over.
    pub(in crate::plan) relation: Relation,
    /// The nodes that give them; the last one is the last join.
    pub(in crate::plan) nodes: Vec<Node>,
    /// The expressions of which one must be selected, as they were written.
    pub(in crate::plan) keys: JoinKeys,
    /// What ksqlDB finds wrong with the joins only after it has looked at all other clauses.
    pub(in crate::plan) refused: Option<PlanError>,
}

/// Plans the joins of a query whose columns are qualified.
pub(in crate::plan) fn plan_join(
    query: &Query,
    sources: &[Aliased],
    ctx: &PlanContext<'_>,
) -> Result<JoinPlan, PlanError> {
    check_repeated(query, sources)?;
    let joins = query.from.joins.iter().enumerate();
    let criteria = joins.map(|(index, join)| criterion(join, index + 1, sources, ctx));
    let criteria = criteria.collect::<Result<Vec<_>, _>>()?;
    check_value_formats(sources, "JOIN")?;
    let mut steps = steps(query, sources, criteria, ctx)?;
    check_sources(sources, &steps, ctx)?;
    settle_formats(&mut steps, sources, ctx)?;
    let numbers = numbers(&steps);
    let mut builder = JoinBuilder { sources, ctx, nodes: Vec::new(), refused: None };
    let mut side = None;
    for (index, step) in steps.iter().enumerate() {
        let prefix = "L_".repeat(steps.len() - 1 - index);
        let place = Place { index, prefix, number: numbers[index] };
        side = Some(builder.join(side, step, &place)?);
    }
    let (Some(side), Some(last)) = (side, steps.last()) else {
        return Err(PlanError::analyse("a join needs two sources"));
    };
    let keys = if last.is_foreign {
        JoinKeys::LeftTable(sources[0].clone())
    } else if last.is_synthetic {
        JoinKeys::Synthetic(last.key_name.clone())
    } else {
        JoinKeys::Columns(last.equivalent.columns())
    };
    let first = &sources[0].source;
    let relation = Relation {
        sources: sources.to_vec(),
        kind: match side.gives {
            Gives::Rows => SourceKind::Stream,
            Gives::Changes => SourceKind::Table,
        },
        key: side.key,
        columns: side.columns,
        window: side.window,
        key_format: side.key_format,
        value_format: first.value_format.clone(),
    };
    Ok(JoinPlan { relation, nodes: builder.nodes, keys, refused: builder.refused })
}

/// No source may be joined twice.
fn check_repeated(query: &Query, sources: &[Aliased]) -> Result<(), PlanError> {
    for (index, aliased) in sources.iter().enumerate() {
        let name = &aliased.source.name;
        if !sources[..index].iter().any(|other| other.source.name == *name) {
            continue;
        }
        let message = if query.from.joins.len() == 1 {
            format!("Can not join '{name}' to '{name}': self joins are not yet supported.")
        } else {
            format!(
                "N-way joins do not support multiple occurrences of the same source. Source: '{name}'."
            )
        };
        return Err(PlanError::analyse(message)
            .at(query.from.joins[index - 1].source.name.span)
            .help(format!("copy it first: CREATE … AS SELECT * FROM {name}")));
    }
    Ok(())
}

/// A stream joins a table as it is, not within a window.
fn windowed_stream_table(kind: JoinKind) -> PlanError {
    let join = if kind == JoinKind::Right { "join" } else { "Stream-Table join" };
    PlanError::analyse(format!(
        "A window definition was provided for a Stream-Table join. These joins are not windowed. Please \
         drop the window definition (ie. the WITHIN clause) and try to execute your {join} again."
    ))
    .help("take WITHIN away: a row meets the table as it is then")
}

/// Tables that joins give are never written anew with another key.
fn not_the_key(side: &Side, expr: &Expr) -> PlanError {
    let key = side.key.first().map(|key| key.name.to_string()).unwrap_or_default();
    PlanError::execute(format!(
        "Cannot repartition a TABLE source. If this is a join, make sure that the criteria uses the \
         TABLE's key column {key} instead of {}",
        print::expression(expr)
    ))
    .at(expr.span)
}

/// Where a join stands among all.
pub(super) struct Place {
    /// Its number from 0; the source on its right is that of the next number.
    pub(super) index: usize,
    /// `L_` for each join after it.
    pub(super) prefix: String,
    /// Kafka Streams' count before it.
    pub(super) number: usize,
}

pub(super) struct JoinBuilder<'b> {
    pub(super) sources: &'b [Aliased],
    pub(super) ctx: &'b PlanContext<'b>,
    pub(super) nodes: Vec<Node>,
    /// What is wrong with the joins, which is told after what is wrong with other clauses.
    refused: Option<PlanError>,
}

/// The new key of a side.
struct NewKey<'k> {
    expr: &'k Expr,
    name: &'k str,
    format: &'k FormatSpec,
}

impl JoinBuilder<'_> {
    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    fn join(
        &mut self,
        before: Option<Side>,
        step: &Step,
        place: &Place,
    ) -> Result<Side, PlanError> {
        let Place { index, prefix, .. } = place;
        let left_key = step.left_rekeyed.then_some(&step.left_expr);
        let left = match before {
            None => self.leaf(0, &format!("{prefix}Left"), left_key, step)?,
            Some(side) => match left_key {
                None => side,
                Some(expr) if side.gives == Gives::Changes => return Err(not_the_key(&side, expr)),
                Some(expr) => {
                    let name = format!("{prefix}LeftSourceKeyed");
                    self.rekey_stream(
                        side,
                        &NewKey { expr, name: &name, format: &step.key_format },
                    )?
                }
            },
        };
        let right_key = step.right_rekeyed.then_some(&step.right_expr);
        let right = self.leaf(index + 1, &format!("{prefix}Right"), right_key, step)?;
        match (step.left, step.right) {
            (Gives::Rows, Gives::Rows) => self.stream_stream(left, right, step, place),
            (Gives::Rows, Gives::Changes) => self.stream_table(left, &right, step, place),
            _ if step.is_foreign => self.foreign_key(left, right, step, place),
            _ => Ok(self.table_table(&left, &right, step, place)),
        }
    }

    /// A source, with the key that the join needs, under the names of a joined row.
    fn leaf(
        &mut self,
        index: usize,
        side: &str,
        new_key: Option<&Expr>,
        step: &Step,
    ) -> Result<Side, PlanError> {
        let aliased = &self.sources[index];
        let source = &aliased.source;
        let columns = named_columns(source);
        let is_table = source.kind == SourceKind::Table;
        let kind = match new_key {
            // Nobody looks its rows up: they go on as a stream, and become a table again.
            Some(_) if is_table => NodeKind::StreamSource { source: Arc::clone(source) },
            _ => source_node(source, &format!("KafkaTopic_{side}-Reduce")),
        };
        let key = source.schema.key.clone();
        let gives = if is_table && new_key.is_none() { Gives::Changes } else { Gives::Rows };
        let schema = Schema { key: key.clone(), value: defs(&columns) };
        let name = format!("KafkaTopic_{side}.Source");
        let node = self.add(Node { kind, name, inputs: Vec::new(), schema, gives });
        let (key_format, window) = (source.key_format.clone(), source.window);
        let mut rows = Side { node, gives, key, columns, key_format, window };
        if let Some(expr) = new_key {
            let name = format!("{side}SourceKeyed");
            let new = NewKey { expr, name: &name, format: &step.key_format };
            rows = self.rekey_stream(rows, &new)?;
            if is_table {
                rows = self.table_again(rows, &name, &source.value_format);
            }
        }
        Ok(self.prepend_alias(rows, &aliased.alias.text, side))
    }

    /// Gives rows of a stream another key.
    fn rekey_stream(&mut self, side: Side, new: &NewKey<'_>) -> Result<Side, PlanError> {
        let scope = self.ctx.scope(&side.columns, &side.key, Clause::JoinOn);
        let typed = scope.resolve(new.expr)?;
        let ty = typed.ty().cloned().ok_or_else(crate::plan::builder::untyped)?;
        let mut columns = side.columns;
        let column_name = if let ExprKind::Column { name, .. } = &new.expr.kind {
            name.text.clone()
        } else {
            // A key that is no column of the value becomes one.
            let name = Aliases::new(&columns).generated();
            columns.push((name.clone(), ty.clone()));
            name
        };
        let key = vec![ColumnDef::new(column_name.as_str(), ty)];
        let named = NamedExpr {
            name: column_name,
            expr: Arc::new(typed),
            text: print::expression(new.expr),
        };
        let schema = Schema { key: key.clone(), value: defs(&columns) };
        let appends_key = columns.len() > self.nodes[side.node.0].schema.value.len();
        let kind = NodeKind::SelectKey { key: named, appends_key };
        let node = self.add(Node {
            kind,
            name: new.name.to_owned(),
            inputs: vec![side.node],
            schema,
            gives: Gives::Rows,
        });
        let key_format = new.format.clone();
        Ok(Side { node, gives: Gives::Rows, key, columns, key_format, window: None })
    }

    /// Sends rows to the tasks that own their keys.
    fn repartition(&mut self, side: Side, place: &RepartitionPlace<'_>) -> Side {
        let topic = RepartitionTopic {
            name: place.topic.clone(),
            key_format: side.key_format.clone(),
            value_format: internal_value_format(place.value_format),
            drops_null_keys: true,
            kind: RepartitionKind::Rows,
        };
        let schema = Schema { key: side.key.clone(), value: defs(&side.columns) };
        let node = self.add(Node {
            kind: NodeKind::Repartition(topic),
            name: place.name.to_owned(),
            inputs: vec![side.node],
            schema,
            gives: side.gives,
        });
        Side { node, ..side }
    }

    /// Makes a table of the changes of one whose keys were written anew.
    fn table_again(&mut self, side: Side, name: &str, value_format: &FormatSpec) -> Side {
        let topic = format!("{name}-SelectKey-repartition");
        let side = self.repartition(side, &RepartitionPlace { name, topic, value_format });
        let schema = Schema { key: side.key.clone(), value: defs(&side.columns) };
        let store = StoreSpec {
            name: format!("{name}-Materialize"),
            kind: StoreKind::Table,
            stored: schema.clone(),
            key_format: side.key_format.clone(),
            value_format: internal_value_format(value_format),
            retention_ms: None,
        };
        let node = self.add(Node {
            kind: NodeKind::Materialize { store },
            name: name.to_owned(),
            inputs: vec![side.node],
            schema,
            gives: Gives::Changes,
        });
        Side { node, gives: Gives::Changes, ..side }
    }

    /// Calls the columns of a source by their names in a joined row.
    fn prepend_alias(&mut self, side: Side, alias: &str, name: &str) -> Side {
        let renamed = aliased_columns(alias, &side.columns);
        let select = side.columns.iter().zip(&renamed).enumerate();
        let select = select.map(|(index, ((from, ty), (to, _)))| NamedExpr {
            name: to.clone(),
            expr: Arc::new(
                expr::Expr::column(index, from.as_str(), ty.clone()).labelled(from.as_str()),
            ),
            text: from.clone(),
        });
        let kind = NodeKind::Select { columns: select.collect() };
        let key: Vec<ColumnDef> = side
            .key
            .iter()
            .map(|key| {
                let name = crate::plan::names::joined_name(alias, &key.name);
                ColumnDef::new(name.as_str(), key.ty.clone())
            })
            .collect();
        let schema = Schema { key: key.clone(), value: defs(&renamed) };
        let node = self.add(Node {
            kind,
            name: format!("PrependAlias{name}"),
            inputs: vec![side.node],
            schema,
            gives: side.gives,
        });
        Side { node, key, columns: renamed, ..side }
    }

    fn stream_stream(
        &mut self,
        left: Side,
        right: Side,
        step: &Step,
        place: &Place,
    ) -> Result<Side, PlanError> {
        let Some(within) = &step.within else {
            return Err(PlanError::analyse(
                "Stream-Stream joins must have a WITHIN clause specified. None was provided. To learn \
                 about how to specify a WITHIN clause with a stream-stream join, please visit: \
                 https://docs.confluent.io/current/ksql/docs/syntax-reference.html#create-stream-as-select",
            )
            .at(step.span)
            .because("how far apart in time may two records be?")
            .help("write WITHIN 1 HOUR before ON, with the time that is meant"));
        };
        let name = format!("{}Join", place.prefix);
        let formats = [&self.sources[0].source, &self.sources[place.index + 1].source]
            .map(|source| source.value_format.clone());
        let is_right = step.kind == JoinKind::Right;
        let (this_format, other_format) =
            if is_right { (&formats[1], &formats[0]) } else { (&formats[0], &formats[1]) };
        let (this_rekeyed, other_rekeyed) = if is_right {
            (step.right_rekeyed, step.left_rekeyed)
        } else {
            (step.left_rekeyed, step.right_rekeyed)
        };
        let (mut this, mut other) = if is_right { (right, left) } else { (left, right) };
        if this_rekeyed {
            let topic = format!("{name}-left-repartition");
            this = self.repartition(
                this,
                &RepartitionPlace { name: &name, topic, value_format: this_format },
            );
        }
        if other_rekeyed {
            let topic = format!("{name}-right-repartition");
            other = self.repartition(
                other,
                &RepartitionPlace { name: &name, topic, value_format: other_format },
            );
        }
        let stores = JoinStores { step, number: place.number };
        let join = stores.of(within, (&this, this_format), (&other, other_format));
        let (first, second) = if is_right { (&other, &this) } else { (&this, &other) };
        let columns: Vec<_> = first.columns.iter().chain(&second.columns).cloned().collect();
        Ok(self.joined(
            step,
            name,
            NodeKind::StreamStreamJoin(Box::new(join)),
            Pair {
                inputs: vec![this.node, other.node],
                columns,
                window: this.window,
                gives: Gives::Rows,
            },
        ))
    }

    fn stream_table(
        &mut self,
        left: Side,
        right: &Side,
        step: &Step,
        place: &Place,
    ) -> Result<Side, PlanError> {
        if step.within.is_some() {
            let at = step.within.as_ref().map_or(Span::default(), |within| within.span);
            self.refused.get_or_insert_with(|| windowed_stream_table(step.kind).at(at));
        }
        if let (JoinKind::Right, Some(within)) = (step.kind, &step.within) {
            return Err(windowed_stream_table(step.kind).at(within.span));
        }
        if step.kind == JoinKind::Right {
            let error = PlanError::analyse("Invalid join type encountered: RIGHT [OUTER] JOIN");
            return Err(error.at(step.span).because("a stream joins a table, not the other way"));
        }
        let name = format!("{}Join", place.prefix);
        let mut left = left;
        if step.left_rekeyed {
            let value_format = self.sources[0].source.value_format.clone();
            let topic = format!("{name}-repartition");
            let place = RepartitionPlace { name: &name, topic, value_format: &value_format };
            left = self.repartition(left, &place);
        }
        let joined = Joined { kind: step.kind, appends_key: step.appends_key };
        let columns = left.columns.iter().chain(&right.columns).cloned().collect();
        Ok(self.joined(
            step,
            name,
            NodeKind::StreamTableJoin(joined),
            Pair {
                inputs: vec![left.node, right.node],
                columns,
                window: left.window,
                gives: Gives::Rows,
            },
        ))
    }

    fn table_table(&mut self, left: &Side, right: &Side, step: &Step, place: &Place) -> Side {
        let joined = Joined { kind: step.kind, appends_key: step.appends_key };
        let columns = left.columns.iter().chain(&right.columns).cloned().collect();
        let name = format!("{}Join", place.prefix);
        self.joined(
            step,
            name,
            NodeKind::TableTableJoin(joined),
            Pair {
                inputs: vec![left.node, right.node],
                columns,
                window: None,
                gives: Gives::Changes,
            },
        )
    }

    /// Adds the node of a join.
    fn joined(&mut self, step: &Step, name: String, kind: NodeKind, pair: Pair) -> Side {
        let Pair { inputs, mut columns, window, gives } = pair;
        let key = vec![step.key()];
        if step.appends_key {
            columns.push((step.key_name.clone(), step.key_ty.clone()));
        }
        let schema = Schema { key: key.clone(), value: defs(&columns) };
        let node = self.add(Node { kind, name, inputs, schema, gives });
        Side { node, gives, key, columns, key_format: step.key_format.clone(), window }
    }
}

/// What two sides give together.
struct Pair {
    inputs: Vec<NodeId>,
    columns: Vec<(String, SqlType)>,
    window: Option<SourceWindow>,
    gives: Gives,
}

/// A topic that rows of a join go through.
struct RepartitionPlace<'p> {
    /// The node's name.
    name: &'p str,
    topic: String,
    value_format: &'p FormatSpec,
}
