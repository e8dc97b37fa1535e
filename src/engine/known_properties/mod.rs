//! The properties that exist, and what each takes: tables, as those of ksqlDB and its Kafka clients.
//!
//! A name may begin with `ksql.streams.`, and then with `consumer.` or `producer.`: [`canonical`]
//! takes that away, so that a property has one name wherever it is set.

mod defaults;
mod effect;
mod kafka;
mod kind;
mod ksqldb;

pub(super) use defaults::{DEFAULTS, OF_QUERIES, OF_SESSIONS};
pub(super) use effect::{set_without_effect, without_effect, without_effect_on_servers};
use kind::Kind;
pub use kind::PropertyError;

/// How the names of Kafka Streams' properties begin in the configuration of a server.
const STREAMS: &str = "ksql.streams.";

/// How the properties of internal topics begin after that.
const TOPIC: &str = "topic.";

/// A property's name without the prefixes that say which client it is for.
pub(super) fn canonical(name: &str) -> &str {
    let name = name.strip_prefix(STREAMS).unwrap_or(name);
    let name = name.strip_prefix("consumer.").unwrap_or(name);
    name.strip_prefix("producer.").unwrap_or(name)
}

/// Checks what a session sets: the property must be known, and take the value.
pub(super) fn check_session(name: &str, value: &str) -> Result<(), SessionError> {
    let kind = session_kind(name).ok_or_else(|| SessionError::Unknown(name.to_owned()))?;
    kind.check(canonical(name), value).map_err(SessionError::Value)
}

/// Why a session may not set a property.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SessionError {
    /// There is none of this name.
    #[error("Unknown property: {0}")]
    Unknown(String),
    /// It does not take this value.
    #[error(transparent)]
    Value(PropertyError),
}

/// Whether a session may name this property.
pub(super) fn is_known_to_sessions(name: &str) -> bool {
    session_kind(name).is_some()
}

/// Checks what the configuration of a server says; what is not known is taken as it is.
pub(super) fn check_server(name: &str, value: &str) -> Result<(), PropertyError> {
    let kind = session_kind(name)
        .or_else(|| look_up(ksqldb::SERVER, name))
        .or_else(|| look_up(kafka::NEWER, canonical(name)));
    kind.map_or(Ok(()), |kind| kind.check(canonical(name), value))
}

/// Whether the configuration of a server may name this property.
pub(super) fn is_known_to_servers(name: &str) -> bool {
    let is_of_client = || {
        let clients = ["admin.", "main.consumer.", "restore.consumer.", "global.consumer."];
        let name = name.strip_prefix(STREAMS).unwrap_or(name);
        let name = clients.iter().find_map(|client| name.strip_prefix(client));
        name.is_some_and(|name| look_up(kafka::PROPERTIES, name).is_some())
    };
    session_kind(name).is_some()
        || look_up(ksqldb::SERVER, name).is_some()
        || look_up(kafka::NEWER, canonical(name)).is_some()
        || ksqldb::SERVER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || is_of_client()
}

/// Whether no session may override this property.
pub(super) fn is_immutable(name: &str) -> bool {
    ksqldb::IMMUTABLE.contains(&name) || name.starts_with(ksqldb::IMMUTABLE_PREFIX)
}

/// The property that was perhaps meant by `name`.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let names = ksqldb::SESSION.iter().chain(kafka::PROPERTIES).map(|(name, _)| *name);
    crate::sql::suggest::did_you_mean(canonical(name), names)
}

fn session_kind(name: &str) -> Option<Kind> {
    if name.starts_with("ksql.") && !name.starts_with(STREAMS) {
        let is_free = name.starts_with(ksqldb::FUNCTIONS_PREFIX);
        return look_up(ksqldb::SESSION, name).or(is_free.then_some(Kind::Text));
    }
    let topic = name.strip_prefix(STREAMS).unwrap_or(name).strip_prefix(TOPIC);
    if let Some(config) = topic {
        return kafka::TOPIC_CONFIGS.contains(&config).then_some(Kind::Text);
    }
    look_up(kafka::PROPERTIES, canonical(name))
}

fn look_up(table: &[(&str, Kind)], name: &str) -> Option<Kind> {
    let found = table.binary_search_by(|(row, _)| (*row).cmp(name)).ok()?;
    Some(table[found].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, value: &str) -> String {
        check_session(name, value).unwrap_err().to_string()
    }

    #[test]
    fn what_newer_clients_know_stands_in_a_configuration_alone() {
        let name = "ksql.streams.retry.backoff.max.ms";
        assert!(is_known_to_servers(name) && !is_known_to_sessions(name));
        assert!(check_server(name, "1000").is_ok() && check_server(name, "soon").is_err());
    }

    #[test]
    fn tables_are_in_order_so_that_names_are_found() {
        for table in [kafka::PROPERTIES, kafka::NEWER, ksqldb::SESSION, ksqldb::SERVER] {
            assert!(table.is_sorted_by(|(a, _), (b, _)| a < b));
        }
    }

    #[test]
    fn values_are_refused_in_kafkas_words() {
        for (name, value, reason) in [
            ("commit.interval.ms", "soon", "Not a number of type LONG"),
            ("commit.interval.ms", "-1", "Value must be at least 0"),
            ("num.stream.threads", "9999999999", "Not a number of type INT"),
            ("max.poll.records", "0", "Value must be at least 1"),
            ("auto.offset.reset", "EARLIEST", "String must be one of: latest, earliest, none"),
            ("enable.auto.commit", "x", "Expected value to be either true or false"),
            ("group.instance.id", "", "String must be non-empty"),
            ("sasl.login.refresh.window.factor", "0.1", "Value must be at least 0.5"),
            ("sasl.login.refresh.buffer.seconds", "4000", "Value must be no more than 3600"),
        ] {
            let expected = format!("Invalid value {value} for configuration {name}: {reason}");
            assert_eq!(refused(name, value), expected);
        }
        assert_eq!(check_session("linger.ms", " 5 "), Ok(()));
    }

    #[test]
    fn names_are_known_with_the_prefixes_of_a_server() {
        for name in [
            "auto.offset.reset",
            "ksql.streams.auto.offset.reset",
            "ksql.streams.consumer.auto.offset.reset",
            "ksql.streams.topic.retention.ms",
            "ksql.functions.my_function.limit",
            "ksql.create.or.replace.enabled",
        ] {
            assert!(is_known_to_sessions(name), "{name}");
        }
        for name in ["nope", "ksql.nope", "ksql.streams.nope", "ksql.queries.file"] {
            assert_eq!(refused(name, "1"), format!("Unknown property: {name}"));
        }
        assert!(is_known_to_servers("ksql.queries.file"));
        assert!(is_known_to_servers("ksql.streams.main.consumer.max.poll.records"));
        assert!(!is_known_to_servers("ksql.logging.processing.topic.auto.crate"));
        assert_eq!(nearest("auto.offset.rest"), Some("auto.offset.reset"));
    }
}
