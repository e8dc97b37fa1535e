//! Exchanges sent one after the other, and what is not answered as it was.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::exchange::Exchange;
use crate::masks::masked;
use crate::world::World;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// How long an answer is read that has no end.
const READ_FOR: Duration = Duration::from_millis(500);

/// Sends all exchanges; what is wrong with the answers, by the numbers of exchanges.
pub(crate) fn replay(exchanges: &[Exchange]) -> BTreeMap<u64, String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let world = World::new().await;
        // As ksqlDB has them, rows with new keys go through topics, which it lists.
        let properties = [("ksql.service.id", "cmp_"), ("ksql.millstream.repartition", "topic")];
        let ksql = world.server_with(&properties).await;
        let mut faults = BTreeMap::new();
        for exchange in exchanges {
            if exchange.is_wait() {
                tokio::time::sleep(Duration::from_secs(2)).await;
            } else if let Err(fault) = send(&ksql.url(), exchange).await {
                faults.insert(exchange.n, fault);
            }
        }
        faults
    })
}

/// Sends one, and holds the answer against the recorded one.
async fn send(url: &str, exchange: &Exchange) -> Result<(), String> {
    if exchange.method == "WS" || exchange.protocol != "HTTP/1.1" {
        return Err("neither web sockets nor HTTP/2 are replayed".to_owned());
    }
    let Some(status) = exchange.status else { return Ok(()) };
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = client.build().map_err(|error| error.to_string())?;
    let method = exchange.method.parse().map_err(|_| "the method is none".to_owned())?;
    let mut request = client.request(method, format!("{url}{}", exchange.path));
    for (name, value) in exchange.headers.iter().filter(|(name, _)| *name != "Host") {
        request = request.header(name, value);
    }
    if let Some(body) = &exchange.body {
        request = request.body(body.clone());
    }
    let sent = tokio::time::timeout(ANSWER_WITHIN, request.send()).await;
    let response = sent.map_err(|_| "no answer".to_owned())?.map_err(|error| error.to_string())?;
    let found = u64::from(response.status().as_u16());
    let content_type = response.headers().get("content-type");
    let content_type = content_type.and_then(|ty| ty.to_str().ok()).map(str::to_owned);
    let answer = read(response, exchange.is_complete).await;
    if found != status {
        return Err(format!("status {found} instead of {status}: {answer}\n{}", exchange.answer));
    }
    let (recorded, answer) = (masked(&exchange.answer), masked(&answer));
    let is_alike = if exchange.is_complete {
        recorded == answer
    } else {
        // What had come when it was cut is a matter of time; the header is not.
        recorded.lines().next() == answer.lines().next()
    };
    if !is_alike {
        return Err(format!("{answer}\ninstead of\n{recorded}"));
    }
    if content_type != exchange.content_type {
        return Err(format!("{content_type:?} instead of {:?}", exchange.content_type));
    }
    Ok(())
}

/// Reads an answer to its end, or for a while.
async fn read(mut response: reqwest::Response, has_end: bool) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
        }
    };
    let patience = if has_end { ANSWER_WITHIN } else { READ_FOR };
    let _ = tokio::time::timeout(patience, reading).await;
    String::from_utf8_lossy(&bytes).into_owned()
}
