//! Statements that look at what exists: `SHOW`, `DESCRIBE`, `ASSERT`.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{AnswerBody, FunctionText, PropertyText, QueryText, SourceText, TopicText};
use super::request::check_overridable;
use super::scope::Scope;
use super::state::State;
use super::{HostError, HostFault, Shared};
use crate::engine::Engine;
use crate::engine::known_properties::is_immutable;
use crate::expr::aggregates::Aggregates;
use crate::expr::functions;
use crate::kafka::admin::Admin;
use crate::kafka::cluster::TopicMetadata;
use crate::plan::{PersistentQuery, QueryKind, Source};
use crate::runtime::live::QueryState;
use crate::sql::ParsedStatement;
use crate::sql::ast::{AssertTopic, Describe, List, Literal, SourceKind, Statement};

/// How the names of topics begin that are hidden (`ksql.hidden.topics`).
const HIDDEN: &[&str] = &["_confluent", "__confluent"];

/// Other topics that are hidden.
const HIDDEN_NAMES: &[&str] = &[
    "_schemas",
    "__consumer_offsets",
    "__transaction_state",
    "connect-configs",
    "connect-offsets",
    "connect-status",
    "connect-statuses",
];

/// How long a topic is waited for, unless it is said.
const ASSERT_TIMEOUT: Duration = Duration::from_secs(1);

/// How often it is looked for.
const ASSERT_EVERY: Duration = Duration::from_millis(100);

/// Refuses what names something that does not exist.
pub(super) fn check(engine: &Engine, parsed: &ParsedStatement) -> Result<(), HostError> {
    match &parsed.statement {
        Statement::Describe(Describe::Source { name, .. }) => found(engine, &name.text).map(drop),
        _ => Ok(()),
    }
}

fn found<'e>(engine: &'e Engine, name: &str) -> Result<&'e Arc<Source>, HostError> {
    engine.catalog().source(name).ok_or_else(|| {
        let message = format!("Could not find STREAM/TABLE '{name}' in the Metastore");
        HostError::new(HostFault::Statement, message)
    })
}

impl Shared {
    /// Answers a statement that looks at what exists.
    pub(super) async fn inspect(
        &self,
        parsed: &ParsedStatement,
        scope: &Scope,
    ) -> Result<AnswerBody, HostError> {
        match &parsed.statement {
            Statement::List(list) => self.list(list, scope).await,
            Statement::Describe(describe) => self.describe(describe).await,
            Statement::AssertTopic(assert) => self.assert_topic(assert).await,
            Statement::AssertSchema(_) if self.services.registry.is_none() => Err(HostError::new(
                HostFault::Assertion,
                "Cannot check schema existence: KSQL is not configured to use a schema registry. To \
                     enable it, please set ksql.schema.registry.url",
            )),
            Statement::AssertSchema(_) => Err(HostError::unsupported("ASSERT SCHEMA is")),
            Statement::Explain(_) => Err(HostError::unsupported("EXPLAIN is")),
            Statement::AlterSystem { .. } => Err(HostError::new(
                HostFault::Statement,
                "ALTER SYSTEM is only available in Confluent Cloud.",
            )),
            _ => Err(HostError::unsupported("this statement is")),
        }
    }

    async fn list(&self, list: &List, scope: &Scope) -> Result<AnswerBody, HostError> {
        Ok(match list {
            List::Streams { extended: false } => {
                AnswerBody::Streams(self.sources(SourceKind::Stream))
            }
            List::Tables { extended: false } => AnswerBody::Tables(self.sources(SourceKind::Table)),
            List::Streams { extended: true } => self.describe_all(SourceKind::Stream, true).await?,
            List::Tables { extended: true } => self.describe_all(SourceKind::Table, true).await?,
            List::Topics { all, extended } => AnswerBody::Topics {
                topics: self.list_topics(*all, *extended).await?,
                is_extended: *extended,
            },
            List::Queries { .. } => {
                let queries = self.queries();
                AnswerBody::Queries(queries)
            }
            List::Types => {
                let state = self.state();
                let types = state.engine.catalog().custom_types();
                AnswerBody::Types(types.map(|(name, ty)| (name.to_owned(), ty.clone())).collect())
            }
            List::Variables => {
                let variables = scope.variables.iter();
                let mut variables: Vec<_> =
                    variables.map(|(name, value)| (name.clone(), value.clone())).collect();
                variables.sort();
                AnswerBody::Variables(variables)
            }
            List::Properties => AnswerBody::Properties(self.list_properties(scope)),
            List::Functions => AnswerBody::Functions(list_functions()),
            List::Connectors(_) | List::ConnectorPlugins => {
                return Err(HostError::new(
                    HostFault::Server,
                    "Could not list connectors: there is no Kafka Connect (ksql.connect.url)",
                ));
            }
        })
    }

    async fn describe(&self, describe: &Describe) -> Result<AnswerBody, HostError> {
        match describe {
            Describe::Source { name, extended } => {
                let source = Arc::clone(found(&self.state().engine, &name.text)?);
                let text = self.source_text(&source, *extended).await?;
                Ok(AnswerBody::Source(Box::new(text)))
            }
            Describe::Streams { extended } => {
                self.describe_all(SourceKind::Stream, *extended).await
            }
            Describe::Tables { extended } => self.describe_all(SourceKind::Table, *extended).await,
            Describe::Function(_) => Err(HostError::unsupported("DESCRIBE FUNCTION is")),
            Describe::Connector(_) => Err(HostError::unsupported("DESCRIBE CONNECTOR is")),
        }
    }

    fn sources(&self, kind: SourceKind) -> Vec<Arc<Source>> {
        let state = self.state();
        let sources = state.engine.catalog().sources();
        sources.filter(|source| source.kind == kind).cloned().collect()
    }

    async fn describe_all(
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

    async fn source_text(
        &self,
        source: &Arc<Source>,
        is_extended: bool,
    ) -> Result<SourceText, HostError> {
        let mut source = Arc::clone(source);
        let admin = Admin::new(&self.services.cluster);
        let topic = admin.describe_topic(&source.topic).await?;
        let counts = topic.as_deref().map(replica_counts).unwrap_or_default();
        let partitions = i32::try_from(counts.len()).unwrap_or(i32::MAX);
        let replicas = counts.first().map_or(0, |count| i16::try_from(*count).unwrap_or(i16::MAX));
        let failed = self.failed();
        let state = self.state();
        let catalog = state.engine.catalog();
        let text = |query: &Arc<PersistentQuery>| query_text(&state, query, &failed);
        let queries = catalog.queries().iter();
        let readers = queries.filter(|query| query.reads(&source.name)).map(text).collect();
        let writers: Vec<_> = catalog.writers(&source.name).collect();
        if let Some(made) = writers.iter().find(|query| query.kind == QueryKind::CreateAs)
            && let Some(statement) = state.texts.get(&made.id)
        {
            Arc::make_mut(&mut source).sql.clone_from(statement);
        }
        Ok(SourceText {
            readers,
            writers: writers.into_iter().map(text).collect(),
            constraints: catalog.made_of(&source.name).map(str::to_owned).collect(),
            is_extended,
            partitions,
            replicas,
            source,
        })
    }

    /// The ids of the queries that have failed.
    fn failed(&self) -> Vec<String> {
        let status = self.instance.status();
        let failed = status.queries.into_iter().filter(|query| query.state == QueryState::Failed);
        failed.map(|query| query.id).collect()
    }

    /// The queries, as clients see them.
    fn queries(&self) -> Vec<QueryText> {
        let failed = self.failed();
        let state = self.state();
        let queries = state.engine.queries().iter();
        queries.map(|query| query_text(&state, query, &failed)).collect()
    }

    async fn list_topics(
        &self,
        all: bool,
        with_consumers: bool,
    ) -> Result<Vec<TopicText>, HostError> {
        let admin = Admin::new(&self.services.cluster);
        let topics = admin.list_topics().await?;
        let shown = topics.iter().filter(|topic| {
            let name = topic.name.as_ref();
            let is_hidden = HIDDEN.iter().any(|prefix| name.starts_with(prefix))
                || HIDDEN_NAMES.contains(&name);
            // A topic of Kafka's own is never shown.
            !is_hidden || (all && !name.starts_with("__"))
        });
        let mut texts: Vec<_> = shown
            .map(|topic| TopicText {
                name: topic.name.to_string(),
                replicas: replica_counts(topic),
                consumers: 0,
                groups: 0,
            })
            .collect();
        if with_consumers {
            self.count_readers(&mut texts);
        }
        Ok(texts)
    }

    /// Counts the queries of this service that read topics.
    fn count_readers(&self, topics: &mut [TopicText]) {
        let state = self.state();
        for query in state.engine.queries() {
            for (_, source) in query.plan.sources() {
                if let Some(topic) = topics.iter_mut().find(|topic| topic.name == source.topic) {
                    topic.consumers += topic.replicas.len();
                    topic.groups += 1;
                }
            }
        }
    }

    fn list_properties(&self, scope: &Scope) -> Vec<PropertyText> {
        let of_session = scope.session.overrides();
        let all = scope.session.over(&self.properties);
        let is_secret = |name: &str| name.contains("password") || name.contains("jaas");
        let shown = all.iter().filter(|(name, _)| !is_secret(name));
        let text = |(name, value): (&str, &str)| PropertyText {
            name: name.to_owned(),
            value: value.to_owned(),
            is_editable: check_overridable(name, &self.properties).is_ok() && !is_immutable(name),
            is_of_session: of_session.get(name).is_some(),
        };
        shown.map(text).collect()
    }

    async fn assert_topic(&self, assert: &AssertTopic) -> Result<AnswerBody, HostError> {
        let name = &assert.topic.text;
        let timeout = assert.timeout.map_or(ASSERT_TIMEOUT, |timeout| {
            Duration::from_millis(u64::try_from(timeout.as_ms()).unwrap_or(0))
        });
        let admin = Admin::new(&self.services.cluster);
        let looked = async {
            loop {
                let topic = admin.describe_topic(name).await;
                let Err(fault) = held(assert, topic?.as_deref()) else {
                    return Ok::<_, HostError>(());
                };
                tokio::time::sleep(ASSERT_EVERY).await;
                drop(fault);
            }
        };
        if let Ok(held) = tokio::time::timeout(timeout, looked).await {
            held?;
            return Ok(AnswerBody::Topic { name: name.clone(), exists: assert.exists });
        }
        let topic = admin.describe_topic(name).await?;
        match held(assert, topic.as_deref()) {
            Ok(()) => Ok(AnswerBody::Topic { name: name.clone(), exists: assert.exists }),
            Err(fault) => Err(HostError::new(HostFault::Assertion, fault)),
        }
    }
}

/// Whether a topic is as it is asserted, or how it is not.
fn held(assert: &AssertTopic, topic: Option<&TopicMetadata>) -> Result<(), String> {
    let name = &assert.topic.text;
    let topic = match (topic, assert.exists) {
        (Some(_), false) => return Err(format!("Topic {name} exists")),
        (None, false) => return Ok(()),
        (None, true) => return Err(format!("Topic {name} does not exist")),
        (Some(topic), true) => topic,
    };
    let counts = replica_counts(topic);
    for property in &assert.with {
        let expected = match property.value {
            Literal::Integer(number) => i64::from(number),
            Literal::Bigint(number) => number,
            _ => return Err(format!("Cannot assert topic config: {}", property.name.text)),
        };
        let (what, found) = match property.name.text.to_ascii_uppercase().as_str() {
            "PARTITIONS" => ("partitions", counts.len()),
            "REPLICAS" => ("replicas", counts.first().copied().unwrap_or(0)),
            _ => {
                return Err(format!(
                    "Cannot assert unknown topic property: {}",
                    property.name.text
                ));
            }
        };
        if i64::try_from(found).ok() != Some(expected) {
            return Err(format!(
                "Mismatched configuration for topic {name}: For config {what}, expected {expected} got \
                 {found}"
            ));
        }
    }
    Ok(())
}

/// The replicas of each partition.
fn replica_counts(topic: &TopicMetadata) -> Vec<usize> {
    topic.partitions.iter().map(|partition| partition.replicas.len()).collect()
}

/// A query as clients see it.
fn query_text(state: &State, query: &Arc<PersistentQuery>, failed: &[String]) -> QueryText {
    QueryText {
        id: query.id.clone(),
        statement: state.texts.get(&query.id).cloned().unwrap_or_default(),
        sink: Some((query.plan.sink.name.clone(), query.plan.sink.topic.clone())),
        is_persistent: true,
        is_paused: state.paused.contains(&query.id),
        has_failed: failed.contains(&query.id),
    }
}

fn list_functions() -> Vec<FunctionText> {
    let plain = functions::list().map(|function| FunctionText {
        name: function.name.to_owned(),
        kind: if function.is_table { "TABLE" } else { "SCALAR" },
        category: function.category.to_owned(),
    });
    let aggregates = Aggregates::default().list().map(|function| FunctionText {
        name: function.name.to_owned(),
        kind: "AGGREGATE",
        category: "AGGREGATE".to_owned(),
    });
    plain.chain(aggregates).collect()
}
