//! Statements that look at what exists: which of them is answered where.

use std::sync::Arc;

use super::answer::AnswerBody;
use super::scope::Scope;
use super::{HostError, HostFault, Shared, functions};
use crate::engine::Engine;
use crate::plan::{Source, source_help};
use crate::sql::ParsedStatement;
use crate::sql::ast::{Describe, DropKind, List, SourceKind, Statement};

/// Refuses what names something that does not exist.
pub(super) fn check(engine: &Engine, parsed: &ParsedStatement) -> Result<(), HostError> {
    match &parsed.statement {
        Statement::Describe(Describe::Source { name, .. }) => {
            found(engine, &name.text).map(drop).map_err(|error| {
                let help = source_help(engine.catalog(), &name.text);
                error.shown_at(parsed.written_place(name.span), help)
            })
        }
        Statement::Describe(Describe::Function(name)) => {
            let place = parsed.written_place(name.span);
            functions::check(name.span.text(&parsed.source), place)
        }
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
            Statement::Describe(describe) => self.describe(parsed, describe).await,
            Statement::AssertTopic(assert) => self.assert_topic(assert).await,
            Statement::AssertSchema(assert) => self.assert_schema(assert).await,
            Statement::Explain(explain) => self.explain(parsed, explain, scope).await,
            Statement::CreateConnector(create) => self.create_connector(create).await,
            Statement::Drop(drop) if drop.kind == DropKind::Connector => {
                self.drop_connector(drop).await
            }
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
            List::Queries { extended: false } => AnswerBody::Queries(self.queries()),
            List::Queries { extended: true } => {
                AnswerBody::QueryDetails(self.query_details().await?)
            }
            List::Types => {
                let state = self.state();
                let types = state.engine().catalog().custom_types();
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
            List::Functions => AnswerBody::Functions(functions::list()),
            List::Connectors(kind) => self.list_connectors(*kind).await?,
            List::ConnectorPlugins => self.list_plugins().await?,
        })
    }

    async fn describe(
        &self,
        parsed: &ParsedStatement,
        describe: &Describe,
    ) -> Result<AnswerBody, HostError> {
        match describe {
            Describe::Source { name, extended } => {
                let source = Arc::clone(found(self.state().engine(), &name.text)?);
                let text = self.source_text(&source, *extended).await?;
                Ok(AnswerBody::Source(Box::new(text)))
            }
            Describe::Streams { extended } => {
                self.describe_all(SourceKind::Stream, *extended).await
            }
            Describe::Tables { extended } => self.describe_all(SourceKind::Table, *extended).await,
            Describe::Function(name) => functions::describe(name.span.text(&parsed.source)),
            Describe::Connector(name) => self.describe_connector(&name.text).await,
        }
    }
}
