//! What the properties of a server are where nobody sets them, as ksqlDB has them: for who lists them, and for the commands
//! of the log, which carry the properties under which they were given.

/// Topics that are nobody's but those of what stands around.
const SYSTEM_TOPICS: &str = "_confluent.*,__confluent.*,_schemas,__consumer_offsets,__transaction_state,connect-configs,\
                             connect-offsets,connect-status,connect-statuses";

/// Properties by name, in order; `None` for one that has no value until it is set.
#[rustfmt::skip]
pub(in crate::engine) const DEFAULTS: &[(&str, Option<&str>)] = &[
    ("ksql.access.validator.enable", Some("auto")),
    ("ksql.assert.schema.default.timeout.ms", Some("1000")),
    ("ksql.assert.topic.default.timeout.ms", Some("1000")),
    ("ksql.authorization.cache.expiry.time.secs", Some("30")),
    ("ksql.authorization.cache.max.entries", Some("10000")),
    ("ksql.cast.strings.preserve.nulls", Some("true")),
    ("ksql.connect.basic.auth.credentials.file", Some("")),
    ("ksql.connect.basic.auth.credentials.reload", Some("false")),
    ("ksql.connect.basic.auth.credentials.source", Some("NONE")),
    ("ksql.connect.request.headers.plugin", None),
    ("ksql.connect.request.timeout.ms", Some("5000")),
    ("ksql.connect.url", Some("http://localhost:8083")),
    ("ksql.connect.worker.config", Some("")),
    ("ksql.create.or.replace.enabled", Some("true")),
    ("ksql.endpoint.migrate.query", Some("true")),
    ("ksql.error.classifier.regex", Some("")),
    ("ksql.headers.columns.enabled", Some("true")),
    ("ksql.hidden.topics", Some(SYSTEM_TOPICS)),
    ("ksql.insert.into.values.enabled", Some("true")),
    ("ksql.internal.topic.min.insync.replicas", Some("1")),
    ("ksql.internal.topic.replicas", Some("1")),
    ("ksql.json_sr.converter.deserializer.enabled", Some("true")),
    ("ksql.lambdas.enabled", Some("true")),
    ("ksql.metastore.backup.location", Some("")),
    ("ksql.metrics.extension", None),
    ("ksql.metrics.tags.custom", Some("")),
    ("ksql.nested.error.set.null", Some("true")),
    ("ksql.new.query.planner.enabled", Some("false")),
    ("ksql.output.topic.name.prefix", Some("")),
    ("ksql.persistence.default.format.key", Some("KAFKA")),
    ("ksql.persistence.default.format.value", None),
    ("ksql.persistence.wrap.single.values", None),
    ("ksql.persistent.prefix", Some("query_")),
    ("ksql.properties.overrides.denylist", Some("")),
    ("ksql.pull.queries.enable", Some("true")),
    ("ksql.query.cleanup.shutdown.timeout.ms", Some("30000")),
    ("ksql.query.error.max.queue.size", Some("10")),
    ("ksql.query.persistent.active.limit", Some("2147483647")),
    ("ksql.query.persistent.max.bytes.buffering.total", Some("-1")),
    ("ksql.query.pull.enable.standby.reads", Some("false")),
    ("ksql.query.pull.interpreter.enabled", Some("true")),
    ("ksql.query.pull.limit.clause.enabled", Some("true")),
    ("ksql.query.pull.max.allowed.offset.lag", Some("9223372036854775807")),
    ("ksql.query.pull.max.concurrent.requests", Some("2147483647")),
    ("ksql.query.pull.max.hourly.bandwidth.megabytes", Some("2147483647")),
    ("ksql.query.pull.max.qps", Some("2147483647")),
    ("ksql.query.pull.metrics.enabled", Some("true")),
    ("ksql.query.pull.range.scan.enabled", Some("true")),
    ("ksql.query.pull.router.thread.pool.size", Some("50")),
    ("ksql.query.pull.stream.enabled", Some("true")),
    ("ksql.query.pull.table.scan.enabled", Some("true")),
    ("ksql.query.pull.thread.pool.size", Some("50")),
    ("ksql.query.push.v2.alos.enabled", Some("true")),
    ("ksql.query.push.v2.catchup.consumer.msg.window", Some("50")),
    ("ksql.query.push.v2.continuation.tokens.enabled", Some("false")),
    ("ksql.query.push.v2.enabled", Some("false")),
    ("ksql.query.push.v2.interpreter.enabled", Some("true")),
    ("ksql.query.push.v2.latest.reset.age.ms", Some("30000")),
    ("ksql.query.push.v2.max.catchup.consumers", Some("5")),
    ("ksql.query.push.v2.max.hourly.bandwidth.megabytes", Some("2147483647")),
    ("ksql.query.push.v2.metrics.enabled", Some("true")),
    ("ksql.query.push.v2.new.latest.delay.ms", Some("5000")),
    ("ksql.query.push.v2.registry.installed", Some("false")),
    ("ksql.query.retry.backoff.initial.ms", Some("15000")),
    ("ksql.query.retry.backoff.max.ms", Some("900000")),
    ("ksql.query.status.running.threshold.seconds", Some("300")),
    ("ksql.query.transient.max.bytes.buffering.total", Some("-1")),
    ("ksql.queryanonymizer.cluster_namespace", None),
    ("ksql.queryanonymizer.logs_enabled", Some("true")),
    ("ksql.readonly.topics", Some(SYSTEM_TOPICS)),
    ("ksql.runtime.feature.shared.enabled", Some("false")),
    ("ksql.schema.registry.url", Some("")),
    ("ksql.security.extension.class", None),
    ("ksql.service.id", Some("default_")),
    ("ksql.shared.runtimes.count", Some("2")),
    ("ksql.sink.window.change.log.additional.retention", Some("1000000")),
    ("ksql.source.table.materialization.enabled", Some("true")),
    ("ksql.streams.cache.max.bytes.buffering", Some("10000000")),
    ("ksql.streams.commit.interval.ms", Some("2000")),
    ("ksql.streams.default.deserialization.exception.handler", Some("io.confluent.ksql.errors.LogMetricAndContinueExceptionHandler")),
    ("ksql.streams.default.production.exception.handler", Some("io.confluent.ksql.errors.ProductionExceptionHandlerUtil$LogAndFailProductionExceptionHandler")),
    ("ksql.streams.num.stream.threads", Some("4")),
    ("ksql.streams.replication.factor", Some("1")),
    ("ksql.streams.shutdown.timeout.ms", Some("300000")),
    ("ksql.streams.topology.optimization", Some("all")),
    ("ksql.suppress.buffer.size.bytes", Some("-1")),
    ("ksql.suppress.enabled", Some("true")),
    ("ksql.timestamp.throw.on.invalid", Some("false")),
    ("ksql.transient.prefix", Some("transient_")),
    ("ksql.transient.query.cleanup.service.enable", Some("true")),
    ("ksql.transient.query.cleanup.service.initial.delay.seconds", Some("600")),
    ("ksql.transient.query.cleanup.service.period.seconds", Some("600")),
    ("ksql.udf.collect.metrics", Some("false")),
    ("ksql.udf.enable.security.manager", Some("true")),
    ("ksql.udfs.enabled", Some("true")),
    ("ksql.variable.substitution.enable", Some("true")),
    ("ksql.websocket.connection.max.timeout.ms", Some("3600000")),
    ("metric.reporters", Some("")),
];

/// The properties that a query may have of its own.
pub(in crate::engine) const OF_QUERIES: &[&str] = &[
    "ksql.cast.strings.preserve.nulls",
    "ksql.nested.error.set.null",
    "ksql.query.pull.max.allowed.offset.lag",
    "ksql.query.pull.table.scan.enabled",
    "ksql.query.retry.backoff.max.ms",
    "ksql.timestamp.throw.on.invalid",
];

/// Other properties that a session may set for the queries that it starts.
pub(in crate::engine) const OF_SESSIONS: &[&str] =
    &["auto.offset.reset", "cache.max.bytes.buffering", "commit.interval.ms"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_in_order_and_known() {
        assert!(DEFAULTS.is_sorted_by_key(|(name, _)| *name));
        for (name, _) in DEFAULTS {
            let is_known = crate::engine::known_properties::is_known_to_servers(name);
            assert!(is_known, "{name} is a property of ksqlDB's");
        }
    }
}
