//! How a query runs, as its properties say.

use std::path::PathBuf;
use std::time::Duration;

use super::{Properties, PropertyError};
use crate::operators::EMIT_INTERVAL_MS;
use crate::runtime::live::{Guarantee, QuerySettings};
use crate::runtime::{FaultRules, MaxIdle};

/// How a query runs, by ksqlDB's names and with ksqlDB's defaults.
pub fn settings(properties: &Properties) -> Result<QuerySettings, PropertyError> {
    let ms = |name: &str, default: i64| -> Result<Duration, PropertyError> {
        let value = properties.number(name, default)?;
        Ok(Duration::from_millis(u64::try_from(value).unwrap_or(0)))
    };
    let service_id = properties.get("ksql.service.id").unwrap_or("default_").to_owned();
    let reset = properties.get("auto.offset.reset").unwrap_or("latest").to_ascii_lowercase();
    let from_earliest = match reset.as_str() {
        "earliest" => true,
        "latest" => false,
        _ => {
            return Err(PropertyError {
                name: "auto.offset.reset".to_owned(),
                found: reset,
                reason: "String must be one of: latest, earliest".to_owned(),
            });
        }
    };
    let commit_interval = ms("commit.interval.ms", 2_000)?;
    let log_topic = properties.get("ksql.logging.processing.topic.name");
    let on_lost = properties.get("ksql.millstream.on.lost.records").unwrap_or("continue");
    let repartition = properties.get("ksql.millstream.repartition").unwrap_or("memory");
    Ok(QuerySettings {
        from_earliest,
        push_since: Some(ms("ksql.millstream.push.since.ms", 0)?).filter(|since| !since.is_zero()),
        commit_interval,
        guarantee: guarantee(properties, commit_interval)?,
        cache_bytes: properties.number("cache.max.bytes.buffering", 10_000_000)?,
        repartitions_by_topic: repartition.eq_ignore_ascii_case("topic"),
        purge_interval: ms("repartition.purge.interval.ms", 30_000)?,
        emit_interval_ms: properties
            .number("__emit.interval.ms.kstreams.windowed.aggregation__", EMIT_INTERVAL_MS)?,
        fault_rules: fault_rules(properties)?,
        retry_backoff: ms("ksql.query.retry.backoff.initial.ms", 15_000)?,
        retry_backoff_max: ms("ksql.query.retry.backoff.max.ms", 900_000)?,
        has_processing_log: properties.flag("ksql.logging.processing.topic.auto.create", false)?,
        logs_rows: properties.flag("ksql.logging.processing.rows.include", false)?,
        processing_log_topic: log_topic
            .map_or_else(|| format!("{service_id}ksql_processing_log"), str::to_owned),
        internal_replicas: i16::try_from(properties.number("ksql.internal.topic.replicas", 1)?)
            .unwrap_or(1),
        max_idle: match properties.number("max.task.idle.ms", 0)? {
            millis if millis < 0 => MaxIdle::Never,
            millis => MaxIdle::Millis(millis),
        },
        interleave_ms: properties.number("ksql.millstream.interleave.ms", 1_000)?,
        stops_at_lost_records: on_lost.eq_ignore_ascii_case("stop"),
        stops_at_refused_records: stops_at_refused_records(properties)?,
        state_dir: properties.get("state.dir").filter(|dir| !dir.is_empty()).map(PathBuf::from),
        instance_id: properties.get("ksql.millstream.instance.id").map(str::to_owned),
        service_id,
    })
}

/// How long a transaction may be open by default, as Kafka Streams has it: less than a producer's default, as nobody reads on
/// behind it while it is.
const TRANSACTION_TIMEOUT_MS: i64 = 10_000;

/// What holds of each record, whatever fails; all names of exactly once mean the present form of it.
fn guarantee(
    properties: &Properties,
    commit_interval: Duration,
) -> Result<Guarantee, PropertyError> {
    let name = "processing.guarantee";
    match properties.get(name).unwrap_or("at_least_once") {
        "at_least_once" => return Ok(Guarantee::AtLeastOnce),
        "exactly_once" | "exactly_once_beta" | "exactly_once_v2" => {}
        found => {
            return Err(PropertyError {
                name: name.to_owned(),
                found: found.to_owned(),
                reason: "String must be one of: at_least_once, exactly_once, exactly_once_beta, exactly_once_v2"
                    .to_owned(),
            });
        }
    }
    for (name, needed) in [("acks", &["all", "-1"][..]), ("enable.idempotence", &["true"])] {
        if let Some(found) = properties.get(name).filter(|found| !needed.contains(found)) {
            return Err(PropertyError {
                name: name.to_owned(),
                found: found.to_owned(),
                reason: format!("With exactly_once_v2 it can only be {}", needed[0]),
            });
        }
    }
    let timeout_ms = properties.number("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS)?;
    let transaction_timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
    if transaction_timeout < commit_interval {
        return Err(PropertyError {
            name: "transaction.timeout.ms".to_owned(),
            found: timeout_ms.to_string(),
            reason: format!(
                "With exactly_once_v2 a transaction lasts from one commit to the next, so this must not be less than \
                 commit.interval.ms ({})",
                commit_interval.as_millis()
            ),
        });
    }
    Ok(Guarantee::ExactlyOnce { transaction_timeout })
}

/// What a query does about faults.
pub fn fault_rules(properties: &Properties) -> Result<FaultRules, PropertyError> {
    Ok(FaultRules {
        nested_error_set_null: properties.flag("ksql.nested.error.set.null", true)?,
        invalid_timestamp_stops: properties.flag("ksql.timestamp.throw.on.invalid", false)?,
    })
}

/// What is ours goes before what is ksqlDB's, whose default is to stop.
fn stops_at_refused_records(properties: &Properties) -> Result<bool, PropertyError> {
    match properties.get("ksql.millstream.on.refused.records") {
        Some(on_refused) => Ok(on_refused.eq_ignore_ascii_case("stop")),
        None => properties.flag("ksql.fail.on.production.error", false),
    }
}
