//! Which of ksqlDB's properties do something here, and what is to be said of the others.

use super::canonical;

/// What a query is made or run by, so that a statement before it can set it; in order.
#[rustfmt::skip]
pub(super) const OF_QUERIES: &[&str] = &[
    "auto.offset.reset",
    "cache.max.bytes.buffering",
    "commit.interval.ms",
    "ksql.fail.on.production.error",
    "ksql.functions.collect_list.limit",
    "ksql.functions.collect_set.limit",
    "ksql.internal.topic.replicas",
    "ksql.logging.processing.rows.include",
    "ksql.logging.processing.topic.auto.create",
    "ksql.logging.processing.topic.name",
    "ksql.millstream.instance.id",
    "ksql.millstream.interleave.ms",
    "ksql.millstream.on.lost.records",
    "ksql.millstream.on.refused.records",
    "ksql.millstream.over.grace.ms",
    "ksql.millstream.over.retention.ms",
    "ksql.millstream.push.since.ms",
    "ksql.millstream.repartition",
    "ksql.millstream.strict",
    "ksql.nested.error.set.null",
    "ksql.new.query.planner.enabled",
    "ksql.output.topic.name.prefix",
    "ksql.persistence.default.format.key",
    "ksql.persistence.default.format.value",
    "ksql.persistence.wrap.single.values",
    "ksql.pull.queries.enable",
    "ksql.query.pull.limit.clause.enabled",
    "ksql.query.pull.range.scan.enabled",
    "ksql.query.pull.stream.enabled",
    "ksql.query.pull.table.scan.enabled",
    "ksql.query.push.v2.enabled",
    "ksql.query.retry.backoff.initial.ms",
    "ksql.query.retry.backoff.max.ms",
    "ksql.service.id",
    "ksql.timestamp.throw.on.invalid",
    "max.task.idle.ms",
    "processing.guarantee",
    "repartition.purge.interval.ms",
    "state.dir",
    "transaction.timeout.ms",
];

/// What is read once, when a process starts; in order.
#[rustfmt::skip]
pub(super) const OF_PROCESSES: &[&str] = &[
    "acks",
    "auto.commit.interval.ms",
    "batch.size",
    "bootstrap.servers",
    "buffer.memory",
    "check.crcs",
    "client.id",
    "compression.type",
    "default.api.timeout.ms",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.idempotence",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "group.instance.id",
    "heartbeat.interval.ms",
    "isolation.level",
    "ksql.millstream.history.max.bytes",
    "ksql.millstream.skipped.max.bytes",
    "ksql.source.table.materialization.enabled",
    "ksql.variable.substitution.enable",
    "linger.ms",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "max.request.size",
    "metadata.max.age.ms",
    "num.stream.threads",
    "request.timeout.ms",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "security.protocol",
    "session.timeout.ms",
    "socket.connection.setup.timeout.ms",
];

/// What a server reads beside all that, and nobody else; in order.
#[rustfmt::skip]
pub(super) const OF_SERVERS: &[&str] = &[
    "access.control.allow.headers",
    "access.control.allow.methods",
    "access.control.allow.origin",
    "authentication.method",
    "authentication.password.file",
    "authentication.realm",
    "authentication.roles",
    "authentication.skip.paths",
    "ksql.advertised.listener",
    "ksql.assert.schema.default.timeout.ms",
    "ksql.assert.topic.default.timeout.ms",
    "ksql.connect.basic.auth.credentials.file",
    "ksql.connect.basic.auth.credentials.source",
    "ksql.connect.request.timeout.ms",
    "ksql.connect.url",
    "ksql.heartbeat.enable",
    "ksql.heartbeat.window.ms",
    "ksql.hidden.topics",
    "ksql.idle.connection.timeout.seconds",
    "ksql.insert.into.values.enabled",
    "ksql.lag.reporting.enable",
    "ksql.logging.processing.stream.auto.create",
    "ksql.logging.processing.stream.name",
    "ksql.max.push.queries",
    "ksql.properties.overrides.denylist",
    "ksql.query.pull.max.concurrent.requests",
    "ksql.query.pull.max.hourly.bandwidth.megabytes",
    "ksql.query.pull.max.qps",
    "ksql.server.command.response.timeout.ms",
    "ksql.server.max.concurrent.requests",
    "ksql.server.max.connections",
    "ksql.server.max.request.bytes",
    "ksql.server.max.rows.per.second",
    "listeners",
];

/// How further names begin that are read when a process starts.
const PROCESS_PREFIXES: [&str; 3] = ["ksql.schema.registry.", "sasl.", "ssl."];

/// What others do with a property that does nothing here: its name, the value that says what is done here, and what that is.
static INSTEAD: &[(&str, &str, &str)] = &[
    ("ksql.create.or.replace.enabled", "true", "CREATE OR REPLACE is taken"),
    ("ksql.fail.on.deserialization.error", "false", "records that cannot be read are skipped"),
    ("ksql.suppress.enabled", "true", "EMIT FINAL is taken"),
    (
        "num.standby.replicas",
        "0",
        "there are no standby replicas: another instance restores state from changelogs",
    ),
    ("transactional.id", "", "each query that writes in transactions has an id of its own"),
];

/// Names of what is done here that Kafka Streams has no more since its version 4: a property, its value, what is said now.
static DEPRECATED: &[(&str, &str, &str)] = &[
    ("processing.guarantee", "exactly_once", "exactly_once_v2"),
    ("processing.guarantee", "exactly_once_beta", "exactly_once_v2"),
];

/// What is to be said of a property of a process that does nothing, or whose value has a newer name, if that is so.
pub(in crate::engine) fn without_effect(name: &str, value: &str) -> Option<String> {
    let name = canonical(name);
    if let Some((_, _, now)) = DEPRECATED.iter().find(|old| (old.0, old.1) == (name, value)) {
        return Some(format!("is {value}, which is deprecated: it is taken as {now}"));
    }
    if is_of_queries(name) || is_of_processes(name) {
        return None;
    }
    let others = INSTEAD.iter().find(|(other, _, _)| *other == name);
    match others {
        Some((_, done, _)) if done.eq_ignore_ascii_case(value.trim()) => None,
        Some((_, _, done)) => Some(format!("has no effect: {done}")),
        None => Some("has no effect".to_owned()),
    }
}

/// What is to be said of a property that a statement sets without effect, if that is so.
pub(in crate::engine) fn set_without_effect(name: &str, value: &str) -> Option<String> {
    let canonical = canonical(name);
    if is_of_processes(canonical) {
        return Some("is read when the process starts, so this has no effect".to_owned());
    }
    without_effect(name, value)
}

/// The same of a property of a server.
pub(in crate::engine) fn without_effect_on_servers(name: &str, value: &str) -> Option<String> {
    let is_of_servers = OF_SERVERS.binary_search(&canonical(name)).is_ok();
    if is_of_servers { None } else { without_effect(name, value) }
}

fn is_of_queries(name: &str) -> bool {
    OF_QUERIES.binary_search(&name).is_ok()
}

fn is_of_processes(name: &str) -> bool {
    OF_PROCESSES.binary_search(&name).is_ok()
        || PROCESS_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::super::is_known_to_servers;
    use super::*;

    #[test]
    fn what_does_something_is_known() {
        assert!(OF_QUERIES.is_sorted() && OF_PROCESSES.is_sorted() && OF_SERVERS.is_sorted());
        for name in OF_QUERIES.iter().chain(OF_PROCESSES).chain(OF_SERVERS) {
            assert!(is_known_to_servers(name), "{name}");
        }
    }

    #[test]
    fn what_does_nothing_is_told_unless_it_says_what_is_done() {
        let said = |name: &str, value: &str| without_effect(name, value);
        assert_eq!(said("ksql.streams.processing.guarantee", "at_least_once"), None);
        assert_eq!(said("ksql.streams.processing.guarantee", "exactly_once_v2"), None);
        let beta = said("ksql.streams.processing.guarantee", "exactly_once_beta").unwrap();
        assert_eq!(
            beta,
            "is exactly_once_beta, which is deprecated: it is taken as exactly_once_v2"
        );
        let id = said("transactional.id", "mine").unwrap();
        assert_eq!(
            id,
            "has no effect: each query that writes in transactions has an id of its own"
        );
        assert_eq!(said("topology.optimization", "all").unwrap(), "has no effect");
        assert_eq!(said("linger.ms", "5"), None);
        assert!(set_without_effect("linger.ms", "5").unwrap().starts_with("is read when"));
        assert_eq!(set_without_effect("auto.offset.reset", "earliest"), None);
    }
}
