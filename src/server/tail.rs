//! `GET /v1/millstream/records`: the records of a topic as they come, a JSON object a line, until the client goes.
//!
//! | parameter | means |
//! |---|---|
//! | `topic` | the topic |
//! | `from` | `latest` (default): what comes from now on; `earliest`: the first record of each partition; `offset:N`: that offset of each, or the nearest that there is; `time:MS`: the first with this time or a later one, in milliseconds since 1970 |
//!
//! ```json
//! {"partition":0,"offset":31,"timestamp":1700000000123,"key":"d1","value":"{\"N\":1}","headers":[["trace","7"]]}
//! ```
//! Keys and values are shown as `millstream topics tail` guesses them, windows of keys and schemas of a registry included; `null`
//! is none. A line of white space says that nothing has come for a second. An error ends the answer: `{"error":"…"}`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::mpsc::{Sender, channel};

use super::body;
use super::shared::Shared;
use super::streamed::{WAITING_FRAMES, response};
use crate::engine::host::{TailFrom, TailedRecord, Tailing};

/// How long an answer may be silent.
const SILENT_FOR: Duration = Duration::from_secs(1);

/// `GET /v1/millstream/records`.
pub(super) async fn records(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Response {
    let (topic, from) = match asked(query.as_deref().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(message) => return body::generic(40000, message),
    };
    match shared.host.tail(&topic, from).await {
        Ok(Some(tailing)) => {
            let (sender, frames) = channel(WAITING_FRAMES);
            tokio::spawn(send(tailing, sender));
            let lines = [(header::CONTENT_TYPE, "application/x-ndjson")];
            (lines, response(frames)).into_response()
        }
        Ok(None) => body::generic(40000, format!("there is no topic {topic}")),
        Err(error) => body::error(&error),
    }
}

/// What the query of a URL asks for. What is not known is refused, lest it be taken for heard.
fn asked(query: &str) -> Result<(String, TailFrom), String> {
    let (mut topic, mut from) = (None, TailFrom::Latest);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "topic" => topic = Some(value.into_owned()),
            "from" => from = parse_from(&value)?,
            name => return Err(format!("{name}: expected topic or from")),
        }
    }
    Ok((topic.ok_or("topic: expected the name of a topic")?, from))
}

fn parse_from(text: &str) -> Result<TailFrom, String> {
    let expected = || format!("from={text}: expected earliest, latest, offset:N or time:MS");
    let number = |text: &str| text.parse().ok().filter(|number| *number >= 0).ok_or_else(expected);
    match text.split_once(':') {
        None if text == "earliest" => Ok(TailFrom::Earliest),
        None if text == "latest" => Ok(TailFrom::Latest),
        Some(("offset", offset)) => number(offset).map(TailFrom::Offset),
        Some(("time", at)) => number(at).map(TailFrom::Time),
        _ => Err(expected()),
    }
}

/// Sends records until nobody takes them.
async fn send(mut tailing: Tailing, sender: Sender<Bytes>) {
    loop {
        let next = tokio::select! {
            next = tailing.next(SILENT_FOR) => next,
            () = sender.closed() => return,
        };
        let (text, is_last) = match next {
            Ok(records) if records.is_empty() => ("\n".to_owned(), false),
            Ok(records) => (records.iter().map(|record| line(record) + "\n").collect(), false),
            Err(error) => (format!("{}\n", json!({ "error": error.message })), true),
        };
        if sender.send(text.into()).await.is_err() || is_last {
            return;
        }
    }
}

fn line(record: &TailedRecord) -> String {
    let TailedRecord { partition, offset, timestamp_ms, key, value, headers } = record;
    json!({
        "partition": partition,
        "offset": offset,
        "timestamp": timestamp_ms,
        "key": key,
        "value": value,
        "headers": headers,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_records_begin_is_read_and_what_is_not_known_is_refused() {
        let from = |text: &str| asked(&format!("topic=t&from={text}")).map(|(_, from)| from);
        assert_eq!(asked("topic=a%20b"), Ok(("a b".to_owned(), TailFrom::Latest)));
        assert_eq!(from("earliest"), Ok(TailFrom::Earliest));
        assert_eq!(from("offset:7"), Ok(TailFrom::Offset(7)));
        assert_eq!(from("time:1700000000000"), Ok(TailFrom::Time(1_700_000_000_000)));
        let refused = "from=offset:-1: expected earliest, latest, offset:N or time:MS";
        assert_eq!(from("offset:-1"), Err(refused.to_owned()));
        assert_eq!(asked("from=latest"), Err("topic: expected the name of a topic".to_owned()));
        assert_eq!(asked("topic=t&form=x"), Err("form: expected topic or from".to_owned()));
    }
}
