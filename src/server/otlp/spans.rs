//! The way of a query's records to a commit as spans.
//!
//! ```text
//! commit CSAS_X_1      ├───────────────────────────────────────────────────┤
//!   fetch and process  ├───────────────────────┤
//!   drain                                      ├──────┤
//!   produce                                           ├──────┤
//!   write changelogs                                         ├────┤
//!   commit offsets                                                ├────────┤
//! ```

use super::messages::{FAILED, INTERNAL, KeyValue, Span, Status};
use crate::engine::host::CommitTrace;

/// The spans of a commit: it as a whole, and its parts within it.
pub(super) fn spans(trace: &CommitTrace) -> Vec<Span> {
    let mut whole = span(trace, (0, &format!("commit {}", trace.query)));
    (whole.start_time_unix_nano, whole.end_time_unix_nano) =
        (nanos(trace.began_us), nanos(trace.ended_us()));
    let records = i64::try_from(trace.records).unwrap_or(i64::MAX);
    whole.attributes.push(KeyValue::int("millstream.records", records));
    if let Some(error) = &trace.error {
        whole.status = Some(Status { message: error.clone(), code: FAILED });
    }
    let parent = whole.span_id.clone();
    let mut spans = vec![whole];
    let mut from = trace.began_us;
    for (at, (name, done)) in (1..).zip(&trace.parts) {
        spans.push(Span {
            parent_span_id: parent.clone(),
            start_time_unix_nano: nanos(from),
            end_time_unix_nano: nanos(*done),
            ..span(trace, (at, name))
        });
        from = *done;
    }
    spans
}

/// A span of a commit, by its place among them, without times.
fn span(trace: &CommitTrace, (at, name): (u64, &str)) -> Span {
    // Ids of spans tell those of a trace apart, and are not 0.
    let id = ((trace.id >> 64) as u64).wrapping_add(at) | 1 << 63;
    Span {
        trace_id: trace.id.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: name.to_owned(),
        kind: INTERNAL,
        attributes: vec![KeyValue::text("millstream.query", &trace.query)],
        ..Span::default()
    }
}

fn nanos(us: i64) -> u64 {
    u64::try_from(us).unwrap_or(0).saturating_mul(1_000)
}
