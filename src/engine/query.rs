//! Statements that start persistent queries.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ddl::exists;
use super::planned::{PlannedId, PlannedQuery};
use super::upgrade::check_upgrade;
use super::upgrade_steps::check_steps;
use super::{Planned, Planning, QueryKind};
use crate::plan::{self, PlanError, PlannedSink, QueryPlan, Source, Stage};
use crate::sql::ast::{CreateAs, InsertInto, SourceKind};

impl Planning<'_> {
    pub(super) fn create_as(&self, create: &CreateAs) -> Result<Planned, PlanError> {
        let name = &create.name.text;
        let existing = self.catalog().source(name);
        if let Some(existing) = existing
            && create.if_not_exists
        {
            return Ok(exists(create.kind, existing));
        }
        let planned = plan::plan_create_as(create, &self.canonical(), &self.context())?;
        let replaced = self.replaced(existing.map(|existing| &**existing), &planned)?;
        self.refuse_registry_formats(&planned.source, &create.with)?;
        let schemas = plan::register_sink(&planned.source, self.known)?;
        let from = planned.query.leftmost_source();
        let topic = self.sink_topic(create, &planned.source, from, &planned.options)?;
        let prefix = match create.kind {
            SourceKind::Stream => "CSAS",
            SourceKind::Table => "CTAS",
        };
        let made_of = source_names(&planned.query);
        Ok(Planned::of_query(PlannedQuery {
            id: replaced.unwrap_or_else(|| {
                PlannedId::Numbered(format!("{prefix}_{}", name.to_uppercase()))
            }),
            kind: QueryKind::CreateAs,
            plan: Arc::new(planned.query),
            source: Some((planned.source, made_of)),
            topic,
            schemas,
            overrides: self.session.overrides().to_map(),
        }))
    }

    /// The id of the query that is replaced, which goes on with its state; an error where it cannot.
    fn replaced(
        &self,
        existing: Option<&Source>,
        planned: &PlannedSink,
    ) -> Result<Option<PlannedId>, PlanError> {
        let Some(existing) = existing else { return Ok(None) };
        check_upgrade(existing, &planned.source)?;
        let mut writers = self.catalog().writers(&existing.name);
        let Some(query) = writers.find(|query| query.kind == QueryKind::CreateAs) else {
            return Ok(None);
        };
        check_steps(&query.plan, &planned.query)?;
        Ok(Some(PlannedId::Given(query.id.clone())))
    }

    pub(super) fn insert_into(&self, insert: &InsertInto) -> Result<Planned, PlanError> {
        let canonical = self.canonical();
        let texts = plan::StatementTexts { written: &self.parsed.text, canonical: &canonical };
        // ksqlDB infers no schema for these, so nothing stands before what is wrong.
        let plain = |error: PlanError| match error.stage {
            Stage::Analyse => error.found_at(Stage::Execute),
            _ => error,
        };
        let planned = plan::plan_insert_into(insert, texts, &self.context());
        let (plan, options) = planned.map_err(plain)?;
        let id = match options.query_id {
            Some(id) if self.catalog().query(&id).is_some() => {
                return Err(PlanError::execute(format!("Query ID '{id}' already exists.")));
            }
            Some(id) => PlannedId::Given(id),
            None => PlannedId::Numbered("INSERTQUERY".to_owned()),
        };
        Ok(Planned::of_query(PlannedQuery {
            id,
            kind: QueryKind::Insert,
            plan: Arc::new(plan),
            source: None,
            topic: None,
            schemas: Vec::new(),
            overrides: self.session.overrides().to_map(),
        }))
    }

    /// The statement in ksqlDB's form, with the names of its columns made plain.
    fn canonical(&self) -> String {
        plan::canonical(&plan::sanitised(&self.parsed.statement, self.catalog()))
    }
}

/// The names of all sources that a plan reads.
fn source_names(plan: &QueryPlan) -> BTreeSet<String> {
    plan.sources().map(|(_, source)| source.name.clone()).collect()
}
