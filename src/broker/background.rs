//! What happens without a request: sessions and transactions run out, old records go, logs are compacted.
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use tokio::sync::watch;

use super::compaction;
use super::core::Core;
use super::log::Log;
use super::shared::Broker;

/// How often sessions, rebalances and transactions are looked at.
const TICK: Duration = Duration::from_millis(20);

/// Works until the broker stops.
pub(super) async fn run(broker: Arc<Broker>, mut stopped: watch::Receiver<bool>) {
    let cleaning_interval = broker.config.cleaning_interval;
    let mut since_cleaning = Duration::ZERO;
    loop {
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
        let now = broker.now();
        {
            let mut core = broker.core();
            core.groups.tick(now);
            core.abort_overdue(now);
        }
        since_cleaning += TICK;
        if cleaning_interval.is_some_and(|interval| since_cleaning >= interval) {
            since_cleaning = Duration::ZERO;
            clean(&broker, false).await;
        }
    }
}

/// Deletes what topics keep no longer, and compacts what is worth it, or all if `forced`.
pub(super) async fn clean(broker: &Arc<Broker>, forced: bool) {
    {
        let mut core = broker.core();
        delete_old(&mut core, broker.now());
        if core.journal.is_long()
            && let Err(error) = core.rewrite_journal()
        {
            tracing::error!(%error, "the journal could not be written anew");
        }
    }
    let work = Arc::clone(broker);
    // Compaction decompresses and hashes, which is not for a thread that serves sockets.
    let done = tokio::task::spawn_blocking(move || compaction::run(&work, forced)).await;
    if let Err(error) = done {
        tracing::error!(%error, "compaction has failed");
    }
}

/// Deletes batches that are older than `retention.ms` or beyond `retention.bytes`.
fn delete_old(core: &mut Core, now: i64) {
    let mut cuts = Vec::new();
    for (name, topic) in core.topics.iter().filter(|(_, topic)| topic.is_deleted()) {
        let (age_max, bytes_max) = (topic.number("retention.ms"), topic.number("retention.bytes"));
        for (partition, log) in (0..).zip(&topic.partitions) {
            let mut bytes = log.bytes() as i64;
            let mut start = log.start();
            for entry in log.entries().iter().take_while(|entry| entry.last < log.last_stable()) {
                let is_old = age_max >= 0 && now - entry.max_timestamp > age_max;
                let is_beyond = bytes_max >= 0 && bytes - i64::from(entry.size) >= bytes_max;
                if !is_old && !is_beyond {
                    break;
                }
                bytes -= i64::from(entry.size);
                start = entry.last + 1;
            }
            if start > log.start() {
                cuts.push((name.to_owned(), partition, start));
            }
        }
    }
    for (topic, partition, start) in cuts {
        tracing::debug!(topic, partition, start, "old records are deleted");
        let _ = core.cut_log(&topic, partition, start);
    }
}

/// Makes room in memory for `bytes` more: the largest partitions that may lose records lose their oldest.
pub(super) fn make_room(core: &mut Core, bytes_max: u64, bytes: u64) -> Result<(), ResponseError> {
    core.held_bytes_max += bytes;
    if core.held_bytes_max <= bytes_max {
        return Ok(());
    }
    let logs = core.topics.iter().flat_map(|(_, topic)| &topic.partitions);
    let mut held: u64 = logs.map(Log::bytes).sum();
    while held + bytes > bytes_max {
        let deletable = core.topics.iter_mut().filter(|(_, topic)| topic.is_deleted());
        let logs = deletable.flat_map(|(_, topic)| &mut topic.partitions);
        let largest = logs.filter(|log| log.can_evict()).max_by_key(|log| log.bytes());
        let freed = largest.map_or(0, Log::evict_first);
        if freed == 0 {
            tracing::warn!(held, bytes_max, "there is no room for more records in memory");
            return Err(ResponseError::KafkaStorageError);
        }
        held -= freed;
    }
    core.held_bytes_max = held + bytes;
    Ok(())
}
