//! HTTP/2 of clients that misuse it: their own connection may end, and others are answered.

use proptest::prelude::{Strategy, any, prop};
use proptest::prop_oneof;
use proptest::strategy::ValueTree as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bodies::runner;
use crate::connections::connect;
use crate::world::{Ksql, PATIENCE, World};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// Flags of frames.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `GET /chc/live` of `localhost`, as RFC 7541 writes it without a table.
const GET: &[u8] = b"\x82\x86\x04\x09/chc/live\x01\x09localhost";

/// A part of a flood, by its number.
type Part<'p> = &'p (dyn Fn(u32) -> Vec<u8> + Sync);

/// How many frames a flood has.
const FLOOD: u32 = 50_000;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [.., a, b, c] = payload.len().to_be_bytes();
    let mut frame = vec![a, b, c, kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A connection that speaks HTTP/2.
async fn connection(ksql: &Ksql) -> TcpStream {
    let mut stream = connect(ksql).await;
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    stream
}

/// Whether the server ends a connection, to which nothing more is sent.
async fn ends(mut stream: TcpStream) -> Vec<u8> {
    let _ = stream.shutdown().await;
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end");
    bytes
}

/// Sends a flood while what comes is read, or not: whoever does not read may find that nothing more is taken.
async fn flood(ksql: &Ksql, is_read: bool, part: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let (mut from, mut to) = connection(ksql).await.into_split();
    let reading = tokio::spawn(async move {
        let mut bytes = Vec::new();
        if is_read {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut buffer).await {
                bytes.extend_from_slice(&buffer[..length]);
            }
        } else {
            std::future::pending::<()>().await;
        }
        bytes
    });
    let sent = async {
        for n in 0..FLOOD {
            if to.write_all(&part(n)).await.is_err() {
                return;
            }
        }
    };
    let taken = tokio::time::timeout(std::time::Duration::from_secs(5), sent).await;
    assert_eq!(ksql.get("/chc/live").await.0, 200);
    if !is_read {
        reading.abort();
        return Vec::new();
    }
    assert!(taken.is_ok() || to.writable().await.is_ok());
    drop(to);
    tokio::time::timeout(PATIENCE, reading).await.expect("an end").unwrap()
}

/// The stream that a client begins as its next but so many.
fn stream(n: u32) -> u32 {
    2 * n + 1
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_frames_flood_their_own_connection() {
    let world = World::new().await;
    let ksql = world.server().await;
    let get = |n| frame(HEADERS, END_STREAM | END_HEADERS, stream(n), GET);
    let floods: &[(&str, Part<'_>)] = &[
        ("settings", &|_| frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])),
        ("pings", &|_| frame(PING, 0, 0, &[0; 8])),
        ("priorities", &|n| frame(PRIORITY, 0, stream(n), &[0, 0, 0, 0, 1])),
        ("windows", &|_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("resets", &|n| [get(n), frame(RESET, 0, stream(n), &[0, 0, 0, 8])].concat()),
        ("requests", &get),
        ("requests without end", &|n| frame(HEADERS, END_HEADERS, stream(n), GET)),
        ("empty data", &|n| match n {
            0 => frame(HEADERS, END_HEADERS, 1, GET),
            _ => frame(DATA, 0, 1, &[]),
        }),
        ("continuations", &|n| match n {
            0 => frame(HEADERS, END_STREAM, 1, GET),
            _ => frame(CONTINUATION, 0, 1, b"\x00\x01a\x01b"),
        }),
        ("empty continuations", &|n| match n {
            0 => frame(HEADERS, END_STREAM, 1, GET),
            _ => frame(CONTINUATION, 0, 1, &[]),
        }),
        ("errors of streams", &|n| frame(WINDOW_UPDATE, 0, stream(n), &[0, 0, 0, 0])),
    ];
    for (name, part) in floods {
        for is_read in [true, false] {
            eprintln!("{name}, {}", if is_read { "read" } else { "not read" });
            flood(&ksql, is_read, part).await;
        }
    }
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_end_is_not_collected() {
    let world = World::new().await;
    let ksql = world.server().await;
    let told = flood(&ksql, true, |n| match n {
        0 => frame(HEADERS, END_STREAM, 1, GET),
        _ => frame(CONTINUATION, 0, 1, &b"\x00\x01a\x01b".repeat(1_000)),
    })
    .await;
    let is_refused = told.windows(4).any(|bytes| bytes == [GO_AWAY, 0, 0, 0]);
    assert!(is_refused, "{told:?}");
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_of_any_kind_have_an_end() {
    let world = World::new().await;
    let ksql = world.server().await;
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        prop::collection::vec(any::<u8>(), 0..32).prop_map(|rest| [GET, &rest].concat()),
    ];
    let one = (0..12_u8, any::<u8>(), 0..8_u32, payload)
        .prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload));
    let all = prop::collection::vec(one, 1..12).prop_map(|frames| frames.concat());
    let mut runner = runner();
    let times = if std::env::var_os("MILLSTREAM_LONG").is_some() { 20_000 } else { 300 };
    for _ in 0..times {
        let bytes = all.new_tree(&mut runner).unwrap().current();
        let mut stream = connection(&ksql).await;
        // It may be refused while it is still sent.
        let _ = stream.write_all(&bytes).await;
        ends(stream).await;
    }
    assert_eq!(ksql.get("/chc/live").await.0, 200);
    ksql.stop().await;
}
