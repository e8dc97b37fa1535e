//! How two schemas differ, and which differences a reader can bear: the rules that the registry's documentation calls
//! open, closed and partially open content models.
//!
//! `original` is what was written with, `update` what is read with.

use std::collections::HashMap;
use std::mem::discriminant;

use super::super::{COMPARED_DEPTH_MAX, DIFFERENCES_MAX, Difference, TOO_DEEP};
use super::{Criterion, Kind, Node, NodeId, Schema};

/// How many pairs of nodes are compared before two schemas count as too different.
const PAIRS_MAX: usize = 200_000;

/// What keeps `reader` from reading what `writer` wrote.
pub(in super::super) fn differences(
    reader: &Schema,
    writer: &Schema,
    names: [&str; 2],
) -> Vec<Difference> {
    let mut comparison = Comparison {
        original: writer,
        update: reader,
        names,
        is_trial: false,
        verdicts: HashMap::new(),
        pairs_left: PAIRS_MAX,
        depth: 0,
        path: vec!["#".to_owned()],
        found: Vec::new(),
    };
    comparison.schemas(writer.root, reader.root);
    comparison.found
}

pub(super) struct Comparison<'a> {
    pub(super) original: &'a Schema,
    pub(super) update: &'a Schema,
    names: [&'a str; 2],
    /// Whether only the verdict counts.
    is_trial: bool,
    /// Which pairs get on. One that is being compared does if the rest does, for schemas contain themselves.
    verdicts: HashMap<(NodeId, NodeId), bool>,
    pairs_left: usize,
    /// How many nodes the stack is in.
    depth: usize,
    path: Vec<String>,
    found: Vec<Difference>,
}

impl<'a> Comparison<'a> {
    /// Notes a difference that a reader cannot bear.
    pub(super) fn tell(&mut self, kind: &'static str) {
        let limit = if self.is_trial { 1 } else { DIFFERENCES_MAX };
        if self.found.len() >= limit {
            return;
        }
        self.found.push(Difference::at(&self.path.join("/"), kind, self.names));
    }

    /// Notes a difference at a keyword.
    pub(super) fn tell_at(&mut self, keyword: &str, kind: &'static str) {
        self.within(keyword, |comparison| comparison.tell(kind));
    }

    /// Does something one step further down.
    pub(super) fn within(&mut self, step: &str, act: impl FnOnce(&mut Self)) {
        self.path.push(step.to_owned());
        act(self);
        self.path.pop();
    }

    /// Whether a pair gets on, without telling why not.
    pub(super) fn gets_on(&mut self, original: NodeId, update: NodeId) -> bool {
        let mut trial = Comparison {
            original: self.original,
            update: self.update,
            names: self.names,
            is_trial: true,
            verdicts: std::mem::take(&mut self.verdicts),
            pairs_left: self.pairs_left,
            depth: self.depth,
            path: Vec::new(),
            found: Vec::new(),
        };
        trial.schemas(original, update);
        self.verdicts = trial.verdicts;
        self.pairs_left = trial.pairs_left;
        trial.found.is_empty()
    }

    /// Compares two nodes.
    pub(super) fn schemas(&mut self, original: NodeId, update: NodeId) {
        let (original_id, original) = self.original.resolve(original);
        let (update_id, update) = self.update.resolve(update);
        let pair = (original_id, update_id);
        match self.verdicts.get(&pair) {
            Some(true) => return,
            Some(false) if self.is_trial => return self.tell("TYPE_CHANGED"),
            _ => {}
        }
        let Some(left) = self.pairs_left.checked_sub(1) else {
            return self.tell("TOO_MANY_DIFFERENCES");
        };
        if self.depth == COMPARED_DEPTH_MAX {
            return self.tell(TOO_DEEP);
        }
        self.pairs_left = left;
        self.depth += 1;
        self.verdicts.insert(pair, true);
        let before = self.found.len();
        self.nodes((original_id, original), (update_id, update));
        self.verdicts.insert(pair, self.found.len() == before);
        self.depth -= 1;
    }

    fn nodes(&mut self, original: (NodeId, &'a Node), update: (NodeId, &'a Node)) {
        if self.is_one_of(original, update) {
            return;
        }
        let (original, update) = (&original.1.kind, &update.1.kind);
        if discriminant(original) != discriminant(update) {
            if !matches!(original, Kind::Never) && !matches!(update, Kind::Any) {
                self.tell("TYPE_CHANGED");
            }
            return;
        }
        match (original, update) {
            (Kind::String(original), Kind::String(update)) => self.strings(original, update),
            (Kind::Number(original), Kind::Number(update)) => self.numbers(original, update),
            (Kind::Enum(original), Kind::Enum(update)) => self.enums(original, update),
            (Kind::Object(original), Kind::Object(update)) => self.objects(original, update),
            (Kind::Array(original), Kind::Array(update)) => self.arrays(original, update),
            (Kind::Combined(criterion, original), Kind::Combined(updated, update)) => {
                self.combined((*criterion, original), (*updated, update));
            }
            (Kind::Not(original), Kind::Not(update)) => self.not(*original, *update),
            // Of these there is one each; constants and conditions are not compared.
            _ => {}
        }
    }

    /// Whether one side is a list of schemas, and the other fits to one of it.
    fn is_one_of(&mut self, original: (NodeId, &'a Node), update: (NodeId, &'a Node)) -> bool {
        match (&original.1.kind, &update.1.kind) {
            (Kind::Combined(..), Kind::Combined(..)) => false,
            (_, Kind::Combined(criterion, update)) => {
                (update.len() == 1 || *criterion != Criterion::All)
                    && update.iter().any(|update| self.gets_on(original.0, *update))
            }
            (Kind::Combined(_, original), _) => {
                original.len() == 1 && self.gets_on(original[0], update.0)
            }
            _ => false,
        }
    }

    /// What is forbidden may become less.
    fn not(&mut self, original: NodeId, update: NodeId) {
        let mut turned = Comparison {
            original: self.update,
            update: self.original,
            names: self.names,
            is_trial: true,
            verdicts: HashMap::new(),
            pairs_left: self.pairs_left,
            depth: self.depth,
            path: Vec::new(),
            found: Vec::new(),
        };
        turned.schemas(update, original);
        self.pairs_left = turned.pairs_left;
        if !turned.found.is_empty() {
            self.tell_at("not", "NOT_TYPE_EXTENDED");
        }
    }
}
