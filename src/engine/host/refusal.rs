//! How ksqlDB tells why a statement is refused: with which status, and with which text of the statement, which grows on its
//! way through its injectors.

use kafka_protocol::error::ResponseError;

use super::rewrite::{refused, with_formats};
use super::{HostError, HostFault};
use crate::engine::{Known, Needs, diagnostic};
use crate::kafka::KafkaError;
use crate::plan::{self, Catalog, PlanError, Stage};
use crate::runtime::live::LiveError;
use crate::sql::ParsedStatement;
use crate::sql::ast::Statement;
use crate::sql::print::masked;

/// That no transaction of the command topic begins.
const INIT_TIMEOUT: &str = "Timeout while initializing transaction to the KSQL command topic.\n\
                            If you're running a single Kafka broker, ensure that the following configs are set to \
                            1 on the broker:\n\
                            - transaction.state.log.replication.factor\n\
                            - transaction.state.log.min.isr\n\
                            - offsets.topic.replication.factor";

/// How long lines of causes are.
const LINE_MAX: usize = 80;

/// What messages begin with that ksqlDB finds before anything is added to a statement.
const OF_WRITTEN: &[&str] = &["Statement is missing the 'VALUE_FORMAT' property"];

/// What messages begin with, or end with, that it finds once the formats are added.
const OF_FORMATS: &[&str] = &["Unknown format: ", " does not support the following configs: "];

/// What messages begin with of what Kafka Streams refuses, which ksqlDB takes for a fault of its own.
const OF_STREAMS: &[&str] = &[
    "Window advancement interval should be",
    "The retention period of the window store",
    "The retention period of the session store",
];

/// Why a statement cannot be planned.
pub(super) fn refusal(
    error: PlanError,
    parsed: &ParsedStatement,
    catalog: &Catalog,
    known: &Known,
) -> HostError {
    let is_unprepared = matches!(error.stage, Stage::Prepare | Stage::Resolve);
    let logged = error.to_string();
    let shown = diagnostic(&error, parsed);
    let error = HostError::from(error).shown_as(shown);
    let begins = |with: &[&str]| with.iter().any(|with| error.message.starts_with(with));
    if begins(&["KSQL is not configured to use a schema registry", "Cannot create topic '"]) {
        return HostError { fault: HostFault::NoRegistry, ..error };
    }
    let is_row = matches!(parsed.statement, Statement::InsertValues(_));
    if is_row && begins(&["Cannot insert values into"]) {
        return HostError { fault: HostFault::Request, ..error };
    }
    let is_sink = matches!(parsed.statement, Statement::CreateAs(_));
    let is_missing_topic = begins(&["Topic '"]) && error.message.contains("' does not exist.");
    let is_unfit_sink = is_sink && error.message.contains(" format does not support schema.");
    if is_missing_topic || is_unfit_sink {
        return HostError { fault: HostFault::Request, message: logged, ..error };
    }
    if begins(OF_STREAMS) {
        return HostError { fault: HostFault::Server, ..error }.of(masked(parsed));
    }
    if is_unprepared || begins(OF_WRITTEN) {
        return error.of(masked(parsed));
    }
    if OF_FORMATS.iter().any(|text| error.message.contains(text)) {
        return error.of(with_formats(parsed, catalog));
    }
    let statement = refused(parsed, catalog, known);
    // Where a message shows the statement, it is the one that has grown.
    let shown = plan::canonical(&plan::sanitised(&parsed.statement, catalog));
    let before = error.message.trim_end_matches(';').strip_suffix(&shown).filter(|_| is_sink);
    let message = before.map(|before| format!("{before}{statement}"));
    let message = message.unwrap_or_else(|| error.message.clone());
    HostError { message, ..error }.of(statement)
}

/// Why what a statement names cannot be looked up.
pub(super) fn not_looked_up(
    error: LookUpError,
    parsed: &ParsedStatement,
    needs: &Needs,
) -> HostError {
    let (topic, cause) = match error {
        LookUpError::Live(LiveError::Kafka(KafkaError::Code {
            code: ResponseError::InvalidTopicException,
            target,
            ..
        })) => {
            let cause = "The request attempted to perform an operation on an invalid topic.";
            (target, cause.to_owned())
        }
        LookUpError::Live(LiveError::Kafka(error)) => match needs.topics.keys().next() {
            Some(topic) => (topic.clone(), error.to_string()),
            None => return error.into(),
        },
        LookUpError::Live(error) => return error.into(),
        LookUpError::Registry(error) => return error.into(),
    };
    let message = format!("Failed to check if exists for topic: {topic}");
    HostError::server(format!("{message}\n{}", caused_by(&cause))).of(masked(parsed))
}

/// Why no command can be written, before any is: what ksqlDB says then takes the most likely cause for known.
pub(super) fn not_begun(error: &KafkaError, parsed: &ParsedStatement) -> HostError {
    let statement = masked(parsed);
    let message = if error.is_retriable() {
        format!("{INIT_TIMEOUT}\n{}", caused_by(&error.to_string()))
    } else {
        format!("Could not write the statement '{statement}' into the command topic: {error}")
    };
    HostError::server(message).of(statement)
}

/// Why a topic is not made.
pub(super) fn not_made(error: &LiveError, topic: &str) -> HostError {
    let cause = match error {
        LiveError::Kafka(error) => told(error),
        other => other.to_string(),
    };
    HostError::server(format!(
        "Failed to guarantee existence of topic {topic}\n{}",
        caused_by(&cause)
    ))
}

/// Why a row is not written.
pub(super) fn not_written(error: KafkaError, source: &str) -> HostError {
    if !error.is_code(ResponseError::InvalidRecord) {
        return error.into();
    }
    let cause = caused_by(&told(&error));
    HostError::request(format!("Failed to insert values into '{source}'.\n{cause}"))
}

/// What a broker says of an error.
fn told(error: &KafkaError) -> String {
    match error {
        KafkaError::Code { message: Some(message), .. } => message.clone(),
        KafkaError::RecordRefused(refused) => told(&refused.cause),
        other => other.to_string(),
    }
}

/// A cause, in lines as long as ksqlDB's.
pub(super) fn caused_by(cause: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in format!("Caused by: {cause}").split(' ') {
        let width = word.chars().count();
        if length > 0 && length + 1 + width > LINE_MAX {
            lines.push_str("\n\t");
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += width;
    }
    lines
}

/// Why what a statement names cannot be looked up.
#[derive(Debug)]
pub(super) enum LookUpError {
    /// By Kafka.
    Live(LiveError),
    /// By the registry.
    Registry(crate::registry::RegistryError),
}

impl From<LiveError> for LookUpError {
    fn from(error: LiveError) -> Self {
        Self::Live(error)
    }
}

impl From<crate::registry::RegistryError> for LookUpError {
    fn from(error: crate::registry::RegistryError) -> Self {
        Self::Registry(error)
    }
}

#[cfg(test)]
mod tests {
    use super::caused_by;

    #[test]
    fn causes_are_broken_where_ksqldb_breaks_them() {
        let check = |cause, expected| assert_eq!(caused_by(cause), expected);
        check("short", "Caused by: short");
        check(
            "Could not connect to the server. Please check the server details are correct and that \
             the server is running.",
            "Caused by: Could not connect to the server. Please check the server details are\n\
             \tcorrect and that the server is running.",
        );
    }
}
