//! How statements and queries of the engine fail, as cases tell it.

use super::Failure;
use super::failure::FailureKind;
use super::system::Record;
use crate::formats::FormatError;
use crate::operators::QueryError;
use crate::plan::{self, Catalog, PlanError, Stage};
use crate::sql::ParsedStatement;

/// How the exceptions of Kafka Streams and of ksqlDB begin, which are passed on as they are; others are wrapped.
const OWN_EXCEPTIONS: [&str; 3] = [
    "Error encountered sending record",
    "Fatal user code error in TimestampExtractor callback",
    "Numeric field overflow",
];

/// The error of a query that died while it processed a batch, told of its first record.
pub(super) fn died(error: &QueryError, topic: &str, first: Option<&Record>) -> Failure {
    if error.message.ends_with("not supported yet") {
        let message = error.message.clone();
        return Failure { is_unsupported: true, ..Failure::new(FailureKind::Streams, message) };
    }
    let message = if OWN_EXCEPTIONS.iter().any(|begin| error.message.starts_with(begin)) {
        error.message.clone()
    } else {
        format!(
            "Exception caught in process. taskId=0_0, processor=KSTREAM-SOURCE-0000000000, \
             topic={topic}, partition=0, offset={}",
            first.map_or(0, |record| record.offset)
        )
    };
    let mut causes = error.causes.clone();
    if message != error.message {
        causes.insert(0, error.message.clone());
    }
    Failure { causes, ..Failure::new(FailureKind::Streams, message) }
}

/// The error of a statement that could not be planned.
pub(super) fn refused(error: &PlanError, parsed: &ParsedStatement, catalog: &Catalog) -> Failure {
    let kind = match error.stage {
        Stage::Prepare => FailureKind::Parse,
        Stage::Resolve | Stage::Analyse | Stage::Execute => FailureKind::Statement,
    };
    let message = error.to_string();
    let unlogged = match error.stage {
        Stage::Analyse => {
            let details = error.unlogged.clone();
            let details = details.map_or_else(
                || message.clone(),
                |details| {
                    let prefix = error.stage.prefix();
                    let details = details.strip_prefix(prefix).unwrap_or(&details).to_owned();
                    format!("{prefix}{details}")
                },
            );
            let canonical = plan::canonical(&plan::sanitised(&parsed.statement, catalog));
            Some(format!("{details}\nStatement: {}", canonical.trim_end_matches(';')))
        }
        _ => error.unlogged.clone(),
    };
    Failure { unlogged, is_unsupported: error.is_unsupported, ..Failure::new(kind, message) }
}

/// The failure of a format that cannot do what it is asked to.
pub(super) fn unfit(error: &FormatError) -> Failure {
    Failure::new(FailureKind::Ksql, error.to_string())
}
