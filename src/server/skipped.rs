//! `GET /v1/millstream/skipped`: the records that queries have skipped last, and why, as JSON.
//!
//! | parameter | means |
//! |---|---|
//! | `after` | only those with a higher number: what has come since an answer |
//! | `query`, `cause` | those of this query, of this cause alone |
//! | `limit` | the newest so many: 200 (default) to 1,000 |
//!
//! ```json
//! { "at": 1700000000123, "server": "localhost:8088", "rows_included": true, "last": 7,
//!   "counts": [ { "query": "CSAS_LARGE_1", "cause": "undecodable_value", "count": 12 } ],
//!   "records": [ { "number": 7, "at": 1700000000100, "query": "CSAS_LARGE_1", "cause": "undecodable_value",
//!                  "reason": "its value is no JSON of the declared columns (…)",
//!                  "topic": "readings", "partition": 0, "offset": 31, "timestamp": 1700000000090,
//!                  "key": null, "value": "{\"n\": " } ] }
//! ```
//! `counts` has every record that was skipped since its query began here; of very many that come together only some are among
//! `records`, and of each query and cause the last 50, as far as they fit in `ksql.millstream.skipped.max.bytes`. Oldest come
//! first; `last` is the number of the newest of all, and begins anew with the server. Times are in milliseconds since 1970. What is not known is `null`; so are `key` and `value` where
//! `rows_included` is false (`ksql.logging.processing.rows.include`). None of it needs the processing log's topic.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::body;
use super::shared::Shared;
use crate::engine::host::{
    QueryFigures, SkipCause, SkipExample, SkippedRecord, SkippedRow, WantedSkips,
};

/// How many records are given where it is not said, and at most.
const LIMIT: usize = 200;
const LIMIT_MAX: usize = 1_000;

/// `GET /v1/millstream/skipped`.
pub(super) async fn skipped(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Response {
    let wanted = match wanted(query.as_deref().unwrap_or_default()) {
        Ok(wanted) => wanted,
        Err(message) => return body::generic(40000, message),
    };
    let host = &shared.host;
    let figures = host.figures();
    let (last, records) = host.skipped(&wanted);
    let records: Vec<Value> = records.iter().map(of_record).collect();
    let counts = figures.instance.queries.iter().flat_map(counts);
    body::json(&json!({
        "at": figures.at.0,
        "server": figures.server,
        "rows_included": host.shows_rows(),
        "last": last,
        "counts": counts.collect::<Vec<Value>>(),
        "records": records,
    }))
    .into_response()
}

/// What the query of a URL asks for. What is not known is refused, lest it be taken for heard.
fn wanted(query: &str) -> Result<WantedSkips, String> {
    let mut wanted = WantedSkips { limit: LIMIT, ..WantedSkips::default() };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "after" => {
                let number = value.parse();
                wanted.after = number.map_err(|_| format!("after={value}: expected a number"))?;
            }
            "limit" => {
                let number = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                let expected = || format!("limit={value}: expected 1 to {LIMIT_MAX}");
                wanted.limit = number.ok_or_else(expected)?;
            }
            "query" => wanted.query = Some(value.into_owned()),
            "cause" => {
                let expected = || {
                    let names: Vec<&str> =
                        SkipCause::ALL.iter().map(|cause| cause.name()).collect();
                    format!("cause={value}: expected one of {}", names.join(", "))
                };
                wanted.cause = Some(SkipCause::named(&value).ok_or_else(expected)?);
            }
            name => return Err(format!("{name}: expected after, query, cause or limit")),
        }
    }
    Ok(wanted)
}

/// How many records a query has skipped, by cause.
fn counts(query: &QueryFigures) -> impl Iterator<Item = Value> {
    let skipped = query.status.skipped.iter().filter(|(_, count)| **count > 0);
    skipped.map(
        |(cause, count)| json!({ "query": query.status.id, "cause": cause.name(), "count": count }),
    )
}

fn of_record(skipped: &SkippedRecord) -> Value {
    let SkippedRecord { number, at, query, cause, example } = skipped;
    let SkipExample { record, reason, row: SkippedRow { timestamp, key, value } } = example;
    let place = record.as_ref();
    json!({
        "number": number,
        "at": at.0,
        "query": &**query,
        "cause": cause.name(),
        "reason": reason,
        "topic": place.map(|place| &place.topic),
        "partition": place.map(|place| place.partition.0),
        "offset": place.map(|place| place.offset.0),
        "timestamp": timestamp.map(|at| at.0),
        "key": key,
        "value": value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_and_what_is_not_known_is_refused() {
        let asked = wanted("after=7&query=A%20B&cause=late&limit=3").unwrap();
        let (query, cause) = (Some("A B".to_owned()), Some(SkipCause::Late));
        assert_eq!(asked, WantedSkips { after: 7, query, cause, limit: 3 });
        let refused = |query| wanted(query).unwrap_err();
        assert_eq!(refused("limit=2000"), "limit=2000: expected 1 to 1000");
        assert_eq!(refused("since=1"), "since: expected after, query, cause or limit");
        assert!(refused("cause=x").starts_with("cause=x: expected one of undecodable_key, "));
    }
}
