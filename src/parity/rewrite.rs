//! The statements of files, as each side is given them: under a prefix, with sinks of their own, over the user's inputs.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{Names, Side};
use super::renamed::{Renaming, TOPIC, add_property, expressions, text_of};
use crate::sql::ast::{
    CreateSource, Expr, ExprKind, InsertInto, Literal, Query, SourceKind, Statement,
};
use crate::sql::visit::children;
use crate::sql::{Diagnostic, ParsedStatement, Span, print};

/// What files cannot set, as both sides are given it.
pub(super) const FIXED: [(&str, &str); 2] =
    [("auto.offset.reset", "earliest"), ("cache.max.bytes.buffering", "0")];

/// Functions that give something else at each call.
const CHANCE: [&str; 4] = ["RANDOM", "UUID", "UNIX_TIMESTAMP", "UNIX_DATE"];
/// Columns that say where a record lies.
const PLACE: [&str; 2] = ["ROWOFFSET", "ROWPARTITION"];

/// What is known of the world before statements are rewritten.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// What the server's names of topics begin with that it makes itself (`ksql.output.topic.name.prefix`).
    pub topic_prefix: String,
    /// The topics that there are, with their numbers of partitions.
    pub topics: BTreeMap<String, i32>,
}

/// What a statement makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// A stream or table; whether its topic is made with it.
    Source {
        /// Which of both.
        kind: SourceKind,
        /// Its name.
        name: String,
        /// Whether its topic is one of this comparison.
        has_own_topic: bool,
    },
    /// A custom type.
    Type(String),
    /// Something that goes with others.
    Nothing,
}

/// A statement for the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where the statement stands in the files.
    pub place: Span,
    /// The text.
    pub text: String,
    /// What it makes.
    pub made: Made,
    /// What its session has set.
    pub properties: BTreeMap<String, String>,
}

/// A topic that both sides write, each its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkPair {
    /// What the files call the stream or table.
    pub name: String,
    /// Its topic on our side.
    pub ours: String,
    /// Its topic on theirs.
    pub theirs: String,
}

/// What files become.
#[derive(Clone, Debug, Default)]
pub struct Rewritten {
    /// The text for our side.
    pub ours: String,
    /// The statements for theirs.
    pub theirs: Vec<Sent>,
    /// What both write.
    pub sinks: Vec<SinkPair>,
    /// Topics of ours whose records no rule speaks of, with the reason.
    pub open: BTreeMap<String, String>,
    /// What is done otherwise than the files say.
    pub notes: Vec<String>,
    /// Where each statement of our text begins, and where it stands in the files.
    places: Vec<(usize, Span)>,
}

impl Rewritten {
    /// Where the statement stands in the files that our text has at an offset.
    pub fn place_of(&self, offset: usize) -> Option<Span> {
        let next = self.places.partition_point(|(start, _)| *start <= offset);
        self.places.get(next.checked_sub(1)?).map(|(_, place)| *place)
    }
}

/// Rewrites statements; an error says which of them cannot be compared.
pub fn rewrite(
    statements: &[ParsedStatement],
    names: &Names,
    world: &World,
) -> Result<Rewritten, Vec<Diagnostic>> {
    let survey = Survey::of(statements, world);
    let mut faults = survey.faults.clone();
    let sides = [Side::Ours, Side::Theirs].map(|side| survey.renaming(names, side));
    let mut out = Rewritten { sinks: survey.pairs(names), ..Rewritten::default() };
    let mut session: BTreeMap<String, String> =
        FIXED.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    for parsed in statements {
        if let Statement::Set { name, .. } | Statement::Unset { name } = &parsed.statement
            && let Some(value) = fixed(name)
        {
            out.notes.push(format!("{name} is {value} on both sides, whatever the files set"));
            continue;
        }
        match &parsed.statement {
            Statement::Set { name, value } => {
                session.insert(name.clone(), value.clone());
            }
            Statement::Unset { name } => {
                session.remove(name);
            }
            Statement::Define { .. } | Statement::Undefine { .. } => continue,
            _ => {}
        }
        let [ours, theirs] = sides.each_ref().map(|side| survey.completed(side, &parsed.statement));
        out.places.push((out.ours.len(), parsed.place));
        out.ours.push_str(&print::statement(&ours));
        out.ours.push_str(";\n");
        if matches!(parsed.statement, Statement::Set { .. } | Statement::Unset { .. }) {
            continue;
        }
        out.theirs.push(Sent {
            place: parsed.place,
            text: format!("{};", print::statement(&theirs)),
            made: survey.made(&theirs, &sides[1]),
            properties: session.clone(),
        });
    }
    out.notes.extend(survey.notes());
    out.open = survey.open(&sides[0]);
    if out.sinks.is_empty() && faults.is_empty() {
        faults
            .push(Diagnostic::new("no statement fills a stream or table: nothing can be compared"));
    }
    if faults.is_empty() { Ok(out) } else { Err(faults) }
}

/// What a property is fixed at, if it is.
fn fixed(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("ksql.streams.").unwrap_or(name);
    FIXED.into_iter().find(|(fixed, _)| *fixed == name).map(|(_, value)| value)
}

/// What files define, before anything is renamed.
struct Survey<'a> {
    world: &'a World,
    /// Streams and tables by name, each with its topic.
    sources: BTreeMap<String, String>,
    types: BTreeSet<String>,
    /// Those of the streams and tables that have no query in their statement.
    declared: BTreeSet<String>,
    /// Those that a query fills, in the order in which the first one does so.
    filled: Vec<String>,
    /// What is to be said of queries whose results depend on more than their input, by sink.
    chance: BTreeMap<String, String>,
    faults: Vec<Diagnostic>,
}

impl<'a> Survey<'a> {
    fn of(statements: &[ParsedStatement], world: &'a World) -> Self {
        let mut survey = Self {
            world,
            sources: BTreeMap::new(),
            types: BTreeSet::new(),
            declared: BTreeSet::new(),
            filled: Vec::new(),
            chance: BTreeMap::new(),
            faults: Vec::new(),
        };
        for parsed in statements {
            survey.take(parsed);
        }
        for parsed in statements {
            survey.check(parsed);
        }
        survey
    }

    fn take(&mut self, parsed: &ParsedStatement) {
        match &parsed.statement {
            Statement::CreateSource(create) => {
                let topic = text_of(&create.with, TOPIC).unwrap_or_default();
                self.declared.insert(create.name.text.clone());
                self.define(parsed, &create.name.text, topic.to_owned());
            }
            Statement::CreateAs(create) => {
                let name = &create.name.text;
                let default = || format!("{}{name}", self.world.topic_prefix);
                let topic = text_of(&create.with, TOPIC).map_or_else(default, str::to_owned);
                self.define(parsed, name, topic);
                self.fill(name, &create.query);
            }
            Statement::InsertInto(insert) => self.fill(&insert.target.text, &insert.query),
            Statement::CreateType(create) => {
                self.types.insert(create.name.text.clone());
            }
            Statement::AlterSource(_)
            | Statement::Set { .. }
            | Statement::Unset { .. }
            | Statement::Define { .. }
            | Statement::Undefine { .. } => {}
            _ => self.refuse(
                parsed,
                "a comparison takes definitions and queries that go on for ever",
                "leave this statement out",
            ),
        }
    }

    fn define(&mut self, parsed: &ParsedStatement, name: &str, topic: String) {
        if self.sources.insert(name.to_owned(), topic).is_some() {
            self.refuse(
                parsed,
                &format!("{name} is defined twice, so what it holds depends on when"),
                "leave one of the statements out",
            );
        }
    }

    fn fill(&mut self, name: &str, query: &Query) {
        if !self.filled.iter().any(|filled| filled == name) {
            self.filled.push(name.to_owned());
        }
        let mut query = query.clone();
        let reads_own = std::iter::once(&query.from.first)
            .chain(query.from.joins.iter().map(|join| &join.source))
            .any(|source| self.filled.contains(&source.name.text));
        for expr in expressions(&mut query) {
            if let Some(reason) = depends_on_more(expr, reads_own) {
                self.chance.entry(name.to_owned()).or_insert(reason);
            }
        }
    }

    /// Refuses what needs the user's topics to be made or written.
    fn check(&mut self, parsed: &ParsedStatement) {
        match &parsed.statement {
            Statement::CreateSource(create) => self.check_source(parsed, create),
            Statement::InsertInto(InsertInto { target, .. })
                if !self.sources.contains_key(&target.text) =>
            {
                self.refuse(
                    parsed,
                    &format!("no statement of the files defines {}", target.text),
                    "add its CREATE statement to the files",
                );
            }
            _ => {}
        }
    }

    fn check_source(&mut self, parsed: &ParsedStatement, create: &CreateSource) {
        let name = &create.name.text;
        let Some(topic) = text_of(&create.with, TOPIC) else { return };
        let is_there = self.world.topics.contains_key(topic);
        let has_count = create.with.iter().any(|property| property.name.text == "PARTITIONS");
        if !self.own_topics().contains_key(topic) {
            if !is_there {
                self.refuse(
                    parsed,
                    &format!("topic {topic} of {name} does not exist, and a comparison makes no topic of yours"),
                    "create and fill it before",
                );
            }
        } else if self.filled.contains(name) {
            if create.columns.is_empty() {
                self.refuse(
                    parsed,
                    &format!("{name} has its columns from the registry, where its copy has none"),
                    "write its columns out",
                );
            } else if !is_there && !has_count {
                self.refuse(
                    parsed,
                    &format!("topic {topic} of {name} does not exist"),
                    "say in WITH how many PARTITIONS it has",
                );
            }
        }
    }

    fn refuse(&mut self, parsed: &ParsedStatement, message: &str, help: &str) {
        let fault = Diagnostic::new(message).at(parsed.place, "unsupported by parity").help(help);
        self.faults.push(fault);
    }

    /// The topics that queries of the files write, with what they belong to.
    fn own_topics(&self) -> BTreeMap<&str, &str> {
        let own = self
            .filled
            .iter()
            .filter_map(|name| self.sources.get(name).map(|topic| (topic.as_str(), name.as_str())));
        own.filter(|(topic, _)| !topic.is_empty()).collect()
    }

    fn renaming(&self, names: &Names, side: Side) -> Renaming {
        let prefixed = |name: &String| (name.clone(), names.of(name));
        let own = self.own_topics();
        let topics = own.keys().map(|topic| ((*topic).to_owned(), names.topic(side, topic)));
        Renaming {
            sources: self.sources.keys().map(prefixed).collect(),
            types: self.types.iter().map(prefixed).collect(),
            topics: topics.collect(),
        }
    }

    fn pairs(&self, names: &Names) -> Vec<SinkPair> {
        let pair = |name: &String| {
            let topic = self.sources.get(name)?;
            Some(SinkPair {
                name: name.clone(),
                ours: names.topic(Side::Ours, topic),
                theirs: names.topic(Side::Theirs, topic),
            })
        };
        let mut seen = BTreeSet::new();
        let pairs = self.filled.iter().filter_map(pair);
        pairs.filter(|pair| seen.insert(pair.ours.clone())).collect()
    }

    /// A statement with other names, and with what its topics have that are made anew.
    fn completed(&self, renaming: &Renaming, statement: &Statement) -> Statement {
        let mut renamed = renaming.apply(statement);
        match (&mut renamed, statement) {
            (Statement::CreateAs(new), Statement::CreateAs(old)) => {
                let topic =
                    self.sources.get(&old.name.text).and_then(|own| renaming.topics.get(own));
                if let Some(topic) = topic {
                    add_property(&mut new.with, TOPIC, Literal::String(topic.clone()));
                }
            }
            (Statement::CreateSource(new), Statement::CreateSource(old))
                if self.filled.contains(&old.name.text) =>
            {
                let topic = self.sources.get(&old.name.text);
                if let Some(count) = topic.and_then(|topic| self.world.topics.get(topic)) {
                    add_property(&mut new.with, "PARTITIONS", Literal::Integer(*count));
                }
            }
            _ => {}
        }
        renamed
    }

    fn made(&self, statement: &Statement, renaming: &Renaming) -> Made {
        match statement {
            Statement::CreateSource(CreateSource { kind, name, with, .. }) => {
                let topic = text_of(with, TOPIC).unwrap_or_default();
                let is_filled = self
                    .filled
                    .iter()
                    .any(|filled| renaming.sources.get(filled) == Some(&name.text));
                let has_own_topic = is_filled && renaming.topics.values().any(|own| own == topic);
                Made::Source { kind: *kind, name: name.text.clone(), has_own_topic }
            }
            Statement::CreateAs(create) => Made::Source {
                kind: create.kind,
                name: create.name.text.clone(),
                has_own_topic: true,
            },
            Statement::CreateType(create) => Made::Type(create.name.text.clone()),
            _ => Made::Nothing,
        }
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        let copied = self.own_topics().into_iter().filter(|(topic, name)| {
            self.world.topics.contains_key(*topic) && self.declared.contains(*name)
        });
        copied.map(|(topic, name)| {
            format!("{name} is filled anew on both sides: what topic {topic} holds is neither read nor touched")
        })
    }

    fn open(&self, ours: &Renaming) -> BTreeMap<String, String> {
        let open = self.chance.iter().filter_map(|(name, reason)| {
            let topic = ours.topics.get(self.sources.get(name)?)?;
            Some((topic.clone(), reason.clone()))
        });
        open.collect()
    }
}

/// What an expression depends on besides its row.
fn depends_on_more(expr: &Expr, reads_own: bool) -> Option<String> {
    match &expr.kind {
        ExprKind::Call { name, args, .. }
            if args.is_empty() && CHANCE.contains(&name.text.as_str()) =>
        {
            return Some(format!("{}() gives something else at each call", name.text));
        }
        ExprKind::Column { name, .. } if reads_own && PLACE.contains(&name.text.as_str()) => {
            return Some(format!(
                "it reads {} of a topic that a query writes, in an order of its own",
                name.text
            ));
        }
        _ => {}
    }
    children(expr).into_iter().find_map(|child| depends_on_more(child, reads_own))
}
