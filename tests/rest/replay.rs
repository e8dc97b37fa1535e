//! Exchanges sent one after the other, and what is not answered as it was.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream as _;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::exchange::Exchange;
use crate::masks::masked;
use crate::world::World;

/// A web socket.
type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

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
    let Some(status) = exchange.status else { return Ok(()) };
    if exchange.method == "WS" {
        return talk(url, exchange).await;
    }
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = match exchange.protocol.as_str() {
        "HTTP/2" => client.http2_prior_knowledge(),
        _ => client,
    };
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

/// Opens a web socket, and holds what comes over it against what was recorded.
async fn talk(url: &str, exchange: &Exchange) -> Result<(), String> {
    let url = format!("{}{}", url.replacen("http", "ws", 1), exchange.path);
    let (mut socket, _) = connect_async(url).await.map_err(|error| error.to_string())?;
    let mut messages = Vec::new();
    let talked = tokio::time::timeout(ANSWER_WITHIN, async {
        while let Some(message) = next_message(&mut socket).await {
            match message {
                Message::Text(text) => messages.push(text.to_string()),
                Message::Close(Some(frame)) => {
                    let code = u16::from(frame.code);
                    return Some(json!({ "code": code, "reason": frame.reason.as_str() }));
                }
                _ => {}
            }
        }
        None
    });
    let close = talked.await.map_err(|_| format!("no end after {messages:?}"))?;
    let answer = masked(&json!({ "messages": messages, "close": close }).to_string());
    let recorded: Value =
        serde_json::from_str(&exchange.answer).map_err(|error| error.to_string())?;
    let recorded = masked(&recorded.to_string());
    if answer == recorded { Ok(()) } else { Err(format!("{answer}\ninstead of\n{recorded}")) }
}

/// The next message, if there is one.
async fn next_message(socket: &mut Socket) -> Option<Message> {
    poll_fn(|context| Pin::new(&mut *socket).poll_next(context)).await?.ok()
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
