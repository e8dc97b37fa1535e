//! Queries of clients as they were planned, for whoever asks the same again: a dashboard asks the same every second, and
//! reading and planning a pull query by key takes several times as long as answering it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Request;
use crate::engine::{ReadKind, ReadQuery, ReadSpec};
use crate::plan::PullPlan;
use crate::runtime::live::PullSpec;

/// How many are kept before those are forgotten that nobody has asked for since as many were kept.
const KEPT_MAX: usize = 1_000;

/// Texts that are longer are not kept.
const TEXT_BYTES_MAX: usize = 4 << 10;

/// A query as it was planned.
#[derive(Debug)]
pub(super) struct PlannedRead {
    /// Its statement, as it may be shown.
    pub(super) statement: String,
    pub(super) query: ReadQuery,
}

/// A query that is asked for: as it was planned, or for another key.
#[derive(Debug)]
pub(super) struct AskedRead {
    planned: Arc<PlannedRead>,
    key: Option<String>,
}

/// Queries of clients as they were planned, by what was asked. They hold for one state of what exists.
///
/// One that looks up a text by its key serves all that differ in this text alone.
#[derive(Debug, Default)]
pub(super) struct PlannedReads {
    state: u64,
    recent: HashMap<String, Kept>,
    older: HashMap<String, Kept>,
}

#[derive(Debug)]
struct Kept {
    properties: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    read: Arc<PlannedRead>,
}

impl PlannedReads {
    /// The state of what exists that they hold for.
    pub(super) fn state(&self) -> u64 {
        self.state
    }

    /// Forgets all: what exists has changed.
    pub(super) fn forget(&mut self) {
        *self = Self { state: self.state + 1, ..Self::default() };
    }

    /// What was planned for a request, or for one that looks up another key.
    pub(super) fn get(&mut self, request: &Request) -> Option<AskedRead> {
        let cut = Cut::of(&request.text);
        if cut.is_none() && request.text.contains('\0') {
            // It could be taken for one that is cut.
            return None;
        }
        if let Some(cut) = cut
            && let Some(planned) = self.find(&cut.frame(), request)
        {
            return Some(AskedRead { planned: Arc::clone(planned), key: Some(cut.literal.into()) });
        }
        let planned = self.find(&request.text, request)?;
        Some(AskedRead::of(Arc::clone(planned)))
    }

    fn find(&mut self, text: &str, request: &Request) -> Option<&Arc<PlannedRead>> {
        if !self.recent.contains_key(text) {
            let (text, kept) = self.older.remove_entry(text)?;
            self.insert(text, kept);
        }
        let kept = self.recent.get(text)?;
        let is_same = kept.properties == request.properties && kept.variables == request.variables;
        is_same.then_some(&kept.read)
    }

    /// Keeps what was planned for a request in a state of what exists, if that still is the state.
    pub(super) fn keep(&mut self, request: &Request, read: &Arc<PlannedRead>, state: u64) {
        if state != self.state || request.text.len() > TEXT_BYTES_MAX {
            return;
        }
        let frame = Cut::of(&request.text).filter(|cut| read.is_by(cut)).map(|cut| cut.frame());
        let text = frame.unwrap_or_else(|| request.text.clone());
        let (properties, variables) = (request.properties.clone(), request.variables.clone());
        self.insert(text, Kept { properties, variables, read: Arc::clone(read) });
    }

    fn insert(&mut self, text: String, kept: Kept) {
        if self.recent.len() >= KEPT_MAX {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(text, kept);
    }
}

impl PlannedRead {
    /// Whether the one text literal of a request is the key that it looks up, and nothing else.
    fn is_by(&self, cut: &Cut<'_>) -> bool {
        let ReadKind::Table(pull) = &self.query.kind else { return false };
        pull.text_key() == Some(cut.literal)
            && self.statement.matches(&quoted(cut.literal)).count() == 1
    }
}

impl AskedRead {
    /// A query as it was planned.
    pub(super) fn of(planned: Arc<PlannedRead>) -> Self {
        Self { planned, key: None }
    }

    /// The query, but for the key of its plan.
    pub(super) fn query(&self) -> &ReadQuery {
        &self.planned.query
    }

    /// Its statement, as it may be shown.
    pub(super) fn statement(&self) -> String {
        let statement = &self.planned.statement;
        match self.key_instead() {
            Some((pull, key)) => {
                let before = pull.text_key().unwrap_or_default();
                statement.replace(&quoted(before), &quoted(key))
            }
            None => statement.clone(),
        }
    }

    /// The query, as an instance takes it. Its id is one that no other query has.
    pub(super) fn spec(&self, id: &str) -> ReadSpec {
        match self.key_instead() {
            Some((pull, key)) => ReadSpec::Pull(PullSpec {
                plan: Arc::new(pull.with_text_key(key)),
                limit: self.planned.query.limit,
            }),
            None => self.planned.query.spec(id),
        }
    }

    /// The plan of a look-up by another key, and that key.
    fn key_instead(&self) -> Option<(&PullPlan, &str)> {
        match (&self.planned.query.kind, &self.key) {
            (ReadKind::Table(pull), Some(key)) => Some((pull, key)),
            _ => None,
        }
    }
}

/// A text as it stands in a statement.
fn quoted(text: &str) -> String {
    format!("'{text}'")
}

/// A text around its one text literal.
struct Cut<'t> {
    before: &'t str,
    literal: &'t str,
    after: &'t str,
}

impl<'t> Cut<'t> {
    /// Cuts a text that has one literal of a text, as it is written and not empty, and nothing where a quote could mean
    /// something else: no comment, no quoted name, no variable.
    fn of(text: &'t str) -> Option<Self> {
        let (before, rest) = text.split_once('\'')?;
        let (literal, after) = rest.split_once('\'')?;
        let is_plain = |part: &str| {
            !["'", "\"", "`", "--", "/*", "${", "\0"].iter().any(|mark| part.contains(mark))
        };
        let is_one = is_plain(before) && is_plain(after) && !literal.contains("${");
        (is_one && !literal.is_empty()).then_some(Self { before, literal, after })
    }

    /// The text without the literal: no other text that is cut, or that can be read, is the same.
    fn frame(&self) -> String {
        [self.before, "\0", self.after].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_nothing_but_one_literal_has_quotes() {
        let frame = |text| Cut::of(text).map(|cut| (cut.frame(), cut.literal.to_owned()));
        let cut = frame("SELECT * FROM t WHERE k = 'a;-- \"b`';").unwrap();
        assert_eq!(cut, ("SELECT * FROM t WHERE k = \0;".to_owned(), "a;-- \"b`".to_owned()));
        for text in [
            "SELECT * FROM t;",
            "SELECT * FROM t WHERE k = '';",
            "SELECT * FROM t WHERE k = 'it''s';",
            "SELECT * FROM t WHERE k = 'a' OR k = 'b';",
            "SELECT * FROM `t` WHERE k = 'a';",
            "SELECT * FROM t WHERE k = 'a'; -- 'b",
            "SELECT * FROM t /* ' */ WHERE k = 'a';",
            "SELECT * FROM t WHERE k = '${key}';",
            "SELECT * FROM ${table} WHERE k = 'a';",
        ] {
            assert_eq!(frame(text), None, "{text}");
        }
    }
}
