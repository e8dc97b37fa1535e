//! A join of two tables on a foreign key: rows of the left one ask, the right one answers.
//!
//! ```text
//! left ─ subscribe ─ registrations ║ answer ─ responses ║ resolve ─ …
//!   └╌╌╌╌╌╌╌╌╌╌╌╌╌╌ looks up ╌╌╌╌╌╌│╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┘
//! right ───────────────────────────┘
//! ```
//! That is a cycle of two sub-topologies: the left table's, where rows ask and answers are resolved,
//! and the right table's, which knows who asked for what. As Kafka Streams'
//! `KTableImpl.doJoinOnForeignKey`.

use super::ids::NodeId;
use super::node::{ForeignKeyAnswer, ForeignKeyResolve, ForeignKeySubscribe, RowFormats};
use super::query_plan::{Gives, Node};
use super::store::{StoreKind, StoreSpec};
use super::{NamedExpr, NodeKind, RepartitionKind, RepartitionTopic};
use crate::formats::Format;
use crate::types::{ColumnDef, Schema, SqlType};

/// How many of Kafka Streams' numbers the parts of a join take.
pub(super) const NUMBERS: usize = 14;
/// The numbers in names, from the first one on.
const REGISTRATION: usize = 0;
const STORE: usize = 4;
const RESPONSE: usize = 8;
const OUTPUT: usize = 13;

/// One of the tables of a join.
#[derive(Clone, Debug)]
pub(super) struct JoinedTable {
    /// The node that gives it.
    pub(super) node: NodeId,
    /// Its rows.
    pub(super) formats: RowFormats,
}

/// A join that is to be planned.
#[derive(Clone, Debug)]
pub(super) struct ForeignKeyJoin {
    /// The step, such as `Join`.
    pub(super) name: String,
    pub(super) left: JoinedTable,
    pub(super) right: JoinedTable,
    /// The key of the right table, over the columns of the left one.
    pub(super) foreign_key: NamedExpr,
    /// Whether left rows without a right one are given.
    pub(super) is_left: bool,
    /// How many of Kafka Streams' numbers are taken.
    pub(super) number: usize,
    /// Whether another join looks up what this one gives, so that it is kept.
    pub(super) is_looked_up: bool,
}

/// Adds the nodes of a join; the last one gives the joined rows: the columns of the left table, then
/// those of the right one, under the left one's key.
pub(super) fn plan_foreign_key(join: &ForeignKeyJoin, nodes: &mut Vec<Node>) -> NodeId {
    let schema = join.schema();
    let subscription = Schema {
        key: join.right.formats.schema.key.clone(),
        value: vec![ColumnDef::new("SUBSCRIPTION", SqlType::Bytes)],
    };
    let left_key = &join.left.formats.schema.key;
    let mut answered = join.right.formats.schema.value.clone();
    answered.push(ColumnDef::new("HASH", SqlType::Bytes));
    answered.push(ColumnDef::new("PARTITION", SqlType::Int));
    let response = Schema { key: left_key.clone(), value: answered };
    let mut add = |kind: NodeKind, inputs: &[NodeId], schema: &Schema, gives: Gives| {
        let (name, inputs, schema) = (join.name.clone(), inputs.to_vec(), schema.clone());
        nodes.push(Node { kind, name, inputs, schema, gives });
        NodeId(nodes.len() - 1)
    };
    let (left, right) = (join.left.node, join.right.node);
    let asked = add(join.subscribe(), &[left], &subscription, Gives::Rows);
    let asked = add(join.registrations(), &[asked], &subscription, Gives::Rows);
    let answered = add(join.answer(), &[asked, right], &response, Gives::Rows);
    let answered = add(join.responses(), &[answered], &response, Gives::Rows);
    let resolved = add(join.resolve(), &[answered], &schema, Gives::Changes);
    match join.output(&schema) {
        None => resolved,
        Some(output) => add(output, &[resolved], &schema, Gives::Changes),
    }
}

impl ForeignKeyJoin {
    /// The joined rows.
    fn schema(&self) -> Schema {
        let (left, right) = (&self.left.formats.schema, &self.right.formats.schema);
        Schema {
            key: left.key.clone(),
            value: left.value.iter().chain(&right.value).cloned().collect(),
        }
    }

    /// A name with one of Kafka Streams' numbers.
    fn numbered(&self, part: &str, number: usize) -> String {
        format!("KTABLE-FK-JOIN-{part}-{:010}", self.number + number)
    }

    fn subscribe(&self) -> NodeKind {
        NodeKind::ForeignKeySubscribe(Box::new(ForeignKeySubscribe {
            foreign_key: self.foreign_key.clone(),
            is_left: self.is_left,
            left: self.left.formats.clone(),
            right: self.right.formats.clone(),
        }))
    }

    fn registrations(&self) -> NodeKind {
        NodeKind::Repartition(RepartitionTopic {
            name: self.numbered("SUBSCRIPTION-REGISTRATION", REGISTRATION) + "-topic",
            key_format: self.right.formats.key_format.clone(),
            // A subscription is bytes already.
            value_format: Format::Kafka.into(),
            drops_null_keys: false,
            kind: RepartitionKind::Subscriptions,
        })
    }

    fn answer(&self) -> NodeKind {
        let key = ColumnDef::new("COMBINED_KEY", SqlType::Bytes);
        let subscription = ColumnDef::new("SUBSCRIPTION", SqlType::Bytes);
        let store = StoreSpec {
            name: self.numbered("SUBSCRIPTION-STATE-STORE", STORE),
            kind: StoreKind::Subscriptions,
            stored: Schema { key: vec![key], value: vec![subscription] },
            key_format: Format::Kafka.into(),
            value_format: Format::Kafka.into(),
            retention_ms: None,
        };
        let (left, right) = (self.left.formats.clone(), self.right.node);
        NodeKind::ForeignKeyAnswer(Box::new(ForeignKeyAnswer { store, left, right }))
    }

    fn responses(&self) -> NodeKind {
        NodeKind::Repartition(RepartitionTopic {
            name: self.numbered("SUBSCRIPTION-RESPONSE", RESPONSE) + "-topic",
            key_format: self.left.formats.key_format.clone(),
            value_format: self.right.formats.value_format.clone(),
            drops_null_keys: false,
            kind: RepartitionKind::Responses,
        })
    }

    fn resolve(&self) -> NodeKind {
        NodeKind::ForeignKeyResolve(Box::new(ForeignKeyResolve {
            is_left: self.is_left,
            left: self.left.node,
            formats: self.left.formats.clone(),
        }))
    }

    /// Keeps the joined rows. As Kafka Streams' `KTableSource`: only if somebody looks them up.
    fn output(&self, schema: &Schema) -> Option<NodeKind> {
        self.is_looked_up.then(|| {
            let formats = &self.left.formats;
            NodeKind::Materialize {
                store: StoreSpec {
                    name: self.numbered("OUTPUT-STATE-STORE", OUTPUT),
                    kind: StoreKind::Table,
                    stored: schema.clone(),
                    key_format: formats.key_format.clone(),
                    value_format: formats.value_format.clone(),
                    retention_ms: None,
                },
            }
        })
    }
}
