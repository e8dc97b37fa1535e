#!/bin/sh
# A Rust client of HTTP/2 that does not read for a moment ends the whole connection, long before its window is full.
#
# Versions:  crates h2 0.4.20 (since 0.4.16 of August 2026), http 1, tokio 1
# Guess:     who reads slowly holds the other side up by flow control, and by that alone: rows that fit into the window of
#            65,535 bytes wait there, however they are cut into frames.
# Seen:      of 1,000 rows of 60 bytes, a frame each, 168 are read; then the connection ends with ENHANCE_YOUR_CALM,
#            "too_many_data_frames". Each frame of less than 256 bytes that is not read yet counts as what it lacks, against
#            a budget that goes by the window. 100 such rows, or 200 of 300 bytes, are all read.
# So:        a server that streams each row as a frame of its own, as ksqlDB does and as clients that take frames for JSON
#            values need it, loses such a client with all its streams; the client has to read at once, or to ask for more
#            (`data_frame_budget`, a larger window).
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
mkdir src

cat > Cargo.toml <<'TOML'
[package]
name = "calm"
version = "0.0.0"
edition = "2021"

[dependencies]
bytes = "1"
h2 = "=0.4.20"
http = "1"
tokio = { version = "1", features = ["io-util", "macros", "rt", "time"] }
TOML
cat > src/main.rs <<'RUST'
use bytes::Bytes;
use std::time::Duration;

/// A server that writes rows of a size, each a frame of its own, and a client that reads none for a while: how many of them
/// it reads then, and what ends the answer.
async fn ask(size: usize, rows: usize) -> (usize, String) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move {
        let mut connection = h2::server::handshake(theirs).await.unwrap();
        let (_, mut respond) = connection.accept().await.unwrap().unwrap();
        tokio::spawn(async move { while connection.accept().await.is_some() {} });
        let mut body = respond.send_response(http::Response::new(()), false).unwrap();
        for row in 0..rows {
            let is_last = row + 1 == rows;
            if body.send_data(Bytes::from(vec![b'x'; size]), is_last).is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    let (mut client, connection) = h2::client::handshake(ours).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("http://localhost/").body(()).unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    let mut body = answer.await.unwrap().into_body();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut read = 0;
    while let Some(row) = body.data().await {
        match row {
            Ok(row) => {
                read += 1;
                let _ = body.flow_control().release_capacity(row.len());
            }
            Err(error) => return (read, error.to_string()),
        }
    }
    (read, "its end".to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for (size, rows) in [(60, 100), (60, 1_000), (300, 200)] {
        let (read, end) = ask(size, rows).await;
        println!("{rows} rows of {size} bytes: {read} read, then {end}");
    }
}
RUST
seen=$(cargo run --quiet 2> cargo.log) || { cat cargo.log >&2; exit 1; }
echo "$seen"
[ "$(echo "$seen" | grep -c 'read, then its end')" = 2 ] || { echo "not as it was: short answers" >&2; exit 1; }
echo "$seen" | grep -q '^1000 rows of 60 bytes: .*too_many_data_frames' || { echo "not as it was: unread rows" >&2; exit 1; }
