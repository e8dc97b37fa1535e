//! What ksqlDB's Java calls statements, where its messages say it.

use crate::sql::ast::{Describe, DropKind, List, QueryAction, SourceKind, Statement};

/// The name of a statement's class.
pub(super) fn statement_class(statement: &Statement) -> &'static str {
    let of_source = |kind, stream, table| match kind {
        SourceKind::Stream => stream,
        SourceKind::Table => table,
    };
    match statement {
        Statement::Query(_) => "Query",
        Statement::CreateSource(create) => of_source(create.kind, "CreateStream", "CreateTable"),
        Statement::CreateAs(create) => {
            of_source(create.kind, "CreateStreamAsSelect", "CreateTableAsSelect")
        }
        Statement::InsertInto(_) => "InsertInto",
        Statement::InsertValues(_) => "InsertValues",
        Statement::AlterSource(_) => "AlterSource",
        Statement::Drop(drop) => match drop.kind {
            DropKind::Source(kind) => of_source(kind, "DropStream", "DropTable"),
            DropKind::Type => "DropType",
            DropKind::Connector => "DropConnector",
        },
        Statement::CreateType(_) => "RegisterType",
        Statement::CreateConnector(_) => "CreateConnector",
        Statement::Describe(describe) => match describe {
            Describe::Source { .. } => "ShowColumns",
            Describe::Streams { .. } => "DescribeStreams",
            Describe::Tables { .. } => "DescribeTables",
            Describe::Function(_) => "DescribeFunction",
            Describe::Connector(_) => "DescribeConnector",
        },
        Statement::Explain(_) => "Explain",
        Statement::List(list) => match list {
            List::Properties => "ListProperties",
            List::Topics { .. } => "ListTopics",
            List::Streams { .. } => "ListStreams",
            List::Tables { .. } => "ListTables",
            List::Queries { .. } => "ListQueries",
            List::Functions => "ListFunctions",
            List::Types => "ListTypes",
            List::Variables => "ListVariables",
            List::Connectors(_) => "ListConnectors",
            List::ConnectorPlugins => "ListConnectorPlugins",
        },
        Statement::Print(_) => "PrintTopic",
        Statement::ControlQuery(control) => match control.action {
            QueryAction::Terminate => "TerminateQuery",
            QueryAction::Pause => "PauseQuery",
            QueryAction::Resume => "ResumeQuery",
        },
        Statement::Set { .. } => "SetProperty",
        Statement::Unset { .. } => "UnsetProperty",
        Statement::AlterSystem { .. } => "AlterSystemProperty",
        Statement::Define { .. } => "DefineVariable",
        Statement::Undefine { .. } => "UndefineVariable",
        Statement::AssertTopic(_) => "AssertTopic",
        Statement::AssertSchema(_) => "AssertSchema",
        Statement::AssertValues(_) => "AssertValues",
        Statement::AssertTombstone(_) => "AssertTombstone",
        Statement::AssertSource(assert) => of_source(assert.kind, "AssertStream", "AssertTable"),
        Statement::RunScript { .. } => "RunScript",
    }
}
