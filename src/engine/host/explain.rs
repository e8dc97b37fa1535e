//! `EXPLAIN`, and `SHOW QUERIES EXTENDED`: what queries do, or would do.

use std::sync::Arc;

use super::answer::{AnswerBody, FieldText, QueryDetail, QueryErrorText};
use super::offsets::tasks;
use super::scope::Scope;
use super::topics::look_up;
use super::{HostError, HostFault, Shared, transient_id};
use crate::engine::{Explained, Session, diagnostic};
use crate::java::{DEFAULT_CAPACITY, hash_code, hash_map_order};
use crate::plan::steps::{execution_plan, steps};
use crate::plan::{PersistentQuery, QueryPlan, query_help, topology};
use crate::runtime::clock;
use crate::runtime::live::{QueryState, QueryStatus};
use crate::sql::ParsedStatement;
use crate::sql::ast::{Explain, Name};

impl Shared {
    /// Answers an `EXPLAIN`.
    pub(super) async fn explain(
        &self,
        parsed: &ParsedStatement,
        explain: &Explain,
        scope: &Scope,
    ) -> Result<AnswerBody, HostError> {
        let detail = match explain {
            Explain::Query(id) => {
                let query = self.state().engine().catalog().query(&id.text).cloned();
                let query = query.ok_or_else(|| self.no_such_query(parsed, id))?;
                self.query_detail(&query).await?
            }
            Explain::Statement { statement, span } => {
                let text = format!("{};", span.text(&parsed.source));
                let inner = ParsedStatement {
                    statement: (**statement).clone(),
                    text: text.clone(),
                    span: *span,
                    ..parsed.clone()
                };
                let explained = self.explain_statement(&inner, &scope.session).await?;
                self.detail_of(explained, text, &scope.session)
            }
        };
        Ok(AnswerBody::QueryDetail(Box::new(detail)))
    }

    /// There is none of this id. Those of clients are known by none: ksqlDB explains them as statements alone.
    fn no_such_query(&self, parsed: &ParsedStatement, id: &Name) -> HostError {
        let message = format!(
            "Query with id:{} does not exist, use SHOW QUERIES to view the full set of queries.",
            id.text
        );
        let help = if self.reads.has_in_any_case(&id.text) {
            Some("this query gives its rows to a client: EXPLAIN takes its SELECT statement, and no id".to_owned())
        } else {
            query_help(self.state().engine().catalog(), &id.text)
        };
        let place = parsed.written_place(id.span);
        HostError::new(HostFault::Statement, message).shown_at(place, help)
    }

    async fn explain_statement(
        &self,
        parsed: &ParsedStatement,
        session: &Session,
    ) -> Result<Explained, HostError> {
        let (engine, number) = {
            let state = self.state();
            (state.engine().clone(), state.next_number())
        };
        let known = look_up(&self.services, &engine.needs(&parsed.statement, session)).await?;
        engine.explain(parsed, session, &known, number).map_err(|error| {
            let shown = diagnostic(&error, parsed);
            HostError::from(error).shown_as(shown)
        })
    }

    /// What a statement would run.
    fn detail_of(&self, explained: Explained, statement: String, session: &Session) -> QueryDetail {
        let Explained { id, plan, alias } = explained;
        let is_persistent = id.is_some();
        let id = id.unwrap_or_else(|| transient_id(&alias));
        let group = if is_persistent {
            self.group_of(&id)
        } else {
            let service = &self.service_id;
            format!("_confluent-ksql-{service}transient_{id}_{}", clock::now().0)
        };
        let overrides = session.overrides().to_map().into_iter().collect();
        QueryDetail { overrides, is_persistent, ..detail(id, statement, &plan, group) }
    }

    /// All queries in detail.
    pub(super) async fn query_details(&self) -> Result<Vec<QueryDetail>, HostError> {
        let queries = self.state().engine().queries().to_vec();
        let mut details = Vec::with_capacity(queries.len());
        for query in &queries {
            details.push(self.query_detail(query).await?);
        }
        Ok(details)
    }

    /// A query that runs.
    async fn query_detail(&self, query: &Arc<PersistentQuery>) -> Result<QueryDetail, HostError> {
        let status = self.instance.status().queries.into_iter();
        let status = status.into_iter().find(|status| status.id == query.id);
        let topics = self.topic_offsets(query).await?;
        let group = self.group_of(&query.id);
        let statement = self.state().texts.get(&query.id).cloned().unwrap_or_default();
        let tasks = tasks(query, &group, &topics);
        let state = state(status.as_ref());
        let overrides = query.overrides.iter().map(|(name, value)| (name.clone(), value.clone()));
        Ok(QueryDetail {
            overrides: overrides.collect(),
            is_persistent: true,
            on_host: Some((self.address.clone(), state)),
            state: Some(state),
            errors: status.and_then(failure).into_iter().collect(),
            tasks,
            ..detail(query.id.clone(), statement, &query.plan, group)
        })
    }
}

/// How ksqlDB calls where a query stands.
pub(super) fn state(status: Option<&QueryStatus>) -> &'static str {
    match status.map(|status| status.state) {
        Some(QueryState::Failed) => "ERROR",
        _ => "RUNNING",
    }
}

/// Why a query failed last.
fn failure(status: QueryStatus) -> Option<QueryErrorText> {
    let at_ms = status.failed_at.map_or(0, |at| at.0);
    status.cause.map(|message| QueryErrorText { message, at_ms })
}

/// What a plan tells of a query.
fn detail(id: String, statement: String, plan: &QueryPlan, group: String) -> QueryDetail {
    let last = steps(plan);
    let field = |is_key| {
        move |column: &crate::types::ColumnDef| FieldText {
            name: column.name.to_string(),
            ty: column.ty.clone(),
            is_key,
        }
    };
    let keys = last.schema.key.iter().map(field(true));
    let fields = keys.chain(last.schema.value.iter().map(field(false))).collect();
    let sink = &plan.sink;
    let is_for_client = sink.client.is_some();
    QueryDetail {
        window: sink.window.map(|window| window.kind.as_str()),
        fields,
        sources: source_names(plan),
        sinks: if sink.has_topic() { vec![sink.name.clone()] } else { Vec::new() },
        topology: topology(plan),
        execution_plan: execution_plan(&last, &id),
        overrides: Vec::new(),
        on_host: None,
        is_persistent: !is_for_client,
        errors: Vec::new(),
        tasks: Vec::new(),
        state: None,
        group,
        id,
        statement,
    }
}

/// The sources of a plan, in the order of a set of Java's.
fn source_names(plan: &QueryPlan) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (_, source) in plan.sources() {
        if !names.contains(&source.name) {
            names.push(source.name.clone());
        }
    }
    let hashes: Vec<i32> = names.iter().map(|name| hash_code(name)).collect();
    let order = hash_map_order(&hashes, DEFAULT_CAPACITY).into_iter();
    order.map(|place| names[place].clone()).collect()
}
