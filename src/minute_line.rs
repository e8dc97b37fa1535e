//! One line a minute about what queries did, where they did anything.

use std::sync::Arc;
use std::time::Duration;

use millstream::engine::host::Host;
use millstream::runtime::live::{InstanceFigures, QueryState};

/// How often it is said.
const EVERY: Duration = Duration::from_mins(1);

/// Says once a minute how queries fare, for good.
pub(crate) async fn tell(host: &Arc<Host>) -> std::convert::Infallible {
    let mut before = host.figures().instance;
    loop {
        tokio::time::sleep(EVERY).await;
        let now = host.figures().instance;
        if let Some(line) = line(&before, &now) {
            tracing::info!("{line}");
        }
        before = now;
    }
}

/// What happened between two looks; nothing if there is nothing to say.
fn line(before: &InstanceFigures, now: &InstanceFigures) -> Option<String> {
    let (mut read, mut written, mut lag) = (0, 0, 0);
    let mut skipped = millstream::runtime::SkipCounts::default();
    let (mut failing, mut busiest) = (Vec::new(), None);
    for query in &now.queries {
        let status = &query.status;
        let old = before.queries.iter().find(|old| old.status.id == status.id);
        let old = old.map(|old| &old.status);
        let own = status.records.saturating_sub(old.map_or(0, |old| old.records));
        read += own;
        // Records that were refused are taken back.
        written += status.written.saturating_sub(old.map_or(0, |old| old.written));
        lag += status.lag.unwrap_or(0);
        for (cause, count) in status.skipped.iter() {
            *skipped.get_mut(cause) +=
                count - old.map_or(0, |old| *old.skipped.get(cause)).min(*count);
        }
        if matches!(status.state, QueryState::Retrying | QueryState::Failed) {
            failing.push(status.id.as_str());
        }
        if busiest.is_none_or(|(records, _)| own > records) {
            busiest = Some((own, status.id.as_str()));
        }
    }
    let skipped = skipped.to_string();
    if read == 0 && written == 0 && lag == 0 && skipped.is_empty() && failing.is_empty() {
        return None;
    }
    let per_second = |records: u64| records.div_ceil(EVERY.as_secs());
    let mut parts = vec![
        format!("{read} records in ({}/s)", per_second(read)),
        format!("{written} out ({}/s)", per_second(written)),
        format!("behind by {lag}"),
    ];
    if !skipped.is_empty() {
        parts.push(skipped);
    }
    if let Some((records, id)) =
        busiest.filter(|(records, _)| *records > 0 && now.queries.len() > 1)
    {
        parts.push(format!("most in {id} ({}/s)", per_second(records)));
    }
    if !failing.is_empty() {
        parts.push(format!("not running: {}", failing.join(", ")));
    }
    Some(format!("last minute: {}", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use millstream::runtime::SkipCause;
    use millstream::runtime::live::{DurationCounts, QueryFigures, QueryStatus};

    use super::*;

    fn query(id: &str, records: u64) -> QueryFigures {
        QueryFigures {
            status: QueryStatus {
                id: id.to_owned(),
                state: QueryState::Running,
                cause: None,
                failed_at: None,
                records,
                written: records / 2,
                skipped: millstream::runtime::SkipCounts::default(),
                stored_rows: 0,
                lag: Some(0),
            },
            partitions: Vec::new(),
            nodes: Vec::new(),
            stores: Vec::new(),
            output_bytes: 0,
            commits: DurationCounts::default(),
            ages: DurationCounts::default(),
            failures: 0,
            aborts: 0,
            restored: 0,
            restoring: 0,
        }
    }

    fn all(queries: Vec<QueryFigures>) -> InstanceFigures {
        InstanceFigures { queries, topics: Vec::new(), busy_us: Vec::new() }
    }

    #[test]
    fn who_did_nothing_says_nothing() {
        let quiet = all(vec![query("A", 600)]);
        assert_eq!(line(&quiet, &quiet), None);
    }

    #[test]
    fn a_minute_is_told_in_a_line() {
        let before = all(vec![query("A", 600)]);
        let mut now = all(vec![query("A", 1_200), query("B", 60)]);
        now.queries[0].status.lag = Some(12);
        *now.queries[0].status.skipped.get_mut(SkipCause::NullKey) += 2;
        let told = "last minute: 660 records in (11/s), 330 out (6/s), behind by 12, 2 skipped (2 without a key), \
                    most in A (10/s)";
        assert_eq!(line(&before, &now).unwrap(), told);
        now.queries[1].status.state = QueryState::Retrying;
        assert_eq!(line(&before, &now).unwrap(), format!("{told}, not running: B"));
    }
}
