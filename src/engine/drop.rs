//! What may be dropped, and what goes with it.
//!
//! A source that others are made of, or that an `INSERT INTO` reads or writes, stays. The query of
//! the `CREATE … AS` that made a source ends with it, so that a source of the same name can be made
//! again without two queries writing into one topic.

use super::planned::Effect;
use super::{Planned, Planning, QueryKind};
use crate::plan::{self, Catalog, PersistentQuery, PlanError, Source};
use crate::sql::ast::{ControlQuery, Drop, DropKind, QueryAction, QueryTarget, SourceKind};
use crate::sql::suggest;

impl Planning<'_> {
    pub(super) fn drop(&self, drop: &Drop) -> Result<Planned, PlanError> {
        match drop.kind {
            DropKind::Connector => Err(PlanError::unsupported("DROP CONNECTOR is")),
            DropKind::Type => self.drop_type(drop),
            DropKind::Source(kind) => self.drop_source(drop, kind),
        }
    }

    fn drop_type(&self, drop: &Drop) -> Result<Planned, PlanError> {
        let name = &drop.name.text;
        if self.catalog().custom_type(name).is_some() {
            return Ok(Planned { effect: Effect::DropType { name: name.clone() } });
        }
        if drop.if_exists {
            return Ok(Planned::unchanged(format!("Type '{name}' does not exist")));
        }
        let names: Vec<&str> = self.catalog().custom_types().map(|(name, _)| name).collect();
        let near = suggest::did_you_mean(name, names);
        let error = PlanError::execute(format!("Type {name} does not exist.")).at(drop.name.span);
        Err(error.maybe_help(near.map(|near| format!("did you mean {near}?"))))
    }

    fn drop_source(&self, drop: &Drop, kind: SourceKind) -> Result<Planned, PlanError> {
        let (catalog, name) = (self.catalog(), &drop.name.text);
        let Some(source) = catalog.source(name) else { return missing(drop, kind, catalog) };
        if drop.delete_topic {
            check_topic(catalog, source)?;
        }
        if source.kind != kind {
            return Err(PlanError::execute(format!(
                "Incompatible data source type is {}, but statement was DROP {}",
                source.kind.as_str().to_lowercase(),
                kind.as_str().to_lowercase()
            )));
        }
        check_inserts(catalog, name)?;
        check_sources(catalog, name)?;
        let own = catalog.queries().iter().find(|query| query.belongs_to(name));
        Ok(Planned {
            effect: Effect::DropSource {
                name: name.clone(),
                topic: source.topic.clone(),
                deletes_topic: drop.delete_topic,
                query: own.map(|query| query.id.clone()),
            },
        })
    }

    pub(super) fn control(&self, control: &ControlQuery) -> Result<Planned, PlanError> {
        let queries = match &control.target {
            QueryTarget::All => {
                self.catalog().queries().iter().map(|query| query.id.clone()).collect()
            }
            QueryTarget::Id(id) if self.catalog().query(&id.text).is_some() => {
                vec![id.text.clone()]
            }
            QueryTarget::Id(id) => {
                let message = format!("Unknown queryId: {}", id.text);
                let help = plan::query_help(self.catalog(), &id.text);
                return Err(PlanError::execute(message).at(id.span).maybe_help(help));
            }
        };
        let effect = match control.action {
            QueryAction::Terminate => Effect::Terminate { queries },
            QueryAction::Pause => Effect::Pause { queries, is_paused: true },
            QueryAction::Resume => Effect::Pause { queries, is_paused: false },
        };
        Ok(Planned { effect })
    }
}

fn missing(drop: &Drop, kind: SourceKind, catalog: &Catalog) -> Result<Planned, PlanError> {
    let name = &drop.name.text;
    if drop.if_exists {
        return Ok(Planned::unchanged(format!("Source `{name}` does not exist.")));
    }
    let what = match kind {
        SourceKind::Stream => "Stream",
        SourceKind::Table => "Table",
    };
    let error = PlanError::execute(format!("{what} {name} does not exist.")).at(drop.name.span);
    Err(error.maybe_help(plan::source_help(catalog, name)))
}

/// Whether the topic of a source may be deleted.
fn check_topic(catalog: &Catalog, source: &Source) -> Result<(), PlanError> {
    if source.is_read_only {
        let message = format!("Cannot delete topic for read-only source: {}", source.name);
        return Err(PlanError::execute(message));
    }
    let others = catalog.sources().filter(|other| other.topic == source.topic);
    let others: Vec<_> =
        others.map(|other| other.name.as_str()).filter(|name| *name != source.name).collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(PlanError::execute(format!(
        "Refusing to delete topic. Found other data sources ({}) using topic {}",
        others.join(", "),
        source.topic
    )))
}

/// Whether an `INSERT INTO` reads or writes the source.
fn check_inserts(catalog: &Catalog, name: &str) -> Result<(), PlanError> {
    let inserts = |is_one: fn(&PersistentQuery, &str) -> bool| {
        let all = catalog.queries().iter().filter(|query| query.kind == QueryKind::Insert);
        let ids = all.filter(|query| is_one(query, name)).map(|query| query.id.as_str());
        sorted(ids)
    };
    let (readers, writers) = (inserts(PersistentQuery::reads), inserts(PersistentQuery::writes));
    if readers.is_empty() && writers.is_empty() {
        return Ok(());
    }
    Err(PlanError::execute(format!(
        "Cannot drop {name}.\nThe following queries read from this source: [{readers}].\nThe following \
         queries write into this source: [{writers}].\nYou need to terminate them before dropping {name}."
    )))
}

/// Whether other sources are made of the source.
fn check_sources(catalog: &Catalog, name: &str) -> Result<(), PlanError> {
    let made = sorted(catalog.made_of(name));
    if made.is_empty() {
        return Ok(());
    }
    Err(PlanError::execute(format!(
        "Cannot drop {name}.\nThe following streams and/or tables read from this source: [{made}].\nYou \
         need to drop them before dropping {name}."
    )))
}

fn sorted<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names.join(", ")
}
