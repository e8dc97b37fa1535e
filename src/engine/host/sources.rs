//! Streams, tables and queries as `SHOW` and `DESCRIBE` tell of them.

use std::sync::Arc;

use super::answer::{AnswerBody, Counted, QueryText, SourceFigures, SourceText};
use super::state::State;
use super::topic_list::replica_counts;
use super::{HostError, Shared};
use crate::kafka::admin::Admin;
use crate::plan::{PersistentQuery, Source};
use crate::runtime::live::{QueryState, QueryStatus};
use crate::runtime::{SkipCause, clock};
use crate::sql::ast::SourceKind;
use crate::types::Timestamp;

impl Shared {
    pub(super) fn sources(&self, kind: SourceKind) -> Vec<Arc<Source>> {
        let state = self.state();
        let sources = state.engine().catalog().sources();
        sources.filter(|source| source.kind == kind).cloned().collect()
    }

    /// All streams or tables, as they are described.
    pub(super) async fn describe_all(
        &self,
        kind: SourceKind,
        is_extended: bool,
    ) -> Result<AnswerBody, HostError> {
        let mut texts = Vec::new();
        for source in self.sources(kind) {
            texts.push(self.source_text(&source, is_extended).await?);
        }
        Ok(AnswerBody::Sources(texts))
    }

    /// A stream or table, as it is described.
    pub(super) async fn source_text(
        &self,
        source: &Arc<Source>,
        is_extended: bool,
    ) -> Result<SourceText, HostError> {
        let admin = Admin::new(&self.services.cluster);
        let topic = admin.describe_topic(&source.topic).await?;
        let counts = topic.as_deref().map(replica_counts).unwrap_or_default();
        let mut text = self.plain_text(source);
        text.partitions = i32::try_from(counts.len()).unwrap_or(i32::MAX);
        text.replicas = counts.first().map_or(0, |count| i16::try_from(*count).unwrap_or(i16::MAX));
        if !is_extended {
            return Ok(text);
        }
        let writers: Vec<Arc<PersistentQuery>> = {
            let state = self.state();
            state.engine().catalog().writers(&source.name).cloned().collect()
        };
        for query in &writers {
            let offsets = self.topic_offsets(query).await?;
            text.offsets.push((self.group_of(&query.id), offsets));
        }
        Ok(SourceText { is_extended, figures: self.figures_of(&text), ..text })
    }

    /// A stream or table without what has to be asked for.
    fn plain_text(&self, source: &Arc<Source>) -> SourceText {
        let mut source = Arc::clone(source);
        let failed = self.failed();
        let state = self.state();
        let catalog = state.engine().catalog();
        let text = |query: &Arc<PersistentQuery>| query_text(&state, query, &failed);
        let queries = catalog.queries().iter();
        let readers = queries.filter(|query| query.reads(&source.name)).map(text).collect();
        let writers: Vec<_> = catalog.writers(&source.name).collect();
        if source.is_created_by_query
            && let Some(statement) = state.made_by.get(&source.name)
        {
            Arc::make_mut(&mut source).sql.clone_from(statement);
        }
        SourceText {
            readers,
            writers: writers.into_iter().map(text).collect(),
            constraints: catalog.made_of(&source.name).map(str::to_owned).collect(),
            is_extended: false,
            partitions: 0,
            replicas: 0,
            offsets: Vec::new(),
            figures: SourceFigures::default(),
            source,
        }
    }

    /// What queries of this server have read of a source, and written into it.
    fn figures_of(&self, text: &SourceText) -> SourceFigures {
        let statuses = self.instance.status().queries;
        let of = |queries: &[QueryText]| -> Vec<QueryStatus> {
            let is_of = |status: &&QueryStatus| queries.iter().any(|query| query.id == status.id);
            statuses.iter().filter(is_of).cloned().collect()
        };
        let (readers, writers) = (of(&text.readers), of(&text.writers));
        let now = clock::now();
        SourceFigures {
            server: self.address.clone(),
            read: self.counted(&readers, now, |status| status.records),
            written: self.counted(&writers, now, |status| status.written),
            unreadable: readers.iter().map(unreadable).sum(),
            at_ms: now.0,
        }
    }

    /// How many records queries have counted.
    fn counted(
        &self,
        queries: &[QueryStatus],
        now: Timestamp,
        records: impl Fn(&QueryStatus) -> u64,
    ) -> Counted {
        let state = self.state();
        let mut all = Counted::default();
        for query in queries {
            let started = state.started.get(&query.id).map_or(now.0, |started| started.0);
            let seconds = now.0.saturating_sub(started) as f64 / 1_000.0;
            all.records += records(query);
            all.per_second += if seconds > 0.0 { records(query) as f64 / seconds } else { 0.0 };
        }
        all
    }

    /// The queries, as clients see them, with those that run for clients.
    pub(super) fn queries(&self) -> Vec<QueryText> {
        let failed = self.failed();
        let state = self.state();
        let queries = state.engine().queries().iter();
        let persistent = queries.map(|query| query_text(&state, query, &failed));
        persistent.chain(self.reads.texts()).collect()
    }

    /// The ids of the queries that have failed.
    fn failed(&self) -> Vec<String> {
        let status = self.instance.status();
        let failed = status.queries.into_iter().filter(|query| query.state == QueryState::Failed);
        failed.map(|query| query.id).collect()
    }
}

/// How many records of its sources a query could not read.
fn unreadable(status: &QueryStatus) -> u64 {
    let causes = [SkipCause::UndecodableKey, SkipCause::UndecodableValue];
    causes.into_iter().map(|cause| status.skipped.get(cause)).sum()
}

/// A query as clients see it.
fn query_text(state: &State, query: &Arc<PersistentQuery>, failed: &[String]) -> QueryText {
    let sink = &query.plan.sink;
    QueryText {
        id: query.id.clone(),
        statement: state.texts.get(&query.id).cloned().unwrap_or_default(),
        sink: sink.has_topic().then(|| (sink.name.clone(), sink.topic.clone())),
        is_persistent: true,
        is_paused: state.paused.contains(&query.id),
        has_failed: failed.contains(&query.id),
    }
}
